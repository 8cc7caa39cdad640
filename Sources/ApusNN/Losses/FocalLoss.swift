import ApusCore

/// Binary cross-entropy that hardly counts what is right already: αₜ (1 − pₜ)^γ · −ln pₜ, where pₜ is the probability σ(x) of what should
/// be (Lin et al. 2017, "Focal loss for dense object detection"; torchvision's `sigmoid_focal_loss`).
///
/// - Parameters:
///   - logits: x, any numbers in any shape.
///   - target: 0 or 1, in the same shape; numbers between mix the two.
///   - alpha: in 0 … 1, the weight of a yes; that of a no is 1 − alpha. Negative for no weights.
///   - gamma: γ, how fast the weight falls with pₜ; 0 for plain cross-entropy, never negative.
///   - reduction: what becomes of the losses; as in torchvision they stay apart by default.
/// - Returns: the shape of `logits`, or the mean or sum of all elements, without axes.
public func sigmoidFocalLoss(
  _ logits: Tensor, _ target: Tensor, alpha: Double = 0.25, gamma: Double = 2, reduction: Reduction = .none
) -> Tensor {
  let logits = widened(logits)
  let name = "sigmoidFocalLoss"
  guard areAlike(logits, target, name), check(alpha <= 1, .value, name, "alpha = \(alpha) is greater than 1"),
    check(gamma >= 0, .value, name, "gamma = \(gamma) is negative")
  else { return .invalid }
  let t = target.to(logits.dtype)
  let entropy = binaryCrossEntropyWithLogits(logits, t, reduction: .none)
  // 1 − pₜ; the sigmoid of −x keeps the digits that 1 − σ(x) would lose.
  let miss = t * (-logits).sigmoid() + (1 - t) * logits.sigmoid()
  let losses = gamma == 0 ? entropy : entropy * miss.pow(gamma)
  guard alpha >= 0 else { return losses.reduced(reduction) }
  let no: Double = 1 - alpha
  return (losses * (alpha * t + no * (1 - t))).reduced(reduction)
}

/// `sigmoidFocalLoss` as a module.
public final class SigmoidFocalLoss: Module {
  public let alpha: Double
  public let gamma: Double
  public let reduction: Reduction

  public init(alpha: Double = 0.25, gamma: Double = 2, reduction: Reduction = .none) {
    self.alpha = alpha
    self.gamma = gamma
    self.reduction = reduction
  }

  public func callAsFunction(_ logits: Tensor, _ target: Tensor) -> Tensor {
    sigmoidFocalLoss(logits, target, alpha: alpha, gamma: gamma, reduction: reduction)
  }

  public override var arguments: String { "alpha: \(alpha), gamma: \(gamma), reduction: \(reduction)" }
}
