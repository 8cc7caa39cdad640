import ApusCore

/// Negative log likelihood: −weight[t] · logProbabilities[t] for the class t of each label.
///
/// - Parameters:
///   - logProbabilities: `[C]`, `[N, C]` or `[N, C, d₁, …]`.
///   - target: class indices in `0 ..< C`, integers: `[]`, `[N]` or `[N, d₁, …]`.
///   - weight: of each class, `[C]`.
///   - ignoreIndex: a label that counts for nothing.
/// - Returns: the mean (divided by the sum of the labels' weights; NaN if all labels are ignored) or sum without axes, or the shape of
///   `target` for `.none`.
public func nllLoss(
  _ logProbabilities: Tensor, _ target: Tensor, weight: Tensor? = nil, ignoreIndex: Int = -100, reduction: Reduction = .mean
) -> Tensor {
  let (x, weight) = (widened(logProbabilities), weight.map { widened($0) })
  guard x.isValid, target.isValid else { return .invalid }
  guard check(x.dtype.isFloatingPoint, .dtype, "nllLoss", "log-probabilities are floating-point, not \(x.dtype)"),
    check(x.rank > 0, .shape, "nllLoss", "log-probabilities without axes have no classes")
  else { return .invalid }
  let classDim = x.rank == 1 ? 0 : 1
  let classes = x.shape[classDim]
  guard areClassWeights(weight, classes: classes, x.dtype, "nllLoss"),
    areLabels(target.shape, for: x.shape, classDim: classDim, "nllLoss"),
    let labels = ClassLabels(target, classes: classes, ignoreIndex: ignoreIndex, "nllLoss")
  else { return .invalid }
  return labels.negativeLogLikelihood(x, classDim, weight).reduced(reduction, weights: labels.total(weight, x.dtype))
}

extension ClassLabels {
  /// −weight[t] · x[t], one for each label.
  func negativeLogLikelihood(_ x: Tensor, _ classDim: Int, _ weight: Tensor?) -> Tensor {
    let losses = -pick(from: x, dim: classDim)
    guard let weight else { return losses }
    return kept(losses * weights(weight))
  }
}

/// `nllLoss` as a module.
public final class NLLLoss: Module {
  @Buffer public var weight: Tensor?  // [C]
  public let ignoreIndex: Int
  public let reduction: Reduction

  public init(weight: Tensor? = nil, ignoreIndex: Int = -100, reduction: Reduction = .mean) {
    self.weight = weight
    self.ignoreIndex = ignoreIndex
    self.reduction = reduction
  }

  public func callAsFunction(_ logProbabilities: Tensor, _ target: Tensor) -> Tensor {
    nllLoss(logProbabilities, target, weight: weight, ignoreIndex: ignoreIndex, reduction: reduction)
  }

  public override var arguments: String { "ignoreIndex: \(ignoreIndex), reduction: \(reduction)" }
}
