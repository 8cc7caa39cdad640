import ApusCore
import ApusData
import Foundation
import Testing

/// Batches of numbers with noise, which shows what random numbers a transform got.
private func noisyLoader(seed: UInt64 = 7, prefetch: Int, workers: Int = 1) -> DataLoader<TensorDataset> {
  let set = TensorDataset(input: Tensor.arange(50, dtype: .float32), target: Tensor.arange(50))
  return DataLoader(
    set, batchSize: 4, shuffle: true, seed: seed, prefetch: prefetch, workers: workers,
    transform: { batch, generator in
      let noise = Tensor.rand(batch.input.shape, generator: generator)
      return Batch(input: batch.input + noise * generator.uniform(), target: batch.target)
    })
}

private func values(_ batches: some Sequence<Batch>) -> [[Float]] { batches.map { $0.input.scalars(as: Float.self) } }

@Suite struct LoaderStateTests {
  @Test("a transform's numbers depend neither on prefetching nor on the number of workers")
  func workers() {
    let expected = (0..<2).map { epoch in values(noisyLoader(prefetch: 0).batches(epoch: epoch)) }
    #expect(expected[0].count == 13 && expected[0] != expected[1])
    #expect(Set(expected[0].map { $0[0] - $0[0].rounded(.down) }).count > 10)
    for (prefetch, workers) in [(1, 1), (2, 2), (5, 4), (1, 8)] {
      let loader = noisyLoader(prefetch: prefetch, workers: workers)
      #expect([values(loader), values(loader)] == expected)
    }
    #expect(values(noisyLoader(seed: 8, prefetch: 0)) != expected[0])
  }

  @Test("a new loader goes on from a state at any batch, bit for bit", arguments: [(0, 1), (3, 1), (2, 3)])
  func resume(prefetch: Int, workers: Int) throws {
    let loader = noisyLoader(prefetch: 0)
    let epochs = [values(loader), values(loader), values(loader)]
    for stop in 1...13 {
      let first = noisyLoader(prefetch: prefetch, workers: workers)
      _ = values(first)
      var (seen, saved): ([[Float]], LoaderState?) = ([], nil)
      for batch in first {
        seen.append(batch.input.scalars(as: Float.self))
        saved = first.state
        if seen.count == stop { break }
      }
      let state = try JSONDecoder().decode(LoaderState.self, from: JSONEncoder().encode(#require(saved)))
      #expect(state == LoaderState(epoch: 1, batch: stop, seed: 7, sampleCount: 50))
      let second = noisyLoader(prefetch: prefetch, workers: workers)
      try second.load(state: state)
      #expect(seen + values(second) == epochs[1])
      #expect(values(second) == epochs[2])
    }
  }

  @Test("a state is that of the youngest loop, and the end of an epoch the beginning of the next")
  func youngest() throws {
    let loader = noisyLoader(prefetch: 2)
    #expect(loader.state.epoch == 0 && loader.state.batch == 0)
    let old = loader.makeIterator()
    _ = old.next()
    let young = loader.batches(epoch: 5, from: 3)
    #expect(loader.state.epoch == 5 && loader.state.batch == 3)
    _ = old.next()
    #expect(loader.state.epoch == 5 && loader.state.batch == 3)
    while young.next() != nil {}
    #expect(loader.state.epoch == 6 && loader.state.batch == 0)
  }

  @Test("the state of another loader is refused")
  func foreign() {
    let loader = noisyLoader(prefetch: 0)
    for state in [
      LoaderState(epoch: 0, batch: 1, seed: 8, sampleCount: 50), LoaderState(epoch: 0, batch: 1, seed: 7, sampleCount: 49),
      LoaderState(epoch: -1, batch: 0, seed: 7, sampleCount: 50),
    ] {
      #expect(dataError { try loader.load(state: state) }?.kind == .state)
    }
    #expect(
      dataError { try loader.load(state: LoaderState(epoch: 0, batch: 1, seed: 8, sampleCount: 50)) }?.description
        == "loader state: it belongs to seed 8, this loader's is 7; make the loader with the seed of the saved run")
  }

  @Test("an error of one of several workers arrives in its turn")
  func errors() throws {
    struct Failing: Dataset {
      struct Bad: Error {}
      let count = 40
      subscript(i: Int) -> Tensor {
        get throws {
          if i == 21 { throw Bad() }
          return Tensor(i)
        }
      }
    }
    let batches = DataLoader(Failing(), batchSize: 4, prefetch: 8, workers: 4).batches(epoch: 0)
    for first in stride(from: 0, to: 20, by: 4) { #expect(try batches.nextBatch()?[0].item() == Double(first)) }
    #expect(throws: Failing.Bad.self) { try batches.nextBatch() }
    #expect(try batches.nextBatch() == nil)
  }

  @Test("an iterable set: batches, shuffling with a buffer, resuming")
  func iterable() throws {
    struct Count: IterableDataset {
      struct Numbers: SampleStream {
        var i = 0
        mutating func next() -> Tensor? {
          i += 1
          return i <= 10 ? Tensor(i - 1) : nil
        }
      }
      func samples(epoch: Int) -> Numbers { Numbers() }
    }
    func run(_ loader: IterableLoader<Count>) -> [[Int]] { loader.map { $0.scalars(as: Int.self) } }
    for prefetch in [0, 2] {
      #expect(run(IterableLoader(Count(), batchSize: 4, prefetch: prefetch)) == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]])
      #expect(run(IterableLoader(Count(), batchSize: 4, dropLast: true, prefetch: prefetch)) == [[0, 1, 2, 3], [4, 5, 6, 7]])
      func shuffled() -> IterableLoader<Count> {
        IterableLoader(Count(), batchSize: 3, shuffleBuffer: 4, seed: 3, prefetch: prefetch)
      }
      let loader = shuffled()
      let (first, second) = (run(loader), run(loader))
      #expect(first != second && first.flatMap { $0 }.sorted() == Array(0..<10) && first[0].allSatisfy { $0 < 6 })
      let interrupted = shuffled()
      for batch in interrupted where batch.scalars(as: Int.self) == first[1] { break }
      let resumed = shuffled()
      try resumed.load(state: interrupted.state)
      #expect(run(resumed) == Array(first[2...]))
      #expect(run(resumed) == second)
    }
  }
}
