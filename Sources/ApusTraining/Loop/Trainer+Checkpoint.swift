import ApusCore
import ApusFormats
import ApusNN
import ApusOptim

/// How far a run has come.
struct Progress: Hashable, Codable, Sendable {
  /// The epoch that is on or comes next.
  var epoch = 1
  /// Whether its training pass is over, and the evaluation due.
  var isTrained = false
  var step = 0
  /// What the goal came to in the best epoch.
  var best: Double?
}

extension Trainer {
  /// Everything that what is to come depends on: a run that goes on from it ends in the same bits as one that was never interrupted.
  ///
  /// Parameters and buffers, the optimizers' states, the schedule's, the scaler's, the averages, the random streams, the sums of a pass that
  /// isn't over, what early stopping has seen, the history, and what the callbacks remember. Where in the data the run is follows from epoch
  /// and batch, since a loader's order depends on seed and epoch alone.
  ///
  /// To be asked for between updates: when `fit` has returned, or in `shouldStop`. In the midst of `accumulation` there are gradients, which
  /// are not in it.
  public func checkpoint() -> Checkpoint {
    var checkpoint = Checkpoint(model: model.stateDict(), config: config)
    for part in parts { checkpoint.parts[part.name] = part.state() }
    checkpoint.generators = generators.map(\.state)
    checkpoint.history = history.filter(\.isComplete)
    checkpoint.progress = progress
    checkpoint.pass = meter.map { $0.saved(of: batchCount) }
    checkpoint.earlyStopping = earlyStopping
    return checkpoint
  }

  /// Goes on where the trainer that made `checkpoint` was, with the next `fit`: all of it is taken or, where it throws, nothing.
  ///
  /// Model, optimizer, schedule and so on must have been made in the same way, and the loaders that `fit` gets from the same data.
  ///
  /// - Throws: `TrainingError.otherRun`, or the error of the part that doesn't fit.
  public func load(_ checkpoint: Checkpoint) throws {
    let before = self.checkpoint()
    do {
      try take(checkpoint)
    } catch {
      try? take(before)
      throw error
    }
  }

  private func take(_ checkpoint: Checkpoint) throws {
    let (here, there) = (Set(parts.map(\.name)), Set(checkpoint.parts.keys))
    if let name = here.symmetricDifference(there).sorted().first {
      throw TrainingError.otherRun("it has \(there.contains(name) ? "a" : "no") part '\(printable(name))'")
    }
    if checkpoint.generators.count != generators.count {
      throw TrainingError.otherRun("it has \(checkpoint.generators.count) random streams, not \(generators.count)")
    }
    let meter = checkpoint.pass.flatMap { Meter($0, metrics) }
    if checkpoint.pass != nil, meter == nil { throw TrainingError.otherRun("it measures other metrics") }
    try model.loadStateDict(checkpoint.model)
    for part in parts { try part.load(checkpoint.parts[part.name] ?? OptimizerState()) }
    for (generator, state) in zip(generators, checkpoint.generators) { generator.state = state }
    (history, progress, self.meter) = (checkpoint.history, checkpoint.progress, meter)
    batchCount = checkpoint.pass?.batchCount ?? 0
    // How long to wait is the caller's choice; what has been seen is the checkpoint's.
    if let earlyStopping, let saved = checkpoint.earlyStopping { self.earlyStopping = earlyStopping.resumed(saved) }
  }

  /// What has a state of its own beside the model.
  private var parts: [(name: String, state: () -> OptimizerState, load: (OptimizerState) throws -> Void)] {
    var parts: [(name: String, state: () -> OptimizerState, load: (OptimizerState) throws -> Void)] = objectives.map {
      ($0.optimizerName, $0.optimizer.stateDict, $0.optimizer.loadStateDict)
    }
    if let learningRates { parts.append(("schedule", learningRates.stateDict, learningRates.loadStateDict)) }
    if let scaler { parts.append(("scaler", scaler.stateDict, scaler.loadStateDict)) }
    if let average { parts.append(("average", average.stateDict, average.loadStateDict)) }
    for case let callback as any ResumableCallback in callbacks {
      parts.append((callback.checkpointKey, callback.stateDict, callback.loadStateDict))
    }
    return parts
  }

  /// The pass that was interrupted; nil where a new one begins.
  func resumedMeter(_ pass: Pass) throws(TrainingError) -> Meter? {
    if meter != nil, batchCount != pass.batchCount {
      throw TrainingError.otherRun("its epochs have \(batchCount) batches, not \(pass.batchCount)")
    }
    batchCount = pass.batchCount
    return meter
  }

  /// Writes a checkpoint where there is a place for it.
  func save(isBest: Bool = false) throws {
    guard let checkpoints else { return }
    do {
      try checkpoints.save(checkpoint(), isBest: isBest)
    } catch let error as FileError {
      throw TrainingError.checkpointNotWritten(error, lastGood: checkpoints.lastGood)
    }
  }
}
