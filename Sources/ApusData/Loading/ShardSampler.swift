import ApusCore

/// One process's share of another sampler's order: every `shards`-th sample, beginning with the `shard`-th.
///
/// All shards have the same number of samples, so that processes that work in step do the same number of steps: the order is continued from
/// its beginning where it doesn't divide, or cut with `dropLast`. All processes must give the same base.
public struct ShardSampler: Sampler {
  public let base: any Sampler
  public let shard: Int
  public let shards: Int
  public let dropLast: Bool

  public init(_ base: any Sampler = SequentialSampler(), shard: Int, of shards: Int, dropLast: Bool = false) {
    let isFine = check(
      shards > 0 && shard >= 0 && shard < shards, .value, "ShardSampler", "shard \(shard) of \(shards): it counts from 0")
    self.base = base
    self.shard = isFine ? shard : 0
    self.shards = isFine ? shards : 1
    self.dropLast = dropLast
  }

  public func indices(count: Int, epoch: Int) -> [Int] {
    let order = base.indices(count: count, epoch: epoch)
    guard !order.isEmpty else { return [] }
    return (0..<share(of: order.count)).map { order[($0 * shards + shard) % order.count] }
  }

  public func indexCount(of count: Int) -> Int { share(of: base.indexCount(of: count)) }

  private func share(of count: Int) -> Int { dropLast ? count / shards : (count + shards - 1) / shards }
}
