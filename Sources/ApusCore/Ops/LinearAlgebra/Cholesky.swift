extension Tensor {
  /// L with L Lᵀ = A for symmetric positive-definite matrices `[…, n, n]`, lower triangular; with `upper` U with Uᵀ U = A.
  ///
  /// Only the triangle that is asked for is read. The gradient is symmetric.
  /// - Complexity: n³/3 multiplications, most of them in matrix products. The gradient: Murray, "Differentiation of the Cholesky
  ///   decomposition", 2016.
  public func cholesky(upper: Bool = false) -> Tensor {
    guard let a = squareMatrices(for: "cholesky") else { return .invalid }
    if upper { return a.mT.cholesky().mT }
    let found = a.factorized(.cholesky)
    if let batch = found.failures.firstIndex(where: { $0 != 0 }) {
      fail(
        TensorError(
          .value, "cholesky",
          "(batch element \(batch)) the matrix is not positive-definite: its leading minor of order \(found.failures[batch]) is not positive"
        ))
      return .invalid
    }
    return recorded(
      found.result, .named("cholesky"),
      .fromOutput { dl, l in
        let inner = l.mT.matmul(dl).tril()
        let half = l.mT.solveTriangular((inner + inner.tril(diagonal: -1).mT) / 2, upper: true)
        return [l.solveTriangular(half, upper: false, left: false)]
      }, a)
  }

  /// X with A X = B, where self is B, `[…, n, k]`, and `factor` the Cholesky factor of A. The batches broadcast.
  public func choleskySolve(_ factor: Tensor, upper: Bool = false) -> Tensor {
    guard let b = matrices(for: "choleskySolve"), let l = factor.squareMatrices(for: "choleskySolve") else { return .invalid }
    let lower = upper ? l.mT : l
    return lower.mT.solveTriangular(lower.solveTriangular(b, upper: false), upper: true)
  }

  /// The inverse of the matrix whose Cholesky factor is self.
  public func choleskyInverse(upper: Bool = false) -> Tensor {
    guard let l = squareMatrices(for: "choleskyInverse") else { return .invalid }
    return Tensor.eye(l.shape[-1], dtype: l.dtype).choleskySolve(l, upper: upper)
  }
}
