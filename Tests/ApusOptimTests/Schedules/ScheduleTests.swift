import ApusCore
import ApusNN
import ApusOptim
import TestSupport
import Testing

@Suite("schedules")
struct ScheduleTests {
  static func optimizer(_ lrs: [Double] = [0.1]) -> Optimizer { ScheduleGoldenTests.optimizer(lrs) }

  @Test("a loaded schedule goes on as the saved one would", arguments: ScheduleGoldenTests.makers.indices)
  func resuming(index: Int) throws {
    let (name, lrs, isAdam, make) = ScheduleGoldenTests.makers[index]
    let optimizers = [0, 1].map { _ in ScheduleGoldenTests.optimizer(lrs, isAdam: isAdam) }
    let schedules = optimizers.map(make)
    for _ in 0..<7 { schedules[0].step() }
    try optimizers[1].loadStateDict(optimizers[0].stateDict())
    try schedules[1].loadStateDict(schedules[0].stateDict())
    #expect(schedules[1].stepCount == 7 && schedules[1].lastLRs == schedules[0].lastLRs)
    for _ in 0..<20 {
      for schedule in schedules { schedule.step() }
      #expect(schedules[1].lastLRs == schedules[0].lastLRs, "\(name)")
    }
    #expect(schedules[1].stateDict() == schedules[0].stateDict())
  }

  @Test("a loaded plateau goes on as the saved one would")
  func resumingPlateau() throws {
    let optimizers = [Self.optimizer(), Self.optimizer()]
    let schedules = optimizers.map { ReduceLROnPlateau($0, factor: 0.5, patience: 1, cooldown: 2) }
    for step in 1...12 { schedules[0].step(ScheduleGoldenTests.metric(step)) }
    try optimizers[1].loadStateDict(optimizers[0].stateDict())
    try schedules[1].loadStateDict(schedules[0].stateDict())
    for step in 13...60 {
      for schedule in schedules { schedule.step(ScheduleGoldenTests.metric(step)) }
      #expect(schedules[1].stateDict() == schedules[0].stateDict())
    }
    let error = #expect(throws: ScheduleStateError.self) { try schedules[0].loadStateDict(["best": 1]) }
    #expect(error?.problems.contains(.missing(name: "cooldown_counter")) == true)
  }

  @Test("a state that does not fit is refused as a whole")
  func misfits() throws {
    let schedule = SequentialLR(Self.optimizer(), warmup: 4) { StepLR($0, stepSize: 2) }
    schedule.step()
    let before = schedule.stateDict()
    #expect(
      before.keys.sorted() == [
        "base_lrs.0", "last_epoch", "last_lrs.0", "parts.0.base_lrs.0", "parts.0.last_epoch", "parts.0.last_lrs.0",
        "parts.1.base_lrs.0", "parts.1.last_epoch", "parts.1.last_lrs.0",
      ])
    var state = before
    state["parts.1.base_lrs.0"] = nil
    state["last_epoch"] = 1.5
    state["gamma"] = 0.1
    let error = #expect(throws: ScheduleStateError.self) { try schedule.loadStateDict(state) }
    #expect(
      error?.description == """
        the saved state does not fit SequentialLR:
          value: last_epoch = 1.5 is not a number of steps
          missing: parts.1.base_lrs.0
          unexpected: gamma
        """)
    #expect(schedule.stateDict() == before)
  }

  @Test("what else changes a rate is kept")
  func interference() {
    let optimizer = Self.optimizer()
    let schedule = StepLR(optimizer, stepSize: 3)
    optimizer.lr = 0.5
    for _ in 0..<3 { schedule.step() }
    #expect(abs(optimizer.lr - 0.05) < 1e-15)
  }

  @Test("a rate that has come to 0 stays there")
  func zero() {
    let optimizer = Self.optimizer()
    let schedule = PolynomialLR(optimizer, totalIters: 3)
    for _ in 0..<3 { schedule.step() }
    #expect(optimizer.lr == 0)
    schedule.step()
    #expect(optimizer.lr == 0)
  }

  @Test("a cosine comes down to 0 and never below")
  func cosine() {
    for tMax in 1...50 {
      let optimizer = Self.optimizer()
      let schedule = CosineAnnealingLR(optimizer, tMax: tMax)
      for _ in 0..<tMax { schedule.step() }
      #expect(optimizer.lr >= 0 && optimizer.lr < 1e-15)
      for _ in 0..<tMax { schedule.step() }
      #expect(abs(optimizer.lr - 0.1) < 1e-12)
    }
  }

  @Test("one cycle ends where it is to end")
  func oneCycle() {
    let optimizer = Self.optimizer()
    let schedule = OneCycleLR(optimizer, maxLR: 1.0, totalSteps: 10)
    for _ in 0..<9 { schedule.step() }
    #expect(abs(optimizer.lr - 1 / 25e4) < 1e-18)
    schedule.step()
    #expect(abs(optimizer.lr - 1 / 25e4) < 1e-18)
    expectMistake("OneCycleLR: step 11 of 10") { schedule.step() }
    for share in [0.0, 0.1, 1] {
      let optimizer = Self.optimizer()
      let schedule = OneCycleLR(optimizer, maxLR: 1.0, totalSteps: 10, pctStart: share, threePhase: share == 0.1)
      for _ in 0..<10 {
        #expect(optimizer.lr > 0 && optimizer.lr <= 1)
        schedule.step()
      }
    }
  }

  @Test("a metric that is not a number is no improvement")
  func nanMetric() {
    let optimizer = Self.optimizer()
    let schedule = ReduceLROnPlateau(optimizer, patience: 1)
    for _ in 0..<2 { schedule.step(.nan) }
    #expect(schedule.best == .infinity && abs(optimizer.lr - 0.01) < 1e-15)
  }

  @Test("mistakes are named")
  func mistakes() {
    let optimizer = Self.optimizer()
    expectMistake("StepLR: stepSize = 0 is not 1 or more") { _ = StepLR(optimizer, stepSize: 0) }
    expectMistake("ExponentialLR: gamma = -1.0 is not 0 or more") { _ = ExponentialLR(optimizer, gamma: -1) }
    expectMistake("MultiStepLR: milestones [3, 2] do not ascend from 1 or more") {
      _ = MultiStepLR(optimizer, milestones: [3, 2])
    }
    expectMistake("ConstantLR: factor = 0.0 is not in 0...1 without 0") { _ = ConstantLR(optimizer, factor: 0) }
    expectMistake("LinearLR: endFactor = 1.5 is not in 0...1") { _ = LinearLR(optimizer, endFactor: 1.5) }
    expectMistake("PolynomialLR: totalIters = 0 is not 1 or more") { _ = PolynomialLR(optimizer, totalIters: 0) }
    expectMistake("CosineAnnealingLR: tMax = 0 is not 1 or more") { _ = CosineAnnealingLR(optimizer, tMax: 0) }
    expectMistake("CosineAnnealingWarmRestarts: tMult = 0 is not 1 or more") {
      _ = CosineAnnealingWarmRestarts(optimizer, t0: 2, tMult: 0)
    }
    expectMistake("LambdaLR: 2 functions for 1 groups") { _ = LambdaLR(optimizer, [{ _ in 1 }, { _ in 1 }]) }
    expectMistake("OneCycleLR: pctStart = 1.5 is not in 0...1") {
      _ = OneCycleLR(optimizer, maxLR: 0.1, totalSteps: 3, pctStart: 1.5)
    }
    expectMistake("OneCycleLR: maxLR has 2 values for 1 groups") { _ = OneCycleLR(optimizer, maxLR: [0.1, 0.2], totalSteps: 3) }
    expectMistake("CyclicLR: stepSizeUp = -1 is not 1 or more") {
      _ = CyclicLR(optimizer, baseLR: 0.1, maxLR: 0.2, stepSizeUp: -1, stepSizeDown: 3)
    }
    let plain = OptimizerTests.SignDescent([ParameterCell(Tensor([0.0]))], lr: 0.1)
    expectMistake("OneCycleLR: SignDescent has neither momentum nor beta1: set cycleMomentum to false") {
      _ = OneCycleLR(plain, maxLR: 0.1, totalSteps: 3)
    }
    expectMistake("ReduceLROnPlateau: factor = 1.0 is not in 0..<1") { _ = ReduceLROnPlateau(optimizer, factor: 1) }
    expectMistake("SequentialLR: 2 schedules need 1 milestones, not 2") {
      _ = SequentialLR(optimizer, [{ StepLR($0, stepSize: 1) }, { StepLR($0, stepSize: 1) }], milestones: [1, 2])
    }
    expectMistake("ChainedScheduler: there are no schedules") { _ = ChainedScheduler(optimizer, []) }
    expectMistake("ChainedScheduler: StepLR belongs to another optimizer") {
      let other = Self.optimizer()
      _ = ChainedScheduler(optimizer, [{ StepLR($0, stepSize: 1) }, { _ in StepLR(other, stepSize: 1) }])
    }
    let schedule = StepLR(optimizer, stepSize: 1)
    optimizer.add(ParameterGroup([ParameterCell(Tensor([1.0]))]))
    expectMistake("StepLR: knows 1 groups, the optimizer has 2: add groups before the schedule") { schedule.step() }
  }
}
