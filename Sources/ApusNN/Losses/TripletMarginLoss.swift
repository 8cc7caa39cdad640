import ApusCore

/// An anchor that should be nearer to a positive example than to a negative one: max(0, margin + d(a, p) − d(a, n)) with the `p`-norm of
/// the difference (plus `eps`) as distance d: `pairwiseDistance`.
///
/// - Parameters:
///   - anchor: a, vectors along the last axis: `[…, D]`.
///   - positive: p, the same shape.
///   - negative: n, the same shape.
///   - margin: by how much nearer; greater than 0.
///   - p: of the norm.
///   - eps: added to each difference.
///   - swap: whether d(p, n) takes the place of d(a, n) where it is smaller (Balntas et al. 2016).
///   - reduction: what becomes of the triplets' losses.
/// - Returns: the mean or sum without axes, or one loss for each triplet, `[…]`, for `.none`.
public func tripletMarginLoss(
  _ anchor: Tensor, _ positive: Tensor, _ negative: Tensor, margin: Double = 1, p: Double = 2, eps: Double = 1e-6,
  swap: Bool = false, reduction: Reduction = .mean
) -> Tensor {
  let distance = { (a: Tensor, b: Tensor) in pairwiseDistance(a, b, p: p, eps: eps) }
  return tripletLoss(anchor, positive, negative, distance, margin, swap, reduction, "tripletMarginLoss")
}

/// `tripletMarginLoss` with another distance.
///
/// - Parameters:
///   - anchor: vectors along the last axis, or whatever `distance` takes.
///   - positive: the same shape.
///   - negative: the same shape.
///   - distance: of two tensors of that shape, one number for each pair; `pairwiseDistance` if nil.
///   - margin: by how much nearer the positive example should be; greater than 0.
///   - swap: whether the distance between the two examples takes the place of that to the negative one where it is smaller.
///   - reduction: what becomes of the triplets' losses.
/// - Returns: the mean or sum without axes, or what `distance` returns for `.none`.
public func tripletMarginWithDistanceLoss(
  _ anchor: Tensor, _ positive: Tensor, _ negative: Tensor, distance: ((Tensor, Tensor) -> Tensor)? = nil, margin: Double = 1,
  swap: Bool = false, reduction: Reduction = .mean
) -> Tensor {
  let distance = distance ?? { pairwiseDistance($0, $1) }
  return tripletLoss(anchor, positive, negative, distance, margin, swap, reduction, "tripletMarginWithDistanceLoss")
}

private func tripletLoss(
  _ anchor: Tensor, _ positive: Tensor, _ negative: Tensor, _ distance: (Tensor, Tensor) -> Tensor, _ margin: Double,
  _ swap: Bool, _ reduction: Reduction, _ operation: String
) -> Tensor {
  let (anchor, positive, negative) = (widened(anchor), widened(positive), widened(negative))
  guard areAlike(anchor, positive, operation, role: "positive"), areAlike(anchor, negative, operation, role: "negative"),
    check(anchor.rank > 0, .shape, operation, "inputs without axes are no vectors"),
    check(margin > 0, .value, operation, "margin = \(margin) is not greater than 0")
  else { return .invalid }
  let near = distance(anchor, positive)
  let far = distance(anchor, negative)
  return (margin + near - (swap ? far.minimum(distance(positive, negative)) : far)).hinged.reduced(reduction)
}

/// `tripletMarginLoss` as a module.
public final class TripletMarginLoss: Module {
  public let margin: Double
  public let p: Double
  public let eps: Double
  public let swap: Bool
  public let reduction: Reduction

  public init(margin: Double = 1, p: Double = 2, eps: Double = 1e-6, swap: Bool = false, reduction: Reduction = .mean) {
    self.margin = margin
    self.p = p
    self.eps = eps
    self.swap = swap
    self.reduction = reduction
  }

  public func callAsFunction(_ anchor: Tensor, _ positive: Tensor, _ negative: Tensor) -> Tensor {
    tripletMarginLoss(anchor, positive, negative, margin: margin, p: p, eps: eps, swap: swap, reduction: reduction)
  }

  public override var arguments: String { "margin: \(margin), p: \(p), eps: \(eps), swap: \(swap), reduction: \(reduction)" }
}

/// `tripletMarginWithDistanceLoss` as a module.
public final class TripletMarginWithDistanceLoss: Module {
  private let distance: ((Tensor, Tensor) -> Tensor)?
  public let margin: Double
  public let swap: Bool
  public let reduction: Reduction

  public init(
    distance: ((Tensor, Tensor) -> Tensor)? = nil, margin: Double = 1, swap: Bool = false, reduction: Reduction = .mean
  ) {
    self.distance = distance
    self.margin = margin
    self.swap = swap
    self.reduction = reduction
  }

  public func callAsFunction(_ anchor: Tensor, _ positive: Tensor, _ negative: Tensor) -> Tensor {
    tripletMarginWithDistanceLoss(
      anchor, positive, negative, distance: distance, margin: margin, swap: swap, reduction: reduction)
  }

  public override var arguments: String { "margin: \(margin), swap: \(swap), reduction: \(reduction)" }
}
