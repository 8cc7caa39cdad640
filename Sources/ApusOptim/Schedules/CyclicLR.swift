/// The rate goes up and down between two bounds along lines, the momentum down and up (Smith 2017, "Cyclical learning rates").
///
///     lr = baseLR + (maxLR − baseLR) · x · scale,   momentum = maxMomentum − (maxMomentum − baseMomentum) · x · scale
///
/// where x goes from 0 to 1 in `stepSizeUp` steps and back in `stepSizeDown`. Meant for a step after each batch.
public final class CyclicLR: Schedule {
  /// How the height of the cycles changes.
  public enum Mode: Sendable {
    /// All are alike: scale = 1.
    case triangular
    /// Each is half as high as the one before: scale = 2^−(number of cycles that are over).
    case triangular2
    /// scale = gamma^t
    case expRange(gamma: Double)
  }

  private let maxLRs: [Double]
  private let up, down: Int
  private let mode: Mode
  private let momentum: MomentumCycle?

  /// - Parameters:
  ///   - baseLR: one for all groups, or an array with one for each.
  ///   - maxLR: the same.
  ///   - stepSizeDown: nil for as many as up.
  ///   - cycleMomentum: sets the option `beta1` or `momentum`, too.
  public init(
    _ optimizer: Optimizer, baseLR: some GroupValues, maxLR: some GroupValues, stepSizeUp: Int = 2000, stepSizeDown: Int? = nil,
    mode: Mode = .triangular, cycleMomentum: Bool = true, baseMomentum: Double = 0.8, maxMomentum: Double = 0.9
  ) {
    let options = OptionCheck("CyclicLR")
    maxLRs = options.perGroup(maxLR, "maxLR", optimizer)
    up = options.positive(stepSizeUp, "stepSizeUp")
    down = options.positive(stepSizeDown ?? up, "stepSizeDown")
    self.mode = mode
    if case .expRange(let gamma) = mode { _ = options.share(gamma, "gamma") }
    momentum = MomentumCycle(optimizer, isWanted: cycleMomentum, base: baseMomentum, max: maxMomentum, options)
    super.init(optimizer, baseLRs: options.perGroup(baseLR, "baseLR", optimizer))
  }

  public override func apply() {
    super.apply()
    guard let momentum else { return }
    momentum.set(momentum.max - (momentum.max - momentum.base) * height, optimizer)
  }

  public override func lr(of group: Int, current: Double) -> Double {
    baseLRs[group] + (maxLRs[group] - baseLRs[group]) * height
  }

  /// x · scale
  private var height: Double {
    let (cycle, step) = stepCount.quotientAndRemainder(dividingBy: up + down)
    let x = step <= up ? Double(step) / Double(up) : Double(up + down - step) / Double(down)
    switch mode {
    case .triangular: return x
    case .triangular2: return x * power(0.5, Double(cycle))
    case .expRange(let gamma): return x * power(gamma, Double(stepCount))
    }
  }
}
