import ApusCore
import ApusData
import ApusNN
import ApusOptim

extension Trainer {
  /// Loss and metrics on data that the model doesn't learn from.
  ///
  /// - Returns: false where it was stopped: then there is no result.
  func testPass<Data: Dataset>(_ pass: Pass, _ loader: DataLoader<Data>) throws -> Bool where Data.Batched == Batch {
    let streams = generators.map(\.state)
    try begin(pass)
    guard
      let meter = try judged(
        pass, loader, onBatch: { tell($0, $1, pass) }, report: { report($0, pass) }, shouldStop: shouldStop)
    else {
      // It will be made again, from its start.
      for (generator, state) in zip(generators, streams) { generator.state = state }
      return false
    }
    end(pass, meter)
    return true
  }

  /// The way through `loader` of `testPass` and `evaluate`; nil where it was stopped.
  func judged<Data: Dataset>(
    _ pass: Pass, _ loader: DataLoader<Data>, onBatch: (_ output: Tensor, _ batch: Batch) -> Void = { _, _ in },
    report: (Meter) -> Void = { _ in }, shouldStop: () -> Bool = { false }
  ) throws -> Meter? where Data.Batched == Batch {
    var meter = Meter(metrics)
    model.eval()
    let batches = loader.batches(epoch: 0)
    func go() throws -> Meter? {
      while let batch = try meter.waiting(for: batches.nextBatch) {
        try catching {
          try noGrad {
            let outcomes = objectives.map { forward(batch, $0) }
            if let value = outcomes.map({ $0.loss.item() }).first(where: { !$0.isFinite }) {
              throw TrainingError.testLossNotFinite(value, epoch: pass.epoch, checkpoint: checkpoints?.lastGood)
            }
            measure(outcomes, batch, &meter)
            if let output = outcomes.answer { onBatch(output, batch) }
          }
        }
        report(meter)
        if shouldStop() { return nil }
      }
      return meter
    }
    guard let average else { return try go() }
    return try average.withAveraged(go)
  }
}

// MARK: - Reporting

extension Trainer {
  func begin(_ pass: Pass) throws(TrainingError) {
    if pass.batchCount == 0 { throw TrainingError.noBatches(pass.split) }
    for callback in callbacks { callback.passBegan(pass) }
  }

  /// Adds what came of a batch. The loss of a step is the sum of its objectives'.
  func measure(_ outcomes: [Outcome], _ batch: Batch, _ meter: inout Meter) {
    if let output = outcomes.answer { noGrad { meter.measure { $0.update(output, batch.target) } } }
    let losses = outcomes.map { $0.loss.item() }
    let named = objectives.count > 1 ? zip(objectives, losses).map { MetricValue(name: $0.lossName, value: $1) } : []
    let parts = outcomes.flatMap(\.parts).map { MetricValue(name: $0.name, value: $0.value.item()) }
    meter.add(loss: losses.reduce(0, +), named, parts, samples: batch.count)
  }

  func tell(_ outcomes: [Outcome], _ batch: Batch, _ pass: Pass) {
    if let output = outcomes.answer { tell(output, batch, pass) }
  }

  func tell(_ output: Tensor, _ batch: Batch, _ pass: Pass) {
    if callbacks.isEmpty { return }
    let output = output.detach()
    noGrad { for callback in callbacks { callback.answered(output, to: batch, in: pass) } }
  }

  func report(_ meter: Meter, _ pass: Pass) {
    let result = BatchResult(
      pass: pass, batch: meter.batches, step: step, loss: meter.lastLoss, meanLoss: meter.loss,
      losses: meter.lastLosses, learningRate: optimizer.lr)
    for callback in callbacks { callback.batchEnded(result) }
  }

  func end(_ pass: Pass, _ meter: Meter) {
    let result = meter.result(of: pass)
    history.append(result)
    for callback in callbacks { callback.passEnded(result) }
  }

  func checkOptions() throws {
    let measured = ["loss"] + metrics.map(\.name) + (objectives.count > 1 ? objectives.map(\.lossName) : [])
    if !measured.contains(goal.name), !objectives.contains(where: { $0.partNames.contains(goal.name) }) {
      throw TrainingError.noSuchMetric(goal.name, measured: measured + objectives.flatMap(\.partNames))
    }
  }
}
