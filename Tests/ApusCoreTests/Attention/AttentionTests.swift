import ApusCore
import TestSupport
import Testing

@Suite("attention")
struct AttentionTests {
  /// Sizes around those of panels, blocks and groups.
  struct Sizes: Sendable, CustomTestStringConvertible {
    let batch: [Int]
    let l, s, e, ev: Int

    init(_ batch: [Int], _ l: Int, _ s: Int, _ e: Int, _ ev: Int? = nil) {
      (self.batch, self.l, self.s, self.e, self.ev) = (batch, l, s, e, ev ?? e)
    }

    var testDescription: String { "batch \(batch) L \(l) S \(s) E \(e) Ev \(ev)" }

    func operands(_ dtype: DType) -> [Tensor] {
      [[l, e], [s, e], [s, ev]].enumerated().map { i, shape in
        samples(Shape(batch + shape), seed: UInt64(i + 1)).to(dtype)
      }
    }
  }

  static let sizes = [
    Sizes([2, 3], 1, 7, 16), Sizes([], 4, 5, 3), Sizes([1], 5, 200, 20, 7), Sizes([2], 33, 31, 64), Sizes([2], 97, 193, 16, 40),
    Sizes([1], 700, 385, 24), Sizes([1, 2], 70, 900, 8), Sizes([1], 3, 1000, 256), Sizes([1], 40, 40, 256, 130),
  ]

  static let tolerances: [(DType, Double)] = [(.float64, 1e-11), (.float32, 2e-5), (.float16, 2e-3), (.bfloat16, 2e-2)]

  /// Compares values and gradients of the blocked op and the twin.
  private func compare(
    _ inputs: [Tensor], _ tolerance: Double, _ comment: String,
    _ function: (Bool, [Tensor]) -> Tensor
  ) {
    let inference = function(true, inputs)
    var xs = inputs
    for i in xs.indices { xs[i].requiresGrad = true }
    let ys = [function(true, xs), function(false, xs)]
    expectClose(inference, ys[1].detach(), relative: tolerance, absolute: tolerance, "inference, \(comment)")
    expectClose(ys[0].detach(), ys[1].detach(), relative: tolerance, absolute: tolerance, comment)
    let seed = samples(ys[0].shape, seed: 8).to(ys[0].dtype)
    let gradients = ys.map { grad(of: $0, withRespectTo: xs, gradient: seed) }
    for i in xs.indices {
      // Gradients of keys are sums over all queries.
      expectClose(
        gradients[0][i], gradients[1][i], relative: tolerance, absolute: 8 * tolerance, "gradient \(i), \(comment)")
    }
  }

  @Test("agrees with its twin in values and gradients", arguments: sizes)
  func twin(sizes: Sizes) {
    for (dtype, tolerance) in Self.tolerances {
      for isCausal in [false, true] {
        compare(sizes.operands(dtype), tolerance, "\(dtype) causal \(isCausal)") { isBlocked, x in
          let attention = isBlocked ? scaledDotProductAttention : attentionTwin
          return attention(x[0], x[1], x[2], nil, 0, isCausal, 0.3, false, .default)
        }
      }
    }
  }

  @Test("agrees with its twin under masks of every kind", arguments: sizes)
  func masks(sizes: Sizes) {
    let (l, s) = (sizes.l, sizes.s)
    var holes = samples([l, s], seed: 5) .> -0.5
    holes[0] = Tensor.zeros([s], dtype: .bool)  // a query that may attend to nothing
    let padding = Tensor.arange(s).reshape(1, s) .< max(s - 3, 1)
    let bias = samples([l, s], seed: 6)
    let perMatrix = samples(Shape(sizes.batch + [l, s]), seed: 7) .> 0
    let transposed = (samples([s, l], seed: 5) .> 0).mT
    for mask in [holes, padding, bias, perMatrix, transposed, bias[0], bias.narrow(dim: 1, start: 0, count: 1)] {
      for isCausal in [false, true] {
        for (dtype, tolerance) in Self.tolerances.prefix(2) {
          let mask = mask.dtype == .bool ? mask : mask.to(dtype)
          compare(sizes.operands(dtype), tolerance, "\(dtype) mask \(mask.shape) causal \(isCausal)") { isBlocked, x in
            let attention = isBlocked ? scaledDotProductAttention : attentionTwin
            return attention(x[0], x[1], x[2], mask, 0, isCausal, nil, false, .default)
          }
        }
      }
    }
  }

  @Test("drops the same weights as its twin, forth and back", arguments: sizes)
  func dropout(sizes: Sizes) {
    for (dtype, tolerance) in Self.tolerances.prefix(2) {
      for p in [0.3, 1] {
        compare(sizes.operands(dtype), 4 * tolerance, "\(dtype) dropout \(p)") { isBlocked, x in
          let attention = isBlocked ? scaledDotProductAttention : attentionTwin
          return attention(x[0], x[1], x[2], nil, p, true, nil, false, Generator(seed: 3))
        }
      }
    }
  }

  @Test("dropout keeps the mean and takes a share of p")
  func dropoutStatistics() {
    // With equal scores and an identity as values the output is the weights.
    let (n, p) = (300, 0.25)
    let (zeros, identity) = (Tensor.zeros([n, 4]), Tensor.eye(n))
    let weights = scaledDotProductAttention(zeros, zeros, identity, dropout: p, generator: Generator(seed: 1)) * Double(n)
    #expect(abs((weights .== 0).to(.float64).mean().item() - p) < 0.01)
    #expect(abs(weights.mean().item() - 1) < 0.02)
    #expect(abs(weights.max().item() - 1 / (1 - p)) < 1e-4)
    let generator = Generator(seed: 1)
    let calls = [0, 1].map { _ in scaledDotProductAttention(zeros, zeros, identity, dropout: p, generator: generator) }
    #expect((calls[0] .!= calls[1]).any().item() == 1)
  }

  @Test("heads share keys and values in groups")
  func grouped() {
    for (l, dtype, tolerance) in [(1, DType.float32, 1e-5), (40, .float32, 2e-5), (40, .float64, 1e-11), (40, .float16, 2e-3)] {
      let q = samples([2, 6, l, 8], seed: 1).to(dtype)
      let (k, v) = (samples([2, 2, 50, 8], seed: 2).to(dtype), samples([2, 2, 50, 8], seed: 3).to(dtype))
      for mask in [
        nil, samples([2, 6, l, 50], seed: 4) .> 0, samples([l, 50], seed: 4) .> 0, samples([2, 1, 1, 50], seed: 4) .> 0,
      ] {
        compare([q, k, v], tolerance, "\(dtype) L \(l)") { isBlocked, x in
          isBlocked
            ? scaledDotProductAttention(x[0], x[1], x[2], mask: mask, enableGQA: true)
            : attentionTwin(
              x[0], x[1].repeatInterleave(3, dim: 1), x[2].repeatInterleave(3, dim: 1), mask: mask)
        }
      }
    }
  }

  @Test("takes operands in any layout, and the same tensor for all three")
  func layouts() {
    let packed = samples([2, 50, 3, 4, 8], seed: 1)  // [batch, tokens, (q, k, v), heads, features]
    compare([packed], 1e-11, "packed") { isBlocked, x in
      let parts = x[0].unbind(dim: 2).map { $0.transpose(1, 2) }
      return isBlocked
        ? scaledDotProductAttention(parts[0], parts[1], parts[2], isCausal: true)
        : attentionTwin(parts[0], parts[1], parts[2], isCausal: true)
    }
    compare([samples([60, 8, 2], seed: 2).transpose(0, 2)], 1e-11, "the same") { isBlocked, x in
      isBlocked ? scaledDotProductAttention(x[0], x[0], x[0]) : attentionTwin(x[0], x[0], x[0])
    }
    let x = samples([2, 5, 4, 8], seed: 3).transpose(1, 2)
    // The result lies in memory as the query does, so that joining the heads again costs nothing.
    #expect(scaledDotProductAttention(x, x, x).transpose(1, 2).isContiguous)
  }

  @Test("packed operands give what the three parts give, and so do their gradients", arguments: [false, true])
  func packed(batchFirst: Bool) throws {
    func parts(_ x: Tensor) -> [Tensor] {
      x.unbind(dim: 2).map { batchFirst ? $0.transpose(1, 2) : $0.permute(1, 2, 0, 3) }
    }
    for (dtype, tolerance) in Self.tolerances {
      let x = samples([50, 40, 3, 2, 8], seed: 1).to(dtype)
      let mask = samples(batchFirst ? [40, 40] : [50, 50], seed: 2) .> -1
      for (dropout, isCausal) in [(0, true), (0.3, false)] {
        compare([x], 4 * tolerance, "\(dtype) dropout \(dropout)") { isPacked, x in
          let generator = Generator(seed: 3)
          let p = parts(x[0])
          return isPacked
            ? packedAttention(
              x[0], batchFirst: batchFirst, mask: mask, dropout: dropout, isCausal: isCausal, generator: generator)
            : attentionTwin(p[0], p[1], p[2], mask: mask, dropout: dropout, isCausal: isCausal, generator: generator)
        }
      }
    }
    // One matrix of many keys: the shares of the query's gradient are added.
    compare([samples(batchFirst ? [1, 800, 3, 1, 4] : [800, 1, 3, 1, 4], seed: 1)], 1e-10, "shares") { isPacked, x in
      let p = parts(x[0])
      return isPacked ? packedAttention(x[0], batchFirst: batchFirst) : attentionTwin(p[0], p[1], p[2])
    }
    try gradientCheck([samples([2, 3, 3, 1, 2], seed: 4), samples([2, 2], seed: 5)], order: 2) {
      let mask = batchFirst ? samples([3, 3], seed: 6) : $0[1]
      return packedAttention($0[0], batchFirst: batchFirst, mask: mask) + (batchFirst ? $0[1].sum() : 0)
    }
    #expect(packedAttention(Tensor.zeros([2, 0, 3, 2, 4]), batchFirst: true).shape == [2, 2, 0, 4])
    expectMistake("packedAttention: [2, 3, 4] is not [N, L, 3, H, E] or [L, N, 3, H, E]") {
      _ = packedAttention(Tensor.zeros([2, 3, 4]), batchFirst: true)
    }
  }

  @Test("autocast computes in its dtype and converts gradients back")
  func autocastScope() {
    var x = samples([2, 3, 4], seed: 1).to(.float32)
    x.requiresGrad = true
    let bias = samples([3, 3], seed: 2).to(.float32)
    let y = autocast(to: .bfloat16) { scaledDotProductAttention(x, x, x, mask: bias) }
    #expect(y.dtype == .bfloat16)
    expectClose(y.to(.float32).detach(), scaledDotProductAttention(x, x, x, mask: bias).detach(), relative: 0.02, absolute: 0.02)
    y.sum().backward()
    #expect(x.grad?.dtype == .float32)
  }

  @Test("gradients against central differences, first and second order")
  func gradients() throws {
    let (q, k, v) = (samples([2, 3, 2], seed: 1), samples([2, 4, 2], seed: 2), samples([2, 4, 3], seed: 3))
    let mask = Tensor([[true, false, true, true], [false, false, false, false], [true, true, true, false]])
    let bias = samples([3, 4], seed: 4)
    try gradientCheck([q, k, v], order: 2) { scaledDotProductAttention($0[0], $0[1], $0[2]) }
    try gradientCheck([q, k, v], order: 2) { scaledDotProductAttention($0[0], $0[1], $0[2], mask: mask, isCausal: true) }
    try gradientCheck([q, k, v, bias], order: 2) { scaledDotProductAttention($0[0], $0[1], $0[2], mask: $0[3], scale: -0.7) }
    try gradientCheck([q, k, v], order: 2) {
      scaledDotProductAttention($0[0], $0[1], $0[2], mask: bias, dropout: 0.4, generator: Generator(seed: 2))
    }
    try gradientCheck([q, k[0], v[0]], order: 2) { scaledDotProductAttention($0[0], $0[1], $0[2]) }
    try gradientCheck([q], order: 2) { scaledDotProductAttention($0[0], $0[0], $0[0], isCausal: true) }
    try gradientCheck([samples([4, 2, 2], seed: 5), k, v], order: 2) {
      scaledDotProductAttention($0[0], $0[1], $0[2], enableGQA: true)
    }
    try gradientCheck([samples([1, 45, 2], seed: 6), samples([1, 40, 2], seed: 7)]) {
      scaledDotProductAttention($0[0], $0[1], $0[1], isCausal: true)
    }
  }

  @Test("huge scores stay finite, and NaN stays where it is")
  func extremes() {
    for dtype in [DType.float32, .float64] {
      var q = samples([40, 8], seed: 1).to(dtype) * 1e4
      let k = samples([300, 8], seed: 2).to(dtype)
      expectClose(
        scaledDotProductAttention(q, k, k), attentionTwin(q, k, k), relative: 1e-4, absolute: dtype == .float64 ? 1e-8 : 2e-2)
      q[3, 2] = Tensor(Double.nan).to(dtype)
      q.requiresGrad = true
      let y = scaledDotProductAttention(q, k, k)
      let isNaN = y.isNaN().all(dim: 1)
      #expect(isNaN.scalars(as: Double.self) == (0..<40).map { $0 == 3 ? 1 : 0 })
    }
  }

  @Test("weights are never stored: memory grows with the tokens, not with their square")
  func memory() async {
    // In a process of its own: the numbers are those of all tensors that there are.
    await #expect(processExitsWith: .success) {
      var x = Tensor.randn([1, 8192, 16])
      x.requiresGrad = true
      Memory.resetPeak()
      let before = Memory.inUse
      scaledDotProductAttention(x, x, x, isCausal: true).sum().backward()
      let grown = Memory.peak - before
      // All weights would take 256 MB.
      precondition(grown < 64 << 20, "\(grown) bytes")
      precondition(x.grad?.isFinite().all().item() == 1, "a gradient that is no number")
    }
  }

  @Test("the same bits on one thread and on all")
  func threads() {
    let shapes: [(Shape, Shape)] = [
      ([2, 3, 300, 16], [2, 3, 300, 16]), ([1, 1, 900, 16], [1, 1, 2000, 16]), ([1, 8, 1, 16], [1, 8, 900, 16]),
    ]
    for (qs, ks) in shapes {
      func results() -> [Tensor] {
        var (q, k, v) = (samples(qs, seed: 1).to(.float32), samples(ks, seed: 2).to(.float32), samples(ks, seed: 3).to(.float32))
        let inference = scaledDotProductAttention(q, k, v)
        (q.requiresGrad, k.requiresGrad, v.requiresGrad) = (true, true, true)
        let y = scaledDotProductAttention(q, k, v, dropout: 0.1, isCausal: true, generator: Generator(seed: 4))
        return [inference, y.detach()] + grad(of: y, withRespectTo: [q, k, v], gradient: samples(y.shape, seed: 5))
      }
      let shared = results()
      // Inside a chunk of the pool everything runs on the thread that it is on.
      nonisolated(unsafe) var alone: [Tensor] = []
      ThreadPool.shared.run(chunks: 2) { if $0 == 0 { alone = results() } }
      for (a, b) in zip(shared, alone) { expectClose(a, b, relative: 0, absolute: 0) }
    }
  }

  @Test("mistakes are named")
  func mistakes() {
    let x = Tensor.zeros([2, 4, 3, 8])
    let start = "scaledDotProductAttention: "
    let shapes = { (q: String, k: String, v: String) in "\(start)query \(q), key \(k) and value \(v): " }
    expectMistake(shapes("[8]", "[2, 4, 3, 8]", "[2, 4, 3, 8]") + "each needs two axes, [tokens, features]") {
      _ = scaledDotProductAttention(x[0, 0, 0], x, x)
    }
    expectMistake(start + "int64 is not floating-point") {
      let n = Tensor.zeros([2, 2], dtype: .int64)
      _ = scaledDotProductAttention(n, n, n)
    }
    expectMistake(start + "query is float32, key float64 and value float32; they must be the same") {
      _ = scaledDotProductAttention(x, x.to(.float64), x)
    }
    expectMistake(shapes("[2, 4, 3, 8]", "[2, 4, 3, 7]", "[2, 4, 3, 8]") + "query and key must have the same features") {
      _ = scaledDotProductAttention(x, Tensor.zeros([2, 4, 3, 7]), x)
    }
    expectMistake(shapes("[2, 4, 3, 8]", "[2, 4, 5, 8]", "[2, 4, 3, 8]") + "key and value must have the same number of tokens") {
      _ = scaledDotProductAttention(x, Tensor.zeros([2, 4, 5, 8]), x)
    }
    expectMistake(shapes("[2, 4, 3, 8]", "[2, 2, 3, 8]", "[2, 2, 3, 8]") + "the axes before the last two do not broadcast") {
      let k = Tensor.zeros([2, 2, 3, 8])
      _ = scaledDotProductAttention(x, k, k)
    }
    expectMistake(
      shapes("[2, 4, 3, 8]", "[2, 3, 3, 8]", "[2, 3, 3, 8]")
        + "with enableGQA key and value have the same number of heads, which divides the query's"
    ) {
      let k = Tensor.zeros([2, 3, 3, 8])
      _ = scaledDotProductAttention(x, k, k, enableGQA: true)
    }
    expectMistake(start + "the mask is int64; it must be bool, or float32 as the query") {
      _ = scaledDotProductAttention(x, x, x, mask: Tensor.zeros([3, 3], dtype: .int64))
    }
    expectMistake(start + "a mask of shape [5, 3] does not broadcast to the weights, [2, 4, 3, 3]") {
      _ = scaledDotProductAttention(x, x, x, mask: Tensor.zeros([5, 3]))
    }
    expectMistake(start + "dropout = 1.5 is not in 0...1") { _ = scaledDotProductAttention(x, x, x, dropout: 1.5) }
  }
}
