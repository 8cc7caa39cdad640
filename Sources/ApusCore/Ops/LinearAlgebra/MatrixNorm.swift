/// Which norm of a matrix.
public enum MatrixNormOrder: Sendable {
  /// √Σ x², of all elements.
  case frobenius
  /// The sum of the singular values.
  case nuclear
  /// 2: the greatest singular value, −2: the smallest; 1 and −1: the greatest and smallest sum of the magnitudes of a column, ∞ and −∞: of a row.
  case p(Double)
}

extension Tensor {
  /// The norm of each matrix of the axes `dims`.
  ///
  /// - Parameters:
  ///   - order: see `MatrixNormOrder`.
  ///   - dims: the axes of rows and columns.
  ///   - keepDim: whether both stay, with size 1.
  public func matrixNorm(_ order: MatrixNormOrder = .frobenius, dims: (Int, Int) = (-2, -1), keepDim: Bool = false) -> Tensor {
    let name = "matrixNorm"
    guard isFloating(for: name),
      check(rank >= 2, .shape, name, "shape \(shape) is not that of a matrix or of a batch of matrices"),
      let row = resolve(dims.0, name), let column = resolve(dims.1, name),
      check(row != column, .value, name, "axes \(dims.0) and \(dims.1) are the same")
    else { return .invalid }
    if case .frobenius = order { return norm(2, dims: [row, column], keepDim: keepDim) }
    let x = movedim([row, column], [-2, -1])
    let y: Tensor
    switch order {
    case .frobenius: y = x
    case .nuclear: y = x.singularValues(name).sum(dim: -1)
    case .p(2): y = x.singularValues(name).extreme(name, isGreatest: true)
    case .p(-2): y = x.singularValues(name).extreme(name, isGreatest: false)
    case .p(1), .p(-1): y = x.norm(1, dim: -2).extreme(name, isGreatest: order.isPositive)
    case .p(.infinity), .p(-.infinity): y = x.norm(1, dim: -1).extreme(name, isGreatest: order.isPositive)
    case .p(let p):
      fail(TensorError(.value, name, "p = \(p) is none of 1, −1, 2, −2, ∞ and −∞"))
      return .invalid
    }
    guard keepDim, y.isValid else { return y }
    return y.unsqueeze(dim: Swift.min(row, column)).unsqueeze(dim: Swift.max(row, column))
  }

  private func singularValues(_ operation: String) -> Tensor { precise(for: operation)?.svdvals() ?? .invalid }

  /// The greatest or smallest along the last axis.
  private func extreme(_ operation: String, isGreatest: Bool) -> Tensor {
    guard isValid, check(shape[-1] > 0, .shape, operation, "matrices without elements have no such norm") else { return .invalid }
    return isGreatest ? amax(dims: [-1]) : amin(dims: [-1])
  }

  /// The condition number of each matrix: ‖A‖ · ‖A⁻¹‖, and for 2 and −2 the quotient of the greatest and the smallest singular value. ∞ for singular
  /// matrices.
  public func cond(_ order: MatrixNormOrder = .p(2)) -> Tensor {
    switch order {
    case .p(2), .p(-2):
      guard let a = matrices(for: "cond") else { return .invalid }
      let s = a.svdvals()
      let (greatest, smallest) = (s.extreme("cond", isGreatest: true), s.extreme("cond", isGreatest: false))
      return order.isPositive ? greatest / smallest : smallest / greatest
    case .frobenius, .nuclear, .p:
      guard let a = squareMatrices(for: "cond") else { return .invalid }
      let isSingular = (a.detach().luFactor().LU.diagonal(dim1: -2, dim2: -1) .== 0).any(dim: -1)
      // The identity in their place: a norm of infinities would be an error.
      let safe = `where`(isSingular.perMatrix, Tensor.eye(a.shape[-1], dtype: a.dtype), a)
      return (a.matrixNorm(order) * safe.inv().matrixNorm(order)).maskedFill(isSingular, Double.infinity)
    }
  }
}

extension MatrixNormOrder {
  fileprivate var isPositive: Bool {
    if case .p(let p) = self { return p > 0 }
    return true
  }
}
