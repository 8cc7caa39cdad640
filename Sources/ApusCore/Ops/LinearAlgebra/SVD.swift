extension Tensor {
  /// U diag(S) Vᵀ = A for matrices `[…, m, n]`: singular values S `[…, k]` with k = min(m, n), in descending order, and the vectors that belong to
  /// them as the columns of U and the rows of Vᵀ.
  ///
  /// - Parameter fullMatrices: true for square U `[…, m, m]` and Vᵀ `[…, n, n]`, false for `[…, m, k]` and `[…, k, n]`. The columns and rows beyond
  ///   the k-th have no gradient: they could be others.
  /// - Returns: signs, and the basis of vectors of equal singular values, could be others. So only functions that do not depend on it have a
  ///   gradient, and where singular values are equal only functions of the singular values; that of others is NaN.
  /// - Complexity: O(m n k): reduction to two diagonals and the QR method. No convergence, or elements that are not finite, are an error. The
  ///   gradient: Wan and Zhang, "Automatic differentiation for complex valued SVD", 2019.
  public func svd(fullMatrices: Bool = true) -> (U: Tensor, S: Tensor, Vh: Tensor) {
    guard let a = matrices(for: "svd") else { return (.invalid, .invalid, .invalid) }
    let (m, n) = (a.shape[-2], a.shape[-1])
    if m < n {
      let (v, s, uh) = a.mT.svd(fullMatrices: fullMatrices)
      return v.isValid ? (uh.mT, s, v.mT) : (.invalid, .invalid, .invalid)
    }
    let kind = Factorization.svd(wantsVectors: true)
    let found = a.factorized(kind)
    guard found.result.isValid, a.hasConverged(found, "svd") else { return (.invalid, .invalid, .invalid) }
    let y = recorded(
      found.result, .named("svd"), .fromOutput { dy, y in [svdGradient(kind.split(dy, m, n), kind.split(y, m, n))] }, a)
    let parts = kind.split(y, m, n)
    let u = parts[1].mT
    guard fullMatrices, m > n else { return (u, parts[0], parts[2]) }
    // An orthonormal basis that begins with the columns of U, up to their signs, goes on with what is missing.
    let rest = noGrad { u.detach().qr(.complete).Q.narrow(dim: -1, start: n, count: m - n) }
    return (cat([u, rest], dim: -1), parts[0], parts[2])
  }

  /// Singular values `[…, min(m, n)]` of matrices `[…, m, n]`, in descending order. See `svd`.
  public func svdvals() -> Tensor {
    guard let a = matrices(for: "svdvals") else { return .invalid }
    if a.requiresGrad, isGradEnabled { return a.svd(fullMatrices: false).S }
    let tall = a.shape[-2] < a.shape[-1] ? a.mT : a
    let found = tall.factorized(.svd(wantsVectors: false))
    return found.result.isValid && a.hasConverged(found, "svdvals") ? Tensor(found.result) : .invalid
  }
}

/// The gradient by A of the parts S, Uᵀ and Vᵀ of its decomposition.
private func svdGradient(_ gradients: [Tensor], _ parts: [Tensor]) -> Tensor {
  let (ds, du, dv) = (gradients[0], gradients[1].mT, gradients[2].mT)
  let (s, u, vh) = (parts[0], parts[1].mT, parts[2])
  let (row, column) = (s.unsqueeze(dim: -2), s.unsqueeze(dim: -1))
  let isUnused = du.isZeroMatrix .& dv.isZeroMatrix
  // 1 / (sⱼ² − sᵢ²); where the sum is 0, so is the difference.
  let sums = row + column
  let mixing = gapReciprocals(s, isUnused: isUnused) / sums.maskedFill(sums.detach() .== 0, 1)
  let (ofU, ofV) = (u.mT.matmul(du), vh.matmul(dv))
  let inner = (ofU - ofU.mT) * mixing * row + column * ((ofV - ofV.mT) * mixing) + ds.diagEmbed()
  guard u.shape[-2] > u.shape[-1] else { return u.matmul(inner).matmul(vh) }
  // The part of du outside of the space of U; V is square.
  let scaled = du / row.maskedFill((row.detach() .== 0) .& isUnused, 1)
  return (u.matmul(inner) + scaled - u.matmul(u.mT.matmul(scaled))).matmul(vh)
}
