import ApusCore

/// The rate rises to `maxLR` and falls far below where it began, while the momentum does the opposite
/// ("Super-convergence", Smith & Topin 2018).
///
/// The rates are `initial = maxLR / divFactor` at step 0, `maxLR` at step `pctStart · totalSteps − 1` and `initial / finalDivFactor` at step
/// `totalSteps − 1`. With `threePhase` the rate first falls as far as it rose, until step `2 · pctStart · totalSteps − 2`, and from there to the
/// final one. The momentum is `maxMomentum` at the ends and `baseMomentum` at the peak.
///
/// Meant for a step after each batch. After `totalSteps` steps the rate stays where it is; PyTorch's goes on along the curve for one step.
/// Further steps are an error.
public final class OneCycleLR: Schedule {
  /// The curve between two points: half a cosine or a line.
  public enum Anneal: Sendable { case cos, linear }

  /// Until step `end`, from one rate to another; the momenta belong to the rates.
  private struct Phase {
    let end: Double
    let from, to: Height
  }
  private enum Height { case initial, max, final }

  private let maxLRs: [Double]
  private let totalSteps: Int
  private let finalDivFactor: Double
  private let anneal: Anneal
  private let phases: [Phase]
  private let momentum: MomentumCycle?

  /// - Parameters:
  ///   - maxLR: one for all groups, or an array with one for each.
  ///   - pctStart: the share of the steps in which the rate rises.
  ///   - cycleMomentum: sets the option `beta1` or `momentum`, too.
  public init(
    _ optimizer: Optimizer, maxLR: some GroupValues, totalSteps: Int, pctStart: Double = 0.3, anneal: Anneal = .cos,
    cycleMomentum: Bool = true, baseMomentum: Double = 0.85, maxMomentum: Double = 0.95, divFactor: Double = 25,
    finalDivFactor: Double = 1e4, threePhase: Bool = false
  ) {
    let options = OptionCheck("OneCycleLR")
    let maxLRs = options.perGroup(maxLR, "maxLR", optimizer)
    self.maxLRs = maxLRs
    self.totalSteps = options.positive(totalSteps, "totalSteps")
    self.finalDivFactor = options.positive(finalDivFactor, "finalDivFactor")
    self.anneal = anneal
    momentum = MomentumCycle(optimizer, isWanted: cycleMomentum, base: baseMomentum, max: maxMomentum, options)
    let rise = options.share(pctStart, "pctStart") * Double(totalSteps)
    let last = Double(totalSteps - 1)
    phases =
      threePhase
      ? [
        Phase(end: rise - 1, from: .initial, to: .max), Phase(end: 2 * rise - 2, from: .max, to: .initial),
        Phase(end: last, from: .initial, to: .final),
      ] : [Phase(end: rise - 1, from: .initial, to: .max), Phase(end: last, from: .max, to: .final)]
    let divFactor = options.positive(divFactor, "divFactor")
    super.init(optimizer, baseLRs: maxLRs.map { $0 / divFactor })
  }

  public override func apply() {
    guard check(stepCount <= totalSteps, .value, "OneCycleLR", "step \(stepCount) of \(totalSteps)") else { return }
    super.apply()
    guard let momentum else { return }
    let (phase, share) = position
    func height(_ h: Height) -> Double { h == .max ? momentum.base : momentum.max }
    momentum.set(between(height(phase.from), height(phase.to), share), optimizer)
  }

  public override func lr(of group: Int, current: Double) -> Double {
    let (phase, share) = position
    func height(_ h: Height) -> Double {
      switch h {
      case .initial: baseLRs[group]
      case .max: maxLRs[group]
      case .final: baseLRs[group] / finalDivFactor
      }
    }
    return between(height(phase.from), height(phase.to), share)
  }

  /// The phase of the step, and how much of it is over.
  private var position: (Phase, share: Double) {
    let t = Double(stepCount)
    let i = phases.firstIndex { t <= $0.end } ?? phases.count - 1
    let (start, end) = (i == 0 ? 0 : phases[i - 1].end, phases[i].end)
    return (phases[i], end > start ? min(1, (t - start) / (end - start)) : 1)
  }

  private func between(_ start: Double, _ end: Double, _ share: Double) -> Double {
    switch anneal {
    case .cos: end + (start - end) / 2 * (cosine(.pi * share) + 1)
    case .linear: start + (end - start) * share
    }
  }
}
