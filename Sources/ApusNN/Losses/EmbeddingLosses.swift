import ApusCore

/// Angles that should be small for pairs that belong together: 1 − cos(x₁, x₂) where the target is 1, max(0, cos(x₁, x₂) − margin) where it
/// is −1.
///
/// - Parameters:
///   - x1: vectors, `[N, D]`, or one, `[D]`.
///   - x2: the same shape.
///   - target: 1 or −1 for each pair, `[N]` or `[]`.
///   - margin: the cosine that is small enough for pairs that do not belong together, in −1 … 1.
///   - reduction: what becomes of the pairs' losses.
/// - Returns: the mean or sum without axes, or the shape of `target` for `.none`. The squared lengths have 1e-12 added, as in PyTorch.
public func cosineEmbeddingLoss(
  _ x1: Tensor, _ x2: Tensor, _ target: Tensor, margin: Double = 0, reduction: Reduction = .mean
) -> Tensor {
  let (x1, x2) = (widened(x1), widened(x2))
  let name = "cosineEmbeddingLoss"
  guard areAlike(x1, x2, name, role: "the other input"), target.isValid,
    check(x1.rank == 1 || x1.rank == 2, .shape, name, "inputs are [D] or [N, D], not \(x1.shape)"),
    check(
      Array(target.shape) == Array(x1.shape.dropLast()), .shape, name,
      "target \(target.shape) for inputs \(x1.shape): one sign for each pair"),
    isSign(target, name)
  else { return .invalid }
  let squaredLength = { (x: Tensor) in x.square().sum(dim: -1) + 1e-12 }
  let cosine = (x1 * x2).sum(dim: -1) / (squaredLength(x1) * squaredLength(x2)).sqrt()
  return `where`(target .== 1, 1 - cosine, (cosine - margin).hinged).reduced(reduction)
}

/// `cosineEmbeddingLoss` as a module.
public final class CosineEmbeddingLoss: Module {
  public let margin: Double
  public let reduction: Reduction

  public init(margin: Double = 0, reduction: Reduction = .mean) {
    self.margin = margin
    self.reduction = reduction
  }

  public func callAsFunction(_ x1: Tensor, _ x2: Tensor, _ target: Tensor) -> Tensor {
    cosineEmbeddingLoss(x1, x2, target, margin: margin, reduction: reduction)
  }

  public override var arguments: String { "margin: \(margin), reduction: \(reduction)" }
}
