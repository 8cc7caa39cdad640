import ApusCore

/// How a loader cuts epochs into batches.
enum LoadingPlan: Sendable {
  case samples(any Sampler, batchSize: Int, dropLast: Bool)
  case batches(any BatchSampler)

  func epoch(_ epoch: Int, count: Int) -> EpochPlan {
    switch self {
    case .samples(let sampler, let batchSize, let dropLast):
      let order = sampler.indices(count: count, epoch: epoch)
      let end = dropLast ? order.count / batchSize * batchSize : order.count
      return EpochPlan(order: order, ends: stride(from: batchSize, to: end + batchSize, by: batchSize).map { min($0, end) })
    case .batches(let sampler):
      let batches = sampler.batches(count: count, epoch: epoch)
      var (ends, end) = ([Int](), 0)
      for batch in batches {
        end += batch.count
        ends.append(end)
      }
      return EpochPlan(order: batches.flatMap { $0 }, ends: ends)
    }
  }

  func batchCount(of count: Int) -> Int {
    switch self {
    case .samples(let sampler, let batchSize, let dropLast):
      let count = sampler.indexCount(of: count)
      return dropLast ? count / batchSize : (count + batchSize - 1) / batchSize
    case .batches(let sampler): return sampler.batches(count: count, epoch: 0).count
    }
  }

  func sampleCount(of count: Int) -> Int {
    switch self {
    case .samples(let sampler, let batchSize, let dropLast):
      dropLast ? batchCount(of: count) * batchSize : sampler.indexCount(of: count)
    case .batches(let sampler): sampler.batches(count: count, epoch: 0).reduce(0) { $0 + $1.count }
    }
  }
}

/// The samples of one epoch, batch by batch.
struct EpochPlan: Sendable {
  let order: [Int]
  /// Where each batch ends in `order`.
  let ends: [Int]

  /// Number of batches.
  var count: Int { ends.count }

  func indices(of batch: Int) -> [Int] { Array(order[(batch == 0 ? 0 : ends[batch - 1])..<ends[batch]]) }
}

/// The generator of one batch's transform: a stream of its own, so that it doesn't matter who makes the batch, or when.
func batchGenerator(seed: UInt64, epoch: Int, batch: Int) -> Generator {
  var bits = RandomBits(0x7472_616E_7366, UInt64(truncatingIfNeeded: epoch), UInt64(truncatingIfNeeded: batch))
  // Not stream 0, which initialises models.
  return Generator(seed: seed, stream: bits.next() | 1)
}
