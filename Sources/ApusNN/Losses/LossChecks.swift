import ApusCore

// What several losses ask of their arguments, in the same words.

/// Checks that `x` is floating-point and that `other` has its shape: nothing is broadcast.
///
/// - Parameter role: what `other` is, for the message.
func areAlike(_ x: Tensor, _ other: Tensor, _ operation: String, role: String = "target") -> Bool {
  isFloating(x, operation) && other.isValid
    && check(x.shape == other.shape, .shape, operation, "\(x.shape) and \(role) \(other.shape) differ")
}

/// Checks that `x` is valid and floating-point.
func isFloating(_ x: Tensor, _ operation: String) -> Bool {
  x.isValid && check(x.dtype.isFloatingPoint, .dtype, operation, "is not defined for \(x.dtype)")
}

/// Checks that a weight, where there is one, is floating-point and broadcasts to `shape`.
func fits(_ weight: Tensor?, _ shape: Shape, _ operation: String, role: String = "weight") -> Bool {
  guard let weight else { return true }
  return isFloating(weight, operation)
    && check(
      Shape.broadcast(weight.shape, shape) == shape, .shape, operation,
      "\(role) \(weight.shape) does not broadcast to \(shape)")
}

/// Checks that every element of `target` is 1 or −1.
func isSign(_ target: Tensor, _ operation: String) -> Bool {
  let isSign = ((target .== 1) .| (target .== -1)).all().item(as: Bool.self)
  return check(isSign, .value, operation, "targets are 1 or -1")
}

extension Tensor {
  /// These losses times their weights, where there are any.
  func weighted(_ weight: Tensor?) -> Tensor { weight.map { self * $0 } ?? self }

  /// max(self, 0) with a gradient of 1 at 0, as PyTorch's margin losses have it (`relu` has 0 there).
  var hinged: Tensor { clamp(min: 0) }
}
