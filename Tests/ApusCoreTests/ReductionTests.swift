import ApusCore
import TestSupport
import Testing

@Suite("reductions")
struct ReductionTests {
  /// The elements that each result is made of, gathered naively.
  static func groups(_ x: Tensor, _ dims: [Int]) -> [[Double]] {
    let shape = Array(x.shape)
    let values = x.scalars(as: Double.self)
    let kept = shape.indices.filter { !dims.contains($0) }
    var groups = [[Double]](repeating: [], count: kept.map { shape[$0] }.reduce(1, *))
    for (i, value) in values.enumerated() {
      var (rest, position) = (i, [Int](repeating: 0, count: shape.count))
      for axis in shape.indices.reversed() {
        position[axis] = rest % shape[axis]
        rest /= shape[axis]
      }
      groups[kept.reduce(0) { $0 * shape[$1] + position[$1] }].append(value)
    }
    return groups
  }

  static let functions: [(String, Bool, @Sendable (Tensor, [Int]) -> Tensor, @Sendable ([Double]) -> Double)] = [
    ("sum", true, { $0.sum(dims: $1) }, { $0.reduce(0, +) }),
    ("mean", false, { $0.mean(dims: $1) }, { $0.reduce(0, +) / Double($0.count) }),
    ("prod", true, { $0.prod(dims: $1) }, { $0.reduce(1, *) }),
    ("amax", true, { $0.amax(dims: $1) }, { $0.max()! }),
    ("amin", true, { $0.amin(dims: $1) }, { $0.min()! }),
    ("all", true, { $0.all(dims: $1) }, { $0.allSatisfy { $0 != 0 } ? 1 : 0 }),
    ("any", true, { $0.any(dims: $1) }, { $0.contains { $0 != 0 } ? 1 : 0 }),
    ("logsumexp", false, { $0.logsumexp(dims: $1) }, { C.log($0.map(C.exp).reduce(0, +)) }),
    (
      "var", false, { $0.var(dims: $1) },
      { v in
        let mean = v.reduce(0, +) / Double(v.count)
        return v.map { ($0 - mean) * ($0 - mean) }.reduce(0, +) / Double(v.count - 1)
      }
    ),
  ]

  @Test("over every choice of axes, dtype and layout", arguments: 0..<9)
  func reductions(index: Int) {
    let (name, takesIntegers, function, reference) = Self.functions[index]
    for dtype in DType.allCases where takesIntegers || dtype.isFloatingPoint {
      for layout in Layout.allCases {
        let x = layout.tensor(ElementwiseTests.values(dtype, in: -2...2, [3, 4, 5], seed: 7))
        for dims in [[0], [1], [2], [0, 1], [0, 2], [1, 2], [0, 1, 2]] {
          let y = function(x, dims)
          let expected = Self.groups(x, dims).map(reference)
          if dtype.isInteger && expected.contains(where: { abs($0) > 0x1p53 }) { continue }  // wraps; a double can't say how
          let kept = [3, 4, 5].enumerated().filter { !dims.contains($0.offset) }.map(\.element)
          let bound = ElementwiseTests.tolerance(dtype)
          let wide = Tensor(scalars: expected, shape: Shape(kept), dtype: .float64)
          #expect(y.dtype == (["all", "any"].contains(name) ? .bool : ["sum", "prod"].contains(name) ? dtype.sumType : dtype))
          expectClose(
            y.to(.float64), wide, relative: bound.relative * 60, absolute: max(bound.absolute, bound.relative * 20),
            "\(name) \(dtype) \(layout) \(dims)")
        }
      }
    }
  }

  @Test("of long lines and of many rows agree with a sum in float64", arguments: [1, 7, 64, 4096, 1_000_000])
  func accuracy(n: Int) {
    let x = Tensor.randn([n], generator: Generator(seed: 3))
    let exact = x.to(.float64)
    let bound = 2 * Double(n).squareRoot() * 0x1p-24 * exact.abs().sum().item()
    #expect(abs(x.sum().item() - exact.sum().item()) <= bound)
    let rows = x.unsqueeze(dim: 1).expand(n, 3).contiguous()
    #expect(abs(rows.sum(dim: 0)[1].item() - exact.sum().item()) <= bound)
    #expect(abs(x.square().mean().item() - exact.square().mean().item()) <= bound)
    // Exact where every partial sum is.
    #expect(Tensor.ones([n], dtype: .float64).sum().item() == Double(n))
  }

  @Test("of nothing")
  func empty() {
    let x = Tensor.zeros([0, 3])
    #expect(x.sum().item() == 0)
    expectClose(x.sum(dim: 0), Tensor.zeros([3]))
    expectClose(x.prod(dim: 0), Tensor.ones([3]))
    #expect(x.mean().item().isNaN)
    #expect(x.all().item(as: Bool.self) && !x.any().item(as: Bool.self))
    #expect(x.sum(dim: 1).shape == [0])
    expectClose(x.logsumexp(dim: 0), Tensor.full([3], -Double.infinity))
    expectMistake("amax: no elements to choose from in [0, 3] along [0, 1]") { _ = x.amax() }
    expectMistake("argmax: no elements to choose from in [0, 3] along axis 0") { _ = x.argmax(dim: 0) }
    #expect(x.amax(dims: [1]).shape == [0])
  }

  @Test("of a scalar")
  func scalar() {
    let x = Tensor(3.5)
    #expect(x.sum(dim: 0).item() == 3.5 && x.sum(dim: -1, keepDim: true).shape == [])
    #expect(x.argmax().item() == 0 && x.max(dim: 0).values.item() == 3.5 && x.logsumexp().item() == 3.5)
    #expect(x.softmax(dim: 0).item() == 1)
    expectMistake("sum: axis 1 is not in -1..<1 (shape [])") { _ = x.sum(dim: 1) }
  }

  @Test("extremes find the first of equals, and NaN counts as extreme")
  func extremes() {
    let x = Tensor([[1.0, 3, 3], [.nan, 0, -1]])
    #expect(x.argmax(dim: 1).scalars(as: Int.self) == [1, 0])
    #expect(x.argmin(dim: 1).scalars(as: Int.self) == [0, 0])
    #expect(x.argmax().item() == 3)
    #expect(x.argmax(dim: 0, keepDim: true).shape == [1, 3])
    #expect(x.amax().item().isNaN && x.amin().item().isNaN)
    let (values, indices) = x.T.max(dim: 0)
    expectClose(values, Tensor([3.0, .nan]))
    #expect(indices.scalars(as: Int.self) == [1, 0])
    let (low, at) = Tensor([[3, 1, 2]]).min(dim: 1, keepDim: true)
    #expect(low.item() == 1 && at.shape == [1, 1])
    for dtype in DType.allCases where dtype != .bool {
      #expect(Tensor([3, 9, 9, 1]).to(dtype).argmax().item() == 1, "\(dtype)")
      #expect(Tensor([3, 1, 9, 1]).to(dtype).argmin().item() == 1, "\(dtype)")
    }
  }

  @Test("logsumexp and softmax are stable and know infinities")
  func stability() {
    #expect(Tensor([1000.0, 1000]).logsumexp().item() == Double(Float(1000 + C.log(2))))
    #expect(Tensor([-Double.infinity, -.infinity]).logsumexp().item() == -.infinity)
    #expect(Tensor([Double.infinity, 0]).logsumexp().item() == .infinity)
    expectClose(Tensor([1000.0, 1000]).softmax(dim: 0), Tensor([0.5, 0.5]))
    expectClose(Tensor([0.0, -.infinity]).softmax(dim: 0), Tensor([1.0, 0]))
    #expect(Tensor([-Double.infinity, -.infinity]).softmax(dim: 0).isNaN().all().item(as: Bool.self))
    expectClose(Tensor([0.0, -200]).logSoftmax(dim: 0), Tensor([0.0, -200]))
    #expect(Tensor([1, 2]).softmax(dim: 0).dtype == .float32)
    #expect(Tensor.zeros([2, 0]).softmax(dim: 1).shape == [2, 0])
  }

  @Test("variance takes a correction")
  func variance() {
    let x = Tensor([1.0, 2, 4], dtype: .float64)
    #expect(abs(x.var().item() - 7.0 / 3) < 1e-12)
    #expect(abs(x.var(correction: 0).item() - 14.0 / 9) < 1e-12)
    #expect(abs(x.std(dim: 0, correction: 0).item() - (14.0 / 9).squareRoot()) < 1e-12)
    #expect(Tensor([1.0]).var().item().isNaN)
    expectMistake("var: int64 has no variance; convert with to(.float32)") { _ = Tensor([1, 2]).var() }
    expectMistake("mean: int64 has no mean; convert with to(.float32)") { _ = Tensor([1, 2]).mean() }
    expectMistake("sum: axis -1 is named twice in [0, -1]") { _ = x.sum(dims: [0, -1]) }
  }

  @Test("cumsum runs along any axis")
  func cumulative() {
    expectClose(Tensor([[1, 2], [3, 4]]).cumsum(dim: 0), Tensor([[1, 2], [4, 6]]))
    expectClose(Tensor([[1, 2], [3, 4]]).cumsum(dim: -1), Tensor([[1, 3], [3, 7]]))
    #expect(Tensor([UInt8(200), 100]).cumsum(dim: 0).scalars(as: Int.self) == [200, 300])
    expectClose(Tensor([0.5, 0.25]).to(.float16).cumsum(dim: 0), Tensor([0.5, 0.75]).to(.float16))
    #expect(Tensor(2.0).cumsum(dim: 0).item() == 2)
  }

  @Test(
    "sums over rows don't depend on who shares the work: few results have their rows shared out, many their places",
    arguments: [(1000, 40), (129, 5000), (20_000, 3), (8300, 17)])
  func rowsOfFewResults(rows: Int, columns: Int) {
    for dtype in [DType.float32, .float64, .float16, .int32] {
      let x = samples([rows, columns], seed: 5).to(dtype), copies = stack(Array(repeating: x, count: 17))
      let (alone, among) = (x.sum(dims: [0]), copies.sum(dims: [1]))
      #expect(among.select(dim: 0, index: 16).equal(alone), "\(dtype)")
      let groups = Self.groups(x, [0]).map { $0.reduce(0, +) }
      let bound = (dtype.epsilon ?? 0) * 8 * Double(rows)
      expectClose(alone.to(.float64), Tensor(groups, dtype: .float64), relative: 0.01 * bound, absolute: bound, "\(dtype)")
      #expect(x.amax(dims: [0]).equal(copies.amax(dims: [1]).select(dim: 0, index: 3)))
    }
  }
}
