import ApusCore

/// Connectionist temporal classification (Graves et al. 2006): −ln of the probability that reading one class per step, merging equal
/// neighbours and dropping blanks, gives the target.
///
/// PyTorch's gradient by `logProbabilities` already has the softmax's in it; here it is the derivative of the formula, as everywhere.
/// Behind a `logSoftmax` the two give the same.
///
/// - Parameters:
///   - logProbabilities: logarithms of the classes' probabilities at each step, `[T, N, C]`, or `[T, C]` for one sequence.
///   - targets: class indices other than `blank`, integers: padded, `[N, S]`, or all sequences one after the other, `[Σ targetLengths]`.
///     For one sequence `[S]`.
///   - inputLengths: of each sequence, how many of the steps belong to it.
///   - targetLengths: of each sequence, how many labels it has.
///   - blank: the class that stands for no label.
///   - reduction: what becomes of the sequences' losses. For a mean each is divided by the length of its target (at least 1) before.
///   - zeroInfinity: whether a sequence that is too short for its target counts as 0 instead of ∞.
/// - Returns: the mean or sum without axes, or `[N]` (`[]` for one sequence) for `.none`. The gradient of an infinite loss is 0.
/// - Complexity: O(T · N · S) time and memory, and a gradient of the size of `logProbabilities`.
public func ctcLoss(
  _ logProbabilities: Tensor, _ targets: Tensor, inputLengths: [Int], targetLengths: [Int], blank: Int = 0,
  reduction: Reduction = .mean, zeroInfinity: Bool = false
) -> Tensor {
  let (x, name) = (widened(logProbabilities), "ctcLoss")
  guard isFloating(x, name), targets.isValid,
    check(x.rank == 2 || x.rank == 3, .shape, name, "log-probabilities are [T, N, C] or [T, C], not \(x.shape)")
  else { return .invalid }
  if x.rank == 2 {
    guard check(targets.rank == 1, .shape, name, "targets \(targets.shape) for one sequence, which has [S]") else {
      return .invalid
    }
    let loss = ctcLoss(
      x.unsqueeze(dim: 1), targets, inputLengths: inputLengths, targetLengths: targetLengths, blank: blank,
      reduction: reduction, zeroInfinity: zeroInfinity)
    return reduction == .none ? loss.reshape([]) : loss
  }
  guard let states = CTCStates(targets, x.shape, inputLengths, targetLengths, blank, name) else { return .invalid }
  let losses = states.losses(x.gather(dim: 2, index: states.classes(steps: x.shape[0])).to(.float64)).to(x.dtype)
  let finite = zeroInfinity ? `where`(losses.detach() .== Double.infinity, 0, losses) : losses
  guard reduction == .mean else { return finite.reduced(reduction) }
  return (finite / Tensor(targetLengths.map { max($0, 1) }).to(x.dtype)).mean()
}

/// `ctcLoss` as a module.
public final class CTCLoss: Module {
  public let blank: Int
  public let reduction: Reduction
  public let zeroInfinity: Bool

  public init(blank: Int = 0, reduction: Reduction = .mean, zeroInfinity: Bool = false) {
    self.blank = blank
    self.reduction = reduction
    self.zeroInfinity = zeroInfinity
  }

  public func callAsFunction(_ logProbabilities: Tensor, _ targets: Tensor, inputLengths: [Int], targetLengths: [Int]) -> Tensor {
    ctcLoss(
      logProbabilities, targets, inputLengths: inputLengths, targetLengths: targetLengths, blank: blank, reduction: reduction,
      zeroInfinity: zeroInfinity)
  }

  public override var arguments: String { "blank: \(blank), reduction: \(reduction), zeroInfinity: \(zeroInfinity)" }
}
