import ApusCore
import ApusData
import TestSupport
import Testing

@Suite struct DatasetCompositionTests {
  private let set = TensorDataset(input: Tensor.arange(10, dtype: .float32), target: Tensor.arange(10))

  @Test("sets one after the other")
  func concatenation() throws {
    let all = ConcatDataset([set.prefix(3), set.prefix(0), Subset(set, indices: [9, 8])])
    #expect(all.count == 5)
    #expect(try (0..<5).map { try all[$0].target.item(as: Int.self) } == [0, 1, 2, 9, 8])
    #expect(try all.batch(at: [4, 0, 3]).target.scalars(as: Int.self) == [8, 0, 9])
    #expect(ConcatDataset<TensorDataset>([]).count == 0)
  }

  @Test("random parts have all samples, each once, and depend on the seed alone")
  func split() {
    let parts = set.randomSplit(lengths: [7, 0, 3], seed: 1)
    #expect(parts.map(\.count) == [7, 0, 3] && parts.flatMap(\.indices).sorted() == Array(0..<10))
    #expect(parts.map(\.indices) == set.randomSplit(lengths: [7, 0, 3], seed: 1).map(\.indices))
    #expect(parts.map(\.indices) != set.randomSplit(lengths: [7, 0, 3], seed: 2).map(\.indices))
    // torch.utils.data.random_split(range(10), [0.25, 0.25, 0.5]) has parts of 3, 2, 5.
    #expect(set.randomSplit(fractions: [0.25, 0.25, 0.5], seed: 1).map(\.count) == [3, 2, 5])
    expectMistake("randomSplit: lengths [7, 2] for 10 samples: their sum must be that") {
      _ = set.randomSplit(lengths: [7, 2], seed: 1)
    }
    #expect(mistake { _ = set.randomSplit(fractions: [0.5, 0.4], seed: 1) } != nil)
  }

  @Test("a collation of one's own")
  func collated() {
    let sums = set.collated { samples in samples.map { $0.target.item(as: Int.self) }.reduce(0, +) }
    #expect(Array(DataLoader(sums, batchSize: 4)) == [6, 22, 17])
  }

  @Test("windows of a text")
  func windows() {
    let windows = TokenWindows(Array(10..<20), length: 4)
    #expect(windows.count == 6)
    #expect(
      windows[5].input.scalars(as: Int.self) == [15, 16, 17, 18] && windows[5].target.scalars(as: Int.self) == [16, 17, 18, 19])
    let batch = windows.batch(at: [2, 0])
    #expect(batch.input.dtype == .int64 && batch.input.array(as: [[Int]].self) == [[12, 13, 14, 15], [10, 11, 12, 13]])
    let apart = TokenWindows(Array(10..<20), length: 4, step: 4)
    #expect(apart.count == 2 && apart[1].input.scalars(as: Int.self) == [14, 15, 16, 17])
    #expect(TokenWindows([1, 2, 3, 4], length: 4).count == 0 && TokenWindows([], length: 4).count == 0)
    #expect(mistake { _ = windows[6] } != nil)
    #expect(mistake { _ = TokenWindows([1 << 40], length: 1) } != nil)
  }

  @Test("streams of a text go on from batch to batch")
  func streams() {
    let streams = TokenStreams(Array(0..<23), streams: 2, length: 3)
    // 22 targets, 11 for each stream: three steps of 3.
    #expect(streams.stepCount == 3 && streams.count == 6)
    let batches = Array(streams.loader())
    #expect(
      batches.map { $0.input.array(as: [[Int]].self) }
        == [[[0, 1, 2], [11, 12, 13]], [[3, 4, 5], [14, 15, 16]], [[6, 7, 8], [17, 18, 19]]])
    #expect(batches[2].target.array(as: [[Int]].self) == [[7, 8, 9], [18, 19, 20]])
    #expect(streams[1].input.scalars(as: Int.self) == [11, 12, 13])
    #expect(TokenStreams([], streams: 2, length: 3).count == 0)
  }
}
