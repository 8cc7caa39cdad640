import ApusCore

extension OpTable {
  static let linearAlgebra: [Op] = norms + chains + solutions + decompositions + functions

  private static let batch = "; of each matrix of a batch."

  // MARK: - Norms and products

  private static let norms: [Op] = [
    Op(
      "vector_norm", "x: Tensor, ord: float = 2, dim: ints? = None, keepdim: bool = False, *, dtype: dtype? = None", .linalg,
      "The p-norm of the elements, of all or along the axes dim."
    ) { a in a.input(as: 4).norm(a.double(1), dims: a.axes(2), keepDim: a.bool(3)) },
    Op(
      "matrix_norm", "A: Tensor, ord: any = 'fro', dim: ints = (-2, -1), keepdim: bool = False, *, dtype: dtype? = None", .linalg,
      "The norm of the matrices in two axes: 'fro', 'nuc', inf, -inf, 1, -1, 2 or -2."
    ) { a -> Tensor in
      let dims = a.ints(2)
      guard check(dims.count == 2, .value, "matrix_norm", "dim = \(dims) are not two axes") else { return .invalid }
      return a.input(as: 4).matrixNorm(matrixNormOrder(a, 1), dims: (dims[0], dims[1]), keepDim: a.bool(3))
    },
    Op(
      "cond", "A: Tensor, p: any = None", .linalg,
      "The condition number by a norm: None, 2, -2, 'fro', 'nuc', inf, -inf, 1 or -1" + batch
    ) { a in a.input.cond(a.isNone(1) ? .p(2) : matrixNormOrder(a, 1)) },
    Op(
      "matrix_rank",
      "A: Tensor, tol: float? = None, hermitian: bool = False, *, atol: float? = None, rtol: float? = None", .linalg,
      "The number of singular values above max(atol, rtol * the greatest)" + batch
    ) { a in a.input.matrixRank(atol: a.optionalDouble(1) ?? a.optionalDouble(3), rtol: a.optionalDouble(4), hermitian: a.bool(2))
    },
  ]

  private static func matrixNormOrder(_ a: Arguments, _ i: Int) -> MatrixNormOrder {
    a.isString(i) ? a.choice(i, ["fro": .frobenius, "nuc": .nuclear]) : a.isNone(i) ? .frobenius : .p(a.double(i))
  }

  private static let chains: [Op] = [
    Op("matmul", "input: Tensor, other: Tensor", .linalg, "Alias of apus.matmul.") { a in a.input.matmul(a.tensor(1)) },
    Op("multi_dot", "tensors: tensors", .linalg, "The product of matrices in the order that needs the fewest multiplications.") {
      a in multiDot(a.tensors(0))
    },
    Op("chain_matmul", "*matrices: tensors", .function, "Alias of apus.linalg.multi_dot.") { a in multiDot(a.tensors(0)) },
    Op("vecdot", "x: Tensor, y: Tensor, *, dim: int = -1", .linalg, "The inner products of vectors along an axis.") { a in
      a.input.vecdot(a.tensor(1), dim: a.int(2))
    },
    Op("cross", "input: Tensor, other: Tensor, *, dim: int = -1", .linalg, "The cross products of vectors of three numbers.") {
      a in
      a.input.cross(a.tensor(1), dim: a.int(2))
    },
    Op(
      "cross", "input: Tensor, other: Tensor, dim: int? = None", .both,
      "The cross products of vectors of three numbers, along the first axis of three unless dim is given."
    ) { a in a.input.cross(a.tensor(1), dim: a.optionalInt(2) ?? a.input.shape.firstIndex(of: 3) ?? -1) },
    Op("diagonal", "A: Tensor, *, offset: int = 0, dim1: int = -2, dim2: int = -1", .linalg, "The diagonal" + batch) { a in
      a.input.diagonal(offset: a.int(1), dim1: a.int(2), dim2: a.int(3))
    },
    Op("vander", "x: Tensor, N: int? = None", .linalg, "The powers 0 to N - 1 of each element along a new axis.") { a in
      a.input.vander(a.optionalInt(1))
    },
    Op(
      "vander", "x: Tensor, N: int? = None, increasing: bool = False", .function,
      "The powers N - 1 to 0 of each element along a new axis, in the opposite order where increasing."
    ) { a in a.bool(2) ? a.input.vander(a.optionalInt(1)) : a.input.vander(a.optionalInt(1)).flip(-1) },
  ]

  // MARK: - Equations

  private static let solutions: [Op] = [
    Op("solve", "A: Tensor, B: Tensor, *, left: bool = True", .linalg, "X with A @ X = B, or X @ A = B where not left.") { a in
      a.input.solve(a.tensor(1), left: a.bool(2))
    },
    Op(
      "solve_triangular", "A: Tensor, B: Tensor, *, upper: bool, left: bool = True, unitriangular: bool = False", .linalg,
      "X with A @ X = B (or X @ A = B) for triangular matrices, of which only the triangle is read."
    ) { a in a.input.solveTriangular(a.tensor(1), upper: a.bool(2), left: a.bool(3), unitriangular: a.bool(4)) },
    Op(
      "lu_solve", "LU: Tensor, pivots: Tensor, B: Tensor, *, left: bool = True, adjoint: bool = False", .linalg,
      "X with A @ X = B where LU and pivots are lu_factor(A)."
    ) { a in a.input.luSolve(a.tensor(1), a.tensor(2), left: a.bool(3), adjoint: a.bool(4)) },
    Op(
      "lu_solve", "b: Tensor, LU_data: Tensor, LU_pivots: Tensor", .both,
      "X with A @ X = b where LU_data and LU_pivots are linalg.lu_factor(A)."
    ) { a in a.tensor(1).luSolve(a.tensor(2), a.input) },
    Op(
      "cholesky_solve", "B: Tensor, L: Tensor, upper: bool = False", .both,
      "X with A @ X = B where L is the Cholesky factor of A."
    ) { a in a.input.choleskySolve(a.tensor(1), upper: a.bool(2)) },
    Op(
      "lstsq", "A: Tensor, B: Tensor, rcond: float? = None, *, driver: str? = None", .linalg,
      fields: "solution residuals rank singular_values",
      "X with the least norm of A @ X - B. The driver 'gels' takes matrices of full rank; 'gelsy', 'gelsd' and 'gelss' are one method by singular values."
    ) { a -> [Tensor] in
      let driver = a.isNone(3) ? "gelsy" : a.choice(3, ["gels": "gels", "gelsy": "gelsy", "gelsd": "gelsd", "gelss": "gelss"])
      let found = a.input.lstsq(a.tensor(1), rcond: a.optionalDouble(2), method: driver == "gels" ? .qr : .svd)
      let empty = Tensor.zeros([0], dtype: a.input.dtype)
      // As in PyTorch, where this driver doesn't know them.
      let isShort = driver == "gelsy" && found.solution.isValid
      return [found.solution, isShort ? empty : found.residuals, found.rank, isShort ? empty : found.singularValues]
    },
    Op("inv", "A: Tensor", .linalg, "The inverse" + batch) { a in a.input.inv() },
    Op("inverse", "input: Tensor", .both, "The inverse" + batch) { a in a.input.inv() },
    Op(
      "pinv", "A: Tensor, rcond: float? = None, hermitian: bool = False, *, atol: float? = None, rtol: float? = None", .linalg,
      "The Moore-Penrose inverse, where singular values up to max(atol, rtol * the greatest) count as 0" + batch
    ) { a in a.input.pinv(atol: a.optionalDouble(3), rtol: a.optionalDouble(4) ?? a.optionalDouble(1), hermitian: a.bool(2)) },
    Op("pinverse", "input: Tensor, rcond: float = 1e-15", .both, "The Moore-Penrose inverse" + batch) { a in
      a.input.pinv(rtol: a.double(1))
    },
    Op(
      "tensorsolve", "A: Tensor, B: Tensor, dims: ints? = None", .linalg,
      "X with tensordot(A, X, X.ndim) = B; the axes dims of A are moved to its end first."
    ) { a in a.input.tensorsolve(a.tensor(1), dims: a.optionalInts(2)) },
    Op("tensorinv", "A: Tensor, ind: int = 2", .linalg, "The inverse of tensordot with A over its last axes, from the ind-th on.")
    { a in
      a.input.tensorinv(a.int(1))
    },
  ]

  // MARK: - Decompositions

  private static let decompositions: [Op] = [
    Op("cholesky", "A: Tensor, *, upper: bool = False", .linalg, "L with L @ L.mT = A, or U with U.mT @ U = A" + batch) { a in
      a.input.cholesky(upper: a.bool(1))
    },
    Op("cholesky", "input: Tensor, upper: bool = False", .both, "L with L @ L.mT = A, or U with U.mT @ U = A" + batch) { a in
      a.input.cholesky(upper: a.bool(1))
    },
    Op(
      "cholesky_inverse", "L: Tensor, upper: bool = False", .both, "The inverse of the matrix whose Cholesky factor is L" + batch
    ) { a in a.input.choleskyInverse(upper: a.bool(1)) },
    Op(
      "lu", "A: Tensor, *, pivot: bool = True", .linalg, fields: "P L U",
      "A permutation and two triangles with P @ L @ U = A" + batch
    ) { a -> [Tensor] in
      guard pivots(a) else { return [.invalid] }
      return list(a.input.lu())
    },
    Op(
      "lu_factor", "A: Tensor, *, pivot: bool = True", .linalg, fields: "LU pivots",
      "L and U in one matrix, and the exchanges of rows, counted from 1" + batch
    ) { a -> [Tensor] in
      guard pivots(a) else { return [.invalid] }
      return list(a.input.luFactor())
    },
    Op(
      "lu_unpack", "LU_data: Tensor, LU_pivots: Tensor, unpack_data: bool = True, unpack_pivots: bool = True", .function,
      fields: "P L U", "The three factors of what linalg.lu_factor gives; those not asked for are empty."
    ) { a -> [Tensor] in
      let (p, l, u) = a.input.luUnpack(a.tensor(1))
      let empty = Tensor.zeros([0], dtype: a.input.dtype)
      let isValid = p.isValid
      return [a.bool(3) || !isValid ? p : empty, a.bool(2) || !isValid ? l : empty, a.bool(2) || !isValid ? u : empty]
    },
    Op(
      "qr", "A: Tensor, mode: str = 'reduced'", .linalg, fields: "Q R",
      "Orthonormal columns and an upper triangle with Q @ R = A; the mode is 'reduced', 'complete' or 'r'."
    ) { a in list(a.input.qr(a.choice(1, ["reduced": .reduced, "complete": .complete, "r": .r]))) },
    Op(
      "qr", "input: Tensor, some: bool = True", .both, fields: "Q R", "Orthonormal columns and an upper triangle with Q @ R = A."
    ) { a in
      list(a.input.qr(a.bool(1) ? .reduced : .complete))
    },
    Op(
      "eigh", "A: Tensor, UPLO: str = 'L'", .linalg, fields: "eigenvalues eigenvectors",
      "The eigenvalues, in ascending order, and eigenvectors of symmetric matrices, of which the triangle UPLO is read."
    ) { a in list(a.input.eigh(triangle(a))) },
    Op("eigvalsh", "A: Tensor, UPLO: str = 'L'", .linalg, "The eigenvalues of symmetric matrices, in ascending order.") { a in
      a.input.eigvalsh(triangle(a))
    },
    Op(
      "svd", "A: Tensor, full_matrices: bool = True, *, driver: str? = None", .linalg, fields: "U S Vh",
      "The singular values, in descending order, and their vectors: U @ diag(S) @ Vh = A. There is one driver."
    ) { a in list(a.input.svd(fullMatrices: a.bool(1))) },
    Op(
      "svd", "input: Tensor, some: bool = True, compute_uv: bool = True", .both, fields: "U S V",
      "The singular values, in descending order, and their vectors: U @ diag(S) @ V.mT = A."
    ) { a -> [Tensor] in
      guard a.bool(2) else {
        let (s, x) = (a.input.svdvals(), a.input)
        guard s.isValid else { return [s] }
        let zeros = { (n: Int) in Tensor.zeros(Shape(x.shape.dropLast(2) + [n, n]), dtype: x.dtype) }
        return [zeros(x.shape[-2]), s, zeros(x.shape[-1])]
      }
      let (u, s, vh) = a.input.svd(fullMatrices: !a.bool(1))
      return [u, s, vh.isValid ? vh.mT : vh]
    },
    Op("svdvals", "A: Tensor, *, driver: str? = None", .linalg, "The singular values in descending order" + batch) { a in
      a.input.svdvals()
    },
  ]

  private static func triangle(_ a: Arguments) -> Triangle { a.choice(1, ["L": .lower, "U": .upper, "l": .lower, "u": .upper]) }

  private static func pivots(_ a: Arguments) -> Bool {
    check(a.bool(1), .unsupported, a.name, "rows are always exchanged; there is no pivot=False")
  }

  // MARK: - Functions of square matrices

  private static let functions: [Op] = [
    Op("det", "A: Tensor", [.linalg, .both], "The determinant" + batch) { a in a.input.det() },
    Op("slogdet", "A: Tensor", .linalg, fields: "sign logabsdet", "The sign and the logarithm of the determinant" + batch) { a in
      list(a.input.slogdet())
    },
    Op("slogdet", "input: Tensor", .both, fields: "sign logabsdet", "The sign and the logarithm of the determinant" + batch) {
      a in
      list(a.input.slogdet())
    },
    Op("logdet", "input: Tensor", .both, "The logarithm of the determinant, NaN where it is negative" + batch) { a in
      a.input.logdet()
    },
    Op("matrix_exp", "A: Tensor", [.linalg, .both], "The exponential of square matrices.") { a in a.input.matrixExp() },
    Op("matrix_power", "A: Tensor, n: int", .linalg, "The n-th power of square matrices; that of the inverse for n < 0.") { a in
      a.input.matrixPower(a.int(1))
    },
    Op("matrix_power", "input: Tensor, n: int", .both, "The n-th power of square matrices; that of the inverse for n < 0.") { a in
      a.input.matrixPower(a.int(1))
    },
  ]
}
