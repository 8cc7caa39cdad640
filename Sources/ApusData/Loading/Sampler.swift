import ApusCore

/// Decides which samples an epoch visits, in which order.
public protocol Sampler: Sendable {
  /// Positions in 0..<`count`. A function of its arguments alone, so that an epoch can be repeated or taken up in the middle.
  func indices(count: Int, epoch: Int) -> [Int]

  /// How many positions `indices` gives for a data set of `count` samples. The default: each sample once.
  func indexCount(of count: Int) -> Int
}

extension Sampler {
  public func indexCount(of count: Int) -> Int { count }
}

/// From the first to the last.
public struct SequentialSampler: Sampler {
  public init() {}

  public func indices(count: Int, epoch: Int) -> [Int] { Array(0..<count) }
}

/// Every sample once, in an order that depends on seed and epoch and nothing else; or, with replacement, any number of independent draws.
public struct RandomSampler: Sampler {
  public let seed: UInt64
  /// Draws with replacement in each epoch; nil visits every sample once.
  public let draws: Int?

  public init(seed: UInt64) {
    self.seed = seed
    draws = nil
  }

  /// Draws `draws` samples in each epoch, each independent of the others: for data sets that are larger than an epoch should be.
  public init(seed: UInt64, replacementDraws draws: Int) {
    self.seed = seed
    self.draws = max(draws, 0)
  }

  public func indices(count: Int, epoch: Int) -> [Int] {
    let generator = orderGenerator(seed: seed, epoch: epoch)
    if let draws {
      guard count > 0 else { return [] }
      return (0..<draws).map { _ in Int(unbiased(below: UInt64(count)) { generator.nextUInt64() }) }
    }
    var order = Array(0..<count)
    for i in stride(from: count - 1, to: 0, by: -1) {
      order.swapAt(i, Int(unbiased(below: UInt64(i + 1)) { generator.nextUInt64() }))
    }
    return order
  }

  public func indexCount(of count: Int) -> Int { draws.map { count > 0 ? $0 : 0 } ?? count }
}

/// A stream of its own for each epoch's order, none of them stream 0, which initialises models.
func orderGenerator(seed: UInt64, epoch: Int) -> Generator {
  Generator(seed: seed, stream: 0x7368_7566_0000_0000 &+ UInt64(truncatingIfNeeded: epoch))
}
