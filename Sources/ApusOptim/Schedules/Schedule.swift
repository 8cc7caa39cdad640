import ApusCore

/// Changes an optimizer's learning rates from step to step: the superclass of all schedules but `ReduceLROnPlateau`.
///
/// ```swift
/// let schedule = CosineAnnealingLR(optimizer, tMax: 100)
/// for epoch in 0..<100 {
///   train()
///   schedule.step()
/// }
/// ```
///
/// As in PyTorch the initializer sets the rates of step 0, and a rate follows from the one before, so that what else changes the rates,
/// such as a second schedule, is kept. A subclass overrides `lr(of:current:)`, or is a `FactorSchedule`.
open class Schedule {
  public let optimizer: Optimizer
  /// The groups' rates before the schedule began.
  public private(set) var baseLRs: [Double]
  /// The groups' rates after the last step of this schedule.
  public private(set) var lastLRs: [Double] = []
  /// Steps since the initial one; PyTorch's `last_epoch`.
  public private(set) var stepCount = 0

  /// - Parameter baseLRs: one for each group; nil for those that the optimizer has.
  public init(_ optimizer: Optimizer, baseLRs: [Double]? = nil) {
    self.optimizer = optimizer
    self.baseLRs = baseLRs ?? optimizer.groups.map(\.lr)
    restart()
  }

  /// The rate of group `group` at `stepCount`, from the one that it has.
  ///
  /// At step 0 `current` is the rate that the schedule begins with.
  open func lr(of group: Int, current: Double) -> Double { current }

  /// Sets everything to what it is at `stepCount`.
  open func apply() {
    for (i, group) in optimizer.groups.enumerated() { group.lr = lr(of: i, current: group.lr) }
  }

  public final func step() {
    stepCount += 1
    applyChecked()
  }

  /// Goes back to step 0, from the rates that the optimizer has now.
  func restart() {
    stepCount = 0
    applyChecked()
  }

  private func applyChecked() {
    guard optimizer.hasGroups(baseLRs.count, for: "\(type(of: self))") else { return }
    apply()
    lastLRs = optimizer.groups.map(\.lr)
  }

  /// Sets the groups' rates to those before the schedule.
  final func resetLRs() {
    for (group, lr) in zip(optimizer.groups, baseLRs) { group.lr = lr }
  }

  /// The schedules that this one consists of.
  open var parts: [Schedule] { [] }

  // MARK: State

  /// What the schedule remembers, by name: `last_epoch`, `base_lrs.0`, `last_lrs.0`, and the same of its parts, `parts.0.last_epoch`.
  public final func stateDict() -> [String: Double] {
    var state = ["last_epoch": Double(stepCount)]
    for (i, lr) in baseLRs.enumerated() { state["base_lrs.\(i)"] = lr }
    for (i, lr) in lastLRs.enumerated() { state["last_lrs.\(i)"] = lr }
    for (i, part) in parts.enumerated() {
      for (name, value) in part.stateDict() { state["parts.\(i).\(name)"] = value }
    }
    return state
  }

  /// Goes on where the schedule that saved `state` stopped: all of it is taken or, where it throws, nothing.
  ///
  /// The options, such as `gamma`, are those given in `init`. The optimizer's rates are part of the optimizer's state: load that, too, and after
  /// both have been made.
  ///
  /// - Throws: one error that names everything that does not fit.
  public final func loadStateDict(_ state: [String: Double]) throws(ScheduleStateError) {
    var reader = ScheduleStateReader(state)
    let take = read(&reader, "")
    try reader.finish("\(type(of: self))")
    take()
  }

  /// What takes over the values when all have been found.
  private func read(_ reader: inout ScheduleStateReader, _ prefix: String) -> () -> Void {
    let count = reader.count(prefix + "last_epoch")
    let base = baseLRs.indices.map { reader.number(prefix + "base_lrs.\($0)") }
    let last = baseLRs.indices.map { reader.number(prefix + "last_lrs.\($0)") }
    var takes: [() -> Void] = []
    for (i, part) in parts.enumerated() { takes.append(part.read(&reader, prefix + "parts.\(i).")) }
    return { [self] in
      (stepCount, baseLRs, lastLRs) = (count, base, last)
      for take in takes { take() }
    }
  }
}

/// A schedule that multiplies the base rate by a number that depends on the step alone: `lr = base · factor(t)`.
///
/// In steps: `lr = lr · factor(t) / factor(t − 1)`, so several of them multiply. A rate that has come to 0 stays there.
open class FactorSchedule: Schedule {
  /// The factor at step `t`, 0 or more.
  open func factor(_ t: Int) -> Double { 1 }

  public final override func lr(of group: Int, current: Double) -> Double {
    let factor = factor(stepCount)
    if stepCount == 0 { return current * factor }
    let previous = self.factor(stepCount - 1)
    return factor == previous || previous == 0 ? current : current * (factor / previous)
  }
}

/// A number for each group: one for all, or an array with one for each.
public protocol GroupValues {
  func values(forGroups count: Int) -> [Double]
}

extension Double: GroupValues {
  public func values(forGroups count: Int) -> [Double] { Array(repeating: self, count: count) }
}

extension [Double]: GroupValues {
  public func values(forGroups count: Int) -> [Double] { self }
}

// MARK: - Validation

extension Optimizer {
  /// Whether there are as many groups as when a schedule was made; a mistake of `schedule` otherwise.
  func hasGroups(_ known: Int, for schedule: @autoclosure () -> String) -> Bool {
    check(
      groups.count == known, .value, schedule(),
      "knows \(known) groups, the optimizer has \(groups.count): add groups before the schedule")
  }
}

/// Objects to options that make no sense, and replaces them by some that do: inside `catching` the program goes on.
struct OptionCheck {
  let schedule: String

  init(_ schedule: String) { self.schedule = schedule }

  func positive(_ value: Int, _ name: String) -> Int {
    check(value > 0, .value, schedule, "\(name) = \(value) is not 1 or more") ? value : 1
  }

  func nonNegative(_ value: Int, _ name: String) -> Int {
    check(value >= 0, .value, schedule, "\(name) = \(value) is not 0 or more") ? value : 0
  }

  func positive(_ value: Double, _ name: String) -> Double {
    check(value > 0 && value.isFinite, .value, schedule, "\(name) = \(value) is not positive") ? value : 1
  }

  func nonNegative(_ value: Double, _ name: String) -> Double {
    check(value >= 0 && value.isFinite, .value, schedule, "\(name) = \(value) is not 0 or more") ? value : 0
  }

  /// From 0 to 1.
  func share(_ value: Double, _ name: String) -> Double {
    check(value >= 0 && value <= 1, .value, schedule, "\(name) = \(value) is not in 0...1") ? value : 1
  }

  /// From 0, without it, to 1.
  func positiveShare(_ value: Double, _ name: String) -> Double {
    check(value > 0 && value <= 1, .value, schedule, "\(name) = \(value) is not in 0...1 without 0") ? value : 1
  }

  /// Steps at which something happens.
  func ascending(_ milestones: [Int]) -> [Int] {
    let isFine = (milestones.first ?? 1) > 0 && zip(milestones, milestones.dropFirst()).allSatisfy { $0 < $1 }
    return check(isFine, .value, schedule, "milestones \(milestones) do not ascend from 1 or more") ? milestones : []
  }

  /// One number, 0 or more, for each group of the optimizer.
  func perGroup(_ values: some GroupValues, _ name: String, _ optimizer: Optimizer) -> [Double] {
    let count = optimizer.groups.count
    let values = values.values(forGroups: count)
    let isFitting = check(values.count == count, .value, schedule, "\(name) has \(values.count) values for \(count) groups")
    return isFitting ? values.map { nonNegative($0, name) } : Array(repeating: 0, count: count)
  }
}
