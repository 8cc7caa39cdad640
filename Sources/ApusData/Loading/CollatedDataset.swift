/// A data set whose batches are made of its samples by a function of one's own.
public struct CollatedDataset<Base: Dataset, Batched: Sendable>: Dataset {
  public let base: Base
  private let collate: @Sendable ([Base.Element]) throws -> Batched

  init(_ base: Base, collate: @escaping @Sendable ([Base.Element]) throws -> Batched) {
    self.base = base
    self.collate = collate
  }

  public var count: Int { base.count }

  public subscript(index: Int) -> Base.Element {
    get throws { try base[index] }
  }

  public func batch(at indices: [Int]) throws -> Batched { try collate(indices.map { try base[$0] }) }
}

extension Dataset {
  /// The same samples, put together to batches by `collate`: for texts of different lengths, and whatever isn't simply stacked.
  public func collated<Batched: Sendable>(
    _ collate: @escaping @Sendable (_ samples: [Element]) throws -> Batched
  ) -> CollatedDataset<Self, Batched> {
    CollatedDataset(self, collate: collate)
  }
}
