import ApusCore

/// Makes a schedule for an optimizer, such as `{ StepLR($0, stepSize: 30) }`.
public typealias ScheduleMaker = (Optimizer) -> Schedule

/// One schedule after another: at each milestone the next one begins, at its step 0 and from the rates before all of them.
///
/// ```swift
/// let schedule = SequentialLR(
///   optimizer, [{ ConstantLR($0, factor: 0.1, totalIters: 10) }, { ExponentialLR($0, gamma: 0.9) }], milestones: [10])
/// let warm = SequentialLR(optimizer, warmup: 500) { CosineAnnealingLR($0, tMax: 9_500) }
/// ```
///
/// It makes its parts itself, each from the same rates: PyTorch's gets finished ones, has to undo their initial steps, and lets
/// a `OneCycleLR` change where the others begin.
public final class SequentialLR: Schedule {
  private let schedules: [Schedule]
  private let milestones: [Int]

  /// - Parameter milestones: the steps at which the second and further schedules begin, ascending.
  public init(_ optimizer: Optimizer, _ makers: [ScheduleMaker], milestones: [Int]) {
    let options = OptionCheck("SequentialLR")
    schedules = makeParts(makers, optimizer, options)
    let milestones = options.ascending(milestones)
    let isFitting = check(
      milestones.count == schedules.count - 1, .value, "SequentialLR",
      "\(schedules.count) schedules need \(schedules.count - 1) milestones, not \(milestones.count)")
    self.milestones = isFitting ? milestones : []
    super.init(optimizer)
  }

  /// A linear rise from `base · startFactor` to `base` in `warmup` steps, then another schedule.
  public convenience init(_ optimizer: Optimizer, warmup: Int, startFactor: Double = 1.0 / 3, then next: @escaping ScheduleMaker)
  {
    self.init(optimizer, [{ LinearLR($0, startFactor: startFactor, totalIters: warmup) }, next], milestones: [warmup])
  }

  public override var parts: [Schedule] { schedules }

  public override func apply() {
    let current = schedules[milestones.count { $0 <= stepCount }]
    if stepCount == 0 || milestones.contains(stepCount) {
      resetLRs()
      current.restart()
    } else {
      current.step()
    }
  }
}

/// Several schedules at once: in each step all of them take theirs, one after another.
///
/// ```swift
/// let schedule = ChainedScheduler(optimizer, [{ ConstantLR($0, factor: 0.1) }, { ExponentialLR($0, gamma: 0.9) }])
/// ```
///
/// `FactorSchedule`s multiply. One that sets the rate from the base, such as `LambdaLR`, makes those before it void.
public final class ChainedScheduler: Schedule {
  private let schedules: [Schedule]

  public init(_ optimizer: Optimizer, _ makers: [ScheduleMaker]) {
    schedules = makeParts(makers, optimizer, OptionCheck("ChainedScheduler"))
    super.init(optimizer)
  }

  public override var parts: [Schedule] { schedules }

  public override func apply() {
    if stepCount == 0 { resetLRs() }
    for schedule in schedules { if stepCount == 0 { schedule.restart() } else { schedule.step() } }
  }
}

/// All from the rates that the optimizer has now.
private func makeParts(_ makers: [ScheduleMaker], _ optimizer: Optimizer, _ options: OptionCheck) -> [Schedule] {
  let lrs = optimizer.groups.map(\.lr)
  var parts: [Schedule] = []
  for make in makers {
    let part = make(optimizer)
    for (group, lr) in zip(optimizer.groups, lrs) { group.lr = lr }
    if check(part.optimizer === optimizer, .value, options.schedule, "\(type(of: part)) belongs to another optimizer") {
      parts.append(part)
    }
  }
  return check(!parts.isEmpty, .value, options.schedule, "there are no schedules") ? parts : [Schedule(optimizer)]
}
