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
      while let batch = try batches.nextBatch() {
        try catching {
          try noGrad {
            let (output, loss) = forward(batch)
            let value = loss.item()
            guard value.isFinite else {
              throw TrainingError.testLossNotFinite(value, epoch: pass.epoch, checkpoint: checkpoints?.lastGood)
            }
            measure(output, batch, value, &meter)
            onBatch(output, batch)
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

  func measure(_ output: Tensor, _ batch: Batch, _ loss: Double, _ meter: inout Meter) {
    let output = output.detach()
    noGrad { meter.measure { $0.update(output, batch.target) } }
    meter.add(loss: loss, samples: batch.count)
  }

  func tell(_ output: Tensor, _ batch: Batch, _ pass: Pass) {
    if callbacks.isEmpty { return }
    let output = output.detach()
    noGrad { for callback in callbacks { callback.answered(output, to: batch, in: pass) } }
  }

  func report(_ meter: Meter, _ pass: Pass) {
    let result = BatchResult(
      pass: pass, batch: meter.batches, step: step, loss: meter.lastLoss, meanLoss: meter.loss,
      learningRate: optimizer.lr)
    for callback in callbacks { callback.batchEnded(result) }
  }

  func end(_ pass: Pass, _ meter: Meter) {
    let result = meter.result(of: pass)
    history.append(result)
    for callback in callbacks { callback.passEnded(result) }
  }

  func checkGoal() throws(TrainingError) {
    let measured = ["loss"] + metrics.map(\.name)
    if !measured.contains(goal.name) { throw TrainingError.noSuchMetric(goal.name, measured: measured) }
  }
}
