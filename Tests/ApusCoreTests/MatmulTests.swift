import ApusCore
import TestSupport
import Testing

@Suite("matmul")
struct MatmulTests {
  static func naive(_ a: Tensor, _ b: Tensor) -> [Double] {
    let (m, k, n) = (a.shape[0], a.shape[1], b.shape[1])
    let (x, y) = (a.scalars(as: Double.self), b.scalars(as: Double.self))
    return (0..<m).flatMap { i in (0..<n).map { j in (0..<k).reduce(0.0) { $0 + x[i * k + $1] * y[$1 * n + j] } } }
  }

  @Test(
    "every dtype, every layout of both sides, sizes around the blocks of the kernels",
    arguments: [(1, 1, 1), (4, 2, 3), (5, 7, 9), (13, 33, 17), (25, 300, 65), (64, 64, 64), (3, 1000, 2), (200, 3, 130)])
  func sizes(m: Int, k: Int, n: Int) {
    for dtype in DType.allCases {
      let a = ElementwiseTests.values(dtype, in: -1...1, [m, k], seed: 1)
      let b = ElementwiseTests.values(dtype, in: -1...1, [k, n], seed: 2)
      var expected = Self.naive(a, b)
      if dtype == .bool { expected = expected.map { min($0, 1) } }
      let wide = Tensor(scalars: expected, shape: [m, n], dtype: .float64)
      let result = dtype.isInteger ? wide.to(.int64).to(dtype) : wide.to(dtype)
      let eps = dtype.epsilon ?? 0
      for la in [Layout.contiguous, .transposed, .reversed, .everySecond] {
        for lb in [Layout.contiguous, .transposed, .everySecond] {
          let y = la.tensor(a).matmul(lb.tensor(b))
          expectClose(
            y, result, relative: eps * 2, absolute: 2 * Double(k).squareRoot() * min(eps, 0x1p-23) * Double(k) + 1e-12,
            "\(dtype) \(la) \(lb)")
        }
      }
    }
  }

  @Test("large products, in both precisions")
  func large() {
    for dtype in [DType.float32, .float64] {
      let a = Tensor.randint(-3, 4, [300, 700], generator: Generator(seed: 1)).to(dtype)
      let b = Tensor.randint(-3, 4, [700, 520], generator: Generator(seed: 2)).to(dtype)
      // Small integers: exact in any order of summing.
      let y = a.matmul(b)
      expectClose(y, a.to(.int64).matmul(b.to(.int64)).to(dtype), relative: 0, absolute: 0)
      expectClose(b.T.matmul(a.T), y.T.contiguous(), relative: 0, absolute: 0)
    }
  }

  @Test("a layer's weights times small batches: by way of the transposed product, or not", arguments: [4, 5, 17, 32, 130, 256])
  func smallBatches(rows: Int) {
    for (k, n) in [(300, 700), (1024, 1100), (96, 513), (40, 2000)] {
      let x = Tensor.randint(-3, 4, [rows, k], generator: Generator(seed: 1))
      let weight = Tensor.randint(-3, 4, [n, k], generator: Generator(seed: 2))
      let exact = x.matmul(weight.T)
      for dtype in [DType.float32, .float64] {
        expectClose(x.to(dtype).matmul(weight.to(dtype).T), exact.to(dtype), relative: 0, absolute: 0, "\(k) \(n)")
      }
    }
  }

  @Test("batches broadcast")
  func batches() {
    let a = samples([2, 1, 3, 4], in: -1...1)
    let b = samples([5, 4, 2], in: -1...1, seed: 2)
    let y = a.matmul(b)
    #expect(y.shape == [2, 5, 3, 2])
    for i in 0..<2 { for j in 0..<5 { expectClose(y[i, j], a[i, 0].matmul(b[j]), relative: 1e-12) } }
    #expect(Tensor.ones([3, 2, 4]).matmul(Tensor.ones([4])).shape == [3, 2])
    #expect(Tensor.ones([4]).matmul(Tensor.ones([3, 4, 2])).shape == [3, 2])
    #expect(Tensor.ones([4]).matmul(Tensor.ones([4])).item() == 4)
    #expect(Tensor.ones([3, 0]).matmul(Tensor.ones([0, 2])).sum().item() == 0)
    #expect(Tensor.ones([0, 3]).matmul(Tensor.ones([3, 2])).shape == [0, 2])
    #expect(Tensor.ones([2, 3]).matmul(Tensor.ones([3, 2], dtype: .float64)).dtype == .float64)
  }

  @Test("what doesn't fit is an error that says both shapes")
  func errors() {
    expectMistake("matmul: [2, 3] × [4, 5]: inner sizes 3 and 4 differ") { _ = Tensor.ones([2, 3]).matmul(Tensor.ones([4, 5])) }
    expectMistake("matmul: [2] × [3]: inner sizes 2 and 3 differ") { _ = Tensor.ones([2]).matmul(Tensor.ones([3])) }
    expectMistake("matmul: [2, 2, 3] × [3, 3, 2]: the batch axes do not broadcast") {
      _ = Tensor.ones([2, 2, 3]).matmul(Tensor.ones([3, 3, 2]))
    }
    expectMistake("matmul: [] × [3]: scalars have no rows; use *") { _ = Tensor(1.0).matmul(Tensor.ones([3])) }
  }
}
