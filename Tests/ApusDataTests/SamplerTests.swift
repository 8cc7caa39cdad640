import ApusCore
import ApusData
import TestSupport
import Testing

@Suite struct SamplerTests {
  @Test("draws with replacement: so many, independent, from all")
  func replacement() {
    let sampler = RandomSampler(seed: 1, replacementDraws: 3000)
    let draws = sampler.indices(count: 3, epoch: 0)
    #expect(draws.count == 3000 && sampler.indexCount(of: 3) == 3000)
    for i in 0..<3 { #expect(abs(draws.count { $0 == i } - 1000) < 130) }
    #expect(draws != sampler.indices(count: 3, epoch: 1) && draws == sampler.indices(count: 3, epoch: 0))
    #expect(sampler.indices(count: 0, epoch: 0) == [] && sampler.indexCount(of: 0) == 0)
    let set = TensorDataset(input: Tensor([1.0, 2]), target: Tensor([1, 2]))
    let loader = DataLoader(set, batchSize: 4, sampler: RandomSampler(seed: 1, replacementDraws: 10), seed: 1)
    #expect(loader.count == 3 && loader.sampleCount == 10 && Array(loader).map(\.count) == [4, 4, 2])
  }

  @Test("weights decide how often a sample comes")
  func weighted() {
    let sampler = WeightedSampler(weights: [1, 0, 3], draws: 4000, seed: 2)
    let draws = sampler.indices(count: 3, epoch: 0)
    #expect(draws.count == 4000 && draws.count { $0 == 1 } == 0 && abs(draws.count { $0 == 0 } - 1000) < 140)
    // Without replacement the first of three is sample 2 in 3 of 4 epochs.
    let once = WeightedSampler(weights: [1, 0, 3], draws: 2, replacement: false, seed: 2)
    let epochs = (0..<2000).map { once.indices(count: 3, epoch: $0) }
    #expect(epochs.allSatisfy { $0.sorted() == [0, 2] } && abs(epochs.count { $0[0] == 2 } - 1500) < 100)
    let third: Double = 1.0 / 3
    #expect(WeightedSampler.balanced(labels: [0, 0, 1, 0]) == [third, third, 1, third])
    expectMistake("WeightedSampler: 3 draws without replacement from 2 samples") {
      _ = WeightedSampler(weights: [1, 0, 3], draws: 3, replacement: false, seed: 0)
    }
    #expect(mistake { _ = WeightedSampler(weights: [1, -1], seed: 0) } != nil)
    #expect(mistake { _ = sampler.indices(count: 4, epoch: 0) } != nil)
  }

  @Test("shards of one order have equal length and together have all samples")
  func shards() {
    let base = RandomSampler(seed: 4)
    let order = base.indices(count: 10, epoch: 3)
    let shares = (0..<4).map { ShardSampler(base, shard: $0, of: 4).indices(count: 10, epoch: 3) }
    #expect(shares.allSatisfy { $0.count == 3 } && Set(shares.flatMap { $0 }) == Set(0..<10))
    // As PyTorch's DistributedSampler: every fourth; the first two once more at the end.
    #expect(shares[1] == [order[1], order[5], order[9]] && shares[3] == [order[3], order[7], order[1]])
    let cut = (0..<4).map { ShardSampler(base, shard: $0, of: 4, dropLast: true).indices(count: 10, epoch: 3) }
    #expect(cut.allSatisfy { $0.count == 2 } && Set(cut.flatMap { $0 }).count == 8)
    #expect(
      ShardSampler(shard: 2, of: 4).indices(count: 1, epoch: 0) == [0] && ShardSampler(shard: 0, of: 2).indexCount(of: 5) == 3)
    expectMistake("ShardSampler: shard 4 of 4: it counts from 0") { _ = ShardSampler(shard: 4, of: 4) }
  }

  @Test("batch samplers decide what goes together")
  func batches() throws {
    let fixed = FixedBatchSampler(SequentialSampler(), batchSize: 3)
    #expect(fixed.batches(count: 7, epoch: 0) == [[0, 1, 2], [3, 4, 5], [6]])
    #expect(FixedBatchSampler(SequentialSampler(), batchSize: 3, dropLast: true).batches(count: 7, epoch: 0).count == 2)
    let lengths = (0..<100).map { $0 * 37 % 50 }
    let buckets = BucketBatchSampler(lengths: lengths, batchSize: 10, poolSize: 10, seed: 1)
    let batches = buckets.batches(count: 100, epoch: 0)
    #expect(batches.flatMap { $0 }.sorted() == Array(0..<100) && batches != buckets.batches(count: 100, epoch: 1))
    for batch in batches {
      let all = batch.map { lengths[$0] }
      #expect(all.max()! - all.min()! <= 6)
    }
    let set = TensorDataset(input: Tensor.arange(100), target: Tensor.arange(100))
    let loader = DataLoader(set, batchSampler: buckets, seed: 0)
    #expect(loader.count == 10 && loader.sampleCount == 100)
    #expect(loader.map { $0.target.scalars(as: Int.self) } == batches)
  }
}
