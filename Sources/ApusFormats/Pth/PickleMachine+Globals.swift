import ApusCore

/// What the names on the list do when a pickle "calls" them: each makes a value of the values that it is given.
extension PickleMachine {
  mutating func pushGlobal(_ module: String, _ name: String) throws(FormatError) {
    guard let global = PickleGlobal(module: module, name: name) else {
      throw error(
        .global,
        "names '\(printable("\(module).\(name)", limit: 120))', which isn't on the list of what tensors need: not read. "
          + "In PyTorch, save the state_dict() alone")
    }
    if case .dtype(let dtype) = global { return try push(.dtype(dtype)) }
    try push(.global(global))
  }

  mutating func stackGlobal() throws(FormatError) {
    let names = try pop(2)
    guard let module = heap.text(of: names[0]), let name = heap.text(of: names[1]) else {
      throw error(.type, "a name that isn't text")
    }
    try pushGlobal(module, name)
  }

  mutating func reduce() throws(FormatError) {
    let operands = try pop(2)
    guard case .global(let global) = operands[0] else { throw error(.type, "a call of something that has no name") }
    guard let arguments = heap.tuple(operands[1]) else { throw error(.type, "a call without a tuple of arguments") }
    try push(try call(global, arguments))
  }

  /// The state of an object. Only dictionaries bring one (the versions of the layers): it isn't needed.
  mutating func build() throws(FormatError) {
    let operands = try pop(2)
    guard case .dictionary(_, isOrdered: true) = operands[0], case .dictionary = operands[1] else {
      throw error(.type, "attributes for something that isn't an OrderedDict")
    }
    try push(operands[0])
  }

  /// A storage: `('storage', class, key, device, count)`.
  mutating func persistentStorage() throws(FormatError) {
    guard let parts = heap.tuple(try pop(1)[0]), parts.count == 5, heap.text(of: parts[0]) == "storage",
      case .global(.storage(let dtype)) = parts[1], let key = heap.text(of: parts[2]), heap.text(of: parts[3]) != nil,
      case .int(let count) = parts[4], count >= 0
    else { throw error(.type, "a reference to data that isn't a storage") }
    guard let entry = storageEntry(key) else {
      throw error(.missingField, "the archive has no data for storage '\(printable(key, limit: 40))'")
    }
    let (size, overflow) = count.multipliedReportingOverflow(by: dtype?.itemSize ?? 1)
    if overflow || size != entry.size {
      let elements = "\(count) elements of \(dtype?.rawValue ?? "bytes")"
      throw error(.sizeMismatch, "storage '\(printable(key, limit: 40))' of \(elements) has \(entry.size) bytes in the archive")
    }
    try push(heap.storage(.init(key: key, dtype: dtype, entry: entry)))
  }

  private mutating func call(_ global: PickleGlobal, _ arguments: [PickleValue]) throws(FormatError) -> PickleValue {
    switch global {
    case .orderedDictionary where arguments.isEmpty: return .dictionary(heap.place(), isOrdered: true)
    case .counter where arguments.count == 1:
      if case .dictionary = arguments[0] { return arguments[0] }
    case .set where arguments.count == 1:
      if case .list(let place) = arguments[0] { return .set(heap.place(heap.parts[place])) }
    case .byteArray where arguments.isEmpty: return heap.bytes([])
    case .byteArray, .encode: return try encode(arguments)
    case .complex where arguments.count == 2:
      if case .float(let re) = arguments[0], case .float(let im) = arguments[1] {
        heap.complexes.append((re, im))
        return .complex(heap.complexes.count - 1)
      }
    case .size where arguments.count == 1:
      if let sizes = heap.integers(arguments[0]) { return .size(heap.place(sizes.map { .int($0) })) }
    case .device: return try device(arguments)
    case .rebuildTensor, .rebuildTensorV2, .rebuildTensorV3: return try tensor(global, arguments)
    case .rebuildParameter where arguments.count == 3, .rebuildParameterWithState where arguments.count == 4:
      if case .tensor = arguments[0] { return arguments[0] }
    case .rebuildFromType where arguments.count == 4:
      if case .global(let function) = arguments[0], case .global(let type) = arguments[1],
        type == .tensorClass || type == .parameterClass,
        [.rebuildTensor, .rebuildTensorV2, .rebuildTensorV3].contains(function), let inner = heap.tuple(arguments[2])
      {
        return try tensor(function, inner)
      }
    case .orderedDictionary, .counter, .set, .complex, .size, .rebuildParameter, .rebuildParameterWithState, .rebuildFromType,
      .tensorClass, .parameterClass, .storage, .dtype:
      break
    }
    throw error(.type, "arguments that \(global) doesn't take")
  }

  /// Bytes that protocol 2 writes as the text with these code points.
  private mutating func encode(_ arguments: [PickleValue]) throws(FormatError) -> PickleValue {
    guard arguments.count == 2, let text = heap.text(of: arguments[0]),
      ["latin1", "latin-1"].contains(heap.text(of: arguments[1])), text.unicodeScalars.allSatisfy({ $0.value < 256 })
    else { throw error(.type, "bytes that aren't written as Latin-1 text") }
    return heap.bytes(text.unicodeScalars.map { UInt8($0.value) })
  }

  private mutating func device(_ arguments: [PickleValue]) throws(FormatError) -> PickleValue {
    guard let name = arguments.first.flatMap({ heap.text(of: $0) }), arguments.count <= 2 else {
      throw error(.type, "a device without a name")
    }
    if arguments.count == 2, case .int(let index) = arguments[1] {
      heap.texts.append("\(name):\(index)")
    } else {
      heap.texts.append(name)
    }
    return .device(heap.texts.count - 1)
  }

  /// `(storage, offset, size, stride, …)`, in the third version with a dtype behind two more.
  private mutating func tensor(_ function: PickleGlobal, _ arguments: [PickleValue]) throws(FormatError) -> PickleValue {
    let least = function == .rebuildTensor ? 4 : function == .rebuildTensorV2 ? 6 : 7
    guard arguments.count >= least, arguments.count <= least + 1, case .storage(let number) = arguments[0],
      case .int(let offset) = arguments[1], let shape = heap.integers(arguments[2]), let strides = heap.integers(arguments[3])
    else { throw error(.type, "arguments that don't describe a tensor") }
    var dtype = heap.storages[number].dtype
    if function == .rebuildTensorV3 {
      guard case .dtype(let given) = arguments[6] else { throw error(.type, "a tensor without a dtype") }
      dtype = given
    }
    guard let dtype else { throw error(.type, "a tensor without a dtype") }
    return heap.tensor(try view(number, dtype, shape, strides, offset))
  }

  private func view(
    _ number: Int, _ dtype: TorchDType, _ shape: [Int], _ strides: [Int], _ offset: Int
  ) throws(FormatError) -> PickleHeap.View {
    let storage = heap.storages[number]
    if shape.count > NpyHeader.maximumRank {
      throw error(.rankTooLarge, "a shape of \(shape.count) axes; the limit is \(NpyHeader.maximumRank)")
    }
    guard shape.count == strides.count, offset >= 0, (shape + strides).allSatisfy({ $0 >= 0 }) else {
      throw error(.number, "a tensor of shape \(shape), strides \(strides) and offset \(offset)")
    }
    guard let byteCount = NpyHeader.byteCount(of: shape, dtype.itemSize) else {
      throw error(.sizeOverflow, "the size of shape \(shape) of \(dtype.rawValue) overflows")
    }
    if shape.contains(0) {
      return .init(
        storage: number, dtype: dtype, shape: shape, strides: Array(Dims(shape).contiguousStrides), offset: 0, byteCount: 0)
    }
    var last = offset
    for (size, stride) in zip(shape, strides) {
      let (step, overflow) = (size - 1).multipliedReportingOverflow(by: stride)
      let (sum, carry) = last.addingReportingOverflow(step)
      last = overflow || carry ? .max : sum
      if last == .max { break }
    }
    let count = storage.entry.size / dtype.itemSize
    if last >= count {
      throw error(
        .offsets,
        "a view of shape \(shape), strides \(strides) and offset \(offset) into a storage of \(count) elements: it reaches outside"
      )
    }
    // The stride of an axis of one means nothing, and may be anything.
    let tame = zip(shape, strides).map { $0 == 1 ? min($1, count) : $1 }
    return .init(storage: number, dtype: dtype, shape: shape, strides: tame, offset: offset, byteCount: byteCount)
  }
}
