import ApusCore

/// Memory that goes to a file as one storage.
enum PthStorage {
  /// A piece of the memory that tensors share, in elements.
  case shared(TensorData, Range<Int>)
  /// The elements of one tensor, row-major.
  case compact(Tensor)

  func withUnsafeBytes(_ body: (UnsafeRawBufferPointer) throws -> Void) throws {
    switch self {
    case .compact(let tensor): try tensor.withUnsafeBytes(body)
    case .shared(let data, let range):
      let size = data.dtype.itemSize
      try withExtendedLifetime(data) {
        try body(UnsafeRawBufferPointer(start: data.storage.pointer + range.lowerBound * size, count: range.count * size))
      }
    }
  }

  var count: Int {
    switch self {
    case .compact(let tensor): tensor.count
    case .shared(_, let range): range.count
    }
  }
}

/// Where each of several tensors goes: tensors whose elements overlap in memory go to one storage, and no storage holds anything else.
struct PthStorages {
  struct Place {
    var storage: Int
    var offset: Int
    var strides: [Int]
  }

  private(set) var storages: [PthStorage] = []
  private(set) var places: [Place] = []

  private struct Memory: Hashable {
    let storage: ObjectIdentifier
    let dtype: DType
  }

  /// - Complexity: that of sorting the tensors.
  init(_ tensors: [Tensor]) {
    var members: [Memory: [Int]] = [:]
    for (i, tensor) in tensors.enumerated() where Self.extent(tensor) != nil {
      members[Memory(storage: ObjectIdentifier(tensor.data.storage), dtype: tensor.dtype), default: []].append(i)
    }
    /// The overlapping tensors that each tensor belongs to.
    var groups: [Int: (first: Int, range: Range<Int>, count: Int)] = [:]
    for indices in members.values {
      let sorted = indices.map { ($0, Self.extent(tensors[$0])!) }.sorted { ($0.1.lowerBound, $0.0) < ($1.1.lowerBound, $1.0) }
      var run: [Int] = []
      var range = sorted[0].1
      func close() { for i in run { groups[i] = (run.min()!, range, run.count) } }
      for (i, extent) in sorted {
        if !run.isEmpty, extent.lowerBound >= range.upperBound {
          close()
          run = []
        }
        range = run.isEmpty ? extent : range.lowerBound..<max(range.upperBound, extent.upperBound)
        run.append(i)
      }
      close()
    }
    var numbers: [Int: Int] = [:]
    for (i, tensor) in tensors.enumerated() {
      // Alone in its memory, with gaps: the gaps stay here.
      guard let group = groups[i], group.count > 1 || group.range.count <= tensor.count else {
        places.append(Place(storage: storages.count, offset: 0, strides: Array(tensor.data.shape.contiguousStrides)))
        storages.append(.compact(tensor))
        continue
      }
      let number = numbers[group.first] ?? storages.count
      if number == storages.count { storages.append(.shared(tensor.data, group.range)) }
      numbers[group.first] = number
      places.append(Place(storage: number, offset: tensor.data.offset - group.range.lowerBound, strides: tensor.strides))
    }
  }

  /// The elements of its memory that a tensor reaches; nil where it has none, or PyTorch has no such view (a reversed axis).
  private static func extent(_ tensor: Tensor) -> Range<Int>? {
    guard tensor.count > 0, tensor.strides.allSatisfy({ $0 >= 0 }) else { return nil }
    let last = zip(tensor.shape, tensor.strides).reduce(tensor.data.offset) { $0 + ($1.0 - 1) * $1.1 }
    return tensor.data.offset..<last + 1
  }
}
