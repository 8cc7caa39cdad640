// Rules that many composites check in the same words.

extension Tensor {
  /// Whether the tensor is valid and of floats; a mistake of `operation` otherwise.
  func isFloating(for operation: String) -> Bool {
    isValid && check(dtype.isFloatingPoint, .dtype, operation, "is not defined for \(dtype)")
  }

  /// Whether the tensor is valid and has `count` axes; a mistake of `operation` otherwise.
  func hasRank(_ count: Int, for operation: String) -> Bool {
    isValid && check(rank == count, .shape, operation, "shape \(shape) has not \(count) \(count == 1 ? "axis" : "axes")")
  }
}
