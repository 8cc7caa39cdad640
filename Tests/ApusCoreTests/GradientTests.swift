import ApusCore
import TestSupport
import Testing

/// Gradients of every op against central differences in float64, first and second order: generated over the families, so that a new op is
/// tested before its author writes a test. Every record is run with an input of rank ≥ 3, in several layouts, broadcast in both
/// directions where the op broadcasts, and with the same tensor used more than once.
@Suite("gradients")
struct GradientTests {
  static let smoothUnary = Unary.allCases.filter { !$0.isPredicate && $0 != .bitwiseNot }
  static let smoothBinary = Binary.allCases.filter { !$0.isComparison && $0.computeType(.float64) == .float64 }

  @Test("of every unary op, over awkward shapes", arguments: smoothUnary)
  func unary(op: Unary) throws {
    for shape in awkwardShapes {
      try gradientCheck([samples(shape, in: op.gradientRange)], order: 2) { $0[0].unary(op) }
    }
  }

  @Test("of every unary op, in every layout and of a reused tensor", arguments: smoothUnary)
  func unaryLayouts(op: Unary) throws {
    for layout in Layout.allCases {
      let x = layout.tensor(samples([2, 3, 2], in: op.gradientRange, seed: 3))
      try gradientCheck([x], order: 2) { x in x[0].unary(op) * x[0] + x[0].unary(op) }
    }
  }

  @Test("of every binary op, broadcast in both directions", arguments: smoothBinary)
  func binary(op: Binary) throws {
    let shapes: [(Shape, Shape)] = [
      ([2, 3], [2, 3]), ([2, 3], [3]), ([3], [2, 3]), ([2, 1, 3], [4, 1]), ([], [2, 2]), ([2, 2], []),
      ([2, 1, 2, 1], [1, 3, 1, 2]),
      ([0, 3], [3]),
    ]
    let (ra, rb) = op.gradientRanges
    for (i, (sa, sb)) in shapes.enumerated() {
      let (a, b) = (samples(sa, in: ra, seed: UInt64(i)), samples(sb, in: rb, seed: UInt64(100 + i)))
      try gradientCheck([a, b], order: 2) { Tensor.binary(op, $0[0], $0[1]) }
    }
  }

  @Test("of every binary op, in every layout and of a reused tensor", arguments: smoothBinary)
  func binaryLayouts(op: Binary) throws {
    let (ra, rb) = op.gradientRanges
    for layout in Layout.allCases {
      let (a, b) = (layout.tensor(samples([2, 3, 2], in: ra)), layout.tensor(samples([2, 3, 2], in: rb, seed: 2)))
      try gradientCheck([a, b], order: 2) { x in Tensor.binary(op, x[0], x[1]) * x[0] }
    }
    // The same tensor on both sides; equal inputs are a tie or a multiple for these.
    if [.maximum, .minimum, .fmax, .fmin, .remainder, .fmod, .floorDivide].contains(op) { return }
    let x = samples([2, 3, 2], in: 0.8...1.6)
    try gradientCheck([x], order: 2) { Tensor.binary(op, $0[0], $0[0]) }
  }

  /// An op by name with its inputs.
  struct Record: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let inputs: [Tensor]
    let function: @Sendable ([Tensor]) -> Tensor

    init(_ name: String, _ inputs: Tensor..., function: @escaping @Sendable ([Tensor]) -> Tensor) {
      testDescription = name
      self.inputs = inputs
      self.function = function
    }
  }

  static let x = samples([2, 3, 4], in: -2...2)
  static let index = Tensor([[0, 2, 1], [1, 1, 0]])
  static let mask = Tensor([true, false, true])

  static let reductionRecords: [Record] = {
    let dims: [[Int]?] = [nil, [0], [1], [-1], [0, 2], [2, 0, 1], []]
    let functions: [(String, @Sendable (Tensor, [Int]?, Bool) -> Tensor)] = [
      ("sum", { $0.sum(dims: $1, keepDim: $2) }), ("mean", { $0.mean(dims: $1, keepDim: $2) }),
      ("prod", { $0.prod(dims: $1, keepDim: $2) }), ("amax", { $0.amax(dims: $1, keepDim: $2) }),
      ("amin", { $0.amin(dims: $1, keepDim: $2) }), ("logsumexp", { $0.logsumexp(dims: $1, keepDim: $2) }),
      ("var", { $1 == [] ? $0 : $0.var(dims: $1, keepDim: $2) }),
      ("std", { $1 == [] ? $0 : $0.std(dims: $1, correction: 0, keepDim: $2) }),
    ]
    return functions.flatMap { name, f in
      dims.flatMap { d in
        [true, false].map { keep in Record("\(name) dims \(d.map { "\($0)" } ?? "nil") keep \(keep)", x) { f($0[0], d, keep) } }
      }
    }
  }()

  @Test("of every reduction, over every choice of axes", arguments: reductionRecords)
  func reductions(record: Record) throws { try check(record) }

  static let movementRecords: [Record] = [
    Record("reshape", x) { $0[0].reshape(4, -1) },
    Record("reshape of a transposed tensor", x) { $0[0].transpose(0, 2).reshape(6, 4) },
    Record("flatten", x) { $0[0].flatten(startDim: 1) },
    Record("unflatten", x) { $0[0].unflatten(dim: 2, [2, -1]) },
    Record("permute", x) { $0[0].permute(2, 0, 1) },
    Record("transpose", x) { $0[0].transpose(0, -1) },
    Record("mT", x) { $0[0].mT },
    Record("movedim", x) { $0[0].movedim(0, 2) },
    Record("squeeze and unsqueeze", x) { $0[0].unsqueeze(dim: 1).squeeze(dim: 1).unsqueeze(dim: -1) },
    Record("expand", samples([3, 1], in: -1...1)) { $0[0].expand(2, 3, 4) },
    Record("narrow", x) { $0[0].narrow(dim: 1, start: 1, count: 2) },
    Record("select", x) { $0[0].select(dim: 2, index: -1) },
    Record("flip", x) { $0[0].flip(0, 2) },
    Record("roll", x) { $0[0].roll(3, dim: 2) + $0[0].roll(-5) },
    Record("repeat", x) { $0[0].repeat(2, 1, 1, 3) },
    Record("split", x) { x in x[0].split(3, dim: 2)[1] * x[0].split([1, 2], dim: 1)[0].narrow(dim: 2, start: 0, count: 1) },
    Record("chunk", x) { $0[0].chunk(2, dim: 1)[0] },
    Record("unbind", x) { $0[0].unbind(dim: 1)[2] },
    Record("tril", x) { $0[0].tril() },
    Record("triu", x) { $0[0].triu(diagonal: 1) },
    Record("cat", x, samples([2, 1, 4], in: -1...1)) { cat([$0[0], $0[1], $0[0]], dim: 1) },
    Record("stack", x, x * 0.5) { stack([$0[0], $0[1]], dim: -1) },
    Record("contiguous", x) { $0[0].transpose(0, 1).contiguous() },
    Record("clone", x) { $0[0].clone() },
    Record("embed", x) { $0[0].move(.embed(axis: 1, start: 1, step: 2, size: 7)) },
  ]

  @Test("of every movement", arguments: movementRecords)
  func movements(record: Record) throws { try check(record) }

  static let otherRecords: [Record] = [
    Record("matmul of matrices", samples([3, 4], in: -1...1), samples([4, 2], in: -1...1, seed: 2)) { $0[0].matmul($0[1]) },
    Record("matmul of vectors", samples([4], in: -1...1), samples([4], in: -1...1, seed: 2)) { $0[0].matmul($0[1]) },
    Record("matmul vector · matrix", samples([4], in: -1...1), samples([4, 2], in: -1...1, seed: 2)) { $0[0].matmul($0[1]) },
    Record("matmul matrix · vector", samples([3, 4], in: -1...1), samples([4], in: -1...1, seed: 2)) { $0[0].matmul($0[1]) },
    Record("matmul batch · matrix", samples([2, 3, 4], in: -1...1), samples([4, 2], in: -1...1, seed: 2)) { $0[0].matmul($0[1]) },
    Record("matmul matrix · batch", samples([3, 4], in: -1...1), samples([2, 4, 2], in: -1...1, seed: 2)) { $0[0].matmul($0[1]) },
    Record("matmul of broadcast batches", samples([2, 1, 2, 3], in: -1...1), samples([3, 3, 2], in: -1...1, seed: 2)) {
      $0[0].matmul($0[1])
    },
    Record("matmul of a tensor with itself", samples([3, 3], in: -1...1)) { $0[0].matmul($0[0].T) },
    Record("matmul with inner size 0", samples([2, 0], in: -1...1), samples([0, 3], in: -1...1)) { $0[0].matmul($0[1]) },
    Record("softmax", x) { $0[0].softmax(dim: 1) },
    Record("softmax of the last axis", x) { $0[0].softmax(dim: -1) * $0[0] },
    Record("scaledDotProductAttention", samples([2, 3, 2], in: -1...1), samples([2, 4, 2], in: -1...1, seed: 2)) {
      scaledDotProductAttention($0[0], $0[1], $0[1], isCausal: true)
    },
    Record("logSoftmax", x) { $0[0].logSoftmax(dim: 0) * $0[0] },
    Record("where", x, samples([3, 1], in: -1...1)) { `where`($0[0].detach() .> 0, $0[0] * $0[0], $0[1]) },
    Record("maskedFill", x) { $0[0].maskedFill(mask.unsqueeze(dim: 1), 0.5) * $0[0] },
    Record("clamp", x) { $0[0].clamp(min: -1, max: 0.75) },
    Record("clamp by tensors", x, samples([4], in: -1...0)) { $0[0].clamp(min: $0[1], max: nil) },
    Record("lerp", x, samples([4], in: -1...1), samples([3, 1], in: 0...1)) { $0[0].lerp($0[1], $0[2]) },
    Record("pow of a number", samples([2, 3, 2], in: 0.5...2)) { $0[0].pow(3) + $0[0].pow(0.5) + $0[0].pow(2) + $0[0].pow(-1.5) },
    Record("pow at 0", Tensor([[0.0, 0.7], [-0.4, 2.1]], dtype: .float64)) {
      $0[0].pow(2.0) + $0[0].pow(3) + $0[0].pow(Tensor(1.0))
    },
    Record("cumsum", x) { $0[0].cumsum(dim: 1) * $0[0] },
    Record("gather", x) { $0[0].gather(dim: 2, index: index.unsqueeze(dim: 0)) },
    Record("scatter", x, samples([1, 2, 3], in: -1...1)) {
      // Distinct places: where an element is written twice, which one stays has no derivative.
      $0[0].scatter(dim: 2, index: Tensor([[[0, 2, 1], [1, 3, 0]]]), $0[1])
    },
    Record("scatter of a number", x) { $0[0].scatter(dim: 1, index: Tensor([[[0, 1, 2, 0]]]), 0.5) * $0[0] },
    Record("scatterAdd", x, samples([1, 2, 3], in: -1...1)) { $0[0].scatterAdd(dim: 2, index: index.unsqueeze(dim: 0), $0[1]) },
    Record("indexSelect", x) { $0[0].indexSelect(dim: 1, index: Tensor([2, 0, 2])) },
    Record("indexAdd", x, samples([2, 3, 4], in: -1...1, seed: 4)) { $0[0].indexAdd(dim: 1, index: Tensor([2, 0, 2]), $0[1]) },
    Record("indexCopy", x, samples([2, 2, 4], in: -1...1, seed: 4)) { $0[0].indexCopy(dim: 1, index: Tensor([2, 0]), $0[1]) },
    Record("subscript of numbers and ranges", x) { $0[0][1, 1..., .slice(step: -2)] },
    Record("subscript with ellipsis and new axis", x) { $0[0][.newAxis, .ellipsis, 2] },
    Record("subscript of an index tensor", x) { $0[0][Tensor([1, 0, 1])] },
    Record("subscript of two index tensors", x) { $0[0][Tensor([1, 0]), .all, Tensor([[0], [3]])] },
    Record("subscript of a mask", x) { $0[0][.all, mask] },
    Record("maskedSelect", x) { $0[0].maskedSelect($0[0].detach() .> 0) },
    Record("assignment to a slice", x, samples([4], in: -1...1)) { x in
      var y = x[0] * x[0]
      y[0, 1...] = x[1] * 2
      return y * y
    },
    Record("assignment to one element", x, samples([], in: -1...1)) { x in
      var y = x[0]
      y[1, 2, 3] = x[1]
      return y * y
    },
    Record("assignment to index tensors", x, samples([2, 4], in: -1...1)) { x in
      var y = x[0]
      y[Tensor([1, 0]), Tensor([2, 0])] = x[1]
      return y * y
    },
    Record("assignment to a mask", x) { x in
      var y = x[0] * 1
      y[mask.unsqueeze(dim: 1).expand(2, 3, 4)] = 0.25
      return y * x[0]
    },
    Record("compound assignment", x, samples([4], in: 0.5...1)) { x in
      var y = x[0] * x[0]
      y += x[1]
      y *= x[0]
      y -= x[1]
      y /= x[1]
      return y
    },
    Record("max along an axis", x) { $0[0].max(dim: 1).values },
    Record("min along an axis", x) { $0[0].min(dim: -1, keepDim: true).values },
    Record("sort", x) { $0[0].sort(dim: 1, descending: true).values * $0[0] },
    Record("topk", x) { $0[0].topk(2, dim: 2).values },
    Record("fraction", x) { $0[0].frac() * $0[0] },
    Record("conversion and back", x) { $0[0].to(.float64) * 2 },
  ]

  @Test("of every other op", arguments: otherRecords)
  func others(record: Record) throws { try check(record) }

  private func check(_ record: Record) throws { try gradientCheck(record.inputs, order: 2, record.function) }

  @Test("the check itself finds a wrong rule")
  func findsMistakes() {
    struct Wrong: DifferentiableFunction {
      func forward(_ x: [Tensor]) -> Tensor { x[0] * x[0] }
      var rule: Rule { .fromInputs { dy, x in [dy * x[0]] } }
    }
    struct WrongAgain: DifferentiableFunction {
      func forward(_ x: [Tensor]) -> Tensor { x[0] * x[0] * x[0] }
      var rule: Rule { .fromInputs { dy, x in [dy * 3 * x[0].detach() * x[0].detach()] } }
    }
    let x = samples([3], in: 0.5...1)
    #expect(throws: GradientMismatch.self) { try gradientCheck([x]) { Wrong()($0[0]) } }
    #expect(throws: Never.self) { try gradientCheck([x]) { WrongAgain()($0[0]) } }
    #expect(throws: GradientMismatch.self) { try gradientCheck([x], order: 2) { WrongAgain()($0[0]) } }
    #expect(throws: TensorError.self) { try gradientCheck([Tensor([1.0], requiresGrad: true)]) { $0[0] } }
  }

  @Test("fused ops agree with their readable twins in value and gradient", arguments: [0, 1, -1])
  func twins(dim: Int) {
    for layout in Layout.allCases {
      for dtype in [DType.float32, .float64] {
        let values = layout.tensor(samples([3, 5, 4], in: -3...3).to(dtype))
        let seed = samples([3, 5, 4], in: -1...1, seed: 5).to(dtype)
        func run(_ f: (Tensor) -> Tensor) -> (Tensor, Tensor) {
          var x = values
          x.requiresGrad = true
          let y = f(x)
          return (y.detach(), grad(of: y, withRespectTo: [x], gradient: seed)[0])
        }
        let tolerance = dtype == .float64 ? 1e-12 : 2e-6
        for (fused, twin) in [
          (run { $0.softmax(dim: dim) }, run { $0.softmaxTwin(dim: dim) }),
          (run { $0.logSoftmax(dim: dim) }, run { $0.logSoftmaxTwin(dim: dim) }),
        ] {
          expectClose(fused.0, twin.0, relative: tolerance, absolute: tolerance)
          expectClose(fused.1, twin.1, relative: tolerance, absolute: tolerance)
        }
      }
    }
  }
}
