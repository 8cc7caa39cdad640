import ApusCore
import TestSupport
import Testing

@Suite("linear algebra")
struct LinearAlgebraTests {
  static func d(_ rows: [[Double]]) -> Tensor { Tensor(rows, dtype: .float64) }
  static let a = d([[4, 1, 2], [0, 3, -1], [1, 2, 5]])

  @Test("determinants of known matrices, with and without elements, singular ones too")
  func determinants() {
    expectClose(Self.a.det(), Tensor(61.0, dtype: .float64))
    #expect(Tensor.zeros([0, 0]).det().item() == 1)
    #expect(Tensor.zeros([2, 0, 0]).det().shape == [2])
    let singular = Self.d([[1, 2], [2, 4]])
    #expect(singular.det().item() == 0)
    #expect(singular.slogdet().sign.item() == 0)
    #expect(singular.slogdet().logabsdet.item() == -Double.infinity)
    #expect(singular.logdet().item() == -Double.infinity)
    #expect(Self.d([[0, 1], [1, 0]]).logdet().item().isNaN)
    #expect(Self.d([[0, 1], [1, 0]]).slogdet().sign.item() == -1)
    // 10⁻²⁰⁰ of 200 rows: the determinant vanishes, its logarithm does not.
    let scaled = Tensor.eye(200, dtype: .float64) * 1e-2
    expectClose(scaled.slogdet().logabsdet, Tensor(200 * -4.605170185988091, dtype: .float64))
  }

  @Test("the gradient of the determinant is that of the cofactors where the matrix is singular")
  func singularDeterminant() {
    for rows in [
      [[1.0, 2, 3], [4, 5, 6], [7, 8, 9]], [[1, 2, 3], [2, 4, 6], [0, 0, 0]], [[0, 0, 0], [0, 0, 0], [0, 0, 0]],
    ] {
      var x = Self.d(rows)
      x.requiresGrad = true
      let gradient = grad(of: x.det(), withRespectTo: [x])[0]
      let r = rows
      let cofactors = (0..<3).map { i in
        (0..<3).map { j in
          let (p, q, s, t) = ((i + 1) % 3, (i + 2) % 3, (j + 1) % 3, (j + 2) % 3)
          return r[p][s] * r[q][t] - r[p][t] * r[q][s]
        }
      }
      expectClose(gradient, Self.d(cofactors), absolute: 1e-12)
    }
  }

  @Test("vectors and batches of vectors on the right-hand side of solve")
  func vectors() {
    let b = Tensor([1.0, 2, 3], dtype: .float64)
    expectClose(Self.a.matmul(Self.a.solve(b)), b)
    let batch = stack([Self.a, Self.a.mT])
    let x = batch.solve(stack([b, b * 2]))
    #expect(x.shape == [2, 3])
    expectClose(x[1], Self.a.mT.solve(b * 2))
    #expect(batch.solve(b).shape == [2, 3])
  }

  @Test("pinv fulfils the four equations of Penrose, for every shape and rank")
  func pseudoinverse() {
    for (m, n, rank) in [(5, 3, 3), (3, 5, 3), (4, 4, 2), (4, 4, 0), (0, 3, 0), (3, 0, 0)] {
      let a = samples([2, m, rank], seed: 1).matmul(samples([2, rank, n], seed: 2))
      let y = a.pinv()
      #expect(y.shape == [2, n, m])
      expectClose(a.matmul(y).matmul(a), a, absolute: 1e-10)
      expectClose(y.matmul(a).matmul(y), y, absolute: 1e-10)
      expectClose(a.matmul(y), a.matmul(y).mT, absolute: 1e-10)
      expectClose(y.matmul(a), y.matmul(a).mT, absolute: 1e-10)
      if m == n { expectClose((a + a.mT).pinv(hermitian: true), (a + a.mT).pinv(), absolute: 1e-9) }
    }
    expectClose(Self.d([[2, 0], [0, 1e-3]]).pinv(atol: 1e-2), Self.d([[0.5, 0], [0, 0]]))
    expectClose(Self.d([[2, 0], [0, 1e-3]]).pinv(rtol: 1e-4), Self.d([[0.5, 0], [0, 1000]]))
  }

  @Test("ranks by tolerance")
  func ranks() {
    let x = Self.d([[2, 0, 0], [0, 1e-3, 0]])
    #expect(x.matrixRank().item(as: Int.self) == 2)
    #expect(x.matrixRank(atol: 1e-2).item(as: Int.self) == 1)
    #expect(x.matrixRank(rtol: 1e-2).item(as: Int.self) == 1)
    #expect(Tensor.zeros([2, 3, 0]).matrixRank().scalars(as: Int.self) == [0, 0])
  }

  @Test("lstsq solves the normal equations, and is the shortest solution where there are many")
  func leastSquares() {
    for method in [LeastSquaresMethod.svd, .qr] {
      let (a, b) = (samples([2, 6, 3], seed: 1), samples([2, 6, 2], seed: 2))
      let tall = a.lstsq(b, method: method)
      expectClose(a.mT.matmul(a.matmul(tall.solution)), a.mT.matmul(b), absolute: 1e-10)
      expectClose(tall.residuals, (a.matmul(tall.solution) - b).square().sum(dim: -2))
      let (w, c) = (samples([3, 6], seed: 3), samples([3, 2], seed: 4))
      let wide = w.lstsq(c, method: method)
      expectClose(w.matmul(wide.solution), c, absolute: 1e-10)
      expectClose(wide.solution, w.pinv().matmul(c), absolute: 1e-10)
      #expect(wide.residuals.shape == [0])
      #expect((wide.rank.shape, wide.singularValues.shape) == (method == .svd ? ([], [3]) : ([0], [0])))
      #expect(a.lstsq(b[.all, .all, 0], method: method).solution.shape == [2, 3])
    }
    let low = samples([5, 1], seed: 5).matmul(samples([1, 3], seed: 6))
    let found = low.lstsq(samples([5], seed: 7))
    #expect(found.rank.item(as: Int.self) == 1)
    #expect(found.residuals.shape == [0])
    expectClose(found.solution, low.pinv().matmul(samples([5], seed: 7)), absolute: 1e-12)
  }

  @Test("matrixPower, also of 0 and below")
  func power() {
    let a = Self.a
    expectClose(a.matrixPower(5), a.matmul(a).matmul(a).matmul(a).matmul(a))
    expectClose(a.matrixPower(0), Tensor.eye(3, dtype: .float64))
    expectClose(a.matrixPower(1), a)
    expectClose(a.matrixPower(-2).matmul(a.matmul(a)), Tensor.eye(3, dtype: .float64), absolute: 1e-14)
    #expect(Tensor([[1, 1], [0, 1]]).matrixPower(10)[0, 1].item(as: Int.self) == 10)
  }

  @Test("matrixExp of diagonal, nilpotent and rotating matrices of any size of norm", arguments: [DType.float32, .float64])
  func exponential(dtype: DType) {
    let tolerance = dtype == .float64 ? 1e-12 : 2e-5
    let diagonal = Tensor([-30.0, -2, 0, 1, 10, 20], dtype: dtype)
    expectClose(diagonal.diag().matrixExp().diagonal(), diagonal.exp(), relative: tolerance * 4, absolute: 0)
    let nilpotent = Tensor([[0.0, 1, 2], [0, 0, 3], [0, 0, 0]], dtype: dtype)
    expectClose(
      nilpotent.matrixExp(), Tensor([[1.0, 1, 3.5], [0, 1, 3], [0, 0, 1]], dtype: dtype), relative: tolerance, absolute: 1e-6)
    for angle in [1e-3, 0.5, 3, 40] {
      let generator = Tensor([[0.0, -angle], [angle, 0]], dtype: dtype)
      let (c, s) = (Tensor(angle, dtype: .float64).cos().item(), Tensor(angle, dtype: .float64).sin().item())
      expectClose(
        generator.matrixExp(), Tensor([[c, -s], [s, c]], dtype: dtype), relative: 0, absolute: tolerance * max(angle, 1) * 4)
    }
    // Each matrix of a batch is squared as often as it needs.
    let batch = stack([nilpotent, nilpotent * 100])
    expectClose(batch.matrixExp()[0], nilpotent.matrixExp(), relative: tolerance, absolute: tolerance)
    #expect(Tensor.zeros([2, 0, 0]).matrixExp().shape == [2, 0, 0])
  }

  @Test("norms of matrices")
  func norms() {
    let x = Self.d([[1, -2, 3], [4, 5, -6]])
    let s = x.svdvals()
    let expected: [(MatrixNormOrder, Double)] = [
      (.frobenius, 91.0.squareRoot()), (.nuclear, s.sum().item()), (.p(2), s[0].item()), (.p(-2), s[1].item()), (.p(1), 9),
      (.p(-1), 5),
      (.p(.infinity), 15), (.p(-.infinity), 6),
    ]
    for (order, value) in expected {
      expectClose(x.matrixNorm(order), Tensor(value, dtype: .float64), "\(order)")
      let batch = stack([x, x * 2], dim: 1)  // rows, batch, columns
      let y = batch.matrixNorm(order, dims: (0, 2))
      expectClose(y, Tensor([value, 2 * value], dtype: .float64), "\(order)")
      #expect(batch.matrixNorm(order, dims: (0, -1), keepDim: true).shape == [1, 2, 1])
    }
    let square = Self.d([[2, 0], [0, 0.5]])
    for order in [MatrixNormOrder.p(2), .p(1), .p(.infinity)] { expectClose(square.cond(order), Tensor(4.0, dtype: .float64)) }
    expectClose(square.cond(.p(-2)), Tensor(0.25, dtype: .float64))
    expectClose(square.cond(.frobenius), Tensor(4.25, dtype: .float64))
    #expect(Self.d([[1, 2], [2, 4]]).cond(.p(1)).item() == .infinity)
  }

  @Test("multiDot multiplies in the cheapest order, whatever the ends are")
  func chains() {
    let (a, b, c) = (samples([2, 30], seed: 1), samples([30, 4], seed: 2), samples([4, 5], seed: 3))
    expectClose(multiDot([a, b, c]), a.matmul(b).matmul(c), relative: 1e-12)
    expectClose(multiDot([a[0], b, c]), a[0].matmul(b).matmul(c), relative: 1e-12)
    expectClose(multiDot([a, b, c[.all, 0]]), a.matmul(b).matmul(c[.all, 0]), relative: 1e-12)
    expectClose(multiDot([a[0], a[1]]), a[0].dot(a[1]))
  }

  @Test("cross, vecdot and vander")
  func vectorProducts() {
    let (x, y) = (Tensor([[1, 0, 0], [0, 2, 0]]), Tensor([[0, 1, 0]]))
    #expect(x.cross(y).array(as: [[Int]].self) == [[0, 0, 1], [0, 0, 0]])
    #expect(x.mT.cross(y.mT, dim: 0).array(as: [[Int]].self) == [[0, 0], [0, 0], [1, 0]])
    #expect(x.vecdot(y).array(as: [Int].self) == [0, 2])
    #expect(Tensor([2, 3]).vander(3).array(as: [[Int]].self) == [[1, 2, 4], [1, 3, 9]])
    #expect(Tensor([2, 3]).vander().shape == [2, 2])
  }

  @Test("tensorsolve and tensorinv take groups of axes for rows and columns")
  func tensors() {
    let (a, b) = (samples([2, 3, 6], seed: 1), samples([2, 3], seed: 2))
    expectClose(tensordot(a, a.tensorsolve(b), dims: 1), b, absolute: 1e-12)
    expectClose(tensordot(a, a.tensorinv(), dims: 1).reshape(6, 6), Tensor.eye(6, dtype: .float64), absolute: 1e-12)
    let x = a.movedim(2, 0).tensorsolve(b.flatten())
    #expect(x.shape == [2, 3])
    expectClose(a.movedim(2, 0).tensorsolve(b, dims: [0]), a.tensorsolve(b), absolute: 1e-12)
  }

  @Test("inside autocast everything is computed in float32")
  func mixedPrecision() {
    let x = Self.a.to(.float32)
    autocast(to: .bfloat16) {
      expectClose(x.to(.bfloat16).inv(), x.inv(), relative: 0.1, absolute: 0.1)
      expectClose(x.matrixExp(), Self.a.matrixExp().to(.float32), relative: 1e-4)
      expectClose(x.pinv().matmul(x), Tensor.eye(3, dtype: .bfloat16), relative: 0.1, absolute: 0.1)
      #expect(x.lstsq(x, method: .qr).solution.dtype == .float32)
      #expect(x[0..<2].qr().R.dtype == .float32)
    }
  }
}
