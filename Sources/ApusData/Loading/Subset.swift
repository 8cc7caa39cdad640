/// Some samples of another data set.
public struct Subset<Base: Dataset>: Dataset {
  public let base: Base
  /// Where the samples stand in `base`; any order, repetitions allowed.
  public let indices: [Int]

  public init(_ base: Base, indices: [Int]) {
    self.base = base
    self.indices = indices
  }

  public var count: Int { indices.count }

  public subscript(index: Int) -> Base.Element {
    get throws { try base[indices[index]] }
  }

  public func batch(at indices: [Int]) throws -> Base.Batched { try base.batch(at: indices.map { self.indices[$0] }) }
}

extension Dataset {
  /// The first `count` samples; all where there are fewer.
  public func prefix(_ count: Int) -> Subset<Self> { Subset(self, indices: Array(0..<min(max(count, 0), self.count))) }
}
