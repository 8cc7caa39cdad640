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
/// The loop is `trainPass`, some lines below; everything else reports on it. What happens around it (bars, logs) is the business of
/// `callbacks`.
///
/// The same model, seed and data give the same history, times aside, whatever the number of threads.
public final class Trainer {
  public let model: any Layer
  public let optimizer: Optimizer
  /// The loss of a batch, a scalar: the mean over its samples.
  public let loss: (_ output: Tensor, _ target: Tensor) -> Tensor
  /// How many samples of a batch were answered correctly; nil where there is no right and wrong.
  public let correct: ((_ output: Tensor, _ target: Tensor) -> Int)?
  public var callbacks: [any TrainingCallback] = []
  /// Asked after each batch: true ends `fit` there, with everything in a state that can be saved.
  public var shouldStop: () -> Bool = { false }

  /// The results of all passes so far.
  public private(set) var history: [PassResult] = []
  /// Updates so far.
  public private(set) var step = 0

  public init(
    _ model: any Layer, optimizer: Optimizer, loss: @escaping (_ output: Tensor, _ target: Tensor) -> Tensor,
    correct: ((_ output: Tensor, _ target: Tensor) -> Int)? = nil
  ) {
    self.model = model
    self.optimizer = optimizer
    self.loss = loss
    self.correct = correct
  }

  /// Goes `epochs` times through `train`, evaluating on `test` after each.
  ///
  /// - Returns: false where `shouldStop` ended it early.
  /// - Throws: `TrainingError` for a loss that isn't finite or a loader without batches, `TensorError` for a mistake in the model or memory
  ///   that cannot be had, and what the data sets throw.
  @discardableResult
  public func fit<Train: Dataset, Test: Dataset>(
    _ train: DataLoader<Train>, test: DataLoader<Test>, epochs: Int
  ) throws -> Bool where Train.Batched == Batch, Test.Batched == Batch {
    for epoch in stride(from: 1, through: epochs, by: 1) {
      guard try trainPass(Pass(epoch: epoch, of: epochs, .train, batches: train.count), train),
        try testPass(Pass(epoch: epoch, of: epochs, .test, batches: test.count), test)
      else { return false }
    }
    return true
  }

  /// One epoch of training.
  ///
  /// - Returns: false where it was stopped.
  private func trainPass<Data: Dataset>(_ pass: Pass, _ loader: DataLoader<Data>) throws -> Bool where Data.Batched == Batch {
    var meter = try begin(pass)
    var isStopped = false
    model.train()
    let batches = loader.batches(epoch: pass.epoch - 1)
    while !isStopped, let batch = try batches.nextBatch() {
      step += 1
      try catching {
        let output = model(batch.input)
        let loss = loss(output, batch.target)
        let value = loss.item()
        guard value.isFinite else {
          throw TrainingError.lossNotFinite(value, step: step, epoch: pass.epoch, batch: meter.batches + 1, of: pass.batchCount)
        }
        optimizer.zeroGrad()
        loss.backward()
        optimizer.step()
        meter.add(loss: value, correct: count(output, batch), samples: batch.count)
      }
      report(meter, pass)
      isStopped = shouldStop()
    }
    end(pass, meter)
    return !isStopped
  }

  /// Loss and accuracy on data that the model doesn't learn from.
  ///
  /// - Returns: false where it was stopped: then there is no result.
  private func testPass<Data: Dataset>(_ pass: Pass, _ loader: DataLoader<Data>) throws -> Bool where Data.Batched == Batch {
    var meter = try begin(pass)
    model.eval()
    let batches = loader.batches(epoch: 0)
    while let batch = try batches.nextBatch() {
      try catching {
        try noGrad {
          let output = model(batch.input)
          let value = loss(output, batch.target).item()
          guard value.isFinite else { throw TrainingError.testLossNotFinite(value, epoch: pass.epoch) }
          meter.add(loss: value, correct: count(output, batch), samples: batch.count)
        }
      }
      report(meter, pass)
      if shouldStop() { return false }
    }
    end(pass, meter)
    return true
  }
}

// MARK: - Reporting

extension Trainer {
  private func begin(_ pass: Pass) throws(TrainingError) -> Meter {
    guard pass.batchCount > 0 else { throw TrainingError.noBatches(pass.split) }
    for callback in callbacks { callback.passBegan(pass) }
    return Meter()
  }

  private func count(_ output: Tensor, _ batch: Batch) -> Int? {
    correct.map { correct in noGrad { correct(output, batch.target) } }
  }

  private func report(_ meter: Meter, _ pass: Pass) {
    let result = BatchResult(
      pass: pass, batch: meter.batches, step: step, loss: meter.lastLoss, meanLoss: meter.loss)
    for callback in callbacks { callback.batchEnded(result) }
  }

  private func end(_ pass: Pass, _ meter: Meter) {
    let result = meter.result(of: pass)
    history.append(result)
    for callback in callbacks { callback.passEnded(result) }
  }
}
