import ApusCore

/// Hinge loss of several classes of which several are right: Σ max(0, 1 − (x[t] − x[c])) / C over the labels t of a sample and the classes
/// c that are not among them.
///
/// - Parameters:
///   - x: scores, `[C]` or `[N, C]`.
///   - target: the labels of each sample, integers in the shape of `x`: those before the first −1 count, so a row of three classes with the
///     labels 2 and 0 is `[2, 0, -1]`.
///   - reduction: what becomes of the samples' losses.
/// - Returns: the mean or sum without axes; for `.none` `[]` or `[N]`.
/// - Complexity: O(N · C²) time and memory.
public func multilabelMarginLoss(_ x: Tensor, _ target: Tensor, reduction: Reduction = .mean) -> Tensor {
  let x = widened(x)
  let name = "multilabelMarginLoss"
  guard areScoreRows(x, name), target.isValid, areAlike(x, target, name), let labels = LabelLists(target, name) else {
    return .invalid
  }
  let classes = x.shape[-1]
  // [N, label, class]
  let misses = (1 - (x.gather(dim: -1, index: labels.index).unsqueeze(dim: -1) - x.unsqueeze(dim: -2))).hinged
  let counts = labels.isUsed.unsqueeze(dim: -1) .& labels.isLabel.logicalNot().unsqueeze(dim: -2)
  return (`where`(counts, misses, 0).sum(dims: [-2, -1]) / classes).reduced(reduction)
}

/// Lists of labels, ended by −1, that have been looked at.
private struct LabelLists {
  /// int64, 0 where unused, so that it can be gathered with.
  let index: Tensor
  /// bool: whether an entry stands before the first −1.
  let isUsed: Tensor
  /// bool: for each class whether it is in the list.
  let isLabel: Tensor

  /// nil after a reported mistake.
  init?(_ target: Tensor, _ operation: String) {
    guard check(target.dtype.isInteger, .dtype, operation, "labels are integers, not \(target.dtype)") else { return nil }
    let target = target.to(.int64)
    isUsed = (target .< 0).to(.int64).cumsum(dim: -1) .== 0
    guard let labels = ClassLabels(`where`(isUsed, target, 0), classes: target.shape[-1], ignoreIndex: .min, operation) else {
      return nil
    }
    index = labels.index
    isLabel = Tensor.zeros(target.shape, dtype: .int64).scatterAdd(dim: -1, index: index, isUsed.to(.int64)) .> 0
  }
}

/// Binary cross-entropy of each class, averaged over the classes: −Σ w[c] · (t[c] · ln σ(x[c]) + (1 − t[c]) · ln σ(−x[c])) / C.
///
/// - Parameters:
///   - x: scores, `[…, C]`.
///   - target: t, in 0 … 1 and of the same shape.
///   - weight: w, of each class, broadcast to the shape of `x`; usually `[C]`.
///   - reduction: what becomes of the samples' losses. A mean is divided by their number, whatever the weights.
/// - Returns: the mean or sum without axes, or the shape of `x` without its last axis for `.none`.
public func multilabelSoftMarginLoss(_ x: Tensor, _ target: Tensor, weight: Tensor? = nil, reduction: Reduction = .mean) -> Tensor
{
  let x = widened(x)
  let name = "multilabelSoftMarginLoss"
  guard areAlike(x, target, name), check(x.rank > 0, .shape, name, "scores without axes have no classes"),
    fits(weight, x.shape, name)
  else { return .invalid }
  let entropies = binaryCrossEntropyWithLogits(x, target, weight: weight, reduction: .none)
  return (entropies.sum(dim: -1) / x.shape[-1]).reduced(reduction)
}

/// `multilabelMarginLoss` as a module.
public final class MultiLabelMarginLoss: Module {
  public let reduction: Reduction

  public init(reduction: Reduction = .mean) { self.reduction = reduction }

  public func callAsFunction(_ x: Tensor, _ target: Tensor) -> Tensor { multilabelMarginLoss(x, target, reduction: reduction) }

  public override var arguments: String { "reduction: \(reduction)" }
}

/// `multilabelSoftMarginLoss` as a module.
public final class MultiLabelSoftMarginLoss: Module {
  @Buffer public var weight: Tensor?  // [C]
  public let reduction: Reduction

  public init(weight: Tensor? = nil, reduction: Reduction = .mean) {
    self.weight = weight
    self.reduction = reduction
  }

  public func callAsFunction(_ x: Tensor, _ target: Tensor) -> Tensor {
    multilabelSoftMarginLoss(x, target, weight: weight, reduction: reduction)
  }

  public override var arguments: String { "reduction: \(reduction)" }
}
