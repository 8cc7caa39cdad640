import ApusCore
import ApusData
import ApusOptim

/// One thing that is learned in a step: a loss, and the optimizer that makes it small.
///
/// Most models have one. Of several, each takes its turn in every step: its loss is computed with the parameters that the one before has
/// just changed. No gradient flows to the parameters of the others' optimizers meanwhile. That is how two networks learn from each other:
///
/// ```swift
/// let trainer = Trainer(
///   model,
///   [
///     Objective("discriminator", Adam(model.discriminator.parameters())) { batch in
///       Outcome(loss: model.discriminatorLoss(real: batch.input, noise: model.noise(batch.count)))
///     },
///     Objective("generator", Adam(model.generator.parameters())) { batch in
///       Outcome(loss: model.generatorLoss(noise: model.noise(batch.count)))
///     },
///   ])
/// ```
///
/// In an evaluation the losses are computed likewise, in evaluation mode and without an update.
public struct Objective {
  /// What it is called in metrics and checkpoints; may be empty where it is the only one.
  public let name: String
  public let optimizer: Optimizer
  /// Of `Outcome.parts`.
  public let partNames: [String]
  private let body: (Batch) -> Outcome

  /// - Parameters:
  ///   - name: `generator`, whose loss is then `generator_loss` in the metrics.
  ///   - optimizer: of the parameters that this loss changes.
  ///   - parts: names of the parts that `body` reports.
  ///   - body: computes the loss of a batch; its random numbers come from the trainer's `generators`.
  public init(_ name: String, _ optimizer: Optimizer, parts: [String] = [], _ body: @escaping (_ batch: Batch) -> Outcome) {
    (self.name, self.optimizer, partNames, self.body) = (name, optimizer, parts, body)
  }

  /// The only objective, which needs no name.
  public init(_ optimizer: Optimizer, parts: [String] = [], _ body: @escaping (_ batch: Batch) -> Outcome) {
    self.init("", optimizer, parts: parts, body)
  }

  var lossName: String { name.isEmpty ? "loss" : name + "_loss" }
  var optimizerName: String { name.isEmpty ? "optimizer" : name + "_optimizer" }

  func outcome(of batch: Batch) -> Outcome { body(batch) }
}

/// What came of a batch.
public struct Outcome {
  /// A scalar: the mean over the samples.
  public var loss: Tensor
  /// What the model answered, for metrics; nil where there is nothing to compare.
  public var output: Tensor?
  /// What the loss is made of, where that is worth a line in the metrics: means over the samples.
  public var parts: [(name: String, value: Tensor)]

  public init(loss: Tensor, output: Tensor? = nil, parts: [(name: String, value: Tensor)] = []) {
    (self.loss, self.output, self.parts) = (loss, output, parts)
  }
}

extension [Outcome] {
  /// The output that metrics look at, without its history.
  var answer: Tensor? { lazy.compactMap(\.output).first?.detach() }
}
