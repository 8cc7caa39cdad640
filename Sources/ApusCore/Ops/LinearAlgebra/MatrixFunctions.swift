extension Tensor {
  /// The n-th power of each square matrix `[…, m, m]` by repeated squaring: the identity for 0, powers of the inverse for negative n.
  public func matrixPower(_ n: Int) -> Tensor {
    guard isValid else { return self }
    guard check(rank >= 2 && shape[-1] == shape[-2], .shape, "matrixPower", "the matrices of shape \(shape) are not square")
    else {
      return .invalid
    }
    if n == 0 { return Tensor.eye(shape[-1], dtype: dtype).expand(shape) }
    var (square, rest) = (n < 0 ? inverted("matrixPower", isChecked: true) : self, n.magnitude)
    var result: Tensor?
    while true {
      if rest & 1 == 1 { result = result.map { $0.matmul(square) } ?? square }
      rest >>= 1
      if rest == 0 { break }
      square = square.matmul(square)
    }
    return result ?? square
  }

  /// The exponential Σ Aⁱ / i! of each square matrix `[…, n, n]`.
  ///
  /// - Complexity: some 7 + s products of matrices and a `solve`, where 2ˢ is in the order of the norm: the quotient of two polynomials of degree 13
  ///   of A / 2ˢ, squared s times (Higham, "The scaling and squaring method for the matrix exponential revisited", 2005). All of it is ordinary
  ///   ops, which the gradient goes back through.
  public func matrixExp() -> Tensor {
    guard let a = squareMatrices(for: "matrixExp") else { return .invalid }
    if a.count == 0 { return a }
    return inFullPrecision {
      // Norms up to 5.37 need no squaring.
      let norms = a.detach().abs().sum(dim: -2).amax(dims: [-1])
      let squarings = norms.scalars(as: Double.self).map { norm in
        let excess = norm / 5.371920351148152
        return excess > 1 && excess.isFinite ? Double(excess.exponent) + (excess.significand > 1 ? 1 : 0) : 0
      }
      let counts = Tensor(scalars: squarings, shape: norms.shape).perMatrix
      var y = (a * (-counts).exp2().to(a.dtype)).exponentialQuotient()
      for i in 0..<Int(squarings.max() ?? 0) { y = `where`(counts .> Double(i), y.matmul(y), y) }
      return y
    }
  }

  /// Padé's approximation of the exponential, for norms up to 5.37.
  private func exponentialQuotient() -> Tensor {
    // The coefficients 13! (26 − k)! / (26! k! (13 − k)!), each from the one before.
    var c = [1.0]
    for k in 0..<13 { c.append(c[k] * Double(13 - k) / Double((26 - k) * (k + 1))) }
    let identity = Tensor.eye(shape[-1], dtype: dtype)
    let a2 = matmul(self)
    let a4 = a2.matmul(a2)
    let a6 = a4.matmul(a2)
    let polynomial = { (i: Int) in
      a6.matmul(c[i + 12] * a6 + c[i + 10] * a4 + c[i + 8] * a2) + c[i + 6] * a6 + c[i + 4] * a4 + c[i + 2] * a2 + c[i] * identity
    }
    let (even, odd) = (polynomial(0), matmul(polynomial(1)))
    return (even - odd).solve(even + odd)
  }
}
