import ApusCore

/// Decides which samples an epoch visits, in which order.
public protocol Sampler: Sendable {
  /// Positions in 0..<`count`. A function of its arguments alone, so that an epoch can be repeated or taken up in the middle.
  func indices(count: Int, epoch: Int) -> [Int]
}

/// From the first to the last.
public struct SequentialSampler: Sampler {
  public init() {}

  public func indices(count: Int, epoch: Int) -> [Int] { Array(0..<count) }
}

/// Every sample once, in an order that depends on seed and epoch and nothing else.
public struct RandomSampler: Sampler {
  public let seed: UInt64

  public init(seed: UInt64) { self.seed = seed }

  public func indices(count: Int, epoch: Int) -> [Int] {
    // A stream of its own for each epoch, none of them stream 0, which initialises models.
    let generator = Generator(seed: seed, stream: 0x7368_7566_0000_0000 &+ UInt64(truncatingIfNeeded: epoch))
    var order = Array(0..<count)
    for i in stride(from: count - 1, to: 0, by: -1) {
      order.swapAt(i, Int(unbiased(below: UInt64(i + 1)) { generator.nextUInt64() }))
    }
    return order
  }
}
