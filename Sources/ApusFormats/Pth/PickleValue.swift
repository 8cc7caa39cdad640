/// A value while a pickle is read. Whatever has parts is a place in the heap, so that no nesting of a hostile file is a nesting in
/// memory: freeing it, or a list that contains itself, needs no stack and leaves no cycle.
enum PickleValue: Sendable {
  case none
  case bool(Bool)
  case int(Int)
  case float(Double)
  case text(Int)
  case bytes(Int)
  /// Two's complement, little-endian, in `bytes`.
  case largeInteger(Int)
  case complex(Int)
  case tuple(Int)
  case list(Int)
  case set(Int)
  /// Keys and values take turns.
  case dictionary(Int, isOrdered: Bool)
  case size(Int)
  case device(Int)
  case dtype(TorchDType)
  case global(PickleGlobal)
  case storage(Int)
  case tensor(Int)
}

/// What the values of a pickle refer to by number.
struct PickleHeap: Sendable {
  struct Storage: Sendable {
    let key: String
    /// nil where it is one of bytes.
    let dtype: TorchDType?
    let entry: ZipEntry
  }

  /// A view of a storage, checked against it.
  struct View: Sendable {
    let storage: Int
    let dtype: TorchDType
    let shape: [Int]
    let strides: [Int]
    let offset: Int
    /// Of all elements, each counted as often as it is shown.
    let byteCount: Int
  }

  var texts: [String] = []
  var bytes: [[UInt8]] = []
  var parts: [[PickleValue]] = []
  var complexes: [(Double, Double)] = []
  var storages: [Storage] = []
  var tensors: [View] = []
  private var storageNumbers: [String: Int] = [:]

  mutating func text(_ text: String) -> PickleValue {
    texts.append(text)
    return .text(texts.count - 1)
  }

  mutating func bytes(_ content: [UInt8]) -> PickleValue {
    bytes.append(content)
    return .bytes(bytes.count - 1)
  }

  /// A new place for parts.
  mutating func place(_ content: [PickleValue] = []) -> Int {
    parts.append(content)
    return parts.count - 1
  }

  mutating func storage(_ storage: Storage) -> PickleValue {
    let name = "\(storage.dtype?.rawValue ?? "") \(storage.key)"
    if let number = storageNumbers[name] { return .storage(number) }
    storages.append(storage)
    storageNumbers[name] = storages.count - 1
    return .storage(storages.count - 1)
  }

  mutating func tensor(_ view: View) -> PickleValue {
    tensors.append(view)
    return .tensor(tensors.count - 1)
  }

  func text(of value: PickleValue) -> String? {
    if case .text(let i) = value { return texts[i] }
    return nil
  }

  func tuple(_ value: PickleValue) -> [PickleValue]? {
    if case .tuple(let i) = value { return parts[i] }
    return nil
  }

  /// The numbers of a tuple or a `torch.Size`.
  func integers(_ value: PickleValue) -> [Int]? {
    let place: Int
    switch value {
    case .tuple(let i), .size(let i): place = i
    default: return nil
    }
    var result: [Int] = []
    for part in parts[place] {
      guard case .int(let number) = part else { return nil }
      result.append(number)
    }
    return result
  }
}
