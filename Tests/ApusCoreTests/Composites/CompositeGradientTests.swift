import ApusCore
import TestSupport
import Testing

/// Gradients of every composite against central differences, first and second order, over awkward shapes and layouts.
@Suite("gradients of composites")
struct CompositeGradientTests {
  typealias Record = GradientTests.Record
  typealias Function = @Sendable (Tensor) -> Tensor

  /// Element-wise functions of one tensor. None has a kink at the samples.
  struct Elementwise: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let function: Function

    init(_ name: String, _ function: @escaping Function) {
      testDescription = name
      self.function = function
    }
  }

  static let functions: [Elementwise] = [
    .init("celu", { $0.celu(alpha: 1.3) }), .init("elu", { $0.elu(alpha: 0.7) }), .init("gelu", { $0.gelu() }),
    .init("gelu tanh", { $0.gelu(approximate: .tanh) }), .init("hardshrink", { $0.hardshrink() }),
    .init("hardsigmoid", { $0.hardsigmoid() }),
    .init("hardswish", { $0.hardswish() }), .init("hardtanh", { $0.hardtanh() }),
    .init("leakyRelu", { $0.leakyRelu(negativeSlope: 0.2) }),
    .init("mish", { $0.mish() }), .init("relu6", { $0.relu6() }), .init("selu", { $0.selu() }), .init("silu", { $0.silu() }),
    .init("softplus", { $0.softplus() }), .init("softplus with options", { $0.softplus(beta: 2, threshold: 3) }),
    .init("softshrink", { $0.softshrink() }), .init("softsign", { $0.softsign() }), .init("tanhshrink", { $0.tanhshrink() }),
    .init("threshold", { $0.threshold(0.25, -1) }), .init("nanToNum", { $0.nanToNum() }),
    .init("xlogy of itself", { ($0 + 5).xlogy($0 + 4) }),
    .init("logaddexp", { $0.logaddexp(2 * $0) }), .init("addcmul", { $0.addcmul($0, $0, value: 0.5) }),
    .init("addcdiv", { $0.addcdiv($0, $0 + 5, value: -2) }),
  ]

  @Test("of every element-wise function, over awkward shapes and layouts", arguments: functions)
  func elementwise(op: Elementwise) throws {
    let function = op.function
    for shape in awkwardShapes {
      try gradientCheck([samples(shape, in: -4...4)], order: 2) { function($0[0]) }
    }
    for layout in Layout.allCases {
      try gradientCheck([layout.tensor(samples([2, 3, 2], in: -4...4, seed: 3))], order: 2) { function($0[0]) * $0[0] }
    }
  }

  @Test("of activations stay finite for large numbers, to second order", arguments: functions)
  func largeNumbers(op: Elementwise) {
    let (name, function) = (op.testDescription, op.function)
    if name.hasPrefix("addc") || name.hasSuffix("gamma") || name.hasPrefix("xlogy") { return }
    for dtype in [DType.float32, .float64] {
      let greatest = dtype == .float32 ? 1e37 : 1e305
      let x = Tensor([-greatest, -1e20, -1000, -50, 0, 50, 1000, 1e20, greatest], dtype: dtype)
      var leaf = x
      leaf.requiresGrad = true
      let y = function(leaf)
      let first = grad(of: y.sum(), withRespectTo: [leaf], createGraph: true)[0]
      #expect(y.detach().isFinite().all().item(as: Bool.self), "\(name) \(dtype): \(y)")
      #expect(first.detach().isFinite().all().item(as: Bool.self), "gradient of \(name) \(dtype): \(first)")
      guard first.requiresGrad else { continue }
      let second = grad(of: first.sum(), withRespectTo: [leaf])[0]
      #expect(second.isFinite().all().item(as: Bool.self), "second gradient of \(name) \(dtype): \(second)")
    }
  }

  static let x = samples([2, 3, 4], in: -2...2)
  static let mask = Tensor([[true, false, true, false], [false, true, true, true], [true, false, false, false]])

  static let reductionRecords: [Record] = {
    var functions: [(String, @Sendable (Tensor, [Int]?, Bool) -> Tensor)] = [
      ("nansum", { $0.nansum(dims: $1, keepDim: $2) }), ("nanmean", { $0.nanmean(dims: $1, keepDim: $2) }),
      ("varMean", { $0.varMean(dims: $1, correction: 0, keepDim: $2).var * 2 }),
    ]
    for p: Double in [1, 2, 3, 2.5, -1, .infinity, -Double.infinity, 0] {
      functions.append(("norm \(p)", { $0.norm(p, dims: $1, keepDim: $2) }))
    }
    let dims: [[Int]?] = [nil, [1], [-1, 0]]
    return functions.flatMap { name, f in
      dims.flatMap { d in [true, false].map { keep in Record("\(name) \(d ?? []) \(keep)", x) { f($0[0], d, keep) } } }
    }
  }()

  static let reductions: [Record] =
    reductionRecords + [
      Record("norm with zeros", Tensor([[0.0, 0.4], [3, 4]], dtype: .float64)) { $0[0].norm(2, dim: 1) },
      Record("aminmax", x) { $0[0].aminmax(dim: 1).min * $0[0].aminmax(dim: 1).max },
      Record("stdMean", x) { $0[0].stdMean(dim: 2).std * $0[0].stdMean(dim: 2).mean },
      Record("trace", samples([3, 4], in: -1...1)) { $0[0].trace() * $0[0] },
      Record("median", x) { $0[0].median() * $0[0].median(dim: 1).values },
      Record("kthvalue", x) { $0[0].kthvalue(3).values },
      Record("mode", x) { $0[0].mode(dim: 0, keepDim: true).values },
      Record("quantile", x, Tensor([0.1, 0.55, 0.93], dtype: .float64)) { $0[0].quantile($0[1], dim: 1) },
      Record("quantile of all", x) { $0[0].quantile(0.37, interpolation: .midpoint) },
    ]

  @Test("of reductions", arguments: reductions)
  func reductionGradients(record: Record) throws { try check(record) }

  static let zeros = Tensor([[0.0, 0.5, 0, 2], [1.5, -0.5, 3, 1], [0, 0, 0, 1]], dtype: .float64)

  static let cumulative: [Record] = [
    Record("cumprod", x) { $0[0].cumprod(dim: 1) },
    Record("cumprod of the last axis", x) { $0[0].cumprod(dim: -1) },
    Record("cumprod with zeros", zeros) { $0[0].cumprod(dim: 1) },
    Record("cumprod with zeros of the first axis", zeros) { $0[0].cumprod(dim: 0) * $0[0] },
    Record("cumprod of an empty tensor", Tensor.zeros([2, 0], dtype: .float64)) { $0[0].cumprod(dim: 1) },
    Record("cummax", x) { $0[0].cummax(dim: 2).values * $0[0] },
    Record("cummin", x) { $0[0].cummin(dim: 0).values },
    Record("logcumsumexp", x) { $0[0].logcumsumexp(dim: 1) },
    Record("logcumsumexp of five", samples([5, 2], in: -3...3)) { $0[0].logcumsumexp(dim: 0) },
    Record("diff", x, samples([2, 3, 1], in: -1...1)) { $0[0].diff(n: 2, append: $0[1]) * $0[0].diff(dim: 2) },
    Record("bincount", samples([4], in: 0...1)) { Tensor([1, 3, 1, 0]).bincount(weights: $0[0]) },
  ]

  @Test("of running combinations", arguments: cumulative)
  func cumulativeGradients(record: Record) throws { try check(record) }

  static let a = samples([2, 3], in: -1...1)
  static let b = samples([3, 2], in: -1...1, seed: 2)
  static let c = samples([2, 2, 3], in: -1...1, seed: 3)
  static let v = samples([3], in: -1...1, seed: 4)

  static let products: [Record] = [
    Record("mm", a, b) { $0[0].mm($0[1]) },
    Record("mv", a, v) { $0[0].mv($0[1]) },
    Record("dot", v, v * 2) { $0[0].dot($0[1]) },
    Record("bmm", c) { $0[0].bmm($0[0].mT) },
    Record("outer", v, v * 2) { $0[0].outer($0[1]) },
    Record("inner", a, c) { $0[0].inner($0[1]) },
    Record("addmm", v.narrow(dim: 0, start: 0, count: 2), a, b) { $0[0].addmm($0[1], $0[2], beta: 0.5, alpha: 2) },
    Record("baddbmm", a.unsqueeze(dim: 1), c, samples([2, 3, 3], in: -1...1)) { $0[0].baddbmm($0[1], $0[2], alpha: -1) },
    Record("kron", a, c) { $0[0].kron($0[1]) },
    Record("tensordot", c, samples([3, 2, 2], in: -1...1)) { tensordot($0[0], $0[1], dims: ([2, 0], [0, 2])) },
    Record("einsum of a chain", a, b, c) { einsum("ij,jk,bkm->bim", $0) },
    Record("einsum with ellipsis", c, b) { einsum("...ij,jk->k...", $0) },
    Record("einsum of a diagonal", samples([3, 3, 2], in: -1...1)) { einsum("iij->ji", $0) },
    Record("einsum of one tensor twice", a) { einsum("ij,kj->ik", $0[0], $0[0]) },
    Record("einsum of elements", a, a * 2) { einsum("ij,ij->ij", $0) },
    Record("einsum of an empty tensor", samples([2, 0], in: -1...1), samples([0, 3], in: -1...1)) { einsum("ij,jk->ik", $0) },
    Record("cdist", c, a) { cdist($0[0], $0[1].unsqueeze(dim: 0)) },
    Record("cdist of p = 3", c, a) { cdist($0[0], $0[1], p: 3) },
    Record("pairwiseDistance", a, v) { pairwiseDistance($0[0], $0[1]) },
    Record("cosineSimilarity", a, v) { cosineSimilarity($0[0], $0[1]) },
    Record("normalize", c) { normalize($0[0]) },
    Record("normalize by 3", c) { normalize($0[0], p: 3, dim: -1) },
  ]

  @Test("of products and distances", arguments: products)
  func productGradients(record: Record) throws { try check(record) }

  static let shapes: [Record] = [
    Record("diagonal", x) { $0[0].diagonal(offset: 1, dim1: -1, dim2: 0) },
    Record("diag", a, v) { $0[0].diag(1).sum() * $0[1].diag(-1) },
    Record("diagEmbed", a) { $0[0].diagEmbed(offset: -1, dim1: 0) },
    Record("blockDiag", a, v, b) { blockDiag($0) },
    Record("broadcastTensors", a, v) { x in broadcastTensors(x)[1] * x[0] },
    Record("hstack", a, c.select(dim: 0, index: 0)) { hstack($0) },
    Record("vstack", a, v) { vstack($0) },
    Record("meshgrid", v, a.select(dim: 0, index: 0)) { x in meshgrid(x, indexing: .xy)[0] * meshgrid(x, indexing: .xy)[1] },
    Record("tile", a) { $0[0].tile(2, 1, 2) },
    Record("repeatInterleave", x) { $0[0].repeatInterleave(Tensor([2, 0, 3]), dim: 1) },
    Record("rot90", x) { $0[0].rot90(3, dims: [0, 2]) },
    Record("tensorSplit", x) { $0[0].tensorSplit(3, dim: 2)[0] },
    Record("unfold", x) { $0[0].unfold(dim: 1, size: 2, step: 1) * $0[0].unfold(dim: 1, size: 2, step: 1) },
  ]

  @Test("of shapes", arguments: shapes)
  func shapeGradients(record: Record) throws { try check(record) }

  static let index = Tensor([[0, 1, 0, 0], [1, 1, 2, 0]])
  static let source = samples([2, 4], in: -1...1, seed: 7)

  static let indexing: [Record] =
    [
      Record("take", x) { $0[0].take(Tensor([[3, -1], [3, 0]])) },
      Record("takeAlongDim", x) { $0[0].takeAlongDim(Tensor([[[2, 0]]]), dim: 2) },
      Record("indexFill", x, samples([], in: -1...1)) { $0[0].indexFill(dim: 1, index: Tensor([2, 2]), $0[1]) * $0[0] },
      Record("indexPut", x, samples([2, 4], in: -1...1)) { $0[0].indexPut([Tensor([1, 0]), Tensor([2, 0])], $0[1]) },
      Record("indexPut accumulating", x, samples([2, 1, 4], in: -1...1)) {
        $0[0].indexPut([Tensor([1, 1])], $0[1], accumulate: true) * $0[0]
      },
      Record("maskedScatter", x, samples([13], in: -1...1)) { $0[0].maskedScatter(mask, $0[1]) * $0[0] },
    ]
    + ScatterReduction.allCases.flatMap { reduction in
      [true, false].map { include in
        Record("scatterReduce \(reduction) \(include)", a, source) {
          $0[0].scatterReduce(dim: 1, index: index, $0[1], reduction, includeSelf: include) * $0[0]
        }
      }
    } + [
      Record("scatterReduce prod with zeros", Tensor([[0.0, 0.5, 0]], dtype: .float64), zeros.narrow(dim: 0, start: 0, count: 1))
      {
        $0[0].scatterReduce(dim: 1, index: Tensor([[0, 1, 0, 0]]), $0[1], .prod)
      },
      Record("indexReduce", x, samples([2, 2, 4], in: -1...1)) {
        $0[0].indexReduce(dim: 1, index: Tensor([2, 2]), $0[1], .prod)
      },
    ]

  @Test("of indexing", arguments: indexing)
  func indexingGradients(record: Record) throws { try check(record) }

  static let several: [Record] = [
    Record("addcmul", a, v, samples([2, 1], in: -1...1)) { $0[0].addcmul($0[1], $0[2], value: 0.5) },
    Record("addcdiv", v, a, samples([2, 1], in: 0.5...1)) { $0[0].addcdiv($0[1], $0[2], value: 0.5) },
    Record("logaddexp", a, v) { $0[0].logaddexp($0[1]) },
    Record("logaddexp of equal numbers", v) { $0[0].logaddexp($0[0] * 1) },
    Record("xlogy", a, samples([3], in: 0.5...2)) { $0[0].xlogy($0[1]) },
    Record("glu", x) { $0[0].glu() * $0[0].glu() },
    Record("softmin", x) { $0[0].softmin(dim: 1) },
    Record("prelu", x, v) { prelu($0[0], $0[1]) },
  ]

  @Test("of functions of several tensors or along an axis", arguments: several)
  func others(record: Record) throws { try check(record) }

  /// In every layout of the first input too, where it has axes.
  private func check(_ record: Record) throws {
    try gradientCheck(record.inputs, order: 2, record.function)
    for layout in [Layout.transposed, .reversed, .everySecond] {
      var inputs = record.inputs
      inputs[0] = layout.tensor(inputs[0])
      try gradientCheck(inputs, order: 1, record.function)
    }
  }

  @Test("ties in logaddexp have the second derivative of the smooth function")
  func logaddexpTie() {
    var x = Tensor([1.0], dtype: .float64)
    x.requiresGrad = true
    let y = x.logaddexp(Tensor([1.0], dtype: .float64))
    let first = grad(of: y, withRespectTo: [x], createGraph: true)[0]
    #expect(first.item() == 0.5)
    #expect(grad(of: first, withRespectTo: [x])[0].item() == 0.25)
  }
}
