import ApusCore
import TestSupport
import Testing

/// Values and gradients of the composites against PyTorch's, as `Tests/Golden/make_core_golden.py` wrote them.
@Suite("golden values of composites")
struct CompositeGoldenTests {
  typealias Function = @Sendable ([Tensor]) -> [Tensor]

  struct Case: Decodable {
    let name: String
    let inputs: [GoldenTensor]
    let outputs: [GoldenTensor]
    let gradients: [GoldenTensor]

    func check(_ function: Function) {
      var x = inputs.map(\.tensor)
      for i in x.indices where x[i].dtype.isFloatingPoint { x[i].requiresGrad = true }
      let comment = "\(name) \(x.first?.dtype.name ?? "")"
      let y = function(x)
      guard y.count == outputs.count else {
        Issue.record("\(y.count) results instead of \(outputs.count) \(comment)")
        return
      }
      for (y, expected) in zip(y, outputs) { expectGolden(y.detach(), expected, comment) }
      let terms = y.filter(\.requiresGrad).map { y in
        (y * (Tensor.arange(1.0, Double(y.count) + 0.5, dtype: y.dtype) / 10).reshape(y.shape)).sum()
      }
      guard !gradients.isEmpty, let first = terms.first else {
        #expect(gradients.allSatisfy { ($0.tensor .== 0).all().item(as: Bool.self) }, "no gradient of \(comment)")
        return
      }
      let leaves = x.filter(\.requiresGrad)
      let found = grad(of: terms.dropFirst().reduce(first, +), withRespectTo: leaves)
      for (gradient, expected) in zip(found, gradients) { expectGolden(gradient, expected, "gradient of \(comment)") }
    }
  }

  /// Every case has a function and every function a case.
  private func check(_ family: String, _ functions: [String: Function]) throws {
    let cases = try Golden<Case>.load(family, file: #filePath.replacing("/Composites", with: ""))
    #expect(Set(cases.map(\.name)) == Set(functions.keys))
    for golden in cases {
      if let function = functions[golden.name] { golden.check(function) }
    }
  }

  @Test("of element-wise functions and comparisons")
  func pointwise() throws {
    try check(
      "pointwise",
      [
        "addcmul": { [$0[0].addcmul($0[1], $0[2], value: 0.5)] },
        "addcmul of integers": { [$0[0].addcmul($0[1], $0[2], value: 2)] },
        "addcdiv": { [$0[0].addcdiv($0[1], $0[2], value: -2)] },
        "logaddexp": { [$0[0].logaddexp($0[1])] },
        "xlogy": { [$0[0].xlogy($0[1])] },
        "xlogy of integers": { [$0[0].xlogy($0[1])] },
        "nanToNum": { [$0[0].nanToNum()] },
        "nanToNum of given numbers": { [$0[0].nanToNum(nan: 2, posinf: 3, neginf: -4)] },
        "lgamma": { [$0[0].lgamma()] },
        "lgamma at its edges": { [$0[0].detach().lgamma()] },
        "lgamma of integers": { [$0[0].lgamma()] },
        "digamma": { [$0[0].detach().digamma()] },
        "digamma at its edges": { [$0[0].detach().digamma()] },
        "polygamma 2": { [$0[0].polygamma(2)] },
        "polygamma 3": { [$0[0].polygamma(3)] },
        "isclose": { [$0[0].isclose($0[1])] },
        "isclose with NaN": { [$0[0].isclose($0[1], rtol: 0.1, atol: 0.5, equalNaN: true)] },
        "isclose of integers": { [$0[0].isclose($0[1], rtol: 0, atol: 1)] },
        "isin": { [isin($0[0], $0[1])] },
        "isin inverted": { [isin($0[0], $0[1], invert: true)] },
      ])
  }

  static let norms: [(String, Double)] = [
    ("1", 1), ("2", 2), ("inf", .infinity), ("-inf", -.infinity), ("0", 0), ("3", 3), ("2.5", 2.5), ("0.5", 0.5), ("-1", -1),
    ("-2.5", -2.5),
  ]

  @Test("of reductions")
  func reductions() throws {
    var functions: [String: Function] = [
      "aminmax": { x in [x[0].aminmax().min, x[0].aminmax().max] },
      "aminmax along an axis": { x in
        let (low, high) = x[0].aminmax(dim: 1, keepDim: true)
        return [low, high]
      },
      "countNonzero": { [$0[0].countNonzero(), $0[0].countNonzero(dim: 0)] },
      "nansum": { [$0[0].nansum(), $0[0].nansum(dim: 1)] },
      "nanmean": { [$0[0].nanmean(dim: 1, keepDim: true)] },
      "stdMean": { x in
        let (std, mean) = x[0].stdMean(dims: [0, 2], correction: 0, keepDim: true)
        return [std, mean]
      },
      "varMean": { x in
        let (variance, mean) = x[0].varMean(dim: 1)
        return [variance, mean]
      },
      "trace": { [$0[0].trace()] },
      "trace of integers": { [$0[0].trace()] },
      "norm of all": { [$0[0].norm()] },
      "norm keeping axes": { [$0[0].norm(3, dims: [0, 2], keepDim: true)] },
      "median": { [$0[0].median()] },
      "median along an axis": { pair($0[0].median(dim: 1)) },
      "kthvalue": { pair($0[0].kthvalue(2, dim: 0, keepDim: true)) },
      "mode": { pair($0[0].mode(dim: 1)) },
      "quantile of all": { [$0[0].quantile(0.4, keepDim: true)] },
      "quantile with NaN": { [$0[0].quantile(0.4, dim: 1, keepDim: true)] },
    ]
    for (name, p) in Self.norms { functions["norm \(name)"] = { [$0[0].norm(p, dim: 1)] } }
    for interpolation in QuantileInterpolation.allCases {
      functions["quantile \(interpolation)"] = { [$0[0].quantile($0[1], dim: 1, interpolation: interpolation)] }
    }
    try check("reductions", functions)
  }

  @Test("of running combinations, searching and counting")
  func cumulative() throws {
    try check(
      "cumulative",
      [
        "cumprod": { [$0[0].cumprod(dim: 1)] },
        "cumprod with zeros": { [$0[0].cumprod(dim: 0)] },
        "cumprod of integers": { [$0[0].cumprod(dim: 0)] },
        "cummax": { pair($0[0].cummax(dim: 0)) },
        "cummin": { pair($0[0].cummin(dim: 0)) },
        "cummax of rows": { pair($0[0].cummax(dim: 1)) },
        "logcumsumexp": { [$0[0].logcumsumexp(dim: 1)] },
        "diff": { [$0[0].diff()] },
        "diff twice": { [$0[0].diff(n: 2, dim: 0, prepend: $0[1], append: $0[2])] },
        "diff of bool": { [$0[0].diff()] },
        "searchsorted": { [searchsorted($0[0], $0[1])] },
        "searchsorted right": { [searchsorted($0[0], $0[1], right: true)] },
        "searchsorted with sorter": { [searchsorted($0[0], $0[1], sorter: $0[0].argsort())] },
        "bucketize": { [bucketize($0[0], $0[1])] },
        "bucketize right": { [bucketize($0[0], $0[1], right: true)] },
        "bincount": { [$0[0].bincount(minLength: 6)] },
        "bincount with weights": { [$0[0].bincount(weights: $0[1].detach())] },
        "bincount with integer weights": { [$0[0].bincount(weights: $0[1])] },
        "histc": { [$0[0].histc(bins: 4)] },
        "histc of a range": { [$0[0].histc(bins: 5, min: -1, max: 1)] },
        "histc of equal numbers": { [$0[0].histc(bins: 3)] },
        "unique": { triple($0[0].unique()) },
        "unique of integers": { triple($0[0].unique()) },
        "unique of slices": { triple($0[0].unique(dim: 1)) },
        "uniqueConsecutive": { triple($0[0].uniqueConsecutive()) },
        "uniqueConsecutive of slices": { triple($0[0].uniqueConsecutive(dim: 0)) },
      ])
  }

  @Test("of products and distances")
  func products() throws {
    var functions: [String: Function] = [
      "mm": { [$0[0].mm($0[1])] },
      "mv": { [$0[0].mv($0[1])] },
      "bmm": { [$0[0].bmm($0[1])] },
      "dot": { [$0[0].dot($0[1])] },
      "outer": { [$0[0].outer($0[1])] },
      "inner": { [$0[0].inner($0[1])] },
      "inner with a scalar": { [$0[0].inner($0[1])] },
      "addmm": { [$0[0].addmm($0[1], $0[2], beta: 0.5, alpha: -2)] },
      "addmm with beta 0": { [$0[0].addmm($0[1], $0[2], beta: 0)] },
      "addmm of integers": { [$0[0].addmm($0[1], $0[2])] },
      "baddbmm": { [$0[0].baddbmm($0[1], $0[2], beta: 2, alpha: 0.5)] },
      "kron": { [$0[0].kron($0[1])] },
      "tensordot": { [tensordot($0[0], $0[1], dims: ([2, 0], [1, 0]))] },
      "tensordot of two axes": { [tensordot($0[0], $0[1])] },
      "tensordot of no axes": { [tensordot($0[0], $0[1], dims: 0)] },
      "tensordot with size 1": { [tensordot($0[0], $0[1], dims: ([1], [0]))] },
      "pairwiseDistance": { [pairwiseDistance($0[0], $0[1], p: 3, keepDim: true)] },
      "cosineSimilarity": { [cosineSimilarity($0[0], $0[1])] },
      "cosineSimilarity of 0": { [cosineSimilarity($0[0], $0[1], dim: 0)] },
      "normalize": { [normalize($0[0], dim: 0)] },
      "normalize by 1": { [normalize($0[0], p: 1)] },
    ]
    for name in ["2", "1", "inf", "3", "0"] {
      let p = Self.norms.first { $0.0 == name }!.1
      functions["cdist \(name)"] = { [cdist($0[0], $0[1], p: p)] }
    }
    try check("products", functions)
  }

  @Test("of einsum; the names are the equations")
  func einsums() throws {
    let cases = try Golden<Case>.load("einsum", file: #filePath.replacing("/Composites", with: ""))
    for golden in cases {
      let equation = golden.name.replacing(" with size 1", with: "")
      golden.check { [einsum(equation, $0)] }
    }
  }

  @Test("of shapes")
  func shapes() throws {
    var functions: [String: Function] = [
      "diagonal": { [$0[0].diagonal()] },
      "diagonal above": { [$0[0].diagonal(offset: 1, dim1: 1, dim2: 2)] },
      "diagonal below": { [$0[0].diagonal(offset: -1, dim1: 2, dim2: 0)] },
      "diagonal outside": { [$0[0].diagonal(offset: 9)] },
      "diag of a vector": { [$0[0].diag(-1)] },
      "diag of a matrix": { [$0[0].diag(1)] },
      "diagEmbed": { [$0[0].diagEmbed(offset: 1, dim1: 0, dim2: 2)] },
      "diagEmbed below": { [$0[0].diagEmbed(offset: -2)] },
      "blockDiag": { [blockDiag($0)] },
      "broadcastTensors": { broadcastTensors($0) },
      "hstack": { [hstack($0)] },
      "hstack of vectors": { [hstack($0)] },
      "vstack": { [vstack($0)] },
      "meshgrid ij": { meshgrid($0) },
      "meshgrid xy": { meshgrid($0, indexing: .xy) },
      "tile": { [$0[0].tile(2)] },
      "tile with more axes": { [$0[0].tile(2, 1, 2)] },
      "repeatInterleave": { [$0[0].repeatInterleave(2)] },
      "repeatInterleave by tensor": { [$0[0].repeatInterleave($0[1], dim: 1)] },
      "tensorSplit": { $0[0].tensorSplit(3, dim: 1) },
      "tensorSplit at": { $0[0].tensorSplit(at: [1, 3, 2, -1, 9]) },
      "unfold": { [$0[0].unfold(dim: 1, size: 3, step: 2)] },
      "unfold of the first axis": { [$0[0].unfold(dim: 0, size: 2, step: 1)] },
      "trilIndices": { _ in [Tensor.trilIndices(3, 2, offset: 1)] },
      "triuIndices": { _ in [Tensor.triuIndices(3, 4, offset: -1)] },
      "logspace": { _ in [Tensor.logspace(-1, 2, 5), Tensor.logspace(0, 3, 4, base: 2, dtype: .float64)] },
    ]
    for k in [1, 2, 3, -1, 4] { functions["rot90 \(k)"] = { [$0[0].rot90(k, dims: [0, 2])] } }
    try check("shapes", functions)
  }

  @Test("of indexing")
  func indexing() throws {
    var functions: [String: Function] = [
      "take": { [$0[0].take($0[1])] },
      "takeAlongDim": { [$0[0].takeAlongDim($0[1], dim: 1)] },
      "takeAlongDim broadcasting self": { [$0[0].takeAlongDim($0[1], dim: 0)] },
      "takeAlongDim of all": { [$0[0].takeAlongDim($0[1])] },
      "indexFill": { [$0[0].indexFill(dim: 1, index: Tensor([0, 2, 0]), 7.5)] },
      "indexFill by tensor": { [$0[0].indexFill(dim: 0, index: Tensor([1]), $0[1])] },
      "indexPut": { [$0[0].indexPut([Tensor([1, 0]), Tensor([2, -3])], $0[1])] },
      "indexPut accumulating": { [$0[0].indexPut([Tensor([1, 0, 1])], $0[1], accumulate: true)] },
      "indexPut by mask": { [$0[0].indexPut([$0[0].detach() .> 0], $0[1])] },
      "maskedScatter": { [$0[0].maskedScatter(Tensor([[true, false, true], [false, true, false]]), $0[1])] },
      "scatterReduce of integers": { [$0[0].scatterReduce(dim: 0, index: Tensor([0, 0, 1]), $0[1], .mean)] },
    ]
    let index = Tensor([[0, 1, 0, 0], [1, 1, 2, 0]])
    for reduction in ScatterReduction.allCases {
      for includeSelf in [true, false] {
        let name = "\(reduction)" + (includeSelf ? "" : " without self")
        functions["scatterReduce \(name)"] = {
          [$0[0].scatterReduce(dim: 1, index: index, $0[1], reduction, includeSelf: includeSelf)]
        }
        if reduction == .sum { continue }
        functions["indexReduce \(name)"] = {
          [$0[0].indexReduce(dim: 0, index: Tensor([2, 0, 2]), $0[1], reduction, includeSelf: includeSelf)]
        }
      }
    }
    try check("indexing", functions)
  }

  @Test("of activations")
  func activations() throws {
    try check(
      "activations",
      [
        "celu": { [$0[0].celu(alpha: 1.5)] },
        "celu as usual": { [$0[0].celu()] },
        "elu": { [$0[0].elu(alpha: 0.7)] },
        "elu as usual": { [$0[0].elu()] },
        "gelu": { [$0[0].gelu()] },
        "gelu tanh": { [$0[0].gelu(approximate: .tanh)] },
        "glu": { [$0[0].glu()] },
        "glu of the first axis": { [$0[0].glu(dim: 0)] },
        "hardshrink": { [$0[0].hardshrink()] },
        "hardshrink of 1": { [$0[0].hardshrink(lambda: 1.1)] },
        "hardsigmoid": { [$0[0].hardsigmoid()] },
        "hardswish": { [$0[0].hardswish()] },
        "hardtanh": { [$0[0].hardtanh(min: -2, max: 2.2)] },
        "hardtanh as usual": { [$0[0].hardtanh()] },
        "leakyRelu": { [$0[0].leakyRelu(negativeSlope: 0.2)] },
        "leakyRelu as usual": { [$0[0].leakyRelu()] },
        "mish": { [$0[0].mish()] },
        "prelu": { [prelu($0[0], $0[1])] },
        "prelu of one weight": { [prelu($0[0], $0[1])] },
        "relu6": { [$0[0].relu6()] },
        "selu": { [$0[0].selu()] },
        "silu": { [$0[0].silu()] },
        "softmin": { [$0[0].softmin(dim: 0)] },
        "softplus": { [$0[0].softplus()] },
        "softplus of 2": { [$0[0].softplus(beta: 2, threshold: 5)] },
        "softshrink": { [$0[0].softshrink(lambda: 0.4)] },
        "softshrink as usual": { [$0[0].softshrink()] },
        "softsign": { [$0[0].softsign()] },
        "tanhshrink": { [$0[0].tanhshrink()] },
        "threshold": { [$0[0].threshold(0.6, -2)] },
      ])
  }
}

private func pair(_ results: (values: Tensor, indices: Tensor)) -> [Tensor] { [results.values, results.indices] }

private func triple(_ results: (values: Tensor, inverse: Tensor, counts: Tensor)) -> [Tensor] {
  [results.values, results.inverse, results.counts]
}
