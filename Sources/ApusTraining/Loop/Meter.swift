/// Adds up the batches of a pass.
struct Meter {
  private(set) var batches = 0
  private(set) var lastLoss = 0.0
  private(set) var metrics: [any Metric]
  private var samples = 0
  private var lossSum = 0.0
  /// Of the part of the pass that another process did.
  private var secondsBefore = 0.0
  private let start = monotonicSeconds()

  init(_ metrics: [any Metric]) { self.metrics = metrics }

  /// - Parameter loss: the batch's mean.
  mutating func add(loss: Double, samples: Int) {
    batches += 1
    lastLoss = loss
    self.samples += samples
    lossSum += loss * Double(samples)
  }

  mutating func measure(_ update: (inout any Metric) -> Void) {
    for i in metrics.indices { update(&metrics[i]) }
  }

  /// Mean over the samples: a smaller last batch weighs less.
  var loss: Double { lossSum / Double(max(samples, 1)) }

  private var seconds: Double { secondsBefore + monotonicSeconds() - start }

  func result(of pass: Pass) -> PassResult {
    PassResult(
      pass: pass, loss: loss, metrics: metrics.map { MetricValue(name: $0.name, value: $0.value) }, sampleCount: samples,
      batchCount: batches, seconds: seconds)
  }
}

// MARK: - In a checkpoint

extension Meter {
  /// A pass that isn't over.
  struct Saved: Hashable, Codable, Sendable {
    var batches = 0
    /// In the whole pass.
    var batchCount = 0
    var samples = 0
    var lossSum = 0.0
    var lastLoss = 0.0
    var seconds = 0.0
    /// Of each metric.
    var sums: [[Double]] = []
  }

  func saved(of batchCount: Int) -> Saved {
    Saved(
      batches: batches, batchCount: batchCount, samples: samples, lossSum: lossSum, lastLoss: lastLoss, seconds: seconds,
      sums: metrics.map(\.sums))
  }

  /// Goes on with a pass; nil where it had other metrics.
  init?(_ saved: Saved, _ metrics: [any Metric]) {
    guard saved.sums.map(\.count) == metrics.map(\.sums.count) else { return nil }
    self.metrics = metrics
    for (i, sums) in saved.sums.enumerated() { self.metrics[i].sums = sums }
    (batches, samples, lossSum, lastLoss) = (saved.batches, saved.samples, saved.lossSum, saved.lastLoss)
    secondsBefore = saved.seconds
  }
}
