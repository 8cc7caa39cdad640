import ApusCore
import ApusNN
import ApusOptim
import Foundation
import TestSupport
import Testing

/// Every schedule, against PyTorch: `Tests/Golden/make_schedule_golden.py` wrote the rates.
@Suite("schedules' golden values")
struct ScheduleGoldenTests {
  struct Case: Decodable {
    let name: String
    let lrs: [[Double]]
    let momenta: [Double]?
  }

  static func load() throws -> [String: Case] {
    struct File: Decodable { let cases: [Case] }
    let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    let data = try Data(contentsOf: tests.appendingPathComponent("Golden/schedules.json"))
    let cases = try JSONDecoder().decode(File.self, from: data).cases
    return Dictionary(uniqueKeysWithValues: cases.map { ($0.name, $0) })
  }

  static func optimizer(_ lrs: [Double], isAdam: Bool = false) -> Optimizer {
    let groups = lrs.map { ParameterGroup([ParameterCell(Tensor([0.0]))], [.lr: $0]) }
    return isAdam ? Adam(groups) : SGD(groups, momentum: 0.5)
  }

  static let makers: [(name: String, lrs: [Double], isAdam: Bool, make: @Sendable (Optimizer) -> Schedule)] = [
    ("StepLR", [0.1, 0.02], false, { StepLR($0, stepSize: 7, gamma: 0.3) }),
    ("MultiStepLR", [0.1], false, { MultiStepLR($0, milestones: [3, 4, 20], gamma: 0.5) }),
    ("ExponentialLR", [0.1], false, { ExponentialLR($0, gamma: 0.93) }),
    ("LambdaLR", [0.1, 0.02], false, { LambdaLR($0, [{ 1 / Double(1 + $0) }, { pow(0.5, Double($0)) }]) }),
    ("ConstantLR", [0.1], false, { ConstantLR($0, factor: 0.25, totalIters: 6) }),
    ("LinearLR", [0.1, 0.02], false, { LinearLR($0, startFactor: 0.1, totalIters: 12) }),
    ("LinearLR down", [0.1], false, { LinearLR($0, startFactor: 1, endFactor: 0, totalIters: 8) }),
    ("PolynomialLR", [0.1], false, { PolynomialLR($0, totalIters: 20, power: 1.7) }),
    ("CosineAnnealingLR", [0.1, 0.02], false, { CosineAnnealingLR($0, tMax: 25, etaMin: 0.001) }),
    (
      "CosineAnnealingWarmRestarts", [0.1], false,
      { CosineAnnealingWarmRestarts($0, t0: 5, tMult: 2, etaMin: 0.001) }
    ),
    ("CosineAnnealingWarmRestarts alike", [0.1, 0.02], false, { CosineAnnealingWarmRestarts($0, t0: 6) }),
    ("OneCycleLR", [0.1, 0.02], false, { OneCycleLR($0, maxLR: [0.5, 0.2], totalSteps: 100) }),
    (
      "OneCycleLR linear", [0.1], true,
      {
        OneCycleLR(
          $0, maxLR: 0.5, totalSteps: 50, pctStart: 0.25, anneal: .linear, baseMomentum: 0.7, maxMomentum: 0.9, divFactor: 10,
          finalDivFactor: 100)
      }
    ),
    (
      "OneCycleLR in three phases", [0.1], false,
      { OneCycleLR($0, maxLR: 0.5, totalSteps: 60, pctStart: 0.4, threePhase: true) }
    ),
    ("CyclicLR", [0.1], false, { CyclicLR($0, baseLR: 0.01, maxLR: 0.2, stepSizeUp: 5, stepSizeDown: 8) }),
    (
      "CyclicLR triangular2", [0.1, 0.02], true,
      { CyclicLR($0, baseLR: [0.01, 0.02], maxLR: [0.2, 0.3], stepSizeUp: 4, mode: .triangular2) }
    ),
    (
      "CyclicLR expRange", [0.1], false,
      { CyclicLR($0, baseLR: 0.01, maxLR: 0.2, stepSizeUp: 4, mode: .expRange(gamma: 0.95), cycleMomentum: false) }
    ),
    (
      "SequentialLR", [0.1, 0.02], false,
      {
        SequentialLR(
          $0,
          [
            { ConstantLR($0, factor: 0.1, totalIters: 3) }, { LambdaLR($0) { 1 / Double(1 + $0) } },
            { ExponentialLR($0, gamma: 0.9) },
          ], milestones: [5, 11])
      }
    ),
    (
      "warm-up", [0.1, 0.02], false,
      { SequentialLR($0, warmup: 8, startFactor: 0.1) { CosineAnnealingLR($0, tMax: 40, etaMin: 1e-4) } }
    ),
    (
      "ChainedScheduler", [0.1, 0.02], false,
      { ChainedScheduler($0, [{ ConstantLR($0, factor: 0.1, totalIters: 4) }, { ExponentialLR($0, gamma: 0.9) }]) }
    ),
    (
      "ChainedScheduler with a cosine", [0.1], false,
      { ChainedScheduler($0, [{ CosineAnnealingLR($0, tMax: 8) }, { StepLR($0, stepSize: 5, gamma: 0.5) }]) }
    ),
  ]

  /// The golden values have 12 digits; where a rate is to be 0, rounding leaves some 1e-18.
  static func isClose(_ x: Double, _ y: Double) -> Bool { abs(x - y) <= 1e-10 * abs(y) + 1e-16 }

  @Test("rates and momenta of every step", arguments: makers.indices)
  func steps(index: Int) throws {
    let (name, lrs, isAdam, make) = Self.makers[index]
    let golden = try #require(Self.load()[name])
    let optimizer = Self.optimizer(lrs, isAdam: isAdam)
    let schedule = make(optimizer)
    #expect(golden.lrs.count == lrs.count && golden.lrs[0].count > 10)
    for step in golden.lrs[0].indices {
      if step > 0 { schedule.step() }
      #expect(schedule.stepCount == step && schedule.lastLRs == optimizer.groups.map(\.lr))
      for (group, expected) in zip(optimizer.groups, golden.lrs) {
        #expect(Self.isClose(group.lr, expected[step]), "\(name), step \(step): \(group.lr) instead of \(expected[step])")
      }
      if let momentum = golden.momenta?[step] {
        let found = optimizer.groups[0][isAdam ? .beta1 : .momentum]
        #expect(Self.isClose(found, momentum), "\(name), step \(step): momentum \(found) instead of \(momentum)")
      }
    }
  }

  /// The same as in the script.
  static func metric(_ step: Int) -> Double {
    step < 8 ? 8 / Double(step) : 1 + Double(step * 7 % 5) / 64 - Double(step / 40) / 8
  }

  @Test("plateaus")
  func plateaus() throws {
    let makers: [(String, (Optimizer) -> ReduceLROnPlateau)] = [
      ("ReduceLROnPlateau", { ReduceLROnPlateau($0, factor: 0.5, patience: 3, cooldown: 2) }),
      (
        "ReduceLROnPlateau max",
        {
          ReduceLROnPlateau(
            $0, mode: .max, factor: 0.3, patience: 2, threshold: 0.05, thresholdMode: .absolute, minLR: [0.001, 0.002])
        }
      ),
    ]
    for (name, make) in makers {
      let golden = try #require(Self.load()[name])
      let optimizer = Self.optimizer([0.1, 0.02])
      let schedule = make(optimizer)
      for step in 1..<golden.lrs[0].count {
        schedule.step(Self.metric(step))
        for (group, expected) in zip(optimizer.groups, golden.lrs) {
          #expect(Self.isClose(group.lr, expected[step]), "\(name), step \(step): \(group.lr) instead of \(expected[step])")
        }
      }
      #expect(optimizer.lr < 0.1)
    }
  }

  @Test("every golden case is used")
  func complete() throws {
    let names = Self.makers.map(\.name) + ["ReduceLROnPlateau", "ReduceLROnPlateau max"]
    #expect(try Set(Self.load().keys) == Set(names))
  }
}
