import ApusCore

/// Writes a value as a pickle of protocol 2, with the instructions and names that PyTorch's restricted reader knows.
struct PickleWriter {
  private let file: String
  private(set) var storages: [PthStorage] = []
  private var places: [PthStorages.Place] = []
  private var nextTensor = 0
  private var output: [UInt8] = []
  /// Names that were written before, with their number in the memo.
  private var memo: [String: UInt8] = [:]

  init(file: String) { self.file = file }

  /// The bytes of the pickle; `storages` is then what it refers to.
  mutating func pickle(_ value: PthValue) throws -> [UInt8] {
    var tensors: [Tensor] = []
    try collect(value, &tensors, depth: 0)
    let plan = PthStorages(tensors)
    (storages, places) = (plan.storages, plan.places)
    (output, memo, nextTensor) = ([], [:], 0)
    emit(.proto, 2)
    try write(value)
    emit(.stop)
    return output
  }

  private func collect(_ value: PthValue, _ tensors: inout [Tensor], depth: Int) throws(FormatError) {
    if depth > PthWalk.maximumDepth {
      throw FormatError(.tooDeep, file: file, at: .file, "values nested deeper than \(PthWalk.maximumDepth) levels")
    }
    switch value {
    case .tensor(let tensor): tensors.append(tensor)
    case .list(let items), .tuple(let items), .set(let items):
      for item in items { try collect(item, &tensors, depth: depth + 1) }
    case .dictionary(let items, _):
      for (key, value) in items {
        if !Self.isKey(key) {
          throw FormatError(.type, file: file, at: .file, "a dictionary with a key that is neither text nor a number: \(key)")
        }
        try collect(value, &tensors, depth: depth + 1)
      }
    case .null, .bool, .int, .float, .string, .bytes, .largeInteger, .complex, .size, .dtype, .device: break
    }
  }

  private static func isKey(_ value: PthValue) -> Bool {
    switch value {
    case .string, .int, .bool, .float, .null: true
    case .bytes, .largeInteger, .complex, .list, .tuple, .set, .dictionary, .size, .dtype, .device, .tensor: false
    }
  }

  private mutating func emit(_ opcode: PickleOpcode, _ bytes: UInt8...) {
    output.append(opcode.rawValue)
    output += bytes
  }

  private mutating func write(_ value: PthValue) throws(FormatError) {
    switch value {
    case .null: emit(.none)
    case .bool(let value): emit(value ? .newTrue : .newFalse)
    case .int(let number): write(number)
    case .float(let number): write(number)
    case .string(let text): try write(text)
    case .bytes(let bytes): try call("_codecs", "encode", .string(Self.latin1(bytes)), .string("latin1"))
    case .largeInteger(let digits): try writeLong(digits)
    case .complex(let re, let im): try call("__builtin__", "complex", .float(re), .float(im))
    case .list(let items): try writeList(items)
    case .tuple(let items): try writeTuple(items)
    case .set(let items): try call("__builtin__", "set", .list(items))
    case .dictionary(let items, let isOrdered): try write(items, isOrdered: isOrdered)
    case .size(let sizes): try call("torch", "Size", .tuple(sizes.map { .int($0) }))
    case .dtype(let dtype): name("torch", dtype.rawValue)
    case .device(let text): try call("torch", "device", .string(text))
    case .tensor(let tensor): try write(tensor)
    }
  }
}

// MARK: - Plain values

extension PickleWriter {
  private mutating func write(_ number: Int) {
    switch number {
    case 0..<256: emit(.binInt1, UInt8(number))
    case 0..<65_536:
      emit(.binInt2)
      output.append(littleEndian: UInt16(number))
    case Int(Int32.min)...Int(Int32.max):
      emit(.binInt)
      output.append(littleEndian: Int32(number))
    default:
      emit(.long1, 8)
      output.append(littleEndian: Int64(number))
    }
  }

  private mutating func write(_ number: Double) {
    emit(.binFloat)
    output.append(littleEndian: number.bitPattern.byteSwapped)
  }

  private mutating func write(_ text: String) throws(FormatError) {
    guard let count = UInt32(exactly: text.utf8.count) else {
      throw FormatError(.tooLarge, file: file, at: .file, "a text of \(text.utf8.count) bytes; the limit is \(UInt32.max)")
    }
    emit(.binUnicode)
    output.append(littleEndian: count)
    output += text.utf8
  }

  private mutating func writeLong(_ digits: [UInt8]) throws(FormatError) {
    guard let count = UInt8(exactly: digits.count) else {
      throw FormatError(.number, file: file, at: .file, "an integer of \(digits.count) bytes; the limit is 255")
    }
    emit(.long1, count)
    output += digits
  }

  private static func latin1(_ bytes: [UInt8]) -> String {
    var text = String.UnicodeScalarView()
    text.append(contentsOf: bytes.map { Unicode.Scalar($0) })
    return String(text)
  }

  private mutating func writeList(_ items: [PthValue]) throws(FormatError) {
    emit(.emptyList)
    if items.isEmpty { return }
    emit(.mark)
    for item in items { try write(item) }
    emit(.appends)
  }

  private mutating func writeTuple(_ items: [PthValue]) throws(FormatError) {
    if items.isEmpty { return emit(.emptyTuple) }
    if items.count > 3 { emit(.mark) }
    for item in items { try write(item) }
    emit(items.count > 3 ? .tuple : [.tuple1, .tuple2, .tuple3][items.count - 1])
  }

  private mutating func write(_ items: [(key: PthValue, value: PthValue)], isOrdered: Bool) throws(FormatError) {
    if isOrdered {
      try call("collections", "OrderedDict")
    } else {
      emit(.emptyDict)
    }
    if items.isEmpty { return }
    emit(.mark)
    for (key, value) in items {
      try write(key)
      try write(value)
    }
    emit(.setItems)
  }
}

// MARK: - Names and tensors

extension PickleWriter {
  private mutating func name(_ module: String, _ name: String) {
    let text = "\(module)\n\(name)\n"
    if let number = memo[text] { return emit(.binGet, number) }
    emit(.global)
    output += text.utf8
    // No more than a few dozen names are on the list.
    let number = UInt8(memo.count)
    memo[text] = number
    emit(.binPut, number)
  }

  private mutating func call(_ module: String, _ name: String, _ arguments: PthValue...) throws(FormatError) {
    self.name(module, name)
    try writeTuple(arguments)
    emit(.reduce)
  }

  /// `_rebuild_tensor_v2(storage, offset, size, stride, requires_grad=False, hooks=OrderedDict())`
  private mutating func write(_ tensor: Tensor) throws(FormatError) {
    let place = places[nextTensor]
    nextTensor += 1
    name("torch._utils", "_rebuild_tensor_v2")
    emit(.mark)
    try writeStorage(place.storage, TorchDType(tensor.dtype))
    write(place.offset)
    try writeTuple(tensor.shape.map { .int($0) })
    try writeTuple(place.strides.map { .int($0) })
    emit(.newFalse)
    try call("collections", "OrderedDict")
    emit(.tuple)
    emit(.reduce)
  }

  private mutating func writeStorage(_ number: Int, _ dtype: TorchDType) throws(FormatError) {
    emit(.mark)
    try write("storage")
    // Every dtype of Apus has such a class.
    name("torch", dtype.storageClass ?? "UntypedStorage")
    try write("\(number)")
    try write("cpu")
    write(storages[number].count)
    emit(.tuple)
    emit(.binPersid)
  }
}
