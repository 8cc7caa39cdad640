import ApusCore

/// The terms of the Kullback–Leibler divergence of a distribution q from a target p: p · (ln p − ln q), 0 where p is 0.
///
/// - Parameters:
///   - logProbabilities: ln q, any shape.
///   - target: p, or ln p with `logTarget`, in the same shape.
///   - logTarget: whether `target` is given as its logarithm.
///   - reduction: what becomes of the terms. The divergence itself is `.batchMean`, the sum divided by the first axis; `.mean` divides by
///     the number of all elements.
/// - Returns: a tensor without axes, or the shape of `logProbabilities` for `.none`.
public func klDiv(
  _ logProbabilities: Tensor, _ target: Tensor, logTarget: Bool = false, reduction: KLDivReduction = .mean
) -> Tensor {
  let x = widened(logProbabilities)
  guard areAlike(x, target, "klDiv"), isFloating(target, "klDiv") else { return .invalid }
  let terms = logTarget ? target.exp() * (target - x) : target.xlogy(target) - target * x
  switch reduction {
  case .none: return terms
  case .mean: return terms.mean()
  case .sum: return terms.sum()
  case .batchMean: return x.rank == 0 ? terms : terms.sum() / x.shape[0]
  }
}

/// What becomes of the terms of `klDiv`.
public enum KLDivReduction: String, CaseIterable, Sendable {
  /// They stay as they are.
  case none
  /// Their mean over everything.
  case mean
  case sum
  /// Their sum divided by the number of samples, the first axis.
  case batchMean
}

/// `klDiv` as a module.
public final class KLDivLoss: Module {
  public let logTarget: Bool
  public let reduction: KLDivReduction

  public init(logTarget: Bool = false, reduction: KLDivReduction = .mean) {
    self.logTarget = logTarget
    self.reduction = reduction
  }

  public func callAsFunction(_ logProbabilities: Tensor, _ target: Tensor) -> Tensor {
    klDiv(logProbabilities, target, logTarget: logTarget, reduction: reduction)
  }

  public override var arguments: String { "logTarget: \(logTarget), reduction: \(reduction)" }
}
