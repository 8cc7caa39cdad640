import ApusCore
import TestSupport
import Testing

/// First and second order against central differences. What could be otherwise (signs of vectors) is made not to matter.
@Suite("gradients of linear algebra")
struct LinearAlgebraGradientTests {
  typealias Record = GradientTests.Record

  static let x = samples([2, 3, 3], in: -1...1) + 2 * Tensor.eye(3, dtype: .float64)
  static let single = samples([3, 3], in: -1...1, seed: 5) + 2 * Tensor.eye(3, dtype: .float64)
  static let b = samples([3, 2], in: -1...1, seed: 2)
  static let tall = samples([2, 4, 3], in: -1...1, seed: 3)
  static let wide = samples([2, 2, 4], in: -1...1, seed: 4)

  static func symmetric(_ x: Tensor) -> Tensor { x + x.mT }

  static let records: [Record] = [
    Record("cholesky", single) { x in (x[0].matmul(x[0].mT) + Tensor.eye(3, dtype: .float64)).cholesky() },
    Record("cholesky upper", single) { x in (x[0].matmul(x[0].mT) + Tensor.eye(3, dtype: .float64)).cholesky(upper: true) },
    Record("choleskySolve", single, b) { $0[1].choleskySolve($0[0]) + $0[1].choleskySolve($0[0], upper: true) },
    Record("choleskyInverse", single) { $0[0].choleskyInverse() },
    Record("solveTriangular lower", x, b) { $0[0].solveTriangular($0[1], upper: false) },
    Record("solveTriangular upper unit", single, b) { $0[0].solveTriangular($0[1], upper: true, unitriangular: true) },
    Record("solveTriangular right", single, samples([2, 1, 3], in: -1...1)) {
      $0[0].solveTriangular($0[1], upper: true, left: false)
    },
    Record("luFactor", x) { $0[0].luFactor().LU },
    Record("luFactor tall", tall) { $0[0].luFactor().LU },
    Record("luFactor wide", wide) { $0[0].luFactor().LU },
    Record("lu", single) { x in
      let (p, l, u) = x[0].lu()
      return p.matmul(l * l) + u * u
    },
    Record("luSolve", single, b) { x in
      let (factors, pivots) = x[0].luFactor()
      return factors.luSolve(pivots, x[1]) + factors.luSolve(pivots, x[1], adjoint: true)
    },
    Record("solve", x, b) { $0[0].solve($0[1]) },
    Record("solve a vector", single, samples([3], in: -1...1)) { $0[0].solve($0[1]) },
    Record("solve right", single, samples([2, 3], in: -1...1)) { $0[0].solve($0[1], left: false) },
    Record("inv", x) { $0[0].inv() },
    Record("det", x) { $0[0].det() },
    Record("det of a singular matrix", Tensor([[1.0, 2, 3], [2, 4, 6], [1, 0, 1]], dtype: .float64)) { $0[0].det() },
    Record("slogdet", x) { $0[0].slogdet().logabsdet },
    Record("logdet", x) { $0[0].matmul($0[0].mT).logdet() },
    Record("qr", tall) { x in
      let (q, r) = x[0].qr()
      return q.matmul(r * r)
    },
    Record("qr wide", wide) { x in
      let (q, r) = x[0].qr()
      return q.matmul(r * r)
    },
    Record("qr complete", single) { $0[0].qr(.complete).Q + $0[0].qr(.r).R },
    Record("eigvalsh", x) { symmetric($0[0]).eigvalsh() },
    Record("eigh", single) { x in
      let (values, vectors) = symmetric(x[0]).eigh(.upper)
      return vectors * vectors + (vectors * values.exp()).matmul(vectors.mT)
    },
    Record("svdvals", tall) { $0[0].svdvals() },
    Record("svd tall", tall) { x in
      let (u, s, vh) = x[0].svd()
      let k = u.narrow(dim: -1, start: 0, count: 3)
      return (k * s.exp().unsqueeze(dim: -2)).matmul(vh) + k.square().sum(dim: -1, keepDim: true)
    },
    Record("svd wide", wide) { x in
      let (u, s, vh) = x[0].svd(fullMatrices: false)
      return (u * s.square().unsqueeze(dim: -2)).matmul(vh) + vh.square().sum(dim: -2, keepDim: true)
    },
    Record("pinv tall", tall) { $0[0].pinv() },
    Record("pinv wide", wide) { $0[0].pinv() },
    Record("pinv of low rank", samples([4, 2], in: -1...1), samples([2, 3], in: -1...1, seed: 2)) { $0[0].matmul($0[1]).pinv() },
    Record("pinv hermitian", single) { symmetric($0[0]).pinv(hermitian: true) },
    Record("lstsq", tall, samples([4, 2], in: -1...1)) { $0[0].lstsq($0[1]).solution },
    Record("lstsq by qr", tall, samples([4, 2], in: -1...1)) { $0[0].lstsq($0[1], method: .qr).residuals },
    Record("lstsq by qr, wide", wide, samples([2, 2], in: -1...1)) { $0[0].lstsq($0[1], method: .qr).solution },
    Record("matrixPower", x) { $0[0].matrixPower(3) + $0[0].matrixPower(-2) + $0[0].matrixPower(0) },
    Record("matrixExp", x) { $0[0].matrixExp() },
    Record("matrixExp with squarings", single) { ($0[0] * 4).matrixExp() / 1e5 },
    Record("nuclear norm", tall) { $0[0].matrixNorm(.nuclear) },
    Record("spectral norm", tall) { $0[0].matrixNorm(.p(2)) + $0[0].matrixNorm(.p(-2)) },
    Record("other norms", tall) { $0[0].matrixNorm(.p(1)) + $0[0].matrixNorm(.p(-.infinity)) + $0[0].matrixNorm() },
    Record("cond", x) { $0[0].cond() + $0[0].cond(.p(1)) + $0[0].cond(.frobenius) },
    Record("multiDot", samples([2, 3], in: -1...1), b, samples([2], in: -1...1)) { multiDot([$0[0], $0[1], $0[2]]) },
    Record("tensorsolve", samples([3, 3], in: -1...1), samples([3], in: -1...1, seed: 7)) { $0[0].tensorsolve($0[1]) },
    Record("cross", samples([2, 3], in: -1...1), samples([1, 3], in: -1...1, seed: 2)) { $0[0].cross($0[1]) },
    Record("vander", samples([3], in: -1...1)) { $0[0].vander(4) },
    Record("of nothing", Tensor.zeros([0, 0], dtype: .float64)) {
      $0[0].inv() + $0[0].qr().Q + $0[0].eigh().eigenvectors + $0[0].svd().U + $0[0].cholesky() + $0[0].luFactor().LU
        + $0[0].pinv()
    },
  ]

  @Test("against central differences", arguments: records)
  func differences(record: Record) throws { try gradientCheck(record.inputs, order: 2, record.function) }

  @Test("where eigenvalues or singular values are equal, functions of them have a gradient, and functions of the vectors NaN")
  func equalValues() throws {
    let a = Tensor([[2.0, 0, 0], [0, 2, 0], [0, 0, 5]], dtype: .float64)
    try gradientCheck([a]) { Self.symmetric($0[0]).eigh().eigenvalues.exp().sum() }
    try gradientCheck([a]) { $0[0].svd().S.square().sum() }
    try gradientCheck([a]) { $0[0].matrixNorm(.nuclear) }
    let functions: [(Tensor) -> Tensor] = [
      { x in
        let (values, vectors) = Self.symmetric(x).eigh()
        return (vectors * values).matmul(vectors.mT)
      },
      { x in
        let (u, s, vh) = x.svd()
        return (u * s.unsqueeze(dim: -2)).matmul(vh)
      },
    ]
    for f in functions {
      var x = a
      x.requiresGrad = true
      let gradient = grad(of: f(x), withRespectTo: [x], gradient: samples([3, 3], in: 0...1))[0]
      #expect(!gradient.isFinite().all().item(as: Bool.self))
    }
    // The neighbours of such a matrix in a batch are not concerned.
    var batch = stack([a, Self.single])
    batch.requiresGrad = true
    let gradient = grad(of: functions[1](batch).sum(), withRespectTo: [batch])[0]
    expectClose(gradient[1], Tensor.ones([3, 3], dtype: .float64), absolute: 1e-10)
    var zero = Tensor.zeros([3, 2], dtype: .float64)
    zero.requiresGrad = true
    #expect(grad(of: zero.matrixNorm(.nuclear), withRespectTo: [zero])[0].isFinite().all().item(as: Bool.self))
  }

  @Test("a complete Q of a tall matrix has no gradient")
  func completeQ() {
    var x = Self.tall
    x.requiresGrad = true
    let q = x.qr(.complete).Q
    expectMistake("qr: a complete Q of 4 rows and 3 columns has no gradient") { q.sum().backward() }
  }

  @Test("the gradient of the logarithm of a determinant that is 0 is not finite")
  func singular() {
    var x = Tensor([[1.0, 2], [2, 4]], requiresGrad: true)
    x.requiresGrad = true
    let gradient = grad(of: x.slogdet().logabsdet, withRespectTo: [x])[0]
    #expect(!gradient.isFinite().all().item(as: Bool.self))
  }
}
