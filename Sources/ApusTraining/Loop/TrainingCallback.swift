import ApusCore
import ApusData
import ApusOptim

/// One way through a data set.
public struct Pass: Hashable, Codable, Sendable {
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

extension Split: Codable {}

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
  /// Of a batch with several objectives, the loss of each; otherwise empty.
  public let losses: [MetricValue]
  /// The optimizer's, of its first group: the one that the next update is made with.
  public let learningRate: Double
}

extension BatchResult {
  /// Where on an axis of epochs the batch ended: 1.5 in the midst of the second.
  var position: Double { Double(pass.epoch - 1) + Double(batch) / Double(pass.batchCount) }
}

/// What a metric came to.
public struct MetricValue: Hashable, Codable, Sendable {
  /// The metric's name.
  public let name: String
  /// Of the whole pass.
  public let value: Double
}

/// A pass that is over.
public struct PassResult: Hashable, Codable, Sendable {
  public let pass: Pass
  /// Mean over the samples.
  public let loss: Double
  /// In the order in which the trainer was given them; behind them the loss of each of several objectives, and the parts of losses.
  public let metrics: [MetricValue]
  public let sampleCount: Int
  /// Batches done: fewer than `pass.batchCount` where the run was stopped.
  public let batchCount: Int
  /// How long the pass took.
  public let seconds: Double
  /// How much of it was spent waiting for data.
  public let secondsWaited: Double

  /// Whether the pass went to its end.
  public var isComplete: Bool { batchCount == pass.batchCount }

  /// Share of correct answers; nil where it isn't measured.
  public var accuracy: Double? { self["accuracy"] }

  /// The metric called `name`, or with `"loss"` the loss; nil where there is none.
  public subscript(name: String) -> Double? {
    name == "loss" ? loss : metrics.first { $0.name == name }?.value
  }
}

/// Is told what a `Trainer` does. Every method has a default that does nothing.
public protocol TrainingCallback: AnyObject {
  func passBegan(_ pass: Pass)
  /// What the model answered, without a gradient: for what is no number, such as pictures and tables. Called before `batchEnded`.
  func answered(_ output: Tensor, to batch: Batch, in pass: Pass)
  func batchEnded(_ result: BatchResult)
  /// Called for a training pass that was stopped too, with the batches that were done.
  func passEnded(_ result: PassResult)
}

extension TrainingCallback {
  public func passBegan(_ pass: Pass) {}
  public func answered(_ output: Tensor, to batch: Batch, in pass: Pass) {}
  public func batchEnded(_ result: BatchResult) {}
  public func passEnded(_ result: PassResult) {}
}

/// A callback that remembers something which a run that is resumed must have.
public protocol ResumableCallback: TrainingCallback {
  /// Its part of a checkpoint, unlike that of every other callback.
  var checkpointKey: String { get }
  /// What it remembers.
  func stateDict() -> OptimizerState
  /// Goes on with what another has remembered.
  ///
  /// - Throws: where `state` doesn't fit; then nothing is taken.
  func loadStateDict(_ state: OptimizerState) throws
}
