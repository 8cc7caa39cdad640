import ApusOptim

/// A schedule, and when it takes its steps.
public enum LearningRatePlan {
  /// After each update of the parameters: one-cycle, warm-up.
  case perStep(Schedule)
  /// After each epoch.
  case perEpoch(Schedule)
  /// After each epoch, by what the trainer's goal came to.
  case onPlateau(ReduceLROnPlateau)
  /// Several, as for several objectives with an optimizer each.
  case each([LearningRatePlan])

  func stepEnded() {
    switch self {
    case .perStep(let schedule): schedule.step()
    case .perEpoch, .onPlateau: break
    case .each(let plans): for plan in plans { plan.stepEnded() }
    }
  }

  func epochEnded(_ value: Double) {
    switch self {
    case .perStep: break
    case .perEpoch(let schedule): schedule.step()
    case .onPlateau(let schedule): schedule.step(value)
    case .each(let plans): for plan in plans { plan.epochEnded(value) }
    }
  }

  func stateDict() -> OptimizerState {
    switch self {
    case .perStep(let schedule), .perEpoch(let schedule): return OptimizerState(numbers: schedule.stateDict())
    case .onPlateau(let schedule): return OptimizerState(numbers: schedule.stateDict())
    case .each(let plans):
      let numbers = plans.enumerated().flatMap { i, plan in plan.stateDict().numbers.map { ("\(i).\($0)", $1) } }
      return OptimizerState(numbers: Dictionary(numbers) { $1 })
    }
  }

  func loadStateDict(_ state: OptimizerState) throws {
    switch self {
    case .perStep(let schedule), .perEpoch(let schedule): try schedule.loadStateDict(state.numbers)
    case .onPlateau(let schedule): try schedule.loadStateDict(state.numbers)
    case .each(let plans):
      for (i, plan) in plans.enumerated() {
        let own = state.numbers.filter { $0.key.hasPrefix("\(i).") }
        let numbers = own.map { (String($0.key.dropFirst("\(i).".count)), $0.value) }
        try plan.loadStateDict(OptimizerState(numbers: Dictionary(numbers) { $1 }))
      }
    }
  }
}

/// What is done to gradients before the update.
public enum GradientClip: Hashable, Sendable {
  /// All are scaled alike so that their norm, as one vector, is at most this.
  case norm(Double)
  /// Each element is moved into −value … value.
  case value(Double)

  func apply(to optimizer: Optimizer) {
    switch self {
    case .norm(let limit): clipGradNorm(optimizer.parameters, maxNorm: limit)
    case .value(let limit): clipGradValue(optimizer.parameters, clipValue: limit)
    }
  }
}
