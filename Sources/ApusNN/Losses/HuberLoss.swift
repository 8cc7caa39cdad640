import ApusCore

/// Squared differences where they are small, absolute ones where they are large (Huber 1964). With z = |x − target|:
///
/// - z² / 2 for z ≤ delta;
/// - delta · (z − delta / 2) beyond.
///
/// - Parameters:
///   - x: any shape.
///   - target: the same shape, as for `mseLoss`.
///   - delta: where the parabola becomes a line; greater than 0.
///   - weight: of each element, in the same shape.
///   - reduction: what becomes of the losses. As in PyTorch a weighted mean is divided by the number of elements, not by the sum of the
///     weights.
/// - Returns: the mean or sum of all elements, without axes, or the shape of `x` for `.none`.
public func huberLoss(
  _ x: Tensor, _ target: Tensor, delta: Double = 1, weight: Tensor? = nil, reduction: Reduction = .mean
) -> Tensor {
  let x = widened(x)
  guard areAlike(x, target, "huberLoss"), weight.map({ areAlike(x, $0, "huberLoss", role: "weight") }) ?? true,
    check(delta > 0, .value, "huberLoss", "delta = \(delta) is not greater than 0")
  else { return .invalid }
  return (delta * parabolaThenLine(x - target, until: delta)).weighted(weight).reduced(reduction)
}

/// Squared differences where they are small, absolute ones where they are large, with a slope of 1 there (Girshick 2015). With
/// z = |x − target|:
///
/// - z² / (2 beta) for z < beta;
/// - z − beta / 2 beyond.
///
/// This is `huberLoss` / beta.
///
/// - Parameters:
///   - x: any shape.
///   - target: the same shape, as for `mseLoss`.
///   - beta: where the parabola becomes a line; 0 gives `l1Loss`.
///   - reduction: what becomes of the losses.
/// - Returns: the mean or sum of all elements, without axes, or the shape of `x` for `.none`.
public func smoothL1Loss(_ x: Tensor, _ target: Tensor, beta: Double = 1, reduction: Reduction = .mean) -> Tensor {
  let x = widened(x)
  guard areAlike(x, target, "smoothL1Loss"),
    check(beta >= 0, .value, "smoothL1Loss", "beta = \(beta) is negative")
  else { return .invalid }
  if beta == 0 { return l1Loss(x, target, reduction: reduction) }
  return parabolaThenLine(x - target, until: beta).reduced(reduction)
}

/// d² / (2 bound) for |d| < bound, |d| − bound / 2 beyond.
///
/// The part of |d| up to the bound is squared, the rest added; a choice between the two formulas would square the large ones as well.
private func parabolaThenLine(_ d: Tensor, until bound: Double) -> Tensor {
  let z = d.abs()
  let near = z.clamp(max: bound)
  return near.square() / (2 * bound) + (z - near)
}

/// `huberLoss` as a module.
public final class HuberLoss: Module {
  public let delta: Double
  public let reduction: Reduction

  public init(delta: Double = 1, reduction: Reduction = .mean) {
    self.delta = delta
    self.reduction = reduction
  }

  public func callAsFunction(_ x: Tensor, _ target: Tensor, weight: Tensor? = nil) -> Tensor {
    huberLoss(x, target, delta: delta, weight: weight, reduction: reduction)
  }

  public override var arguments: String { "delta: \(delta), reduction: \(reduction)" }
}

/// `smoothL1Loss` as a module.
public final class SmoothL1Loss: Module {
  public let beta: Double
  public let reduction: Reduction

  public init(beta: Double = 1, reduction: Reduction = .mean) {
    self.beta = beta
    self.reduction = reduction
  }

  public func callAsFunction(_ x: Tensor, _ target: Tensor) -> Tensor {
    smoothL1Loss(x, target, beta: beta, reduction: reduction)
  }

  public override var arguments: String { "beta: \(beta), reduction: \(reduction)" }
}
