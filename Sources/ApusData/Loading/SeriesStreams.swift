import ApusCore

/// A long series of numbers cut into parallel streams, for truncated back-propagation through time: what `TokenStreams` is for text. Input is
/// a stretch of each stream, target the same moved on by one.
///
/// ```swift
/// let streams = SeriesStreams(values, streams: 1, length: 30)
/// let loader = DataLoader(streams, batchSize: 1)  // input and target [1, 30, 1] float32
/// ```
///
/// A batch has to have as many samples as there are streams, in order. What doesn't fill the last step of all streams is left out.
public struct SeriesStreams: Dataset {
  public let values: [Float]
  public let streams: Int
  /// Values of each stream in a step.
  public let length: Int

  public init(_ values: [Float], streams: Int, length: Int) {
    let isFine = check(
      streams > 0 && length > 0, .value, "SeriesStreams", "\(streams) streams with \(length) values in a step")
    self.values = values
    self.streams = isFine ? streams : 1
    self.length = isFine ? length : 1
  }

  /// Steps in an epoch.
  public var stepCount: Int { cut.stepCount }

  public var count: Int { stepCount * streams }

  private var cut: StreamCut { StreamCut(total: values.count, streams: streams, length: length) }

  /// Stream `index % streams` in step `index / streams`: input and target, float32 `[length, 1]` each.
  public subscript(index: Int) -> Example {
    let batch = batch(at: [index])
    return Example(input: batch.input.squeeze(dim: 0), target: batch.target.squeeze(dim: 0))
  }

  /// Inputs and targets, float32 `[batch, length, 1]` each.
  public func batch(at indices: [Int]) -> Batch {
    guard
      check(indices.allSatisfy { $0 >= 0 && $0 < count }, .index, "SeriesStreams", "a sample of \(indices) isn't in 0..<\(count)")
    else { return Batch(input: .invalid, target: .invalid) }
    func rows(_ shift: Int) -> Tensor {
      let numbers = indices.flatMap { index in
        let start = cut.start(index) + shift
        return values[start..<start + length]
      }
      return Tensor(scalars: numbers, shape: [indices.count, length, 1])
    }
    return Batch(input: rows(0), target: rows(1))
  }
}
