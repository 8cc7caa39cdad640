import ApusOptim

/// A schedule, and when it takes its steps.
public enum LearningRatePlan {
  /// After each update of the parameters: one-cycle, warm-up.
  case perStep(Schedule)
  /// After each epoch.
  case perEpoch(Schedule)
  /// After each epoch, by what the trainer's goal came to.
  case onPlateau(ReduceLROnPlateau)

  func stepEnded() {
    switch self {
    case .perStep(let schedule): schedule.step()
    case .perEpoch, .onPlateau: break
    }
  }

  func epochEnded(_ value: Double) {
    switch self {
    case .perStep: break
    case .perEpoch(let schedule): schedule.step()
    case .onPlateau(let schedule): schedule.step(value)
    }
  }

  func stateDict() -> OptimizerState {
    switch self {
    case .perStep(let schedule), .perEpoch(let schedule): OptimizerState(numbers: schedule.stateDict())
    case .onPlateau(let schedule): OptimizerState(numbers: schedule.stateDict())
    }
  }

  func loadStateDict(_ state: OptimizerState) throws {
    switch self {
    case .perStep(let schedule), .perEpoch(let schedule): try schedule.loadStateDict(state.numbers)
    case .onPlateau(let schedule): try schedule.loadStateDict(state.numbers)
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
