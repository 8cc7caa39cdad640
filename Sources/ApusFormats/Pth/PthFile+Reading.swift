import ApusCore

extension PthFile {
  /// All that the file holds. Tensors that share a storage share it here too.
  ///
  /// - Throws: `FormatError`: a dtype that no Apus tensor can have, content that has changed since it was stored; `TensorError` where
  ///   memory ends.
  public func value() throws -> PthValue {
    var reader = StorageReader(file: self)
    return try value(root, &reader)
  }

  /// The tensors by name, in the order of `entries`.
  ///
  /// - Throws: as `value()`.
  public func tensors() throws -> [(name: String, tensor: Tensor)] {
    var reader = StorageReader(file: self)
    return try entries.map { ($0.name, try reader.tensor($0.number)) }
  }

  /// One tensor of `entries`.
  ///
  /// - Throws: as `value()`.
  public func tensor(_ entry: Entry) throws -> Tensor {
    var reader = StorageReader(file: self)
    return try reader.tensor(entry.number)
  }

  // Opening has bounded the depth and the number of values.
  private func value(_ value: PickleValue, _ reader: inout StorageReader) throws -> PthValue {
    switch value {
    case .list(let place): return .list(try values(place, &reader))
    case .tuple(let place): return .tuple(try values(place, &reader))
    case .set(let place): return .set(try values(place, &reader))
    case .dictionary(let place, let isOrdered):
      let all = try values(place, &reader)
      return .dictionary(stride(from: 0, to: all.count, by: 2).map { (all[$0], all[$0 + 1]) }, isOrdered: isOrdered)
    case .tensor(let number): return .tensor(try reader.tensor(number))
    case .none, .bool, .int, .float, .text, .bytes, .largeInteger, .complex, .size, .device, .dtype, .global, .storage:
      guard let leaf = heap.leaf(value) else { throw FormatError(.unsupported, file: path, at: .file, "a value that isn't data") }
      return leaf
    }
  }

  private func values(_ place: Int, _ reader: inout StorageReader) throws -> [PthValue] {
    try heap.parts[place].map { try value($0, &reader) }
  }
}

/// Copies storages out of a file, each once.
private struct StorageReader {
  struct Key: Hashable {
    let storage: Int
    let dtype: DType
  }

  let file: PthFile
  private var storages: [Key: Storage] = [:]

  init(file: PthFile) { self.file = file }

  mutating func tensor(_ number: Int) throws -> Tensor {
    let view = file.heap.tensors[number]
    let entry = file.heap.storages[view.storage].entry
    guard let dtype = view.dtype.dtype else {
      throw FormatError(
        .unsupportedDType, file: file.path, at: .entry(entry.name),
        "its dtype \(view.dtype.rawValue) is none that an Apus tensor can have")
    }
    let key = Key(storage: view.storage, dtype: dtype)
    let storage = try storages[key] ?? read(entry, dtype)
    storages[key] = storage
    return Tensor(
      TensorData(dtype: dtype, shape: Dims(view.shape), strides: Dims(view.strides), offset: view.offset, storage: storage))
  }

  private func read(_ entry: ZipEntry, _ dtype: DType) throws -> Storage {
    let content = try file.archive.content(of: entry)
    if dtype == .bool, let i = content.firstIndex(where: { $0 > 1 }) {
      throw FormatError(
        .value, file: file.path, at: .entry(entry.name, byte: i), "\(content[i]) as a bool; only 0 and 1 are")
    }
    // Memory that cannot be had throws like everything else that a file can cause.
    let data = try catching { TensorData.uninitialized(Dims(max(content.count, 1)), .uint8, for: "Pth.read") }
    if let start = content.baseAddress { data.base.copyMemory(from: start, byteCount: content.count) }
    if file.isBigEndian {
      let whole = content.count / dtype.itemSize * dtype.itemSize
      reverseBytes(of: UnsafeMutableRawBufferPointer(start: data.base, count: whole), itemSize: dtype.itemSize)
    }
    return data.storage
  }
}
