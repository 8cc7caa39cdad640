/// Goes once through all values of a file: gives names to the tensors and bounds what a later walk can cost.
struct PthWalk {
  let heap: PickleHeap
  let file: String
  let pickle: ZipEntry
  let growthLimit: Int

  private(set) var entries: [PthFile.Entry] = []
  private(set) var metadata: [(name: String, text: String)] = []
  private var valueCount = 0
  private var nameBytes = 0
  private var byteCount = 0

  /// Values may be nested this deep.
  static let maximumDepth = 128
  /// All names together may be this long, in bytes.
  static let maximumNameBytes = 64 << 20

  init(heap: PickleHeap, file: String, pickle: ZipEntry, growthLimit: Int) {
    self.heap = heap
    self.file = file
    self.pickle = pickle
    self.growthLimit = growthLimit
  }

  private func error(_ kind: FormatError.Kind, _ name: String, _ reason: String) -> FormatError {
    FormatError(kind, file: file, at: name.isEmpty ? .entry(pickle.name) : .key(name), reason)
  }

  mutating func visit(_ value: PickleValue, name: String, depth: Int) throws(FormatError) {
    // A value that is mentioned twice counts twice: ten lists that each hold the next one twice would be a thousand.
    valueCount += 1
    if valueCount > pickle.size { throw error(.tooManyValues, name, "more values than its pickle has bytes (\(pickle.size))") }
    if depth > Self.maximumDepth { throw error(.tooDeep, name, "values nested deeper than \(Self.maximumDepth) levels") }
    switch value {
    case .list(let place), .tuple(let place), .set(let place):
      for (i, part) in heap.parts[place].enumerated() { try visit(part, name: try join(name, "\(i)"), depth: depth + 1) }
    case .dictionary(let place, _): try visitItems(heap.parts[place], name: name, depth: depth)
    case .tensor(let number): try add(number, name)
    case .storage: throw error(.unsupported, name, "a storage without a tensor around it")
    case .global: throw error(.unsupported, name, "a function or a class as a value")
    case .none, .bool, .int, .float, .text, .bytes, .largeInteger, .complex, .size, .device, .dtype:
      metadata.append((name, try text(value, name)))
    }
  }

  private mutating func visitItems(_ parts: [PickleValue], name: String, depth: Int) throws(FormatError) {
    var keys: Set<String> = []
    for i in stride(from: 0, to: parts.count, by: 2) {
      let (label, kind) = try label(parts[i], name)
      if !keys.insert(kind + label).inserted {
        throw error(.duplicateKey, name, "the key '\(printable(label, limit: 80))' twice")
      }
      try visit(parts[i + 1], name: try join(name, label), depth: depth + 1)
    }
  }

  /// What a key contributes to names, and a mark of its type: 1 and "1" are two keys.
  private func label(_ key: PickleValue, _ name: String) throws(FormatError) -> (String, kind: String) {
    switch key {
    case .text(let i): return (heap.texts[i], "s")
    case .int(let number): return ("\(number)", "i")
    case .bool(let value): return (value ? "True" : "False", "b")
    case .float(let number): return ("\(number)", "f")
    case .none: return ("None", "n")
    case .bytes, .largeInteger, .complex, .tuple, .list, .set, .dictionary, .size, .device, .dtype, .global, .storage, .tensor:
      throw error(.type, name, "a dictionary with a key that is neither text nor a number")
    }
  }

  private mutating func join(_ name: String, _ label: String) throws(FormatError) -> String {
    let result = name.isEmpty ? label : "\(name).\(label)"
    nameBytes += result.utf8.count
    if nameBytes > Self.maximumNameBytes {
      throw error(.nameTooLong, "", "names of more than \(Self.maximumNameBytes) bytes, all together")
    }
    return result
  }

  private mutating func add(_ number: Int, _ name: String) throws(FormatError) {
    let view = heap.tensors[number]
    // The sum cannot overflow: it is compared after each step.
    if view.byteCount > growthLimit - byteCount {
      throw error(
        .tooLarge, name,
        "shape \(view.shape) of \(view.dtype.rawValue) has \(view.byteCount) bytes, \(byteCount) before it; the limit for this file is \(growthLimit)"
      )
    }
    byteCount += view.byteCount
    entries.append(.init(name: name, dtype: view.dtype, shape: view.shape, byteCount: view.byteCount, number: number))
  }

  private func text(_ value: PickleValue, _ name: String) throws(FormatError) -> String {
    if let text = heap.text(of: value) { return text }
    guard let leaf = heap.leaf(value) else { throw error(.type, name, "a value that cannot stand here") }
    return leaf.description
  }
}

extension PickleHeap {
  /// A value without parts; nil for any other.
  func leaf(_ value: PickleValue) -> PthValue? {
    switch value {
    case .none: .null
    case .bool(let value): .bool(value)
    case .int(let number): .int(number)
    case .float(let number): .float(number)
    case .text(let i): .string(texts[i])
    case .bytes(let i): .bytes(bytes[i])
    case .largeInteger(let i): .largeInteger(bytes[i])
    case .complex(let i): .complex(real: complexes[i].0, imaginary: complexes[i].1)
    case .size: integers(value).map { .size($0) }
    case .device(let i): .device(texts[i])
    case .dtype(let dtype): .dtype(dtype)
    case .tuple, .list, .set, .dictionary, .global, .storage, .tensor: nil
    }
  }
}
