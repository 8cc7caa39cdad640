import ApusCore
import ApusData
import Foundation
import Synchronization
import Testing

/// Numbers 0..<count. Counts what is asked of it, fails at one sample, and is slow if so told.
private final class Numbers: Dataset {
  let count: Int
  let failsAt: Int?
  let delay: TimeInterval
  let batchesMade = Mutex(0)

  struct Bad: Error, CustomStringConvertible {
    let description: String
  }

  init(_ count: Int, failsAt: Int? = nil, delay: TimeInterval = 0) {
    self.count = count
    self.failsAt = failsAt
    self.delay = delay
  }

  subscript(index: Int) -> Int {
    get throws {
      if index == failsAt { throw Bad(description: "sample \(index) is bad") }
      return index
    }
  }

  func batch(at indices: [Int]) throws -> [Int] {
    batchesMade.withLock { $0 += 1 }
    if delay > 0 { Thread.sleep(forTimeInterval: delay) }
    return try indices.map { try self[$0] }
  }
}

@Suite struct DataLoaderTests {
  @Test("in order, with a smaller last batch or without it", arguments: [0, 1, 3])
  func order(prefetch: Int) {
    let all = DataLoader(Numbers(10), batchSize: 4, prefetch: prefetch)
    #expect(Array(all) == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]])
    #expect(all.count == 3 && all.sampleCount == 10)
    let whole = DataLoader(Numbers(10), batchSize: 4, dropLast: true, prefetch: prefetch)
    #expect(Array(whole) == [[0, 1, 2, 3], [4, 5, 6, 7]])
    #expect(whole.count == 2 && whole.sampleCount == 8)
    #expect(Array(DataLoader(Numbers(8), batchSize: 4, dropLast: true, prefetch: prefetch)).count == 2)
    #expect(Array(DataLoader(Numbers(3), batchSize: 4, dropLast: true, prefetch: prefetch)) == [])
    #expect(Array(DataLoader(Numbers(3), batchSize: 4, prefetch: prefetch)) == [[0, 1, 2]])
    #expect(Array(DataLoader(Numbers(0), batchSize: 4, prefetch: prefetch)) == [])
  }

  @Test("an epoch's order depends on seed and epoch, and prefetching changes nothing")
  func shuffling() {
    func epochs(_ seed: UInt64, prefetch: Int) -> [[[Int]]] {
      let loader = DataLoader(Numbers(100), batchSize: 8, shuffle: true, seed: seed, prefetch: prefetch)
      return (0..<3).map { _ in Array(loader) }
    }
    let a = epochs(1, prefetch: 0)
    #expect(a == epochs(1, prefetch: 2))
    #expect(a == epochs(1, prefetch: 50))
    #expect(a != epochs(2, prefetch: 0))
    #expect(a[0] != a[1] && a[1] != a[2])
    for epoch in a { #expect(epoch.flatMap { $0 }.sorted() == Array(0..<100)) }
    // Neither what ran before nor the default generator has a say.
    let loader = DataLoader(Numbers(100), batchSize: 8, shuffle: true, seed: 1)
    loader.epoch = 2
    _ = Generator.default.nextUInt64()
    #expect(Array(loader) == a[2])
    #expect(loader.epoch == 3)
    #expect(Array(loader.batches(epoch: 1)) == a[1])
    #expect(loader.epoch == 3)
    #expect(Array(loader.batches(epoch: 1, from: 5)) == Array(a[1][5...]))
    #expect(Array(loader.batches(epoch: 1, from: 13)) == [])
  }

  @Test("orders are permutations without a bias")
  func permutations() {
    var counts = [[Int]](repeating: [0, 0, 0, 0], count: 4)
    for epoch in 0..<4000 {
      for (place, index) in RandomSampler(seed: 5).indices(count: 4, epoch: epoch).enumerated() { counts[place][index] += 1 }
    }
    // 1000 each on average; the deviation is 27.
    for row in counts { for count in row { #expect(abs(count - 1000) < 160) } }
    #expect(RandomSampler(seed: 5).indices(count: 0, epoch: 0) == [])
    #expect(RandomSampler(seed: 5).indices(count: 1, epoch: 0) == [0])
    #expect(SequentialSampler().indices(count: 3, epoch: 9) == [0, 1, 2])
  }

  @Test("the order is what it was when this was written: runs can be repeated")
  func golden() {
    #expect(RandomSampler(seed: 42).indices(count: 10, epoch: 0) == [3, 0, 4, 6, 8, 7, 5, 2, 1, 9])
    #expect(RandomSampler(seed: 42).indices(count: 10, epoch: 1) == [3, 0, 6, 5, 8, 9, 2, 4, 1, 7])
  }

  @Test("without a seed the default generator's is taken")
  func defaultSeed() {
    let seed = Generator.default.state.seed
    #expect(
      Array(DataLoader(Numbers(50), batchSize: 5, shuffle: true))
        == Array(DataLoader(Numbers(50), batchSize: 5, shuffle: true, seed: seed)))
  }

  @Test("leaving a loop early stops the thread, which holds nothing afterwards")
  func earlyBreak() {
    weak var leaked: Numbers?
    do {
      let numbers = Numbers(1000, delay: 0.001)
      leaked = numbers
      let loader = DataLoader(numbers, batchSize: 10, prefetch: 2)
      for batch in loader where batch[0] >= 20 { break }
      // The loop has joined the thread: two batches in the queue and one in hand at most.
      let made = numbers.batchesMade.withLock { $0 }
      #expect(made <= 6)
      Thread.sleep(forTimeInterval: 0.02)
      #expect(numbers.batchesMade.withLock { $0 } == made)
    }
    #expect(leaked == nil)
  }

  @Test("a loop that is never begun, and one that ends, leave nothing either")
  func noLeak() {
    weak var leaked: Numbers?
    do {
      let numbers = Numbers(20)
      leaked = numbers
      let loader = DataLoader(numbers, batchSize: 10)
      _ = loader.makeIterator()
      for _ in loader {}
    }
    #expect(leaked == nil)
  }

  @Test("no more is made than the queue holds")
  func bounded() {
    let numbers = Numbers(1000)
    let batches = DataLoader(numbers, batchSize: 10, prefetch: 3).batches(epoch: 0)
    #expect(batches.next() == Array(0..<10))
    Thread.sleep(forTimeInterval: 0.05)
    // One was taken, three wait, one is in hand.
    #expect(numbers.batchesMade.withLock { $0 } <= 5)
  }

  @Test("an error of the data set arrives in its turn, and ends the epoch", arguments: [0, 2])
  func errors(prefetch: Int) throws {
    let loader = DataLoader(Numbers(100, failsAt: 25), batchSize: 10, prefetch: prefetch)
    let batches = loader.batches(epoch: 0)
    #expect(try batches.nextBatch()?.first == 0)
    #expect(try batches.nextBatch()?.first == 10)
    let error = #expect(throws: Numbers.Bad.self) { try batches.nextBatch() }
    #expect(error?.description == "sample 25 is bad")
    #expect(try batches.nextBatch() == nil)
    // In a plain loop it is a mistake like any other.
    var seen = 0
    let mistake = #expect(throws: TensorError.self) { try catching { for _ in loader { seen += 1 } } }
    #expect(mistake?.description == "DataLoader: sample 25 is bad")
    #expect(seen == 2)
  }

  @Test("mistakes in ops on the loader's thread arrive too", arguments: [0, 2])
  func tensorErrors(prefetch: Int) throws {
    struct Ragged: Dataset {
      let count = 4
      subscript(i: Int) -> Example { Example(input: Tensor.zeros([i + 1]), target: Tensor(0)) }
    }
    let batches = DataLoader(Ragged(), batchSize: 2, prefetch: prefetch).batches(epoch: 0)
    let error = #expect(throws: TensorError.self) { try batches.nextBatch() }
    #expect(error?.kind == .shape)
    #expect(error?.operation == "stack")
  }

  @Test("real batches: the same with and without prefetching, and no gradient history")
  func batches() {
    let digits = SyntheticDigits.load(.train, count: 100)
    func run(_ prefetch: Int) -> [([Float], [Int])] {
      DataLoader(digits, batchSize: 32, shuffle: true, seed: 3, prefetch: prefetch).map {
        ($0.input.scalars(as: Float.self), $0.target.scalars(as: Int.self))
      }
    }
    let (a, b) = (run(0), run(2))
    #expect(a.count == 4 && b.count == 4)
    for (x, y) in zip(a, b) { #expect(x.0 == y.0 && x.1 == y.1) }
  }

  @Test("a batch has at least one sample")
  func badArguments() {
    #expect(throws: TensorError.self) { try catching { DataLoader(Numbers(1), batchSize: 0) } }
    #expect(throws: TensorError.self) { try catching { DataLoader(Numbers(1), batchSize: 1, prefetch: -1) } }
  }
}
