/// Decides which samples an epoch visits, and which of them make a batch: for batches of samples that are alike.
public protocol BatchSampler: Sendable {
  /// Positions in 0..<`count`, an array for each batch. A function of its arguments alone, as `Sampler.indices` is.
  func batches(count: Int, epoch: Int) -> [[Int]]
}

/// A sampler's samples, so many at a time: what a loader does by itself, as a value to build on.
public struct FixedBatchSampler: BatchSampler {
  public let sampler: any Sampler
  public let batchSize: Int
  /// Whether a last batch with fewer samples is left out.
  public let dropLast: Bool

  public init(_ sampler: any Sampler, batchSize: Int, dropLast: Bool = false) {
    self.sampler = sampler
    self.batchSize = max(batchSize, 1)
    self.dropLast = dropLast
  }

  public func batches(count: Int, epoch: Int) -> [[Int]] {
    let order = sampler.indices(count: count, epoch: epoch)
    let end = dropLast ? order.count / batchSize * batchSize : order.count
    return stride(from: 0, to: end, by: batchSize).map { Array(order[$0..<min($0 + batchSize, end)]) }
  }
}

/// Batches of samples of similar length, so that little padding is needed: shuffled, sorted within pools of many batches, and the batches
/// shuffled again.
public struct BucketBatchSampler: BatchSampler {
  /// Of each sample.
  public let lengths: [Int]
  public let batchSize: Int
  /// Batches that are sorted together.
  public let poolSize: Int
  public let seed: UInt64

  public init(lengths: [Int], batchSize: Int, poolSize: Int = 50, seed: UInt64) {
    self.lengths = lengths
    self.batchSize = max(batchSize, 1)
    self.poolSize = max(poolSize, 1)
    self.seed = seed
  }

  public func batches(count: Int, epoch: Int) -> [[Int]] {
    let order = RandomSampler(seed: seed).indices(count: min(count, lengths.count), epoch: epoch)
    let pool = batchSize * poolSize
    let sorted = stride(from: 0, to: order.count, by: pool).flatMap { start in
      // Ties by position in the shuffled order: sorting in Swift promises no stability.
      order[start..<min(start + pool, order.count)].enumerated()
        .sorted { (lengths[$0.element], $0.offset) < (lengths[$1.element], $1.offset) }.map(\.element)
    }
    let batches = stride(from: 0, to: sorted.count, by: batchSize).map { Array(sorted[$0..<min($0 + batchSize, sorted.count)]) }
    return RandomSampler(seed: ~seed).indices(count: batches.count, epoch: epoch).map { batches[$0] }
  }
}
