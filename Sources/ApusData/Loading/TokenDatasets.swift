import ApusCore

/// Stretches of a long text as examples for a language model: the input is `length` tokens, the target the same moved on by one.
///
/// One starts at every `step`-th token. For random windows, so many in an epoch:
///
/// ```swift
/// let windows = TokenWindows(tokens, length: 256)
/// let sampler = RandomSampler(seed: 1, replacementDraws: 64 * 1000)
/// let loader = DataLoader(windows, batchSize: 64, sampler: sampler)  // input and target [64, 256] int64
/// ```
public struct TokenWindows: Dataset {
  /// Of the whole text.
  public let tokens: [Int32]
  public let length: Int
  /// From the start of a window to the start of the next.
  public let step: Int

  /// - Parameter tokens: numbers that fit into 32 bits.
  /// - Parameter step: 1 for every possible window; `length` for windows that don't overlap.
  public init(_ tokens: [Int], length: Int, step: Int = 1) {
    let isFine = check(length > 0 && step > 0, .value, "TokenWindows", "windows of \(length) tokens, \(step) apart")
    self.tokens = compact(tokens, for: "TokenWindows")
    self.length = isFine ? length : 1
    self.step = isFine ? step : 1
  }

  /// A window needs one token more than its length, for the last target.
  public var count: Int { tokens.count > length ? (tokens.count - length - 1) / step + 1 : 0 }

  /// Input and target, int64 `[length]` each.
  public subscript(index: Int) -> Example {
    let batch = batch(at: [index])
    return Example(input: batch.input.squeeze(dim: 0), target: batch.target.squeeze(dim: 0))
  }

  /// Inputs and targets, int64 `[batch, length]` each.
  public func batch(at indices: [Int]) -> Batch {
    guard
      check(indices.allSatisfy { $0 >= 0 && $0 < count }, .index, "TokenWindows", "a window of \(indices) isn't in 0..<\(count)")
    else { return Batch(input: .invalid, target: .invalid) }
    return stretches(of: tokens, at: indices.map { $0 * step }, length: length)
  }
}

/// A long text cut into parallel streams, for truncated back-propagation through time: row b of a batch goes on where row b of the batch
/// before ended, so a recurrent network's state can be handed on.
///
/// ```swift
/// let streams = TokenStreams(tokens, streams: 32, length: 64)
/// for batch in streams.loader() { … }  // input and target [32, 64] int64
/// ```
///
/// What doesn't fill the last step of all streams is left out.
public struct TokenStreams: Dataset {
  public let tokens: [Int32]
  public let streams: Int
  /// Tokens of each stream in a step.
  public let length: Int

  /// - Parameter tokens: numbers that fit into 32 bits.
  public init(_ tokens: [Int], streams: Int, length: Int) {
    let isFine = check(
      streams > 0 && length > 0, .value, "TokenStreams", "\(streams) streams with \(length) tokens in a step")
    self.tokens = compact(tokens, for: "TokenStreams")
    self.streams = isFine ? streams : 1
    self.length = isFine ? length : 1
  }

  /// Steps in an epoch.
  public var stepCount: Int { cut.stepCount }

  public var count: Int { stepCount * streams }

  /// Stream `index % streams` in step `index / streams`: input and target, int64 `[length]` each.
  public subscript(index: Int) -> Example {
    let batch = batch(at: [index])
    return Example(input: batch.input.squeeze(dim: 0), target: batch.target.squeeze(dim: 0))
  }

  /// Inputs and targets, int64 `[batch, length]` each.
  public func batch(at indices: [Int]) -> Batch {
    guard
      check(indices.allSatisfy { $0 >= 0 && $0 < count }, .index, "TokenStreams", "a sample of \(indices) isn't in 0..<\(count)")
    else { return Batch(input: .invalid, target: .invalid) }
    return stretches(of: tokens, at: indices.map(cut.start), length: length)
  }

  private var cut: StreamCut { StreamCut(total: tokens.count, streams: streams, length: length) }

  /// A loader with the one order and batch size that make sense.
  public func loader(prefetch: Int = 2) -> DataLoader<TokenStreams> {
    DataLoader(self, batchSize: streams, sampler: SequentialSampler(), dropLast: true, prefetch: prefetch)
  }
}

/// How a long series is cut into parallel streams, and these into steps; each element but the last has a target, the next.
struct StreamCut {
  let total: Int
  let streams: Int
  let length: Int

  private var streamLength: Int { max((total - 1) / streams, 0) }

  /// Whole steps of a stream.
  var stepCount: Int { streamLength / length }

  /// Where stream `index % streams` begins in step `index / streams`.
  func start(_ index: Int) -> Int { index % streams * streamLength + index / streams * length }
}

private func compact(_ tokens: [Int], for name: String) -> [Int32] {
  let isFine = check(
    tokens.allSatisfy { Int32(exactly: $0) != nil }, .value, name, "a token doesn't fit into 32 bits")
  return isFine ? tokens.map { Int32($0) } : []
}

private func stretches(of tokens: [Int32], at starts: [Int], length: Int) -> Batch {
  func rows(_ shift: Int) -> Tensor {
    let data = TensorData.uninitialized([starts.count, length], .int64, for: "batch")
    guard data.isValid else { return .invalid }
    let output = data.base.assumingMemoryBound(to: Int64.self)
    for (row, start) in starts.enumerated() {
      for i in 0..<length { output[row * length + i] = Int64(tokens[start + shift + i]) }
    }
    return Tensor(data)
  }
  return Batch(input: rows(0), target: rows(1))
}
