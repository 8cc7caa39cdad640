extension Tensor {
  /// The determinant of each square matrix `[…, n, n]`: `[…]`. That of a matrix without elements is 1.
  ///
  /// The gradient is the matrix of cofactors, also where the matrix is singular. So are gradients of the gradient as long as its singular
  /// values differ; of matrices that are singular but for rounding they have few right digits, as their inverse has.
  /// - Complexity: an LU factorization.
  public func det() -> Tensor {
    guard let a = squareMatrices(for: "det") else { return .invalid }
    let (factors, parity) = a.pivoted()
    guard factors.isValid else { return .invalid }
    return recorded(
      (factors.prod(dim: -1) * parity).data, .named("det"),
      .fromBoth { dy, y, x in [dy.perMatrix * x[0].cofactors(y)] }, a)
  }

  /// Sign (−1, 0 or 1) and logarithm of the magnitude of each determinant, which itself may overflow: `[…]` both. The logarithm of 0 is −∞.
  ///
  /// The sign has no gradient; that of the logarithm is A⁻ᵀ, which is not finite for singular matrices.
  public func slogdet() -> (sign: Tensor, logabsdet: Tensor) {
    guard let a = squareMatrices(for: "slogdet") else { return (.invalid, .invalid) }
    let (factors, parity) = a.pivoted()
    guard factors.isValid else { return (.invalid, .invalid) }
    let logarithm = recorded(
      factors.abs().log().sum(dim: -1).data, .named("slogdet"),
      .fromInputs { dy, x in [dy.perMatrix * x[0].inverted("slogdet", isChecked: false).mT] }, a)
    return (factors.sign().prod(dim: -1) * parity, logarithm)
  }

  /// The logarithm of each determinant: −∞ for 0, NaN for a negative one. See `slogdet`.
  public func logdet() -> Tensor {
    guard let a = squareMatrices(for: "logdet") else { return .invalid }
    let (sign, logarithm) = a.slogdet()
    return logarithm.maskedFill(sign .< 0, Double.nan)
  }

  /// The pivots of an LU factorization, `[…, n]`, and the sign of its permutation.
  private func pivoted() -> (diagonal: Tensor, parity: Tensor) {
    let found = factorized(.lu)
    guard found.result.isValid else { return (.invalid, .invalid) }
    return (Tensor(found.result).diagonal(dim1: -2, dim2: -1), Tensor(found.pivots).parity(dtype))
  }

  /// The derivative of the determinant, which is `determinant`, by the elements.
  private func cofactors(_ determinant: Tensor) -> Tensor {
    if (determinant.detach() .!= 0).all().item(as: Bool.self) {
      return determinant.perMatrix * inverted("det", isChecked: false).mT
    }
    // Of U S Vᵀ: det(U V) U C Vᵀ, where C is diagonal and holds the products of all singular values but one.
    let (u, s, vh) = svd(fullMatrices: false)
    let n = shape[-1]
    let others = s.unsqueeze(dim: -2).expand(Shape(s.shape + [n])).maskedFill(Tensor.eye(n, dtype: .float64) .> 0, 1)
    let sign = noGrad { (u.det() * vh.det()).sign() }
    return (sign.perMatrix * u * others.prod(dim: -1).unsqueeze(dim: -2)).matmul(vh)
  }
}
