import ApusCore

/// `lr = base · f(t)` for a function of the step: whatever the rate was before, and whatever else changes it.
///
/// ```swift
/// let schedule = LambdaLR(optimizer) { t in 1 / Double(1 + t) }
/// ```
public final class LambdaLR: Schedule {
  private let factors: [(Int) -> Double]

  /// The same function for all groups.
  public convenience init(_ optimizer: Optimizer, _ factor: @escaping (Int) -> Double) {
    self.init(optimizer, optimizer.groups.map { _ in factor })
  }

  /// One function for each group.
  public init(_ optimizer: Optimizer, _ factors: [(Int) -> Double]) {
    let count = optimizer.groups.count
    let isFitting = check(factors.count == count, .value, "LambdaLR", "\(factors.count) functions for \(count) groups")
    self.factors = isFitting ? factors : Array(repeating: { _ in 1 }, count: count)
    super.init(optimizer)
  }

  public override func lr(of group: Int, current: Double) -> Double { baseLRs[group] * factors[group](stepCount) }
}
