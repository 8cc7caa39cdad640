extension Tensor {
  /// P L U = A by exchanging rows for the sake of great pivots, for matrices `[…, m, n]`: L and U in one matrix, and the exchanges.
  ///
  /// - Returns: `LU`, `[…, m, n]`, with U on and above the diagonal and L, whose diagonal of ones is left out, below; `pivots`, `[…, min(m, n)]`
  ///   (int32): in step i row i changed places with row `pivots[i]`, counted from 1. A singular matrix gives a U with a zero on its diagonal.
  /// - Complexity: 2/3 n³ multiplications of square matrices, most of them in matrix products.
  public func luFactor() -> (LU: Tensor, pivots: Tensor) {
    guard let a = matrices(for: "luFactor") else { return (.invalid, .invalid) }
    let found = a.factorized(.lu)
    guard found.result.isValid else { return (.invalid, .invalid) }
    let pivots = Tensor(found.pivots)
    guard a.requiresGrad, isGradEnabled else { return (Tensor(found.result), pivots) }
    // What depends on what: the square corner on the same corner of the exchanged rows, all else on it and on the rows.
    let (m, n) = (a.shape[-2], a.shape[-1])
    let k = Swift.min(m, n)
    let rows = a.rows(permutation(pivots, m))
    let corner = { (x: Tensor) in x.narrow(dim: -2, start: 0, count: k).narrow(dim: -1, start: 0, count: k) }
    let square = recorded(
      corner(Tensor(found.result)).data, .named("luFactor"),
      .fromOutput { dy, y in
        let inner = unitLower(y).mT.matmul(dy.tril(diagonal: -1)).tril(diagonal: -1) + dy.triu().matmul(y.triu().mT).triu()
        let left = y.mT.solveTriangular(inner, upper: true, unitriangular: true)
        return [y.mT.solveTriangular(left, upper: false, left: false)]
      }, corner(rows))
    if m > n {
      let below = square.solveTriangular(rows.narrow(dim: -2, start: n, count: m - n), upper: true, left: false)
      return (cat([square, below], dim: -2), pivots)
    }
    if m < n {
      let right = square.solveTriangular(rows.narrow(dim: -1, start: m, count: n - m), upper: false, unitriangular: true)
      return (cat([square, right], dim: -1), pivots)
    }
    return (square, pivots)
  }

  /// The three factors of A = P L U for matrices `[…, m, n]`: a permutation `[…, m, m]`, a lower triangle `[…, m, k]` with ones on its diagonal and an
  /// upper triangle `[…, k, n]`, with k = min(m, n). See `luFactor`.
  public func lu() -> (P: Tensor, L: Tensor, U: Tensor) {
    guard let a = matrices(for: "lu") else { return (.invalid, .invalid, .invalid) }
    let (factors, pivots) = a.luFactor()
    return factors.luUnpack(pivots)
  }

  /// The three factors that `luFactor` has put into one matrix, self, and its pivots.
  public func luUnpack(_ pivots: Tensor) -> (P: Tensor, L: Tensor, U: Tensor) {
    guard let y = matrices(for: "luUnpack"), y.hasPivots(pivots, "luUnpack") else { return (.invalid, .invalid, .invalid) }
    let (m, n) = (y.shape[-2], y.shape[-1])
    let k = Swift.min(m, n)
    let identity = Tensor.eye(m, dtype: y.dtype).expand(Shape(y.shape.dropLast(2) + [m, m]))
    return (
      identity.rows(permutation(pivots, m)).mT, unitLower(y.narrow(dim: -1, start: 0, count: k)),
      y.narrow(dim: -2, start: 0, count: k).triu()
    )
  }

  /// X with A X = B, or X A = B, where self and `pivots` are what `luFactor` has made of A, `[…, n, n]`.
  ///
  /// - Parameters:
  ///   - pivots: of `luFactor`.
  ///   - b: `[…, n, k]`, with `left: false` `[…, k, n]`. The batches broadcast.
  ///   - left: false for X A = B.
  ///   - adjoint: Aᵀ instead of A.
  public func luSolve(_ pivots: Tensor, _ b: Tensor, left: Bool = true, adjoint: Bool = false) -> Tensor {
    let name = "luSolve"
    guard let y = squareMatrices(for: name), let b = b.matrices(for: name), y.fits(b, name), y.hasPivots(pivots, name) else {
      return .invalid
    }
    if !left { return y.luSolve(pivots, b.mT, adjoint: !adjoint).mT }
    let n = y.shape[-1]
    guard check(b.shape[-2] == n, .shape, name, "\(y.shape) and \(b.shape): sizes \(n) and \(b.shape[-2]) differ") else {
      return .invalid
    }
    let order = permutation(pivots, n)
    if adjoint {
      let x = y.mT.solveTriangular(y.mT.solveTriangular(b, upper: false), upper: true, unitriangular: true)
      return x.rows(order.argsort(dim: -1))
    }
    return y.solveTriangular(y.solveTriangular(b.rows(order), upper: false, unitriangular: true), upper: true)
  }

  private func hasPivots(_ pivots: Tensor, _ operation: String) -> Bool {
    let k = Swift.min(shape[-2], shape[-1])
    return pivots.isValid
      && check(pivots.dtype == .int32, .dtype, operation, "the pivots are \(pivots.dtype), not int32")
      && check(
        pivots.shape == Shape(shape.dropLast(2) + [k]), .shape, operation,
        "pivots of shape \(pivots.shape) for factors of shape \(shape)")
      && check(
        pivots.count == 0 || (pivots.amin().item() >= 1 && pivots.amax().item() <= Double(shape[-2])), .value, operation,
        "the pivots are not in 1...\(shape[-2])")
  }

  /// Row `order[…, i]` of each matrix as row i; the batches broadcast.
  private func rows(_ order: Tensor) -> Tensor {
    let batch = Array(Dims.broadcast(Dims(shape.dropLast(2)), Dims(order.shape.dropLast()))!)
    if order.rank == 1 { return indexSelect(dim: -2, index: order) }
    let n = order.shape[-1]
    let x = expand(Shape(batch + Array(shape.suffix(2))))
    return x.gather(dim: -2, index: order.unsqueeze(dim: -1).expand(Shape(batch + [n, shape[-1]])))
  }
}

/// L of a matrix that holds L and U.
private func unitLower(_ y: Tensor) -> Tensor { y.tril(diagonal: -1) + Tensor.eye(y.shape[-2], y.shape[-1], dtype: y.dtype) }

/// Which of `m` rows (int64, `[…, m]`) stands in each place after the exchanges of `pivots`.
private func permutation(_ pivots: Tensor, _ m: Int) -> Tensor {
  let order = TensorData.uninitialized(Dims(pivots.shape.dropLast() + [m]), .int64, for: "luFactor")
  guard order.isValid, order.count > 0 else { return Tensor(order) }
  let (exchanges, steps) = (pivots.scalars(as: Int32.self), pivots.shape[-1])
  for matrix in 0..<order.count / m {
    let rows = order.base.assumingMemoryBound(to: Int64.self) + matrix * m
    for i in 0..<m { rows[i] = Int64(i) }
    for i in 0..<steps {
      let other = Int(exchanges[matrix * steps + i]) - 1
      (rows[i], rows[other]) = (rows[other], rows[i])
    }
  }
  return Tensor(order)
}

extension Tensor {
  /// 1 or −1 for an even or odd number of exchanges in pivots, which self is.
  func parity(_ dtype: DType) -> Tensor {
    let places = Tensor.arange(1, shape[-1] + 1)
    return (1 - 2 * (self .!= places).to(dtype)).prod(dim: -1)
  }
}
