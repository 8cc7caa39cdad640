extension Tensor {
  /// X with A X = B, or X A = B, for triangular matrices A: self is A, `[…, n, n]`.
  ///
  /// - Parameters:
  ///   - b: `[…, n, k]`, with `left: false` `[…, k, n]`. The batches broadcast.
  ///   - upper: whether A is an upper triangle. The other triangle is not read, and its gradient is 0.
  ///   - left: false for X A = B.
  ///   - unitriangular: the diagonal counts as ones and is not read.
  /// - Returns: the shape of `b` with the batch broadcast. A zero on the diagonal gives infinities or NaN.
  /// - Complexity: O(n² k).
  public func solveTriangular(_ b: Tensor, upper: Bool, left: Bool = true, unitriangular: Bool = false) -> Tensor {
    let name = "solveTriangular"
    guard let a = squareMatrices(for: name), let b = b.matrices(for: name), a.fits(b, name) else { return .invalid }
    if !left { return a.mT.solveTriangular(b.mT, upper: !upper, unitriangular: unitriangular).mT }
    guard
      check(a.shape[-1] == b.shape[-2], .shape, name, "\(a.shape) and \(b.shape): sizes \(a.shape[-1]) and \(b.shape[-2]) differ")
    else { return .invalid }
    let batch = Array(Dims.broadcast(Dims(a.shape.dropLast(2)), Dims(b.shape.dropLast(2)))!)
    let expanded = { (x: Tensor) in x.data.expanded(to: Dims(batch + Array(x.shape.suffix(2)))) }
    return recorded(
      device.backend.solveTriangular(expanded(a), expanded(b), isLower: !upper, isUnit: unitriangular), .named("solveTriangular"),
      .fromBoth { dx, x, inputs in
        let db = inputs[0].mT.solveTriangular(dx, upper: !upper, unitriangular: unitriangular)
        guard inputs.needs(0) else { return [nil, db] }
        let da = -db.matmul(x.mT)
        let diagonal = unitriangular ? 1 : 0
        return [upper ? da.triu(diagonal: diagonal) : da.tril(diagonal: -diagonal), db]
      }, a, b)
  }
}
