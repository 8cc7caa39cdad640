import ApusCore

/// Hinge loss of several classes: Σ w[t] · max(0, margin − x[t] + x[c])ᵖ / C over the classes c other than the label t.
///
/// - Parameters:
///   - x: scores, `[C]` or `[N, C]`.
///   - target: class indices in `0 ..< C`, integers: `[]` or `[N]`.
///   - p: 1 or 2.
///   - margin: by how much the right class should win.
///   - weight: w, of each class, `[C]`.
///   - reduction: what becomes of the samples' losses. A mean is divided by their number, whatever the weights.
/// - Returns: the mean or sum without axes, or the shape of `target` for `.none`.
public func multiMarginLoss(
  _ x: Tensor, _ target: Tensor, p: Int = 1, margin: Double = 1, weight: Tensor? = nil, reduction: Reduction = .mean
) -> Tensor {
  let x = widened(x)
  let name = "multiMarginLoss"
  guard areScoreRows(x, name), target.isValid, check(p == 1 || p == 2, .value, name, "p = \(p) is neither 1 nor 2") else {
    return .invalid
  }
  let classes = x.shape[-1]
  guard areClassWeights(weight, classes: classes, x.dtype, name),
    areLabels(target.shape, for: x.shape, classDim: x.rank - 1, name),
    let labels = ClassLabels(target, classes: classes, ignoreIndex: .min, name)
  else { return .invalid }
  let right = labels.index.unsqueeze(dim: -1)
  let misses = (margin - x.gather(dim: -1, index: right) + x).hinged.scatter(dim: -1, index: right, 0)
  let losses = (p == 1 ? misses : misses.square()).sum(dim: -1) / classes
  return losses.weighted(weight.map { labels.weights($0) }).reduced(reduction)
}

/// Checks that scores are `[C]` or `[N, C]` with a class or more.
func areScoreRows(_ x: Tensor, _ operation: String) -> Bool {
  isFloating(x, operation)
    && check(
      (x.rank == 1 || x.rank == 2) && x.shape[-1] > 0, .shape, operation, "scores are [C] or [N, C], not \(x.shape)")
}

/// `multiMarginLoss` as a module.
public final class MultiMarginLoss: Module {
  @Buffer public var weight: Tensor?  // [C]
  public let p: Int
  public let margin: Double
  public let reduction: Reduction

  public init(p: Int = 1, margin: Double = 1, weight: Tensor? = nil, reduction: Reduction = .mean) {
    self.weight = weight
    self.p = p
    self.margin = margin
    self.reduction = reduction
  }

  public func callAsFunction(_ x: Tensor, _ target: Tensor) -> Tensor {
    multiMarginLoss(x, target, p: p, margin: margin, weight: weight, reduction: reduction)
  }

  public override var arguments: String { "p: \(p), margin: \(margin), reduction: \(reduction)" }
}
