import ApusCore
import TestSupport
import Testing

@Suite("errors of linear algebra")
struct LinearAlgebraErrorTests {
  typealias Mistake = CompositeErrorTests.Mistake

  static let x = Tensor.ones([2, 3])
  static let vector = Tensor.ones([3])
  static let square = Tensor.eye(2)
  static let integers = Tensor([[1, 2], [3, 4]])
  static let singular = stack([Tensor.eye(2), Tensor.ones([2, 2])])
  static let nan = Tensor([[Double.nan, 1], [1, 2]])

  static let mistakes: [Mistake] = [
    Mistake("cholesky: the matrices of shape [2, 3] are not square") { _ = x.cholesky() },
    Mistake("cholesky: shape [3] is not that of a matrix or of a batch of matrices") { _ = vector.cholesky() },
    Mistake("cholesky: takes float32 and float64, not int64") { _ = integers.cholesky() },
    Mistake("cholesky: takes float32 and float64, not float16") { _ = square.to(.float16).cholesky() },
    Mistake(
      "cholesky: (batch element 1) the matrix is not positive-definite: its leading minor of order 2 is not positive"
    ) { _ = singular.cholesky() },
    Mistake("cholesky: (batch element 0) the matrix is not positive-definite: its leading minor of order 1 is not positive") {
      _ = nan.cholesky()
    },
    Mistake("choleskySolve: the matrices of shape [2, 3] are not square") { _ = x.choleskySolve(x) },
    Mistake("solveTriangular: [2, 2] and [3, 2]: sizes 2 and 3 differ") { _ = square.solveTriangular(x.mT, upper: true) },
    Mistake("solveTriangular: the matrices are float32 and float64") {
      _ = square.solveTriangular(square.to(.float64), upper: true)
    },
    Mistake("solve: the batches of [2, 2, 2] and [3, 2, 1] do not broadcast") { _ = singular.solve(Tensor.ones([3, 2, 1])) },
    Mistake("solve: (batch element 1) the matrix is singular: its pivot 2 is 0") { _ = singular.solve(square) },
    Mistake("solve: [2, 2] and [3, 2]: sizes 2 and 3 differ") { _ = square.solve(x.mT) },
    Mistake("solve: with left: false B is a matrix, not a vector of shape [2]") {
      _ = square.solve(Tensor.ones([2]), left: false)
    },
    Mistake("inv: (batch element 1) the matrix is singular: its pivot 2 is 0") { _ = singular.inv() },
    Mistake("inv: the matrices of shape [2, 3] are not square") { _ = x.inv() },
    Mistake("det: the matrices of shape [2, 3] are not square") { _ = x.det() },
    Mistake("slogdet: takes float32 and float64, not int64") { _ = integers.slogdet() },
    Mistake("logdet: takes float32 and float64, not int64") { _ = integers.logdet() },
    Mistake("luFactor: takes float32 and float64, not int64") { _ = integers.luFactor() },
    Mistake("lu: shape [3] is not that of a matrix or of a batch of matrices") { _ = vector.lu() },
    Mistake("luUnpack: the pivots are int64, not int32") { _ = square.luUnpack(Tensor([1, 2])) },
    Mistake("luUnpack: pivots of shape [3] for factors of shape [2, 2]") { _ = square.luUnpack(Tensor([1, 2, 2]).to(.int32)) },
    Mistake("luSolve: the pivots are not in 1...2") { _ = square.luSolve(Tensor([0, 2]).to(.int32), square) },
    Mistake("luSolve: [2, 2] and [3, 2]: sizes 2 and 3 differ") { _ = square.luSolve(Tensor([1, 2]).to(.int32), x.mT) },
    Mistake("tensorsolve: [2, 3] is not a square matrix for a right-hand side of shape [2]") {
      _ = x.tensorsolve(Tensor.ones([2]))
    },
    Mistake("tensorinv: [2, 3] is not square when cut before axis 1") { _ = x.tensorinv(1) },
    Mistake("tensorinv: split = 3 is not in 1...2") { _ = x.tensorinv(3) },
    Mistake("tensorinv: (batch element 0) the matrix is singular: its pivot 2 is 0") { _ = Tensor.ones([2, 2]).tensorinv(1) },
    Mistake("qr: takes float32 and float64, not int64") { _ = integers.qr() },
    Mistake("eigh: the matrices of shape [2, 3] are not square") { _ = x.eigh() },
    Mistake("eigh: (batch element 0) the iteration did not converge: the matrix has elements that are not finite") {
      _ = nan.eigh()
    },
    Mistake("eigvalsh: (batch element 0) the iteration did not converge: the matrix has elements that are not finite") {
      _ = nan.eigvalsh()
    },
    Mistake("svd: (batch element 1) the iteration did not converge: the matrix has elements that are not finite") {
      _ = stack([square, nan]).svd()
    },
    Mistake("svdvals: (batch element 0) the iteration did not converge: the matrix has elements that are not finite") {
      _ = (square * Double.infinity).svdvals()
    },
    Mistake("svd: takes float32 and float64, not int64") { _ = integers.svd() },
    Mistake("pinv: the matrices of shape [2, 3] are not square") { _ = x.pinv(hermitian: true) },
    Mistake("matrixRank: takes float32 and float64, not int64") { _ = integers.matrixRank() },
    Mistake("lstsq: [2, 3] and [3, 2]: sizes 2 and 3 differ") { _ = x.lstsq(x.mT) },
    Mistake("matrixPower: the matrices of shape [2, 3] are not square") { _ = x.matrixPower(2) },
    Mistake("matrixPower: takes float32 and float64, not int64") { _ = integers.matrixPower(-1) },
    Mistake("matrixPower: (batch element 1) the matrix is singular: its pivot 2 is 0") { _ = singular.matrixPower(-1) },
    Mistake("matrixExp: takes float32 and float64, not int64") { _ = integers.matrixExp() },
    Mistake("matrixNorm: p = 3.0 is none of 1, −1, 2, −2, ∞ and −∞") { _ = x.matrixNorm(.p(3)) },
    Mistake("matrixNorm: is not defined for int64") { _ = integers.matrixNorm() },
    Mistake("matrixNorm: axes 0 and -2 are the same") { _ = x.matrixNorm(dims: (0, -2)) },
    Mistake("matrixNorm: matrices without elements have no such norm") { _ = Tensor.zeros([0, 0]).matrixNorm(.p(2)) },
    Mistake("matrixNorm: takes float32 and float64, not float16") { _ = square.to(.float16).matrixNorm(.nuclear) },
    Mistake("cond: the matrices of shape [2, 3] are not square") { _ = x.cond(.frobenius) },
    Mistake("multiDot: 1 matrices; it takes two or more") { _ = multiDot([x]) },
    Mistake("multiDot: tensor 1 of shape [3] is no matrix") { _ = multiDot([x, vector, x]) },
    Mistake("multiDot: [2, 3] × [2, 3]: inner sizes 3 and 2 differ") { _ = multiDot([x, x]) },
    Mistake("cross: [2, 3] and [3] do not have one rank and 3 elements along axis -1") { _ = x.cross(vector) },
    Mistake("vander: a scalar has no axis of numbers") { _ = Tensor(1.0).vander() },
    Mistake("vander: a count of -1") { _ = vector.vander(-1) },
  ]

  @Test("say op, values and rule", arguments: mistakes)
  func texts(mistake: Mistake) { expectMistake(mistake.testDescription, mistake.body) }

  @Test("the first of several counts: an invalid tensor is passed on")
  func invalid() {
    let error = mistake {
      let y = Self.x.reshape(7)
      _ = y.cholesky().inv().det().qr().Q.eigh().eigenvalues.svd().S.pinv().solve(y).lu().L.matrixExp()
      _ = y.solveTriangular(y, upper: true).choleskySolve(y).luFactor().LU.luSolve(y, y).slogdet().sign.logdet()
      _ = y.lstsq(y).solution.tensorsolve(y).tensorinv().matrixRank().matrixPower(3).matrixNorm(.nuclear).cond().cross(y).vecdot(
        y
      ).vander()
      _ = multiDot([y, y]).eigvalsh().svdvals().choleskyInverse().luUnpack(y).U
    }
    #expect(error?.operation == "reshape")
  }
}
