import ApusCore

/// Negative log likelihood under normal distributions with means x and variances v: (ln v + (x − target)² / v) / 2.
///
/// - Parameters:
///   - x: the means, any shape.
///   - target: the same shape.
///   - variance: v, never negative: in the shape of `x`, or with one axis of size 1 where `x` has more (one variance for all along it), or
///     without the last axis.
///   - full: whether to add the constant ln(2π) / 2.
///   - eps: the least variance; a smaller one counts as `eps` and has the gradient that `eps` would have.
///   - reduction: what becomes of the losses.
/// - Returns: the mean or sum of all elements, without axes, or the shape of `x` for `.none`.
public func gaussianNLLLoss(
  _ x: Tensor, _ target: Tensor, _ variance: Tensor, full: Bool = false, eps: Double = 1e-6, reduction: Reduction = .mean
) -> Tensor {
  let x = widened(x)
  let name = "gaussianNLLLoss"
  guard areAlike(x, target, name), let variance = variance.fitting(x.shape, name),
    check(eps > 0, .value, name, "eps = \(eps) is not greater than 0")
  else { return .invalid }
  let low = variance.detach()
  let v = variance + (low.clamp(min: eps) - low)
  let constant: Double = full ? 0.5 * 1.8378770664093454836 : 0
  return (0.5 * (v.log() + (x - target).square() / v) + constant).reduced(reduction)
}

extension Tensor {
  /// These variances so that they broadcast to `shape`; nil after a reported mistake.
  fileprivate func fitting(_ shape: Shape, _ operation: String) -> Tensor? {
    guard isFloating(self, operation),
      check(!(detach() .< 0).any().item(as: Bool.self), .value, operation, "a variance is negative")
    else { return nil }
    if Array(self.shape) == Array(shape.dropLast()), rank + 1 == shape.rank { return unsqueeze(dim: -1) }
    let differing = zip(self.shape, shape).filter { $0 != $1 }
    let fits = rank == shape.rank && (differing.isEmpty || (differing.count == 1 && differing[0].0 == 1))
    guard check(fits, .shape, operation, "variance \(self.shape) does not fit \(shape)") else { return nil }
    return self
  }
}

/// `gaussianNLLLoss` as a module.
public final class GaussianNLLLoss: Module {
  public let full: Bool
  public let eps: Double
  public let reduction: Reduction

  public init(full: Bool = false, eps: Double = 1e-6, reduction: Reduction = .mean) {
    self.full = full
    self.eps = eps
    self.reduction = reduction
  }

  public func callAsFunction(_ x: Tensor, _ target: Tensor, _ variance: Tensor) -> Tensor {
    gaussianNLLLoss(x, target, variance, full: full, eps: eps, reduction: reduction)
  }

  public override var arguments: String { "full: \(full), eps: \(eps), reduction: \(reduction)" }
}
