/// Adds up the batches of a pass.
struct Meter {
  private(set) var batches = 0
  private(set) var lastLoss = 0.0
  private(set) var metrics: [any Metric]
  private var samples = 0
  private var lossSum = 0.0
  /// Of each of several objectives in the last batch.
  private(set) var lastLosses: [MetricValue] = []
  /// Sums over the samples: the losses of several objectives, and parts of losses.
  private var parts: [MetricValue] = []
  /// Of the part of the pass that another process did.
  private var secondsBefore = 0.0
  private var secondsWaited = 0.0
  private let start = monotonicSeconds()

  init(_ metrics: [any Metric]) { self.metrics = metrics }

  /// - Parameters:
  ///   - loss: the batch's mean.
  ///   - losses: those of several objectives, that make it up.
  ///   - parts: other means of the batch.
  mutating func add(loss: Double, _ losses: [MetricValue] = [], _ parts: [MetricValue] = [], samples: Int) {
    batches += 1
    (lastLoss, lastLosses) = (loss, losses)
    self.samples += samples
    lossSum += loss * Double(samples)
    for part in losses + parts {
      let i = self.parts.firstIndex { $0.name == part.name } ?? self.parts.endIndex
      if i == self.parts.endIndex { self.parts.append(MetricValue(name: part.name, value: 0)) }
      self.parts[i] = MetricValue(name: part.name, value: self.parts[i].value + part.value * Double(samples))
    }
  }

  mutating func measure(_ update: (inout any Metric) -> Void) {
    for i in metrics.indices { update(&metrics[i]) }
  }

  /// Asks for a batch, and counts the time until it is there.
  mutating func waiting<Batch>(for batch: () throws -> Batch) rethrows -> Batch {
    let start = monotonicSeconds()
    defer { secondsWaited += monotonicSeconds() - start }
    return try batch()
  }

  /// Mean over the samples: a smaller last batch weighs less.
  var loss: Double { lossSum / Double(max(samples, 1)) }

  private var seconds: Double { secondsBefore + monotonicSeconds() - start }

  func result(of pass: Pass) -> PassResult {
    let means = parts.map { MetricValue(name: $0.name, value: $0.value / Double(max(samples, 1))) }
    return PassResult(
      pass: pass, loss: loss, metrics: metrics.map { MetricValue(name: $0.name, value: $0.value) } + means,
      sampleCount: samples, batchCount: batches, seconds: seconds, secondsWaited: secondsWaited)
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
    var secondsWaited = 0.0
    /// Of each metric.
    var sums: [[Double]] = []
    /// Of losses and their parts.
    var parts: [MetricValue]?
  }

  func saved(of batchCount: Int) -> Saved {
    Saved(
      batches: batches, batchCount: batchCount, samples: samples, lossSum: lossSum, lastLoss: lastLoss, seconds: seconds,
      secondsWaited: secondsWaited, sums: metrics.map(\.sums), parts: parts)
  }

  /// Goes on with a pass; nil where it had other metrics.
  init?(_ saved: Saved, _ metrics: [any Metric]) {
    guard saved.sums.map(\.count) == metrics.map(\.sums.count) else { return nil }
    self.metrics = metrics
    for (i, sums) in saved.sums.enumerated() { self.metrics[i].sums = sums }
    (batches, samples, lossSum, lastLoss) = (saved.batches, saved.samples, saved.lossSum, saved.lastLoss)
    (parts, secondsBefore, secondsWaited) = (saved.parts ?? [], saved.seconds, saved.secondsWaited)
  }
}
