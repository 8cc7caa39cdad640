import Apus
import Foundation
import TestSupport
import Testing

/// A run with everything that has a state: pictures shifted and mirrored, convolution, batch norm, dropout, Adam, one-cycle, clipping, two
/// batches to an update, averages, early stopping.
private struct SmallRun {
  let trainer: Trainer
  let losses = LossRecorder()
  private let train: DataLoader<TensorDataset>
  private let test: DataLoader<TensorDataset>

  /// 7 batches make 4 updates in an epoch.
  static let updates = 4

  init(_ kind: Kind = .everything, seed: UInt64 = 1) {
    let generator = Generator(seed: seed)
    let model = Sequential {
      Conv2d(1, 4, kernelSize: 3, padding: 1, generator: generator)
      BatchNorm2d(4)
      ReLU()
      MaxPool2d(2)
      Dropout(0.3, generator: generator)
      Flatten()
      Linear(4 * 4 * 4, 3, generator: generator)
    }
    let optimizer = Adam(model.parameters(), lr: 0.01)
    trainer = Trainer(
      model, optimizer: optimizer, loss: { crossEntropy($0, $1) }, correct: correctClasses,
      metrics: [ClassificationScore(.f1, classes: 3)])
    trainer.generators = [generator]
    trainer.callbacks = [losses]
    trainer.accumulation = 2
    switch kind {
    case .everything:
      trainer.learningRates = .perStep(OneCycleLR(optimizer, maxLR: 0.02, totalSteps: 40))
      trainer.clip = .norm(0.5)
      trainer.average = ExponentialMovingAverage(model.parameters(), decay: 0.9)
      trainer.earlyStopping = EarlyStopping(patience: 5)
    case .mixedPrecision:
      trainer.precision = .float16
      trainer.scaler = GradScaler(growthInterval: 3)
      trainer.clip = .value(0.1)
      trainer.learningRates = .onPlateau(ReduceLROnPlateau(optimizer, patience: 0))
    }
    func pictures(_ count: Int, seed: UInt64) -> TensorDataset {
      TensorDataset(
        input: Tensor.randn([count, 1, 8, 8], generator: Generator(seed: seed)),
        target: Tensor(scalars: (0..<count).map { $0 % 3 }, shape: [count]))
    }
    train = DataLoader(
      pictures(26, seed: 2), batchSize: 4, shuffle: true, seed: 3,
      transform: Compose(RandomCrop(8, padding: 1), RandomHorizontalFlip()))
    test = DataLoader(pictures(9, seed: 4), batchSize: 4)
  }

  enum Kind: CaseIterable { case everything, mixedPrecision }

  /// Trains until `isOver` says so, or for three epochs.
  func fit(until isOver: @escaping (Trainer) -> Bool = { _ in false }) throws {
    trainer.shouldStop = { [unowned trainer] in isOver(trainer) }
    try trainer.fit(train, test: test, epochs: 3)
  }

  /// Everything there is, times aside.
  var outcome: [String: [UInt64]] {
    let checkpoint = trainer.checkpoint()
    var bits: [String: [UInt64]] = [:]
    func add(_ name: String, _ tensor: Tensor) { bits[name] = tensor.scalars(as: Double.self).map(\.bitPattern) }
    for (name, tensor) in checkpoint.model { add(name, tensor) }
    for (part, state) in checkpoint.parts {
      for (name, tensor) in state.tensors { add("\(part).\(name)", tensor) }
      for (name, number) in state.numbers { bits["\(part).\(name)"] = [number.bitPattern] }
    }
    bits["history"] = checkpoint.history.flatMap { [$0.loss.bitPattern] + $0.metrics.map(\.value.bitPattern) }
    bits["streams"] = checkpoint.generators.flatMap { [$0.seed, $0.stream, $0.offset] }
    bits["progress"] = [UInt64(checkpoint.step), UInt64(checkpoint.epoch), UInt64(checkpoint.batch)]
    return bits
  }
}

@Suite("Resume")
struct ResumeTests {
  @Test("interrupted after any step, and taken up from a file, a run ends in the same bits", arguments: SmallRun.Kind.allCases)
  private func everyStep(_ kind: SmallRun.Kind) throws {
    let whole = SmallRun(kind)
    try whole.fit()
    let folder = try TemporaryFolder()
    for step in 1..<3 * SmallRun.updates {
      let first = SmallRun(kind)
      try first.fit { $0.step == step }
      #expect(first.trainer.step == step)
      try first.trainer.checkpoint().write(to: folder.file("c"))
      // Made from another seed: all that matters comes from the file.
      let second = SmallRun(kind, seed: 77)
      try second.trainer.load(Checkpoint(folder.file("c")))
      try second.fit()
      #expect(second.outcome == whole.outcome, "after step \(step)")
      #expect(second.losses.trainLosses == whole.losses.trainLosses)
    }
  }

  @Test("interrupted in an evaluation, it is made again")
  func inEvaluation() throws {
    let whole = SmallRun()
    try whole.fit()
    let first = SmallRun()
    var asked = 0
    try first.fit { trainer in
      asked += trainer.step == 8 ? 1 : 0
      return asked == 3
    }
    #expect(first.trainer.history.last?.pass.split == .train && first.trainer.step == 8)
    let second = SmallRun(seed: 77)
    try second.trainer.load(first.trainer.checkpoint())
    try second.fit()
    #expect(second.outcome == whole.outcome)
  }

  @Test("stopped and called again, fit goes on")
  func inPlace() throws {
    let (whole, stopped) = (SmallRun(), SmallRun())
    try whole.fit()
    for step in [3, 5, 8] { try stopped.fit { $0.step == step } }
    try stopped.fit()
    #expect(stopped.outcome == whole.outcome)
    // All three epochs are done.
    try stopped.fit()
    #expect(stopped.outcome == whole.outcome)
  }

  @Test("a checkpoint that doesn't fit says why, and nothing is taken")
  func misfit() throws {
    let run = SmallRun()
    try run.fit { $0.step == 2 }
    let before = run.outcome
    let other = SmallRun(.mixedPrecision)
    try other.fit { $0.step == 1 }
    let error = #expect(throws: TrainingError.self) { try run.trainer.load(other.trainer.checkpoint()) }
    #expect("\(try #require(error))" == "the checkpoint belongs to another run: it has no part 'average'")
    var checkpoint = run.trainer.checkpoint()
    checkpoint.model["0.weight"] = Tensor.zeros([1])
    #expect(throws: StateDictError.self) { try run.trainer.load(checkpoint) }
    checkpoint = run.trainer.checkpoint()
    checkpoint.parts["optimizer"]?.numbers["groups.0.lr"] = nil
    checkpoint.model["0.weight"] = Tensor.zeros([4, 1, 3, 3])
    #expect(throws: OptimizerStateError.self) { try run.trainer.load(checkpoint) }
    checkpoint = run.trainer.checkpoint()
    checkpoint.generators = []
    #expect(throws: TrainingError.otherRun("it has 0 random streams, not 1")) { try run.trainer.load(checkpoint) }
    #expect(run.outcome == before)
    let loader = DataLoader(TensorDataset(input: Tensor.zeros([4, 1, 8, 8]), target: Tensor([0, 1, 2, 0])), batchSize: 2)
    #expect(throws: TrainingError.otherRun("its epochs have 7 batches, not 2")) { try run.trainer.fit(loader, epochs: 3) }
  }
}
