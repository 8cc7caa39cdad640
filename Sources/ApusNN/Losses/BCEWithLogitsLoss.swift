import ApusCore

/// `binaryCrossEntropy` of the sigmoid σ of `logits`, exact where the sigmoid itself would be 0 or 1:
/// −w · (v · t · ln σ(x) + (1 − t) · ln(1 − σ(x))).
///
/// - Parameters:
///   - logits: x, any numbers in any shape.
///   - target: t, what the probabilities should be, in 0 … 1 and of the same shape.
///   - weight: w, broadcast to that shape.
///   - posWeight: v, how much more a yes counts than a no, broadcast to that shape; usually one for each class, `[C]`.
///   - reduction: what becomes of the losses. A mean is divided by the number of elements, whatever their weights.
/// - Returns: the mean or sum of all elements, without axes, or the shape of `logits` for `.none`.
public func binaryCrossEntropyWithLogits(
  _ logits: Tensor, _ target: Tensor, weight: Tensor? = nil, posWeight: Tensor? = nil, reduction: Reduction = .mean
) -> Tensor {
  let logits = widened(logits)
  let name = "binaryCrossEntropyWithLogits"
  guard areAlike(logits, target, name), fits(weight, logits.shape, name),
    fits(posWeight, logits.shape, name, role: "posWeight")
  else { return .invalid }
  let t = target.to(logits.dtype)
  // ln(1 − σ(x)) = ln σ(x) − x
  let share = posWeight.map { 1 + ($0 - 1) * t } ?? 1
  return ((1 - t) * logits - share * logits.logSigmoid()).weighted(weight).reduced(reduction)
}

/// `binaryCrossEntropyWithLogits` as a module.
public final class BCEWithLogitsLoss: Module {
  @Buffer public var weight: Tensor?
  @Buffer public var posWeight: Tensor?
  public let reduction: Reduction

  public init(weight: Tensor? = nil, posWeight: Tensor? = nil, reduction: Reduction = .mean) {
    self.weight = weight
    self.posWeight = posWeight
    self.reduction = reduction
  }

  public func callAsFunction(_ logits: Tensor, _ target: Tensor) -> Tensor {
    binaryCrossEntropyWithLogits(logits, target, weight: weight, posWeight: posWeight, reduction: reduction)
  }

  public override var arguments: String { "reduction: \(reduction)" }
}
