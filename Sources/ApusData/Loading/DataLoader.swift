import ApusCore

/// Batches of a data set, epoch after epoch.
///
/// ```swift
/// let loader = DataLoader(train, batchSize: 128, shuffle: true, seed: 42)
/// for epoch in 0..<5 {
///   for batch in loader { … }
/// }
/// ```
///
/// Each loop over the loader is an epoch with an order of its own. The order depends on seed and epoch only, a transform's random numbers
/// on seed, epoch and the batch's number; the batches are the same with and without prefetching, and with any number of workers.
///
/// `state` says where a loop stands; a new loader goes on from it with the very next batch:
///
/// ```swift
/// try resumed.load(state: saved)
/// for batch in resumed { … }  // the rest of the epoch; the next loop is the next epoch
/// ```
///
/// An error of the data set ends such a loop as any mistake does: with the program, or, inside `catching`, by being thrown
/// at the end of the scope. Where data may well be bad, ask for each batch with `nextBatch`, which throws:
///
/// ```swift
/// let batches = loader.batches(epoch: epoch)
/// while let batch = try batches.nextBatch() { … }
/// ```
public final class DataLoader<Data: Dataset>: Sendable {
  /// Makes another batch of a batch, with random numbers from a generator that is this batch's own.
  public typealias BatchTransform = @Sendable (_ batch: Data.Batched, _ generator: ApusCore.Generator) throws -> Data.Batched

  public let dataset: Data
  /// Samples in a batch, but for the last one; with a batch sampler those of the first.
  public let batchSize: Int
  /// Whether a last batch with fewer samples is left out.
  public let dropLast: Bool
  /// How many batches are made ahead of time on threads of their own; 0 makes each when it is asked for.
  public let prefetch: Int
  /// How many threads make batches.
  public let workers: Int
  /// Of the transform's random numbers.
  public let seed: UInt64
  private let plan: LoadingPlan
  private let transform: BatchTransform?
  private let progress = LoaderProgress()

  /// - Parameter shuffle: whether each epoch visits the samples in a random order, rather than from first to last.
  /// - Parameter seed: of the order and of the transform; the default generator's (`manualSeed`) where none is given.
  /// - Parameter workers: threads that make batches, where there is a prefetch; more than one pays where batches cost much.
  /// - Parameter transform: is applied to each batch, on the thread that makes it.
  public convenience init(
    _ dataset: Data, batchSize: Int, shuffle: Bool = false, seed: UInt64? = nil, dropLast: Bool = false, prefetch: Int = 2,
    workers: Int = 1, transform: BatchTransform? = nil
  ) {
    let seed = seed ?? ApusCore.Generator.default.state.seed
    self.init(
      dataset, batchSize: batchSize, sampler: shuffle ? RandomSampler(seed: seed) : SequentialSampler(), seed: seed,
      dropLast: dropLast, prefetch: prefetch, workers: workers, transform: transform)
  }

  /// - Parameter sampler: which samples an epoch visits, in which order.
  public convenience init(
    _ dataset: Data, batchSize: Int, sampler: any Sampler, seed: UInt64? = nil, dropLast: Bool = false, prefetch: Int = 2,
    workers: Int = 1, transform: BatchTransform? = nil
  ) {
    let isFine = check(batchSize > 0, .value, "DataLoader", "batch size \(batchSize), \(prefetch) batches ahead")
    let batchSize = isFine ? batchSize : 1
    self.init(
      dataset, plan: .samples(sampler, batchSize: batchSize, dropLast: dropLast), batchSize: batchSize, seed: seed,
      dropLast: dropLast, prefetch: prefetch, workers: workers, transform: transform)
  }

  /// - Parameter batchSampler: which samples an epoch visits, and which of them make a batch.
  public convenience init(
    _ dataset: Data, batchSampler: any BatchSampler, seed: UInt64? = nil, prefetch: Int = 2, workers: Int = 1,
    transform: BatchTransform? = nil
  ) {
    let first = batchSampler.batches(count: dataset.count, epoch: 0).first?.count ?? 1
    self.init(
      dataset, plan: .batches(batchSampler), batchSize: first, seed: seed, dropLast: false, prefetch: prefetch, workers: workers,
      transform: transform)
  }

  private init(
    _ dataset: Data, plan: LoadingPlan, batchSize: Int, seed: UInt64?, dropLast: Bool, prefetch: Int, workers: Int,
    transform: BatchTransform?
  ) {
    let isFine = check(
      prefetch >= 0 && workers > 0, .value, "DataLoader", "\(prefetch) batches ahead with \(workers) workers")
    self.dataset = dataset
    self.plan = plan
    self.batchSize = batchSize
    self.dropLast = dropLast
    self.seed = seed ?? ApusCore.Generator.default.state.seed
    self.prefetch = isFine ? prefetch : 0
    self.workers = isFine ? workers : 1
    self.transform = transform
  }

  /// Batches in an epoch.
  public var count: Int { plan.batchCount(of: dataset.count) }

  /// Samples in an epoch.
  public var sampleCount: Int { plan.sampleCount(of: dataset.count) }

  /// The epoch of the next loop over the loader. Each loop adds one; set it to go on where another run stopped.
  public var epoch: Int {
    get { progress.nextEpoch }
    set { progress.nextEpoch = newValue }
  }

  /// Where the youngest loop stands: the batch after the last one that it handed out, whatever was made ahead of time.
  public var state: LoaderState {
    let (epoch, batch) = progress.current
    return LoaderState(epoch: epoch, batch: batch, seed: seed, sampleCount: dataset.count)
  }

  /// Makes the next loop begin where the loop stood that `state` was taken of.
  ///
  /// - Throws: `DataError` of kind `state` where it was taken of a loader with another seed or another number of samples.
  public func load(state: LoaderState) throws(DataError) {
    try state.verify(seed: seed, sampleCount: dataset.count)
    progress.restart(epoch: state.epoch, batch: state.batch)
  }

  /// The batches of one epoch, whatever `epoch` is, beginning with batch `start`: for going on in the middle.
  public func batches(epoch: Int, from start: Int = 0) -> BatchIterator<Data.Batched> {
    let source = PlannedBatches(
      dataset: dataset, plan: plan.epoch(epoch, count: dataset.count), epoch: epoch, seed: seed, transform: transform)
    let start = Swift.max(start, 0)
    // Where there is nothing to make, there is no need for threads.
    let prefetch = start < source.plan.count ? self.prefetch : 0
    return BatchIterator(source, epoch: epoch, from: start, prefetch: prefetch, workers: workers, progress: progress)
  }
}

extension DataLoader: Sequence {
  public func makeIterator() -> BatchIterator<Data.Batched> {
    let (epoch, start) = progress.takeNext()
    return batches(epoch: epoch, from: start)
  }

  // A loop that goes on from a state is shorter than `count`.
  public var underestimatedCount: Int { 0 }
}

/// Makes the batches of one epoch of a data set.
private struct PlannedBatches<Data: Dataset>: BatchSource {
  let dataset: Data
  let plan: EpochPlan
  let epoch: Int
  let seed: UInt64
  let transform: DataLoader<Data>.BatchTransform?

  func batch(_ number: Int) throws -> Data.Batched? {
    guard number < plan.count else { return nil }
    let batch = try dataset.batch(at: plan.indices(of: number))
    guard let transform else { return batch }
    return try transform(batch, batchGenerator(seed: seed, epoch: epoch, batch: number))
  }
}
