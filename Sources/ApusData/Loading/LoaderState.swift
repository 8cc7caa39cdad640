import Synchronization

/// Where a loader stands: which batch comes next. With the same data set and arguments, all later batches are a function of it.
///
/// It is small and `Codable`: save it beside the parameters, in the middle of an epoch too.
public struct LoaderState: Codable, Hashable, Sendable {
  /// The epoch, counted from 0.
  public var epoch: Int
  /// The batch of this epoch that comes next.
  public var batch: Int
  /// The seed of the loader's random numbers.
  public var seed: UInt64
  /// Samples in the data set; nil where nobody knows before the end.
  public var sampleCount: Int?

  public init(epoch: Int, batch: Int, seed: UInt64, sampleCount: Int? = nil) {
    self.epoch = epoch
    self.batch = batch
    self.seed = seed
    self.sampleCount = sampleCount
  }

  /// Makes sure that this state belongs to a loader with `seed` and `sampleCount`.
  func verify(seed: UInt64, sampleCount: Int?) throws(DataError) {
    func error(_ reason: String, _ advice: String) -> DataError {
      DataError(.state, path: "loader state", reason, advice: advice)
    }
    if epoch < 0 || batch < 0 { throw error("epoch \(epoch), batch \(batch)", "both count from 0") }
    if self.seed != seed {
      throw error("it belongs to seed \(self.seed), this loader's is \(seed)", "make the loader with the seed of the saved run")
    }
    if self.sampleCount != sampleCount {
      throw error(
        "it belongs to a data set of \(self.sampleCount ?? 0) samples, this loader's has \(sampleCount ?? 0)",
        "use the data set of the saved run")
    }
  }
}

/// The place of a loader's youngest iterator, told by the iterator.
final class LoaderProgress: Sendable {
  private struct Place {
    var iterator = 0
    var epoch = 0
    var batch = 0
    /// The epoch of the next loop, and the batch that it begins with.
    var nextEpoch = 0
    var nextBatch = 0
  }

  private let place = Mutex(Place())

  var current: (epoch: Int, batch: Int) { place.withLock { ($0.epoch, $0.batch) } }

  var nextEpoch: Int {
    get { place.withLock { $0.nextEpoch } }
    set { restart(epoch: newValue, batch: 0) }
  }

  func restart(epoch: Int, batch: Int) {
    place.withLock { place in
      // Iterators of before are not listened to any more.
      place = Place(iterator: place.iterator + 1, epoch: epoch, batch: batch, nextEpoch: epoch, nextBatch: batch)
    }
  }

  /// Where the next loop begins; the one after it begins an epoch later.
  func takeNext() -> (epoch: Int, batch: Int) {
    place.withLock { place in
      defer { (place.nextEpoch, place.nextBatch) = (place.nextEpoch + 1, 0) }
      return (place.nextEpoch, place.nextBatch)
    }
  }

  /// - Returns: the number of a new iterator, which is now the youngest.
  func begin(epoch: Int, batch: Int) -> Int {
    place.withLock { place in
      place.iterator += 1
      (place.epoch, place.batch) = (epoch, batch)
      return place.iterator
    }
  }

  func advance(_ iterator: Int, epoch: Int, batch: Int) {
    place.withLock { place in
      if iterator == place.iterator { (place.epoch, place.batch) = (epoch, batch) }
    }
  }
}
