import Apus
import Foundation
import TestSupport
import Testing

@Suite("Trainer: options")
struct TrainerOptionTests {
  private static let x = Tensor.randn([24, 3], generator: Generator(seed: 5))
  private static let y = (x.sum(dim: 1) .> 0).to(.int64)

  private static func trainer(lr: Double = 0.05, optimizer: (([ParameterCell]) -> Optimizer)? = nil) -> Trainer {
    let model = Sequential([Linear(3, 8, generator: Generator(seed: 1)), Tanh(), Linear(8, 2, generator: Generator(seed: 2))])
    return Trainer(
      model, optimizer: optimizer?(model.parameters()) ?? SGD(model.parameters(), lr: lr), loss: { crossEntropy($0, $1) },
      correct: correctClasses)
  }

  private static func loader(_ batchSize: Int) -> DataLoader<TensorDataset> {
    DataLoader(TensorDataset(input: x, target: y), batchSize: batchSize)
  }

  private static func weights(_ trainer: Trainer) -> Tensor { trainer.model.stateDict()["0.weight"]! }

  @Test("three batches of 8 to an update are one batch of 24; a rest of two counts as their mean")
  func accumulation() throws {
    let (parts, whole) = (Self.trainer(), Self.trainer())
    parts.accumulation = 3
    try parts.fit(Self.loader(8), epochs: 2)
    try whole.fit(Self.loader(24), epochs: 2)
    #expect(parts.step == 2)
    expectClose(Self.weights(parts), Self.weights(whole))

    let (five, halves) = (Self.trainer(), Self.trainer())
    five.accumulation = 2
    try five.fit(Self.loader(8), epochs: 1)
    try halves.fit(DataLoader(TensorDataset(input: Self.x[0..<16], target: Self.y[0..<16]), batchSize: 16), epochs: 1)
    try halves.fit(
      DataLoader(TensorDataset(input: Self.x[16..<24], target: Self.y[16..<24]), batchSize: 16), epochs: 2)
    #expect(five.step == 2)
    expectClose(Self.weights(five), Self.weights(halves))
  }

  @Test("clipping bounds the step", arguments: [GradientClip.norm(1e-3), .value(1e-4)])
  func clipping(_ clip: GradientClip) throws {
    let trainer = Self.trainer(lr: 1)
    let before = trainer.model.stateDict()
    trainer.clip = clip
    try trainer.fit(Self.loader(24), epochs: 1)
    let change = trainer.model.stateDict().map { ($0.tensor - before[$0.name]!).square().sum().item() }.reduce(0, +).squareRoot()
    #expect(change > 0 && change < 1.01e-3)
  }

  @Test("mixed precision learns, with a scaler in float16", arguments: [DType.bfloat16, .float16])
  func precision(_ dtype: DType) throws {
    let trainer = Self.trainer(optimizer: { Adam($0, lr: 0.05) })
    trainer.precision = dtype
    if dtype == .float16 { trainer.scaler = GradScaler() }
    var seen: DType?
    let measured = Mean("x") { output, _ in
      seen = output.dtype
      return output.sum()
    }
    let watcher = Trainer(trainer.model, trainer.objectives, metrics: [measured])
    watcher.precision = dtype
    try trainer.fit(Self.loader(8), epochs: 40)
    #expect(try #require(trainer.history.last?.accuracy) > 0.9)
    #expect(trainer.model.parameters().allSatisfy { $0.dtype == .float32 })
    _ = try watcher.evaluate(Self.loader(8))
    #expect(seen == dtype)
  }

  @Test("schedules: after each update, after each epoch, on a plateau")
  func schedules() throws {
    let perStep = Self.trainer()
    perStep.learningRates = .perStep(StepLR(perStep.optimizer, stepSize: 2, gamma: 0.5))
    try perStep.fit(Self.loader(8), epochs: 2)
    #expect(perStep.optimizer.lr == 0.05 / 8)
    let perEpoch = Self.trainer()
    perEpoch.learningRates = .perEpoch(StepLR(perEpoch.optimizer, stepSize: 2, gamma: 0.5))
    try perEpoch.fit(Self.loader(8), epochs: 4)
    #expect(perEpoch.optimizer.lr == 0.05 / 4)
    let plateau = Self.trainer(lr: 0)
    plateau.optimizer.lr = 1e-30
    plateau.learningRates = .onPlateau(ReduceLROnPlateau(plateau.optimizer, patience: 1, eps: 0))
    try plateau.fit(Self.loader(8), epochs: 3)
    #expect(plateau.optimizer.lr == 1e-30 * 0.1)
  }

  @Test("early stopping: after so many epochs without an improvement")
  func earlyStopping() throws {
    let trainer = Self.trainer(lr: 0)
    trainer.earlyStopping = EarlyStopping(patience: 2)
    #expect(try trainer.fit(Self.loader(8), test: Self.loader(24), epochs: 50))
    #expect(trainer.isOverEarly && trainer.history.count == 2 * 4)
    let improving = Self.trainer()
    improving.earlyStopping = EarlyStopping(patience: 0)
    improving.goal = .lowest("loss")
    try improving.fit(Self.loader(8), epochs: 3)
    #expect(!improving.isOverEarly && improving.epoch == 4)
  }

  @Test("no batch to an update is a mistake")
  func noAccumulation() {
    expectMistake("Trainer: accumulation = 0 is not 1 or more") { Self.trainer().accumulation = 0 }
  }

  @Test("a goal that isn't measured is an error")
  func goal() throws {
    let trainer = Self.trainer()
    trainer.goal = .highest("f1")
    let error = #expect(throws: TrainingError.self) { try trainer.fit(Self.loader(8), epochs: 1) }
    #expect("\(try #require(error))" == "there is no metric 'f1'; there are: loss, accuracy")
  }

  @Test("evaluations are made with the averages, training goes on with the parameters")
  func average() throws {
    let (trainer, plain) = (Self.trainer(), Self.trainer())
    trainer.average = ExponentialMovingAverage(trainer.model.parameters(), decay: 0.5)
    for trainer in [trainer, plain] { try trainer.fit(Self.loader(8), test: Self.loader(24), epochs: 2) }
    #expect(Self.weights(trainer).scalars(as: Float.self) == Self.weights(plain).scalars(as: Float.self))
    #expect(trainer.history[1].loss != plain.history[1].loss)
    let averaged = crossEntropy(try trainer.predict(Self.x), Self.y).item()
    #expect(trainer.history[3].loss == averaged)
  }

  @Test("a loss that isn't finite names the last good checkpoint")
  func notFinite() throws {
    let folder = try TemporaryFolder()
    let trainer = Self.trainer()
    trainer.checkpoints = CheckpointFolder(folder.path)
    try trainer.fit(Self.loader(8), epochs: 1)
    trainer.optimizer.lr = 1e38
    let error = #expect(throws: TrainingError.self) { try trainer.fit(Self.loader(8), epochs: 5) }
    let text = "\(try #require(error))"
    #expect(text.contains("at step ") && text.contains("batch "))
    #expect(text.hasSuffix("; the last good checkpoint is \(folder.path)/step-00000003.safetensors"))
  }

  @Test("three lines for data in tensors")
  func tensors() throws {
    let trainer = Self.trainer(optimizer: { Adam($0, lr: 0.05) })
    let history = try trainer.fit(Self.x, Self.y, validation: (Self.x, Self.y), epochs: 20, batchSize: 8, seed: 1)
    #expect(history.count == 40)
    let result = try trainer.evaluate(Self.x, Self.y, batchSize: 7)
    #expect(try #require(result.accuracy) > 0.9 && result.sampleCount == 24)
    #expect(trainer.history.count == 40)
    let output = try trainer.predict(Self.x, batchSize: 5)
    #expect(output.shape == [24, 2] && !output.requiresGrad)
    #expect(correctClasses(output, Self.y) == Int((result.accuracy! * 24).rounded()))
    #expect(throws: TensorError.self) { try trainer.predict(Self.x[0..<0]) }
    #expect(throws: TrainingError.noBatches(.test)) { try trainer.evaluate(Self.x[0..<0], Self.y[0..<0]) }
  }
}
