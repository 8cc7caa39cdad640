// What the ops of this folder ask of their operands, in the same words.

extension Tensor {
  /// The tensor as a batch of float32 or float64 matrices, in full precision inside `autocast`; a mistake of `operation` otherwise.
  func matrices(for operation: String) -> Tensor? {
    guard isValid, let x = precise(for: operation) else { return nil }
    guard check(rank >= 2, .shape, operation, "shape \(shape) is not that of a matrix or of a batch of matrices") else {
      return nil
    }
    return x
  }

  /// The same for square matrices.
  func squareMatrices(for operation: String) -> Tensor? {
    guard let x = matrices(for: operation) else { return nil }
    guard check(x.shape[-1] == x.shape[-2], .shape, operation, "the matrices of shape \(shape) are not square") else {
      return nil
    }
    return x
  }

  /// The tensor, if it is float32 or float64, which half types become inside `autocast`.
  func precise(for operation: String) -> Tensor? {
    let x = widened(self)
    guard
      isValid,
      check(
        x.dtype == .float32 || x.dtype == .float64, .dtype, operation, "takes float32 and float64, not \(dtype)")
    else { return nil }
    return x
  }

  /// Two operands of one dtype whose batches broadcast; a mistake of `operation` otherwise.
  func fits(_ b: Tensor, _ operation: String) -> Bool {
    check(dtype == b.dtype, .dtype, operation, "the matrices are \(dtype) and \(b.dtype)")
      && check(
        Dims.broadcast(Dims(shape.dropLast(2)), Dims(b.shape.dropLast(2))) != nil, .shape, operation,
        "the batches of \(shape) and \(b.shape) do not broadcast")
  }

  /// Whether `b` is a vector, or a batch of vectors, for each of these matrices: PyTorch's rule for the right-hand sides of `solve`.
  func takesAsVectors(_ b: Tensor) -> Bool { b.rank == 1 || b.rank == rank - 1 && Array(b.shape) == Array(shape.dropLast()) }

  /// Numbers for each matrix, as the factor of its elements.
  var perMatrix: Tensor { unsqueeze(dim: -1).unsqueeze(dim: -1) }
}

/// Runs products of matrices without `autocast`, which would round what a factorization has found.
func inFullPrecision<R>(_ body: () -> R) -> R { autocastType == nil ? body() : autocast(isEnabled: false, body) }
