import ApusCore
import TestSupport
import Testing

@Suite("normalization")
struct NormalizationTests {
  /// An op with its twin. Inputs: x `[2, 6, 3, 5]`, a weight and a bias for it.
  struct Pair: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let affineShape: Shape
    let fused: @Sendable (Tensor, Tensor?, Tensor?) -> Tensor
    let twin: @Sendable (Tensor, Tensor?, Tensor?) -> Tensor

    init(
      _ name: String, _ affineShape: Shape = [6], _ fused: @escaping @Sendable (Tensor, Tensor?, Tensor?) -> Tensor,
      _ twin: @escaping @Sendable (Tensor, Tensor?, Tensor?) -> Tensor
    ) {
      (testDescription, self.affineShape, self.fused, self.twin) = (name, affineShape, fused, twin)
    }

    var isRMS: Bool { testDescription.hasPrefix("rms") }
  }

  static let mean = samples([6], seed: 91)
  static let variance = samples([6], seed: 92).square() + 0.1

  static let pairs: [Pair] = [
    Pair(
      "layerNorm over one axis", [5], { layerNorm($0, normalizedShape: [5], weight: $1, bias: $2) },
      { layerNormTwin($0, normalizedShape: [5], weight: $1, bias: $2) }),
    Pair(
      "layerNorm over three axes", [6, 3, 5], { layerNorm($0, normalizedShape: [6, 3, 5], weight: $1, bias: $2, eps: 0.1) },
      { layerNormTwin($0, normalizedShape: [6, 3, 5], weight: $1, bias: $2, eps: 0.1) }),
    Pair(
      "rmsNorm over one axis", [5], { x, w, _ in rmsNorm(x, normalizedShape: [5], weight: w) },
      { x, w, _ in rmsNormTwin(x, normalizedShape: [5], weight: w) }),
    Pair(
      "rmsNorm over two axes", [3, 5], { x, w, _ in rmsNorm(x, normalizedShape: [3, 5], weight: w, eps: 0.01) },
      { x, w, _ in rmsNormTwin(x, normalizedShape: [3, 5], weight: w, eps: 0.01) }),
    Pair("batchNorm", [6], { batchNorm($0, weight: $1, bias: $2) }, { batchNormTwin($0, weight: $1, bias: $2) }),
    Pair(
      "batchNorm by given statistics", [6],
      { batchNorm($0, mean: mean.to($0.dtype), variance: variance.to($0.dtype), weight: $1, bias: $2) },
      { batchNormTwin($0, mean: mean.to($0.dtype), variance: variance.to($0.dtype), weight: $1, bias: $2) }),
    Pair(
      "groupNorm", [6], { groupNorm($0, numGroups: 2, weight: $1, bias: $2) },
      { groupNormTwin($0, numGroups: 2, weight: $1, bias: $2) }),
    Pair(
      "groupNorm of one group", [6], { groupNorm($0, numGroups: 1, weight: $1, bias: $2) },
      { groupNormTwin($0, numGroups: 1, weight: $1, bias: $2) }),
    Pair(
      "instanceNorm", [6], { instanceNorm($0, weight: $1, bias: $2) }, { instanceNormTwin($0, weight: $1, bias: $2) }),
  ]

  /// Layouts beyond the usual: channels last, in memory or of rows that were.
  static func layouts(_ x: Tensor) -> [(name: String, x: Tensor)] {
    let last = [0] + Array(2..<x.rank) + [1]
    let first = [0, x.rank - 1] + Array(1..<x.rank - 1)
    return Layout.allCases.filter { $0 != .broadcast }.map { ("\($0)", $0.tensor(x)) }
      + [("channels last", x.permute(last).contiguous().permute(first))]
  }

  @Test(
    "batchNorm of large images waits for what follows, and its gradient for nothing",
    arguments: [[4, 16, 5, 219], [4, 48, 52, 7], [4, 600, 5, 6], [4, 1030, 5, 4]] as [Shape])
  func chains(shape: Shape) {
    let channels = shape[1]
    // Operands that repeat after lines of two lengths, of which pieces start with the shorter one.
    let (row, column) = (Tensor.rand([channels, 1, shape[3]]), Tensor.rand([channels, 1, 1]))
    let images = Tensor.randn(shape) * 2 + 7
    let (w, b, upstream) = (Tensor.rand([channels]) + 0.5, Tensor.randn([channels]), Tensor.randn(shape))
    func gradients(
      _ dtype: DType, _ normalize: (Tensor, Tensor, Tensor) -> Tensor, _ activation: (Tensor) -> Tensor
    ) -> [Tensor] {
      let channelsLast = images.to(dtype).movedim(1, -1).contiguous().movedim(-1, 1)
      var inputs = [channelsLast, w.to(dtype), b.to(dtype)]
      for i in inputs.indices { inputs[i].requiresGrad = true }
      let y = activation(normalize(inputs[0], inputs[1], inputs[2]))
      return [y] + grad(of: (y * upstream.to(dtype)).sum(), withRespectTo: inputs)
    }
    let fused = { batchNorm($0, weight: $1, bias: $2) }
    let twin = { batchNormTwin($0, weight: $1, bias: $2) }
    let activations: [(Tensor) -> Tensor] = [
      { $0 }, { $0.relu() }, { $0.leakyRelu(negativeSlope: 0.2) }, { $0.leakyRelu(negativeSlope: -0.5) }, { $0.relu().tanh() },
      { $0 * row.to($0.dtype) * column.to($0.dtype) },
    ]
    for activation in activations {
      let expected = gradients(.float64, twin, activation)
      for (dtype, tolerance) in [(DType.float32, 2e-4), (.float64, 1e-10)] {
        for (got, want) in zip(gradients(dtype, fused, activation), expected) {
          expectClose(got.to(.float64), want, relative: tolerance, absolute: tolerance * want.abs().max().item())
        }
      }
    }
    let channelsLast = images.movedim(1, -1).contiguous().movedim(-1, 1)
    let y = batchNorm(channelsLast, weight: w, bias: b)
    #expect(!y.data.storage.isComputed && y.data.strides == channelsLast.data.strides)
  }

  @Test("fused ops agree with their twins in value and gradients, in every layout", arguments: pairs)
  func twins(pair: Pair) {
    let tolerances: [(DType, Double)] = [(.float64, 1e-11), (.float32, 2e-4), (.float16, 2e-2), (.bfloat16, 0.15)]
    for (dtype, tolerance) in tolerances {
      for (layout, values) in Self.layouts(samples([2, 6, 3, 5], seed: 1).to(dtype)) {
        for affine in pair.isRMS ? [0, 1] : [0, 1, 2, 3] {
          var x = values
          var w = affine & 1 != 0 ? samples(pair.affineShape, seed: 2).to(dtype) : nil
          var b = affine & 2 != 0 ? samples(pair.affineShape, seed: 3).to(dtype) : nil
          x.requiresGrad = true
          w?.requiresGrad = true
          b?.requiresGrad = true
          // Half types: the twin computes in float32, from the same inputs.
          let wide = dtype.itemSize == 2 ? DType.float32 : dtype
          let ys = [pair.fused(x, w, b), pair.twin(x.to(wide), w?.to(wide), b?.to(wide)).to(dtype)]
          let comment = "\(dtype) \(layout) affine \(affine)"
          expectClose(ys[0], ys[1], relative: tolerance, absolute: tolerance, comment)
          let dy = samples(ys[0].shape, seed: 4).to(dtype)
          let inputs = [x, w, b].compactMap { $0 }
          let gradients = ys.map { grad(of: $0, withRespectTo: inputs, gradient: dy) }
          for (fused, plain) in zip(gradients[0], gradients[1]) {
            expectClose(fused, plain, relative: 4 * tolerance, absolute: 16 * tolerance, "gradient \(comment)")
          }
        }
      }
    }
  }

  @Test("gradients of first and second order", arguments: pairs)
  func gradients(pair: Pair) throws {
    let (w, b) = (
      Tensor.rand(pair.affineShape, dtype: .float64, generator: Generator(seed: 5)), samples(pair.affineShape, seed: 6)
    )
    let x = samples([2, 6, 3, 5], seed: 7)
    try gradientCheck([x], order: 1) { pair.fused($0[0], nil, nil) }
    try gradientCheck([x, w, b], order: 1) {
      pair.isRMS ? pair.fused($0[0], $0[1], nil) + 0 * $0[2].sum() : pair.fused($0[0], $0[1], $0[2])
    }
  }

  /// Few numbers, since second order by differences is quadratic.
  static let small: [(String, @Sendable ([Tensor]) -> Tensor, Shape, Shape)] = [
    ("layerNorm", { layerNorm($0[0], normalizedShape: [4], weight: $0[1], bias: $0[2]) }, [3, 4], [4]),
    ("layerNorm without weight", { layerNorm($0[0], normalizedShape: [3, 4]) * $0[1].sum() * $0[2].sum() }, [2, 3, 4], [1]),
    ("rmsNorm", { rmsNorm($0[0], normalizedShape: [4], weight: $0[1]) * $0[2] }, [3, 4], [4]),
    ("batchNorm [N, C]", { batchNorm($0[0], weight: $0[1], bias: $0[2]) }, [4, 3], [3]),
    ("batchNorm", { batchNorm($0[0], weight: $0[1], bias: $0[2]) }, [2, 2, 3], [2]),
    ("batchNorm without weight", { batchNorm($0[0], bias: $0[2]) * $0[1].sum() }, [2, 2, 2, 2], [2]),
    (
      "batchNorm by given statistics",
      {
        batchNorm($0[0], mean: mean[..<2], variance: variance[..<2], weight: $0[1], bias: $0[2])
      }, [2, 2, 3], [2]
    ),
    ("groupNorm", { groupNorm($0[0], numGroups: 2, weight: $0[1], bias: $0[2]) }, [2, 4, 2], [4]),
    ("instanceNorm", { instanceNorm($0[0], weight: $0[1], bias: $0[2]) }, [2, 2, 3], [2]),
    ("localResponseNorm", { localResponseNorm($0[0], size: 3, alpha: 0.5) * $0[1].sum() * $0[2].sum() }, [1, 4, 3], [2]),
  ]

  @Test("gradients of second order", arguments: 0..<small.count)
  func secondOrder(index: Int) throws {
    let (_, function, shape, affineShape) = Self.small[index]
    let inputs = [samples(shape, seed: 11), samples(affineShape, seed: 12), samples(affineShape, seed: 13)]
    try gradientCheck(inputs, order: 2, function)
  }

  @Test("the third derivative is right as well")
  func thirdOrder() throws {
    try gradientCheck([samples([2, 2, 2], seed: 14)], order: 2) { x in
      grad(of: batchNorm(x[0]).pow(3).sum(), withRespectTo: [x[0]], createGraph: true)[0]
    }
  }

  @Test("the same tensor as input and weight gets both gradients")
  func reuse() throws {
    try gradientCheck([samples([4], seed: 15)], order: 2) { layerNorm($0[0], normalizedShape: [4], weight: $0[0], bias: $0[0]) }
  }

  @Test("numbers around 10⁴ are normalized like numbers around 0", arguments: [DType.float32, .float64])
  func stability(dtype: DType) {
    let noise = Tensor.randn([4, 6, 9, 11], dtype: .float64, generator: Generator(seed: 8))
    // The inputs as they are after rounding, in float64.
    let x = (noise + 1e4).to(dtype)
    let exact = x.to(.float64)
    for pair in Self.pairs where !pair.isRMS && !pair.testDescription.contains("given") && pair.affineShape == [6] {
      for (layout, x) in Self.layouts(x) {
        let y = pair.fused(x, nil, nil).to(.float64)
        let expected = pair.twin(Self.layouts(exact).first { $0.name == layout }!.x, nil, nil)
        expectClose(y, expected, relative: 1e-6, absolute: dtype == .float32 ? 3e-6 : 1e-9, "\(pair.testDescription) \(layout)")
      }
    }
    let y = layerNorm(x, normalizedShape: [9, 11]).to(.float64)
    expectClose(y, layerNormTwin(exact, normalizedShape: [9, 11]), relative: 1e-6, absolute: dtype == .float32 ? 3e-6 : 1e-9)
  }

  @Test("lengths around the vectors' and blocks', and many pieces")
  func sizes() {
    for n in [1, 2, 7, 8, 9, 31, 33, 257, 513, 4099] {
      let x = samples([3, n], seed: UInt64(n))
      expectClose(layerNorm(x, normalizedShape: [n]), layerNormTwin(x, normalizedShape: [n]), relative: 1e-9, absolute: 1e-11)
      expectClose(batchNorm(x), batchNormTwin(x), relative: 1e-9, absolute: 1e-11, "columns \(n)")
      let planes = samples([2, 3, n], seed: UInt64(n) + 1)
      expectClose(batchNorm(planes), batchNormTwin(planes), relative: 1e-9, absolute: 1e-11, "planes of \(n)")
      let rows = planes.transpose(1, 2).contiguous().transpose(1, 2)
      expectClose(batchNorm(rows), batchNormTwin(rows), relative: 1e-9, absolute: 1e-11, "rows \(n)")
      if n > 1 { expectClose(instanceNorm(rows), instanceNormTwin(rows), relative: 1e-9, absolute: 1e-11, "samples \(n)") }
    }
  }

  @Test("a channels-last image stays channels-last, and so does its gradient")
  func channelsLast() {
    var x = samples([2, 4, 3, 3], seed: 1).permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2)
    x.requiresGrad = true
    for function in [{ batchNorm($0) }, { groupNorm($0, numGroups: 2) }, { instanceNorm($0) }] as [(Tensor) -> Tensor] {
      let y = function(x)
      #expect(y.strides == x.strides)
      let dx = grad(of: y, withRespectTo: [x], gradient: samples(y.shape, seed: 2))[0]
      #expect(dx.strides == x.strides)
    }
    #expect(batchNorm(x, mean: Tensor.zeros([4]), variance: Tensor.ones([4])).strides == x.strides)
  }

  @Test("running statistics move, in their own dtype, and have no gradient")
  func runningStatistics() {
    var x = samples([3, 2, 4], seed: 3)
    x.requiresGrad = true
    var (mean, variance) = (Tensor([1.0, 2]), Tensor([3.0, 4]))
    _ = batchNorm(x, runningMean: &mean, runningVar: &variance, momentum: 0.25)
    expectClose(mean, (Tensor([0.75, 1.5]) + x.detach().mean(dims: [0, 2]) * 0.25).to(.float32))
    expectClose(variance, (Tensor([2.25, 3]) + x.detach().var(dims: [0, 2]) * 0.25).to(.float32))
    #expect(mean.dtype == .float32 && !mean.requiresGrad && !variance.requiresGrad)
    _ = instanceNorm(x, runningMean: &mean, runningVar: &variance, momentum: 1)
    expectClose(mean, x.detach().mean(dims: [0, 2]).to(.float32))
    expectClose(variance, x.detach().var(dims: [2]).mean(dim: 0).to(.float32))
    let before = mean
    expectClose(batchNorm(Tensor.zeros([0, 2]), runningMean: &mean, runningVar: &variance), Tensor.zeros([0, 2]))
    expectClose(mean, before, relative: 0, absolute: 0)
  }

  @Test("results are the same, bit by bit, whether threads share the work or one does it", arguments: pairs)
  func threads(pair: Pair) {
    let large = samples([40, 6, 9, 5], seed: 20).repeat(1, 1, 10, 1).to(.float32)
    for values in pair.affineShape.rank == 1 ? [large, large.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2)] : [] {
      var (x, w) = (values, samples(pair.affineShape, seed: 21).to(.float32))
      (x.requiresGrad, w.requiresGrad) = (true, true)
      let dy = samples(x.shape, seed: 22).to(.float32)
      let results = {
        let y = pair.fused(x, w, nil)
        return cat(([y] + grad(of: y, withRespectTo: [x, w], gradient: dy)).map { $0.detach().flatten() })
      }
      let shared = results()
      expectClose(onOneThread(results), shared, relative: 0, absolute: 0)
    }
  }

  @Test("nothing in, nothing out")
  func empty() {
    #expect(layerNorm(Tensor.zeros([0, 3]), normalizedShape: [3]).shape == [0, 3])
    #expect(layerNorm(Tensor.zeros([2, 0]), normalizedShape: [0]).shape == [2, 0])
    #expect(groupNorm(Tensor.zeros([0, 4, 2]), numGroups: 2).shape == [0, 4, 2])
    #expect(batchNorm(Tensor.zeros([2, 3, 0])).shape == [2, 3, 0])
    #expect(instanceNorm(Tensor.zeros([0, 3, 2])).shape == [0, 3, 2])
    #expect(localResponseNorm(Tensor.zeros([0, 3, 2]), size: 2).shape == [0, 3, 2])
    var (x, w) = (Tensor.zeros([0, 3]), Tensor.ones([3]))
    (x.requiresGrad, w.requiresGrad) = (true, true)
    layerNorm(x, normalizedShape: [3], weight: w).sum().backward()
    expectClose(w.grad!, Tensor.zeros([3]))
    w.grad = nil
    batchNorm(x, weight: w).sum().backward()
    expectClose(w.grad!, Tensor.zeros([3]))
  }

  @Test("mistakes are named")
  func mistakes() {
    let x = Tensor.zeros([2, 4, 3])
    expectMistake("layerNorm: input [2, 4, 3] does not end in normalizedShape [4]") { _ = layerNorm(x, normalizedShape: [4]) }
    expectMistake("rmsNorm: normalizedShape has no axis") { _ = rmsNorm(x, normalizedShape: []) }
    expectMistake("layerNorm: weight of shape [4] where [3] is needed") {
      _ = layerNorm(x, normalizedShape: [3], weight: Tensor.ones([4]))
    }
    expectMistake("layerNorm: input float32 and bias float64") {
      _ = layerNorm(x, normalizedShape: [3], bias: Tensor.ones([3], dtype: .float64))
    }
    expectMistake("layerNorm: is not defined for int64") { _ = layerNorm(Tensor([1, 2]), normalizedShape: [2]) }
    expectMistake("batchNorm: input [4] has no channels; it takes [N, C, …]") { _ = batchNorm(Tensor.zeros([4])) }
    expectMistake("batchNorm: one value for each channel in [1, 4, 1] has no variance; training takes more") {
      _ = batchNorm(Tensor.zeros([1, 4, 1]))
    }
    expectMistake("batchNorm: mean of shape [3] for 4 channels, in [2, 4, 3]") {
      _ = batchNorm(x, mean: Tensor.zeros([3]), variance: Tensor.ones([4]))
    }
    expectMistake("batchNorm: variance is int64, not floating-point") {
      _ = batchNorm(x, mean: Tensor.zeros([4]), variance: Tensor([1, 1, 1, 1]))
    }
    expectMistake("groupNorm: 4 channels, in [2, 4, 3], do not make 3 groups") { _ = groupNorm(x, numGroups: 3) }
    expectMistake("groupNorm: one value for each of 4 groups in [1, 4] has no variance") {
      _ = groupNorm(Tensor.zeros([1, 4]), numGroups: 4)
    }
    expectMistake("instanceNorm: one position for each channel in [2, 4, 1] has no variance") {
      _ = instanceNorm(Tensor.zeros([2, 4, 1]))
    }
    expectMistake("localResponseNorm: input [2, 4] has fewer than three axes, [N, C, …]") {
      _ = localResponseNorm(Tensor.zeros([2, 4]), size: 2)
    }
    expectMistake("localResponseNorm: a window of 0 channels") { _ = localResponseNorm(x, size: 0) }
  }
}
