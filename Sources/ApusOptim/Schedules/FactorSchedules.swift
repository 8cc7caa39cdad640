// t is the step, base the rate before the schedule. Formulas and defaults are those of PyTorch's torch.optim.lr_scheduler.

/// Multiplies the rate by `gamma` every `stepSize` steps: `lr = base · gamma^⌊t / stepSize⌋`.
public final class StepLR: FactorSchedule {
  private let stepSize: Int
  private let gamma: Double

  public init(_ optimizer: Optimizer, stepSize: Int, gamma: Double = 0.1) {
    let options = OptionCheck("StepLR")
    self.stepSize = options.positive(stepSize, "stepSize")
    self.gamma = options.nonNegative(gamma, "gamma")
    super.init(optimizer)
  }

  public override func factor(_ t: Int) -> Double { power(gamma, Double(t / stepSize)) }
}

/// Multiplies the rate by `gamma` at every milestone: `lr = base · gamma^(number of milestones ≤ t)`.
public final class MultiStepLR: FactorSchedule {
  private let milestones: [Int]
  private let gamma: Double

  /// - Parameter milestones: steps, ascending.
  public init(_ optimizer: Optimizer, milestones: [Int], gamma: Double = 0.1) {
    let options = OptionCheck("MultiStepLR")
    self.milestones = options.ascending(milestones)
    self.gamma = options.nonNegative(gamma, "gamma")
    super.init(optimizer)
  }

  public override func factor(_ t: Int) -> Double { power(gamma, Double(milestones.count { $0 <= t })) }
}

/// Multiplies the rate by `gamma` in each step: `lr = base · gamma^t`.
public final class ExponentialLR: FactorSchedule {
  private let gamma: Double

  public init(_ optimizer: Optimizer, gamma: Double) {
    self.gamma = OptionCheck("ExponentialLR").nonNegative(gamma, "gamma")
    super.init(optimizer)
  }

  public override func factor(_ t: Int) -> Double { power(gamma, Double(t)) }
}

/// A smaller rate for the first `totalIters` steps: `lr = base · factor` before step `totalIters`, then `base`.
public final class ConstantLR: FactorSchedule {
  private let early: Double
  private let totalIters: Int

  /// - Parameter factor: above 0, up to 1.
  public init(_ optimizer: Optimizer, factor: Double = 1.0 / 3, totalIters: Int = 5) {
    let options = OptionCheck("ConstantLR")
    early = options.positiveShare(factor, "factor")
    self.totalIters = options.nonNegative(totalIters, "totalIters")
    super.init(optimizer)
  }

  public override func factor(_ t: Int) -> Double { t < totalIters ? early : 1 }
}

/// From one factor to another along a line: `lr = base · (startFactor + (endFactor − startFactor) · min(t, totalIters) / totalIters)`.
public final class LinearLR: FactorSchedule {
  private let startFactor, endFactor: Double
  private let totalIters: Int

  /// - Parameters:
  ///   - startFactor: above 0, up to 1.
  ///   - endFactor: from 0 to 1.
  public init(_ optimizer: Optimizer, startFactor: Double = 1.0 / 3, endFactor: Double = 1, totalIters: Int = 5) {
    let options = OptionCheck("LinearLR")
    self.startFactor = options.positiveShare(startFactor, "startFactor")
    self.endFactor = options.share(endFactor, "endFactor")
    self.totalIters = options.positive(totalIters, "totalIters")
    super.init(optimizer)
  }

  public override func factor(_ t: Int) -> Double {
    if t >= totalIters { return endFactor }
    return startFactor + (endFactor - startFactor) * Double(t) / Double(totalIters)
  }
}

/// Down to 0 in `totalIters` steps along a power: `lr = base · (1 − min(t, totalIters) / totalIters)^power`.
public final class PolynomialLR: FactorSchedule {
  private let totalIters: Int
  private let exponent: Double

  public init(_ optimizer: Optimizer, totalIters: Int = 5, power: Double = 1) {
    let options = OptionCheck("PolynomialLR")
    self.totalIters = options.positive(totalIters, "totalIters")
    exponent = options.nonNegative(power, "power")
    super.init(optimizer)
  }

  public override func factor(_ t: Int) -> Double { power(1 - Double(min(t, totalIters)) / Double(totalIters), exponent) }
}
