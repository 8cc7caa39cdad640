import ApusCore

// Losses of a number and a sign: x should be on the right side, by a margin.

/// Distances that should be small for pairs that belong together and at least `margin` for others: x where the target is 1,
/// max(0, margin − x) where it is −1.
///
/// - Parameters:
///   - x: any shape.
///   - target: 1 or −1, in the same shape.
///   - margin: how far apart is far enough.
///   - reduction: what becomes of the losses.
/// - Returns: the mean or sum of all elements, without axes, or the shape of `x` for `.none`.
public func hingeEmbeddingLoss(_ x: Tensor, _ target: Tensor, margin: Double = 1, reduction: Reduction = .mean) -> Tensor {
  let x = widened(x)
  guard areAlike(x, target, "hingeEmbeddingLoss"), isSign(target, "hingeEmbeddingLoss") else { return .invalid }
  return `where`(target .== 1, x, (margin - x).hinged).reduced(reduction)
}

/// Logistic loss of a score and a sign: ln(1 + e^(−target · x)).
///
/// - Parameters:
///   - x: any shape.
///   - target: 1 or −1, in the same shape.
///   - reduction: what becomes of the losses.
/// - Returns: the mean or sum of all elements, without axes, or the shape of `x` for `.none`.
public func softMarginLoss(_ x: Tensor, _ target: Tensor, reduction: Reduction = .mean) -> Tensor {
  let x = widened(x)
  guard areAlike(x, target, "softMarginLoss") else { return .invalid }
  return (-(target * x).logSigmoid()).reduced(reduction)
}

/// Two scores in the wrong order: max(0, −target · (x₁ − x₂) + margin).
///
/// - Parameters:
///   - x1: any shape.
///   - x2: the same shape.
///   - target: 1 where x₁ should be the greater one, −1 where x₂ should; the same shape.
///   - margin: by how much.
///   - reduction: what becomes of the losses.
/// - Returns: the mean or sum of all elements, without axes, or the shape of `x1` for `.none`.
public func marginRankingLoss(
  _ x1: Tensor, _ x2: Tensor, _ target: Tensor, margin: Double = 0, reduction: Reduction = .mean
) -> Tensor {
  let (x1, x2) = (widened(x1), widened(x2))
  guard areAlike(x1, x2, "marginRankingLoss", role: "the other input"), areAlike(x1, target, "marginRankingLoss") else {
    return .invalid
  }
  return (margin - target * (x1 - x2)).hinged.reduced(reduction)
}

/// `hingeEmbeddingLoss` as a module.
public final class HingeEmbeddingLoss: Module {
  public let margin: Double
  public let reduction: Reduction

  public init(margin: Double = 1, reduction: Reduction = .mean) {
    self.margin = margin
    self.reduction = reduction
  }

  public func callAsFunction(_ x: Tensor, _ target: Tensor) -> Tensor {
    hingeEmbeddingLoss(x, target, margin: margin, reduction: reduction)
  }

  public override var arguments: String { "margin: \(margin), reduction: \(reduction)" }
}

/// `softMarginLoss` as a module.
public final class SoftMarginLoss: Module {
  public let reduction: Reduction

  public init(reduction: Reduction = .mean) { self.reduction = reduction }

  public func callAsFunction(_ x: Tensor, _ target: Tensor) -> Tensor { softMarginLoss(x, target, reduction: reduction) }

  public override var arguments: String { "reduction: \(reduction)" }
}

/// `marginRankingLoss` as a module.
public final class MarginRankingLoss: Module {
  public let margin: Double
  public let reduction: Reduction

  public init(margin: Double = 0, reduction: Reduction = .mean) {
    self.margin = margin
    self.reduction = reduction
  }

  public func callAsFunction(_ x1: Tensor, _ x2: Tensor, _ target: Tensor) -> Tensor {
    marginRankingLoss(x1, x2, target, margin: margin, reduction: reduction)
  }

  public override var arguments: String { "margin: \(margin), reduction: \(reduction)" }
}
