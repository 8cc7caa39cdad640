extension Tensor {
  /// X with A X = B, or X A = B, for square matrices A: self is A, `[…, n, n]`.
  ///
  /// - Parameters:
  ///   - b: `[…, n, k]`, with `left: false` `[…, k, n]`, whose batch broadcasts with that of A; or a vector `[n]`, or a batch of vectors of exactly
  ///     the batch of A.
  ///   - left: false for X A = B.
  /// - Returns: the shape of `b` with the batch broadcast. A singular A is an error.
  /// - Complexity: 2/3 n³ + 2 n² k multiplications by LU factorization, which the gradient uses again.
  public func solve(_ b: Tensor, left: Bool = true) -> Tensor {
    let name = "solve"
    guard let a = squareMatrices(for: name), let b = b.precise(for: name) else { return .invalid }
    if a.takesAsVectors(b) {
      guard check(left, .shape, name, "with left: false B is a matrix, not a vector of shape \(b.shape)") else { return .invalid }
      return a.solve(b.unsqueeze(dim: -1)).squeeze(dim: -1)
    }
    guard let b = b.matrices(for: name), a.fits(b, name) else { return .invalid }
    if !left { return a.mT.solve(b.mT).mT }
    return a.solved(b, name, isChecked: true)
  }

  /// The inverse of each square matrix `[…, n, n]`. A singular matrix is an error.
  ///
  /// To multiply with an inverse, `solve` is faster and more precise.
  public func inv() -> Tensor { inverted("inv", isChecked: true) }

  /// The inverse; where there is none and nobody checks, infinities and NaN.
  func inverted(_ operation: String, isChecked: Bool) -> Tensor {
    guard let a = squareMatrices(for: operation) else { return .invalid }
    let identity = Tensor.eye(a.shape[-1], dtype: a.dtype)
    let y = noGrad { a.detach().solved(identity, operation, isChecked: isChecked) }
    guard y.isValid else { return y }
    return recorded(y.data, .named("inv"), .fromOutput { dy, y in [-y.mT.matmul(dy).matmul(y.mT)] }, a)
  }

  /// A⁻¹ B of checked operands.
  private func solved(_ b: Tensor, _ operation: String, isChecked: Bool) -> Tensor {
    guard
      check(
        shape[-1] == b.shape[-2], .shape, operation, "\(shape) and \(b.shape): sizes \(shape[-1]) and \(b.shape[-2]) differ")
    else { return .invalid }
    let found = factorized(.lu)
    if isChecked, let batch = found.failures.firstIndex(where: { $0 != 0 }) {
      fail(
        TensorError(
          .value, operation, "(batch element \(batch)) the matrix is singular: its pivot \(found.failures[batch]) is 0"))
      return .invalid
    }
    let (factors, pivots) = (Tensor(found.result), Tensor(found.pivots))
    let x = noGrad { factors.luSolve(pivots, b.detach()) }
    return recorded(
      x.data, .named("solve"),
      .fromBoth { dx, x, inputs in
        let db = isGradEnabled ? inputs[0].mT.solve(dx) : factors.luSolve(pivots, dx, adjoint: true)
        return [inputs.needs(0) ? -db.matmul(x.mT) : nil, db]
      }, self, b)
  }
}

// MARK: - Tensors as matrices

extension Tensor {
  /// X with tensordot(A, X) = B over all axes of X: self is A, whose first axes are those of `b` and whose other axes, which X has, are as
  /// many elements.
  ///
  /// - Parameter dims: axes of A that are moved to its end first.
  public func tensorsolve(_ b: Tensor, dims: [Int]? = nil) -> Tensor {
    guard isValid, b.isValid else { return .invalid }
    let last = dims ?? []
    let a = movedim(last, last.indices.map { $0 - last.count })
    guard a.isValid else { return a }
    let rest = a.shape.dropFirst(b.rank)
    guard
      check(
        Array(a.shape.prefix(b.rank)) == Array(b.shape) && Dims(rest).checkedProduct == b.count, .shape, "tensorsolve",
        "\(a.shape) is not a square matrix for a right-hand side of shape \(b.shape)")
    else { return .invalid }
    return a.reshape([b.count, b.count]).solve(b.flatten()).reshape(Shape(rest))
  }

  /// The inverse Y of the linear map X ↦ tensordot(A, X) over the axes of A, self, from the `split`-th on: those come first in Y.
  public func tensorinv(_ split: Int = 2) -> Tensor {
    guard isValid else { return self }
    guard check(split > 0 && split <= rank, .value, "tensorinv", "split = \(split) is not in 1...\(rank)") else {
      return .invalid
    }
    let (first, last) = (Array(shape.prefix(split)), Array(shape.dropFirst(split)))
    let n = Dims(first).checkedProduct ?? -1
    guard check(n == Dims(last).checkedProduct, .shape, "tensorinv", "\(shape) is not square when cut before axis \(split)")
    else {
      return .invalid
    }
    return reshape([n, n]).inverted("tensorinv", isChecked: true).reshape(Shape(last + first))
  }
}
