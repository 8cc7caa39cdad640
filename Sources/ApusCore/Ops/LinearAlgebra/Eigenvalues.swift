/// Which triangle of a symmetric matrix is read.
public enum Triangle: Sendable {
  case lower, upper
}

extension Tensor {
  /// Eigenvalues `[…, n]` of symmetric matrices `[…, n, n]`, in ascending order, and eigenvectors as the columns of `[…, n, n]`:
  /// A = V diag(λ) Vᵀ.
  ///
  /// - Parameter triangle: the part of A that is read.
  /// - Returns: the sign of each vector, and the basis of the vectors of equal eigenvalues, could be others. So only functions that do not depend on
  ///   it have a gradient, and where eigenvalues are equal only functions of the eigenvalues; that of others is NaN. It is not symmetrized,
  ///   as in PyTorch.
  /// - Complexity: O(n³): reduction to three diagonals and the QL method. No convergence, or elements that are not finite, are an error. The
  ///   gradient: Giles, "Collected matrix derivative results for forward and reverse mode algorithmic differentiation", 2008.
  public func eigh(_ triangle: Triangle = .lower) -> (eigenvalues: Tensor, eigenvectors: Tensor) {
    guard let a = squareMatrices(for: "eigh") else { return (.invalid, .invalid) }
    let kind = Factorization.eigh(wantsVectors: true)
    let n = a.shape[-1]
    let found = (triangle == .lower ? a : a.mT).factorized(kind)
    guard found.result.isValid, a.hasConverged(found, "eigh") else { return (.invalid, .invalid) }
    let y = recorded(
      found.result, .named("eigh"),
      .fromOutput { dy, y in
        let (values, vectors) = (kind.split(y, n, n)[0], kind.split(y, n, n)[1].mT)
        let (dValues, dVectors) = (kind.split(dy, n, n)[0], kind.split(dy, n, n)[1].mT)
        let mixing = gapReciprocals(values, isUnused: dVectors.isZeroMatrix)
        let inner = vectors.mT.matmul(dVectors) * mixing + dValues.diagEmbed()
        return [vectors.matmul(inner).matmul(vectors.mT)]
      }, a)
    let parts = kind.split(y, n, n)
    return (parts[0], parts[1].mT)
  }

  /// Eigenvalues `[…, n]` of symmetric matrices `[…, n, n]`, in ascending order. See `eigh`.
  public func eigvalsh(_ triangle: Triangle = .lower) -> Tensor {
    guard let a = squareMatrices(for: "eigvalsh") else { return .invalid }
    if a.requiresGrad, isGradEnabled { return a.eigh(triangle).eigenvalues }
    let found = (triangle == .lower ? a : a.mT).factorized(.eigh(wantsVectors: false))
    return found.result.isValid && a.hasConverged(found, "eigvalsh") ? Tensor(found.result) : .invalid
  }
}

/// 1 / (xⱼ − xᵢ) as element (i, j), `[…, n]` to `[…, n, n]`, and 0 on the diagonal: how fast vectors mix.
///
/// Vectors of equal values have no derivative, which is NaN here, unless `isUnused` (`[…, 1, 1]`) says that nobody asks for it. A 0 would be
/// wrong: functions of the matrix that are written with vectors, V f(λ) Vᵀ, do have a derivative, and it comes from these quotients.
func gapReciprocals(_ x: Tensor, isUnused: Tensor) -> Tensor {
  let gaps = x.unsqueeze(dim: -2) - x.unsqueeze(dim: -1)
  let isZero = gaps.detach() .== 0
  let isNothing = isUnused .| (Tensor.eye(x.shape[-1], dtype: .float64) .> 0)
  return (1 / gaps.maskedFill(isZero, 1)).maskedFill(isZero, Double.nan).maskedFill(isZero .& isNothing, 0)
}

extension Tensor {
  /// Whether each matrix consists of zeros: `[…, 1, 1]`.
  var isZeroMatrix: Tensor { (detach() .== 0).all(dims: [-2, -1], keepDim: true) }
}
