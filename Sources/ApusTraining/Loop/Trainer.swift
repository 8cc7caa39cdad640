import ApusCore
import ApusData
import ApusNN
import ApusOptim

/// Trains a model: forward, loss, backward, update, batch after batch and epoch after epoch, with an evaluation after each.
///
/// ```swift
/// let trainer = Trainer(model, optimizer: Adam(model.parameters(), lr: 1e-3), correct: correctClasses)
/// try trainer.fit(trainLoader, test: testLoader, epochs: 5)
/// print(trainer.history.last!.accuracy!)
/// ```
///
/// A model with one output and one loss is the usual case; whatever else there is to learn is said by objectives (`Objective`).
///
/// The loop is `fit` with `trainPass` and `learn`, below; everything else judges or reports. What happens around it (bars, logs) is the
/// business of `callbacks`.
///
/// The same model, seed and data give the same history, times aside, whatever the number of threads, and however often the run was
/// interrupted and resumed: see `checkpoint()`.
public final class Trainer {
  /// What is saved: all networks that learn.
  public let model: Module
  /// The losses of a step with their optimizers, in the order in which they take their turns; mostly one.
  public let objectives: [Objective]
  /// What is measured besides; each pass begins with fresh copies.
  public let metrics: [any Metric]

  // MARK: How to train

  /// Batches whose gradients are added up for one update; the loss counts as their mean.
  public var accumulation = 1 {
    didSet {
      if !check(accumulation > 0, .value, "Trainer", "accumulation = \(accumulation) is not 1 or more") { accumulation = 1 }
    }
  }
  /// What is done to the gradients before each update.
  public var clip: GradientClip?
  /// Mixed precision: the dtype that `autocast` computes in; nil for none.
  public var precision: DType?
  /// For `precision` float16.
  public var scaler: GradScaler?
  /// A schedule, with when it takes its steps.
  public var learningRates: LearningRatePlan?
  /// Takes in the parameters after each update; evaluations are made with the averages in their place.
  public var average: WeightAverage?
  /// What a good model is: decides which checkpoint is the best, and when early stopping ends the run.
  public var goal = Goal.lowest("loss")
  /// Ends the run when the goal doesn't come nearer any more.
  public var earlyStopping: EarlyStopping?

  // MARK: What happens around it

  /// Are told of passes and batches.
  public var callbacks: [any TrainingCallback] = []
  /// Asked after each update, and after each batch of an evaluation: true ends `fit` there, with everything in a state that can be saved.
  public var shouldStop: () -> Bool = { false }
  /// Where a checkpoint is written after each epoch and when the run is stopped.
  public var checkpoints: CheckpointFolder?
  /// A checkpoint is written after so many updates besides.
  public var checkpointInterval: Int?
  /// Goes into each checkpoint: whatever is needed to make model and optimizer again.
  public var config = ""
  /// The random streams that model and data use: those of layers that were given one of their own belong here too.
  public var generators = [Generator.default]

  /// The results of all passes so far.
  public internal(set) var history: [PassResult] = []
  var progress = Progress()
  /// Of the training pass that isn't over.
  var meter: Meter?
  /// In that pass.
  var batchCount = 0

  /// - Parameters:
  ///   - model: from samples `[batch, …]` to outputs.
  ///   - optimizer: of the model's parameters.
  ///   - loss: the mean loss of a batch.
  ///   - correct: how many samples of a batch were answered correctly: the metric `accuracy`.
  ///   - metrics: what is measured in each pass.
  public convenience init(
    _ model: any Layer, optimizer: Optimizer, loss: @escaping (_ output: Tensor, _ target: Tensor) -> Tensor,
    correct: ((_ output: Tensor, _ target: Tensor) -> Int)? = nil, metrics: [any Metric] = []
  ) {
    let objective = Objective(optimizer) { batch in
      let output = model(batch.input)
      return Outcome(loss: loss(output, batch.target), output: output)
    }
    self.init(model, [objective], metrics: (correct.map { [Accuracy($0)] } ?? []) + metrics)
  }

  /// A trainer for what isn't one loss of one output: several networks, several losses, a loss of several parts.
  ///
  /// - Parameters:
  ///   - model: everything that learns.
  ///   - objectives: at least one; with several, each has a name.
  ///   - metrics: what is measured in each pass of the outputs; for models that have some.
  public init(_ model: Module, _ objectives: [Objective], metrics: [any Metric] = []) {
    let names = objectives.map(\.name)
    _ = check(
      !names.isEmpty && Set(names).count == names.count && (names.count == 1 || !names.contains("")), .value, "Trainer",
      "objectives \(names): at least one, and names of their own where there are several")
    (self.model, self.objectives, self.metrics) = (model, objectives, metrics)
  }

  /// Of the first objective: what schedules turn and reports show.
  public var optimizer: Optimizer { objectives[0].optimizer }

  /// Updates so far.
  public var step: Int { progress.step }

  /// The epoch that is on or comes next, from 1 on.
  public var epoch: Int { progress.epoch }

  /// Whether `earlyStopping` has ended the run.
  public var isOverEarly: Bool { earlyStopping?.isOver ?? false }
}

// MARK: - The loop

extension Trainer {
  /// Goes through `train` until `epochs` are done in all, evaluating on `test` after each. Called again after a stop, or after
  /// `load(_:)`, it goes on where it was.
  ///
  /// - Parameters:
  ///   - train: what the model learns from.
  ///   - test: what it is judged by; where nil, the training pass itself is what the goal is measured by.
  ///   - epochs: in all, those of earlier calls included.
  /// - Returns: false where `shouldStop` ended it early.
  /// - Throws: `TrainingError` for a loss that isn't finite, a loader without batches or a checkpoint that cannot be written,
  ///   `TensorError` for a mistake in the model or memory that cannot be had, and what the data sets throw.
  @discardableResult
  public func fit<Train: Dataset, Test: Dataset>(
    _ train: DataLoader<Train>, test: DataLoader<Test>?, epochs: Int
  ) throws -> Bool where Train.Batched == Batch, Test.Batched == Batch {
    try checkOptions()
    history.removeAll { !$0.isComplete }
    while progress.epoch <= epochs, !isOverEarly {
      let trained = try progress.isTrained || trainPass(Pass(epoch: epoch, of: epochs, .train, batches: train.count), train)
      let judged =
        try trained && test.map { try testPass(Pass(epoch: epoch, of: epochs, .test, batches: $0.count), $0) } ?? true
      guard trained, judged else {
        try save()
        return false
      }
      try endEpoch()
    }
    return true
  }

  /// The same without an evaluation.
  @discardableResult
  public func fit<Train: Dataset>(_ train: DataLoader<Train>, epochs: Int) throws -> Bool where Train.Batched == Batch {
    try fit(train, test: nil as DataLoader<Train>?, epochs: epochs)
  }

  /// One epoch of training, or the rest of one.
  ///
  /// - Returns: false where it was stopped.
  private func trainPass<Data: Dataset>(_ pass: Pass, _ loader: DataLoader<Data>) throws -> Bool where Data.Batched == Batch {
    try begin(pass)
    var meter = try resumedMeter(pass) ?? Meter(metrics)
    model.train()
    let batches = loader.batches(epoch: pass.epoch - 1, from: meter.batches)
    var isStopped = false
    while !isStopped, let batch = try meter.waiting(for: batches.nextBatch) {
      try catching { try learn(batch, pass, &meter) }
      report(meter, pass)
      // Between two updates there are gradients, which no checkpoint holds.
      if meter.batches % accumulation != 0, meter.batches < pass.batchCount { continue }
      progress.isTrained = meter.batches == pass.batchCount
      self.meter = progress.isTrained ? nil : meter
      isStopped = shouldStop()
      if !isStopped, !progress.isTrained, isCheckpointDue { try save() }
    }
    end(pass, meter)
    return !isStopped
  }

  /// What happens with a batch; with the last of a few that are taken together, an update.
  private func learn(_ batch: Batch, _ pass: Pass, _ meter: inout Meter) throws {
    let first = meter.batches / accumulation * accumulation
    let last = min(first + accumulation, pass.batchCount) - 1
    var outcomes: [Outcome] = []
    for objective in objectives {
      if meter.batches == first { objective.optimizer.zeroGrad() }
      let outcome = forward(batch, objective)
      let value = outcome.loss.item()
      guard value.isFinite else {
        throw TrainingError.lossNotFinite(
          value, step: step + 1, epoch: pass.epoch, batch: meter.batches + 1, of: pass.batchCount,
          checkpoint: checkpoints?.lastGood)
      }
      let share = last == first ? outcome.loss : outcome.loss / Double(last - first + 1)
      (scaler?.scale(share) ?? share).backward()
      if meter.batches == last { update(objective.optimizer) }
      outcomes.append(outcome)
    }
    if meter.batches == last { endStep() }
    measure(outcomes, batch, &meter)
    tell(outcomes, batch, pass)
  }

  func forward(_ batch: Batch, _ objective: Objective) -> Outcome {
    ParameterCell.withoutGradients(parameters(besides: objective)) {
      precision.map { autocast(to: $0) { objective.outcome(of: batch) } } ?? objective.outcome(of: batch)
    }
  }

  /// What the other objectives change and this one does not.
  private func parameters(besides objective: Objective) -> [ParameterCell] {
    guard objectives.count > 1 else { return [] }
    let own = Set(objective.optimizer.parameters.map(ObjectIdentifier.init))
    return objectives.flatMap(\.optimizer.parameters).filter { !own.contains(ObjectIdentifier($0)) }
  }

  private func update(_ optimizer: Optimizer) {
    if let clip {
      scaler?.unscale(optimizer)
      clip.apply(to: optimizer)
    }
    if let scaler { scaler.step(optimizer) } else { optimizer.step() }
  }

  private func endStep() {
    scaler?.update()
    average?.update()
    learningRates?.stepEnded()
    progress.step += 1
  }

  /// What follows from the result of an epoch.
  private func endEpoch() throws {
    let value = history.last?[goal.name] ?? .nan
    try catching { learningRates?.epochEnded(value) }
    earlyStopping?.see(value, goal)
    let isBest = progress.best.map { goal.isBetter(value, than: $0) } ?? !value.isNaN
    if isBest { progress.best = value }
    progress.epoch += 1
    progress.isTrained = false
    try save(isBest: isBest)
  }

  private var isCheckpointDue: Bool { checkpointInterval.map { $0 > 0 && step % $0 == 0 } ?? false }
}
