import ApusCore

/// Multiplies the rates by `factor` when a metric has not improved for more than `patience` steps.
///
/// ```swift
/// let schedule = ReduceLROnPlateau(optimizer, patience: 5)
/// for epoch in 0..<100 { schedule.step(validate()) }
/// ```
///
/// An improvement is a metric below `best · (1 − threshold)`, or above `best · (1 + threshold)` with `.max`; with `.absolute` below
/// `best − threshold` or above `best + threshold`. A NaN is none. Not a `Schedule`: its steps take a number.
public final class ReduceLROnPlateau {
  /// Whether a small or a large metric is good.
  public enum Mode: Sendable { case min, max }
  public enum ThresholdMode: Sendable { case relative, absolute }

  public let optimizer: Optimizer
  /// The best metric so far.
  public private(set) var best: Double
  /// Steps since the last improvement, the last change, or the end of the last cooldown.
  public private(set) var badCount = 0
  public private(set) var stepCount = 0
  /// The groups' rates after the last step.
  public private(set) var lastLRs: [Double]
  private var cooldownLeft = 0
  private let mode: Mode
  private let factor, threshold, eps: Double
  private let patience, cooldown: Int
  private let thresholdMode: ThresholdMode
  private let minLRs: [Double]

  /// - Parameters:
  ///   - factor: from 0 up to, but not including, 1.
  ///   - cooldown: steps after a change in which nothing is counted.
  ///   - minLR: below this no rate falls: one for all groups, or an array with one for each.
  ///   - eps: a change that is not larger is not made.
  public init(
    _ optimizer: Optimizer, mode: Mode = .min, factor: Double = 0.1, patience: Int = 10, threshold: Double = 1e-4,
    thresholdMode: ThresholdMode = .relative, cooldown: Int = 0, minLR: some GroupValues = 0.0, eps: Double = 1e-8
  ) {
    let options = OptionCheck("ReduceLROnPlateau")
    (self.optimizer, self.mode, self.thresholdMode) = (optimizer, mode, thresholdMode)
    _ = check(factor >= 0 && factor < 1, .value, "ReduceLROnPlateau", "factor = \(factor) is not in 0..<1")
    self.factor = factor
    self.patience = options.nonNegative(patience, "patience")
    self.threshold = options.nonNegative(threshold, "threshold")
    self.cooldown = options.nonNegative(cooldown, "cooldown")
    self.eps = options.nonNegative(eps, "eps")
    minLRs = options.perGroup(minLR, "minLR", optimizer)
    best = mode == .min ? .infinity : -.infinity
    lastLRs = optimizer.groups.map(\.lr)
  }

  public func step(_ metric: Double) {
    stepCount += 1
    if isImprovement(metric) {
      (best, badCount) = (metric, 0)
    } else {
      badCount += 1
    }
    if cooldownLeft > 0 {
      cooldownLeft -= 1
      badCount = 0
    }
    if badCount > patience {
      reduce()
      (cooldownLeft, badCount) = (cooldown, 0)
    }
    lastLRs = optimizer.groups.map(\.lr)
  }

  private func isImprovement(_ metric: Double) -> Bool {
    switch (mode, thresholdMode) {
    case (.min, .relative): metric < best * (1 - threshold)
    case (.min, .absolute): metric < best - threshold
    case (.max, .relative): metric > best * (1 + threshold)
    case (.max, .absolute): metric > best + threshold
    }
  }

  private func reduce() {
    guard optimizer.hasGroups(minLRs.count, for: "ReduceLROnPlateau") else { return }
    for (group, minLR) in zip(optimizer.groups, minLRs) {
      let lr = max(group.lr * factor, minLR)
      if group.lr - lr > eps { group.lr = lr }
    }
  }

  // MARK: State

  /// What the schedule remembers, by name.
  public func stateDict() -> [String: Double] {
    var state = [
      "last_epoch": Double(stepCount), "best": best, "num_bad_epochs": Double(badCount), "cooldown_counter": Double(cooldownLeft),
    ]
    for (i, lr) in lastLRs.enumerated() { state["last_lrs.\(i)"] = lr }
    return state
  }

  /// Goes on where the schedule that saved `state` stopped: all of it is taken or, where it throws, nothing.
  ///
  /// - Throws: one error that names everything that does not fit.
  public func loadStateDict(_ state: [String: Double]) throws(ScheduleStateError) {
    var reader = ScheduleStateReader(state)
    let (count, best) = (reader.count("last_epoch"), reader.number("best"))
    let (bad, left) = (reader.count("num_bad_epochs"), reader.count("cooldown_counter"))
    let last = minLRs.indices.map { reader.number("last_lrs.\($0)") }
    try reader.finish("ReduceLROnPlateau")
    (stepCount, self.best, badCount, cooldownLeft, lastLRs) = (count, best, bad, left, last)
  }
}
