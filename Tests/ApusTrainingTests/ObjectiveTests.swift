import Apus
import Foundation
import TestSupport
import Testing

/// Two networks that learn from each other: one moves noise to where the data is, the other tells the two apart.
private final class Rivals: Module {
  let maker: Linear
  let judge: Sequential

  init(seed: UInt64) {
    let generator = Generator(seed: seed)
    maker = Linear(2, 2, generator: generator)
    judge = Sequential([Linear(2, 8, generator: generator), Tanh(), Linear(8, 1, generator: generator)])
  }

  func verdict(_ x: Tensor, isTrue: Double) -> Tensor {
    let y = judge(x)
    return binaryCrossEntropyWithLogits(y, Tensor.fullLike(y, isTrue))
  }
}

private struct RivalRun {
  let trainer: Trainer
  let losses = LossRecorder()
  let noise: Generator
  private static let data = TensorDataset(
    input: Tensor.randn([20, 2], generator: Generator(seed: 3)) * 0.3 + 2, target: Tensor.zeros([20], dtype: .int64))

  init(seed: UInt64 = 1) {
    let (rivals, noise) = (Rivals(seed: seed), Generator(seed: seed))
    self.noise = noise
    func made(_ batch: Batch) -> Tensor { rivals.maker(Tensor.randn([batch.count, 2], generator: noise)) }
    trainer = Trainer(
      rivals,
      [
        Objective("judge", Adam(rivals.judge.parameters(), lr: 0.05)) { batch in
          let (true_, false_) = (rivals.verdict(batch.input, isTrue: 1), rivals.verdict(made(batch).detach(), isTrue: 0))
          return Outcome(loss: true_ + false_, parts: [("seen_through", false_)])
        },
        Objective("maker", SGD(rivals.maker.parameters(), lr: 0.05, momentum: 0.5)) { batch in
          Outcome(loss: rivals.verdict(made(batch), isTrue: 1))
        },
      ])
    trainer.generators = [noise]
    trainer.callbacks = [losses]
  }

  func fit(until step: Int = .max, epochs: Int = 3) throws {
    trainer.shouldStop = { [unowned trainer] in trainer.step == step }
    try trainer.fit(
      DataLoader(Self.data, batchSize: 8, shuffle: true, seed: 5), test: DataLoader(Self.data, batchSize: 8), epochs: epochs)
  }

  var parameters: [Float] { trainer.model.parameters().flatMap { $0.value.scalars(as: Float.self) } }
}

@Suite("Trainer: objectives")
struct ObjectiveTests {
  @Test("two networks learn in turns, each with its optimizer; both losses and their parts are reported")
  func turns() throws {
    let run = RivalRun()
    let start = run.parameters
    try run.fit()
    #expect(zip(start, run.parameters).allSatisfy { $0 != $1 })
    for pass in run.trainer.history {
      #expect(pass.metrics.map(\.name) == ["judge_loss", "maker_loss", "seen_through"])
      let parts = try ["judge_loss", "maker_loss"].map { try #require(pass[$0]) }
      let seenThrough = try #require(pass["seen_through"])
      #expect(abs(pass.loss - parts[0] - parts[1]) < 1e-9 && parts[0] > seenThrough)
    }
    #expect(run.losses.curve(title: "Rivals").series.map(\.name) == ["judge", "maker"])
    #expect(run.losses.curve(title: "Rivals").series.allSatisfy { $0.x.count == 9 && $0.y.count == 9 })
  }

  @Test("the maker comes to where the data is")
  func learns() throws {
    let run = RivalRun()
    try run.fit(epochs: 150)
    let rivals = try #require(run.trainer.model as? Rivals)
    let mean = noGrad { rivals.maker(Tensor.randn([500, 2], generator: Generator(seed: 9))).mean(dim: 0) }.scalars(
      as: Double.self)
    #expect(mean.allSatisfy { abs($0 - 2) < 0.7 }, "\(mean)")
  }

  @Test("interrupted after any step and taken up from a file, both end in the same bits")
  func resume() throws {
    let whole = RivalRun()
    try whole.fit()
    let folder = try TemporaryFolder()
    for step in 1..<9 {
      let first = RivalRun()
      try first.fit(until: step)
      try first.trainer.checkpoint().write(to: folder.file("c"))
      let second = RivalRun(seed: 77)
      try second.trainer.load(Checkpoint(folder.file("c")))
      try second.fit()
      #expect(second.parameters == whole.parameters, "after step \(step)")
      #expect(second.trainer.history.map(\.metrics) == whole.trainer.history.map(\.metrics))
      #expect(second.losses.curve(title: "").series.map(\.y) == whole.losses.curve(title: "").series.map(\.y))
    }
  }

  @Test("the loss of one objective that isn't finite stops the run before its update")
  func notFinite() throws {
    let layer = Linear(2, 2)
    let trainer = Trainer(
      layer,
      [
        Objective("a", SGD(layer.parameters(), lr: 0.1)) { Outcome(loss: layer($0.input).square().mean()) },
        Objective("b", SGD(layer.parameters(), lr: 0.1)) { _ in Outcome(loss: Tensor(Float.nan)) },
      ])
    let loader = DataLoader(TensorDataset(input: .ones([4, 2]), target: .zeros([4])), batchSize: 2)
    let error = #expect(throws: TrainingError.self) { try trainer.fit(loader, epochs: 1) }
    #expect("\(try #require(error))".hasPrefix("the loss is NaN at step 1"))
  }

  @Test("gradients flow to what an objective changes alone, also where they are added up over batches")
  func apart() throws {
    func trained(alone: Bool) throws -> (first: [Float], second: [Float]) {
      let generator = Generator(seed: 4)
      let (first, second) = (Linear(2, 2, generator: generator), Linear(2, 2, generator: generator))
      second.$bias.requiresGrad = false
      let objectives = [
        Objective("first", SGD(first.parameters(), lr: 0.1)) { Outcome(loss: first($0.input).square().mean()) },
        Objective("second", SGD(second.parameters(), lr: 0.1)) { batch in
          let y = second(first(batch.input))
          #expect(!first.weight.requiresGrad && second.weight.requiresGrad)
          return Outcome(loss: (100 * y).square().mean())
        },
      ]
      let trainer = Trainer(ModuleList<Module>([first, second]), alone ? [objectives[0]] : objectives)
      trainer.accumulation = 2
      let x = Tensor.randn([8, 2], generator: Generator(seed: 5))
      try trainer.fit(DataLoader(TensorDataset(input: x, target: x), batchSize: 2), epochs: 1)
      #expect(first.weight.requiresGrad && !second.$bias.requiresGrad && trainer.step == 2)
      return (first.weight.scalars(as: Float.self), second.weight.scalars(as: Float.self))
    }
    let (both, one) = (try trained(alone: false), try trained(alone: true))
    #expect(both.first == one.first && both.second != one.second)
  }

  @Test("a schedule for each optimizer, and a run that goes on with both")
  func schedules() throws {
    func run() -> RivalRun {
      let run = RivalRun()
      run.trainer.learningRates = .each(
        run.trainer.objectives.enumerated().map { i, objective in
          .perStep(ExponentialLR(objective.optimizer, gamma: i == 0 ? 0.5 : 0.9))
        })
      return run
    }
    func rates(_ run: RivalRun) -> [Double] { run.trainer.objectives.map(\.optimizer.lr) }
    let whole = run()
    try whole.fit(epochs: 1)
    for (rate, expected) in zip(rates(whole), [0.05 * 0.125, 0.05 * 0.729]) { #expect(abs(rate - expected) < 1e-12) }
    let first = run()
    try first.fit(until: 2, epochs: 1)
    let second = run()
    try second.trainer.load(first.trainer.checkpoint())
    try second.fit(epochs: 1)
    #expect(rates(second) == rates(whole) && second.parameters == whole.parameters)
  }

  @Test("a goal may be a loss or a part of one")
  func options() throws {
    for goal in ["maker_loss", "loss"] {
      let run = RivalRun()
      run.trainer.goal = .lowest(goal)
      try run.fit(epochs: 1)
    }
    let run = RivalRun()
    run.trainer.goal = .lowest("judges")
    #expect(throws: TrainingError.noSuchMetric("judges", measured: ["loss", "judge_loss", "maker_loss"])) { try run.fit() }
    expectMistake("Trainer: objectives [\"\", \"\"]: at least one, and names of their own where there are several") {
      let layer = Linear(1, 1)
      let objective = Objective("", SGD(layer.parameters(), lr: 1)) { _ in Outcome(loss: Tensor(0)) }
      _ = Trainer(layer, [objective, objective])
    }
  }
}

/// A recurrent network that reads one long series, 5 values at a time.
private struct SeriesRun {
  let trainer: Trainer
  private static let data: TensorDataset = {
    let values = (Tensor.arange(61, dtype: .float32) / 5).sin()
    return TensorDataset(input: values[0..<60].reshape(12, 5, 1), target: values[1..<61].reshape(12, 5, 1))
  }()

  init(seed: UInt64 = 1, carries: Bool = true) {
    let generator = Generator(seed: seed)
    let (rnn, head) = (RNN(1, 6, batchFirst: true, generator: generator), Linear(6, 1, generator: generator))
    let (model, state) = (ModuleList<Module>([rnn, head]), CarriedState())
    let objective = Objective(Adam(model.parameters(), lr: 0.01)) { batch in
      let (y, h) = rnn(batch.input, carries ? state.tensors(isTraining: rnn.isTraining).first : nil)
      state.carry([h], isTraining: rnn.isTraining)
      let output = head(y)
      return Outcome(loss: mseLoss(output, batch.target), output: output)
    }
    trainer = Trainer(model, [objective])
    trainer.callbacks = [state]
  }

  func fit(until step: Int = .max) throws {
    trainer.shouldStop = { [unowned trainer] in trainer.step == step }
    let loader = DataLoader(Self.data, batchSize: 1)
    try trainer.fit(loader, test: loader, epochs: 2)
  }

  var parameters: [Float] { trainer.model.parameters().flatMap { $0.value.scalars(as: Float.self) } }
}

@Suite("Trainer: truncated back-propagation")
struct CarriedStateTests {
  @Test("the state goes on from batch to batch, and into a checkpoint")
  func resume() throws {
    let whole = SeriesRun()
    try whole.fit()
    let forgetful = SeriesRun(carries: false)
    try forgetful.fit()
    #expect(whole.parameters != forgetful.parameters)
    let folder = try TemporaryFolder()
    for step in [1, 5, 11, 12, 13, 20] {
      let first = SeriesRun()
      try first.fit(until: step)
      try first.trainer.checkpoint().write(to: folder.file("c"))
      let second = SeriesRun(seed: 9)
      try second.trainer.load(Checkpoint(folder.file("c")))
      try second.fit()
      #expect(second.parameters == whole.parameters, "after step \(step)")
    }
  }

  @Test("an evaluation begins without a state and leaves that of the training alone")
  func evaluation() throws {
    let state = CarriedState()
    state.carry([Tensor.ones([1])], isTraining: true)
    state.carry([Tensor.zeros([1])], isTraining: false)
    let loader = DataLoader(TensorDataset(input: .ones([2, 1]), target: .ones([2, 1])), batchSize: 1)
    let layer = Linear(1, 1)
    let trainer = Trainer(layer, optimizer: SGD(layer.parameters(), lr: 0.1), loss: { mseLoss($0, $1) })
    trainer.callbacks = [state]
    try trainer.fit(loader, test: loader, epochs: 1)
    #expect(state.tensors(isTraining: false).isEmpty && state.tensors(isTraining: true).isEmpty)
  }
}
