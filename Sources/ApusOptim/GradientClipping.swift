import ApusCore
import ApusNN

/// Scales all gradients by the same number so that their norm, as one vector, is at most `maxNorm` (Pascanu, Mikolov and Bengio 2013):
///
///     g = g · min(1, maxNorm / (norm + 10⁻⁶))
///
/// Between `backward()` and the optimizer's `step()`. Parameters without a gradient are left out.
///
/// - Parameters:
///   - normType: p of the p-norm, 0 or more; `.infinity` for the largest |g|.
///   - errorIfNonfinite: whether a norm that is infinite or not a number is an error, and nothing is changed. Otherwise gradients
///     become zeros or NaN.
/// - Returns: the norm before; 0 where there are no gradients.
@discardableResult
public func clipGradNorm(
  _ parameters: [ParameterCell], maxNorm: Double, normType: Double = 2, errorIfNonfinite: Bool = false
) -> Double {
  guard
    check(maxNorm >= 0, .value, "clipGradNorm", "maxNorm = \(maxNorm) is not 0 or more"),
    check(normType >= 0, .value, "clipGradNorm", "normType = \(normType) is not 0 or more")
  else { return 0 }
  return noGrad {
    let norms = parameters.compactMap { $0.usableGradient?.wideNorm(normType) }
    let total = norms.isEmpty ? 0 : Tensor(scalars: norms, shape: [norms.count], dtype: .float64).norm(normType).item()
    guard
      check(
        total.isFinite || !errorIfNonfinite, .value, "clipGradNorm",
        "the \(normType)-norm of the gradients is \(total), so they cannot be clipped")
    else { return total }
    let ratio: Double = maxNorm / (total + 1e-6)
    // A ratio of NaN goes on: NaN gradients shall not pass for clipped ones.
    if !(ratio >= 1) { for cell in parameters { cell.changeGradient { $0 * ratio } } }
    return total
  }
}

/// Moves every element of the gradients into −clipValue … clipValue.
public func clipGradValue(_ parameters: [ParameterCell], clipValue: Double) {
  guard check(clipValue >= 0, .value, "clipGradValue", "clipValue = \(clipValue) is not 0 or more") else { return }
  noGrad {
    for cell in parameters { cell.changeGradient { $0.clamp(min: -clipValue, max: clipValue) } }
  }
}

extension ParameterCell {
  /// The gradient without its history, and without elements there is nothing to clip.
  fileprivate var usableGradient: Tensor? {
    guard let gradient = grad, gradient.isValid, gradient.count > 0 else { return nil }
    return gradient.detach()
  }

  fileprivate func changeGradient(_ change: (Tensor) -> Tensor) {
    if let gradient = usableGradient { grad = change(gradient) }
  }
}

extension Tensor {
  /// The norm as a number; of half types too where it is beyond their range.
  func wideNorm(_ p: Double = 2) -> Double { (dtype == .float64 ? self : to(.float32)).norm(p).item() }
}
