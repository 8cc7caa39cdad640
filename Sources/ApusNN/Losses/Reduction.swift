import ApusCore

/// What becomes of the losses of the elements.
public enum Reduction: String, CaseIterable, Sendable {
  /// They stay as they are.
  case none
  /// Their mean; weighted losses are divided by the sum of their weights.
  case mean
  case sum
}

extension Tensor {
  /// These losses, put together. `weights` is what a mean divides by; nil for the number of losses.
  func reduced(_ reduction: Reduction, weights: @autoclosure () -> Tensor? = nil) -> Tensor {
    switch reduction {
    case .none: return self
    case .sum: return sum()
    case .mean:
      guard let total = weights() else { return widened(self).mean() }
      return sum() / total
    }
  }
}
