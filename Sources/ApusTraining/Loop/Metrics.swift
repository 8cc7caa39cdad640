import ApusCore

/// How many rows of `output` have their largest number where `target` says.
///
/// - Parameter output: `[batch, classes]`, scores or probabilities.
/// - Parameter target: `[batch]`, class indices.
public func correctClasses(_ output: Tensor, _ target: Tensor) -> Int {
  (output.argmax(dim: 1) .== target).to(.int64).sum().item(as: Int.self)
}

/// Adds up the batches of a pass.
struct Meter {
  private(set) var batches = 0
  private(set) var lastLoss = 0.0
  private var samples = 0
  private var lossSum = 0.0
  private var correct: Int?
  private let start = monotonicSeconds()

  /// - Parameter loss: the batch's mean.
  mutating func add(loss: Double, correct: Int?, samples: Int) {
    batches += 1
    lastLoss = loss
    self.samples += samples
    lossSum += loss * Double(samples)
    if let correct { self.correct = (self.correct ?? 0) + correct }
  }

  /// Mean over the samples: a smaller last batch weighs less.
  var loss: Double { lossSum / Double(max(samples, 1)) }

  func result(of pass: Pass) -> PassResult {
    PassResult(
      pass: pass, loss: loss, accuracy: correct.map { Double($0) / Double(max(samples, 1)) }, sampleCount: samples,
      batchCount: batches, seconds: monotonicSeconds() - start)
  }
}
