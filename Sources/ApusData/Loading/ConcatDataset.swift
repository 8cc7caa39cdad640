import ApusCore

/// Several data sets of one kind, one after the other.
public struct ConcatDataset<Base: Dataset>: Dataset where Base.Element: Stackable {
  public let parts: [Base]
  /// Where each part ends.
  private let ends: [Int]

  public init(_ parts: [Base]) {
    self.parts = parts
    var end = 0
    ends = parts.map { part in
      end += part.count
      return end
    }
  }

  public var count: Int { ends.last ?? 0 }

  /// Sample `index`: the parts are searched by halves.
  public subscript(index: Int) -> Base.Element {
    get throws {
      guard check(index >= 0 && index < count, .index, "ConcatDataset", "sample \(index) isn't in 0..<\(count)") else {
        return try parts[0][0]
      }
      var (low, high) = (0, ends.count)
      while low < high {
        let middle = (low + high) / 2
        if ends[middle] <= index { low = middle + 1 } else { high = middle }
      }
      return try parts[low][low == 0 ? index : index - ends[low - 1]]
    }
  }
}
