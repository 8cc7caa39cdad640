import ApusData

/// One way through a data set.
public struct Pass: Sendable {
  /// From 1 on.
  public let epoch: Int
  /// Epochs in all.
  public let epochCount: Int
  /// `train`: the model learns; `test`: it is judged.
  public let split: Split
  public let batchCount: Int

  init(epoch: Int, of epochCount: Int, _ split: Split, batches: Int) {
    self.epoch = epoch
    self.epochCount = epochCount
    self.split = split
    batchCount = batches
  }
}

/// One batch of a pass.
public struct BatchResult: Sendable {
  public let pass: Pass
  /// Its number in the pass, from 1 on.
  public let batch: Int
  /// Updates of the model so far.
  public let step: Int
  public let loss: Double
  /// Mean over the samples of the pass so far.
  public let meanLoss: Double
}

/// A pass that is over.
public struct PassResult: Sendable {
  public let pass: Pass
  /// Mean over the samples.
  public let loss: Double
  /// Share of correct answers; nil where nothing says what is correct.
  public let accuracy: Double?
  public let sampleCount: Int
  /// Batches done: fewer than `pass.batchCount` where the run was stopped.
  public let batchCount: Int
  /// How long the pass took.
  public let seconds: Double

  /// Whether the pass went to its end.
  public var isComplete: Bool { batchCount == pass.batchCount }
}

/// Is told what a `Trainer` does. Every method has a default that does nothing.
public protocol TrainingCallback: AnyObject {
  func passBegan(_ pass: Pass)
  func batchEnded(_ result: BatchResult)
  /// Called for a training pass that was stopped too, with the batches that were done.
  func passEnded(_ result: PassResult)
}

extension TrainingCallback {
  public func passBegan(_ pass: Pass) {}
  public func batchEnded(_ result: BatchResult) {}
  public func passEnded(_ result: PassResult) {}
}
