import ApusCore
import Synchronization

/// Samples that come one after the other, as from a file that is too large for memory or from a generator.
///
/// ```swift
/// struct Lines: IterableDataset {
///   func samples(epoch: Int) throws -> LineReader { try LineReader(path) }
/// }
/// for batch in IterableLoader(Lines(), batchSize: 32) { … }
/// ```
public protocol IterableDataset: Sendable {
  associatedtype Samples: SampleStream

  /// The samples of an epoch, from the first on. The same in each call with the same epoch, if a run is to be resumed.
  func samples(epoch: Int) throws -> Samples
}

/// Gives samples until there is none.
public protocol SampleStream: Sendable {
  associatedtype Element: Stackable

  /// The next sample, or nil at the end.
  mutating func next() throws -> Element?
}

/// Batches of an iterable data set, epoch after epoch: what `DataLoader` is for sets that can be read in any order.
public final class IterableLoader<Data: IterableDataset>: Sendable {
  public typealias Batched = Data.Samples.Element.Stacked

  public let dataset: Data
  public let batchSize: Int
  /// Whether a last batch with fewer samples is left out.
  public let dropLast: Bool
  /// How many batches are made ahead of time on a thread of their own; 0 makes each when it is asked for.
  public let prefetch: Int
  /// Samples that wait while a random one of them is taken; 0 leaves the order as it is.
  public let shuffleBuffer: Int
  public let seed: UInt64
  private let progress = LoaderProgress()

  /// - Parameter shuffleBuffer: how many samples are held back, so that each that leaves is a random one of so many; 0 for none.
  /// - Parameter seed: of the shuffling; the default generator's (`manualSeed`) where none is given.
  public init(
    _ dataset: Data, batchSize: Int, shuffleBuffer: Int = 0, seed: UInt64? = nil, dropLast: Bool = false, prefetch: Int = 2
  ) {
    let isFine = check(
      batchSize > 0 && prefetch >= 0 && shuffleBuffer >= 0, .value, "IterableLoader",
      "batch size \(batchSize), \(prefetch) batches ahead, \(shuffleBuffer) samples to shuffle")
    self.dataset = dataset
    self.batchSize = isFine ? batchSize : 1
    self.dropLast = dropLast
    self.prefetch = isFine ? prefetch : 0
    self.shuffleBuffer = isFine ? shuffleBuffer : 0
    self.seed = seed ?? ApusCore.Generator.default.state.seed
  }

  /// Where the youngest loop stands.
  public var state: LoaderState {
    let (epoch, batch) = progress.current
    return LoaderState(epoch: epoch, batch: batch, seed: seed)
  }

  /// Makes the next loop begin where the loop stood that `state` was taken of.
  ///
  /// - Throws: `DataError` of kind `state` where it was taken of another kind of loader, or one with another seed.
  /// - Complexity: the samples before are read and dropped when the loop begins.
  public func load(state: LoaderState) throws(DataError) {
    try state.verify(seed: seed, sampleCount: nil)
    progress.restart(epoch: state.epoch, batch: state.batch)
  }

  /// The batches of one epoch, beginning with batch `start`.
  public func batches(epoch: Int, from start: Int = 0) -> BatchIterator<Batched> {
    let source = StreamedBatches(self, epoch: epoch, skipping: Swift.max(start, 0))
    // One worker: a stream has one order.
    return BatchIterator(source, epoch: epoch, from: Swift.max(start, 0), prefetch: prefetch, workers: 1, progress: progress)
  }
}

extension IterableLoader: Sequence {
  public func makeIterator() -> BatchIterator<Batched> {
    let (epoch, start) = progress.takeNext()
    return batches(epoch: epoch, from: start)
  }
}

/// Makes the batches of one epoch of a stream. It is asked for them in order.
private final class StreamedBatches<Data: IterableDataset>: BatchSource {
  typealias Element = Data.Samples.Element.Stacked
  private typealias Sample = Data.Samples.Element

  private struct Position {
    var stream: Data.Samples?
    var isAtEnd = false
    var waiting: [Sample] = []

    /// The stream's next sample. It isn't asked again after its end.
    mutating func next() throws -> Sample? {
      if isAtEnd { return nil }
      let sample = try stream?.next()
      isAtEnd = sample == nil
      return sample
    }
  }

  private let loader: IterableLoader<Data>
  private let epoch: Int
  private let skipping: Int
  private let generator: ApusCore.Generator
  private let position = Mutex(Position())

  init(_ loader: IterableLoader<Data>, epoch: Int, skipping: Int) {
    self.loader = loader
    self.epoch = epoch
    self.skipping = skipping
    generator = orderGenerator(seed: loader.seed, epoch: epoch)
  }

  func batch(_ number: Int) throws -> Element? {
    let samples = try position.withLock { position in
      if position.stream == nil {
        position.stream = try loader.dataset.samples(epoch: epoch)
        for _ in 0..<skipping * loader.batchSize where try take(&position) == nil { break }
      }
      var samples: [Sample] = []
      while samples.count < loader.batchSize, let sample = try take(&position) { samples.append(sample) }
      return samples
    }
    if samples.isEmpty || loader.dropLast && samples.count < loader.batchSize { return nil }
    return try Sample.stacked(samples)
  }

  /// A random one of the samples that wait, once enough do.
  private func take(_ position: inout Position) throws -> Sample? {
    guard loader.shuffleBuffer > 0 else { return try position.next() }
    while position.waiting.count < loader.shuffleBuffer, let sample = try position.next() {
      position.waiting.append(sample)
    }
    if position.waiting.isEmpty { return nil }
    let i = Int(unbiased(below: UInt64(position.waiting.count)) { generator.nextUInt64() })
    position.waiting.swapAt(i, position.waiting.count - 1)
    return position.waiting.removeLast()
  }
}
