import ApusCore
import Synchronization

/// Batches of a data set, epoch after epoch.
///
/// ```swift
/// let loader = DataLoader(train, batchSize: 128, shuffle: true, seed: 42)
/// for epoch in 0..<5 {
///   for batch in loader { … }
/// }
/// ```
///
/// Each loop over the loader is an epoch with an order of its own. The order depends on seed and epoch only; the batches are the same
/// with and without prefetching.
///
/// An error of the data set ends such a loop as any mistake does: with the program, or, inside `catching`, by being thrown
/// at the end of the scope. Where data may well be bad, ask for each batch with `nextBatch`, which throws:
///
/// ```swift
/// let batches = loader.batches(epoch: epoch)
/// while let batch = try batches.nextBatch() { … }
/// ```
public final class DataLoader<Data: Dataset>: Sendable {
  public let dataset: Data
  public let batchSize: Int
  /// Whether a last batch with fewer samples is left out.
  public let dropLast: Bool
  /// How many batches are made ahead of time on a thread of their own; 0 makes each when it is asked for.
  public let prefetch: Int
  private let sampler: any Sampler
  private let nextEpoch = Mutex(0)

  /// - Parameter shuffle: whether each epoch visits the samples in a random order, rather than from first to last.
  /// - Parameter seed: of the order; the default generator's (`manualSeed`) where none is given.
  public convenience init(
    _ dataset: Data, batchSize: Int, shuffle: Bool = false, seed: UInt64? = nil, dropLast: Bool = false, prefetch: Int = 2
  ) {
    let sampler: any Sampler =
      shuffle ? RandomSampler(seed: seed ?? ApusCore.Generator.default.state.seed) : SequentialSampler()
    self.init(dataset, batchSize: batchSize, sampler: sampler, dropLast: dropLast, prefetch: prefetch)
  }

  public init(_ dataset: Data, batchSize: Int, sampler: any Sampler, dropLast: Bool = false, prefetch: Int = 2) {
    let isFine = check(
      batchSize > 0 && prefetch >= 0, .value, "DataLoader", "batch size \(batchSize), \(prefetch) batches ahead")
    self.dataset = dataset
    self.batchSize = isFine ? batchSize : 1
    self.sampler = sampler
    self.dropLast = dropLast
    self.prefetch = isFine ? prefetch : 0
  }

  /// Batches in an epoch, where the sampler visits each sample once.
  public var count: Int { dropLast ? dataset.count / batchSize : (dataset.count + batchSize - 1) / batchSize }

  /// Samples in an epoch, where the sampler visits each sample once.
  public var sampleCount: Int { dropLast ? count * batchSize : dataset.count }

  /// The epoch of the next loop over the loader. Each loop adds one; set it to go on where another run stopped.
  public var epoch: Int {
    get { nextEpoch.withLock { $0 } }
    set { nextEpoch.withLock { $0 = newValue } }
  }

  /// The batches of one epoch, whatever `epoch` is, beginning with batch `start`: for going on in the middle.
  public func batches(epoch: Int, from start: Int = 0) -> BatchIterator<Data> {
    let order = sampler.indices(count: dataset.count, epoch: epoch)
    let end = dropLast ? order.count / batchSize * batchSize : order.count
    return BatchIterator(
      dataset, order: order[Swift.min(Swift.max(start, 0) * batchSize, end)..<end], batchSize: batchSize, prefetch: prefetch)
  }
}

extension DataLoader: Sequence {
  public func makeIterator() -> BatchIterator<Data> {
    let epoch = nextEpoch.withLock { epoch in
      defer { epoch += 1 }
      return epoch
    }
    return batches(epoch: epoch)
  }

  public var underestimatedCount: Int { count }
}
