/// Reads a pickle as data: a stack of values, a memo, and a switch over the instructions that tensors need. Nothing that it reads is
/// executed, looked up or constructed; what isn't known is an error.
struct PickleMachine {
  let bytes: UnsafeRawBufferPointer
  let file: String
  /// The entry of the archive that the pickle is.
  let entry: String
  /// The entry that holds the storage with a key; nil where there is none.
  let storageEntry: (String) -> ZipEntry?

  var heap = PickleHeap()
  private var position = 0
  /// Where the instruction at work begins.
  private var start = 0
  private var stack: [PickleValue] = []
  private var marks: [Int] = []
  private var memo: [UInt32: PickleValue] = [:]

  /// The stack may hold this many values, and as many marks.
  static let maximumStackCount = 1_000_000
  /// Pickles may be this long, in bytes: what describes the tensors, not the tensors themselves.
  static let maximumLength = 64 << 20

  init(_ bytes: UnsafeRawBufferPointer, file: String, entry: String, storageEntry: @escaping (String) -> ZipEntry?) {
    self.bytes = bytes
    self.file = file
    self.entry = entry
    self.storageEntry = storageEntry
  }

  func error(_ kind: FormatError.Kind, _ reason: String) -> FormatError {
    FormatError(kind, file: file, at: .entry(entry, byte: start), reason)
  }

  /// Runs to the end.
  ///
  /// - Returns: the one value that is left.
  mutating func run() throws(FormatError) -> PickleValue {
    if bytes.count > Self.maximumLength {
      throw error(.headerTooLong, "a pickle of \(bytes.count) bytes; the limit is \(Self.maximumLength)")
    }
    try begin()
    while true {
      start = position
      let opcode = try opcode()
      if opcode == .stop { return try end() }
      try execute(opcode)
    }
  }

  private mutating func begin() throws(FormatError) {
    guard try opcode() == .proto else { throw error(.notThisFormat, "doesn't begin as a pickle of protocol 2 to 5") }
    let version = try number(UInt8.self)
    if !(2...5).contains(version) { throw error(.unsupported, "a pickle of protocol \(version); 2 to 5 are known") }
  }

  private mutating func end() throws(FormatError) -> PickleValue {
    guard stack.count == 1, marks.isEmpty else { throw error(.pickle, "\(stack.count) values left at the end; one is due") }
    if position < bytes.count { throw error(.pickle, "something after the end of the pickle") }
    return stack[0]
  }

  private mutating func execute(_ opcode: PickleOpcode) throws(FormatError) {
    switch opcode {
    case .proto, .stop: throw error(.pickle, "a second beginning")
    case .frame: _ = try take(8)
    case .mark:
      if marks.count == Self.maximumStackCount { throw error(.tooManyValues, "more than \(Self.maximumStackCount) marks") }
      marks.append(stack.count)
    case .memoize: memo[UInt32(memo.count)] = try top()
    case .binPut: memo[UInt32(try number(UInt8.self))] = try top()
    case .longBinPut: memo[try number(UInt32.self)] = try top()
    case .binGet: try recall(UInt32(try number(UInt8.self)))
    case .longBinGet: try recall(try number(UInt32.self))
    case .none: try push(.none)
    case .newTrue: try push(.bool(true))
    case .newFalse: try push(.bool(false))
    case .binInt, .binInt1, .binInt2, .long1, .binFloat: try push(try scalar(opcode))
    case .binUnicode, .shortBinUnicode, .binUnicode8, .shortBinString: try push(try text(opcode))
    case .binBytes, .shortBinBytes, .binBytes8, .byteArray8: try push(heap.bytes(Array(try take(try length(opcode)))))
    case .emptyTuple: try push(.tuple(heap.place()))
    case .tuple: try push(.tuple(heap.place(try popToMark())))
    case .tuple1: try push(.tuple(heap.place(try pop(1))))
    case .tuple2: try push(.tuple(heap.place(try pop(2))))
    case .tuple3: try push(.tuple(heap.place(try pop(3))))
    case .emptyList: try push(.list(heap.place()))
    case .emptyDict: try push(.dictionary(heap.place(), isOrdered: false))
    case .emptySet: try push(.set(heap.place()))
    case .append: try extendList(try pop(1))
    case .appends: try extendList(try popToMark())
    case .setItem: try extendDictionary(try pop(2))
    case .setItems: try extendDictionary(try popToMark())
    case .addItems: try extendSet(try popToMark())
    case .global: try pushGlobal(try line(), try line())
    case .stackGlobal: try stackGlobal()
    case .reduce: try reduce()
    case .build: try build()
    case .binPersid: try persistentStorage()
    }
  }
}

// MARK: - Bytes

extension PickleMachine {
  private mutating func opcode() throws(FormatError) -> PickleOpcode {
    let byte = try number(UInt8.self)
    if let opcode = PickleOpcode(rawValue: byte) { return opcode }
    let name = PickleOpcode.refusedNames[byte].map { "\($0) (0x\(String(byte, radix: 16)))" } ?? "0x\(String(byte, radix: 16))"
    throw error(.opcode, "the instruction \(name), which tensors don't need: not read")
  }

  private mutating func take(_ count: Int) throws(FormatError) -> Slice<UnsafeRawBufferPointer> {
    if count > bytes.count - position { throw error(.truncated, "the pickle ends in the middle of an instruction") }
    defer { position += count }
    return bytes[position..<position + count]
  }

  private mutating func number<T: FixedWidthInteger>(_ type: T.Type) throws(FormatError) -> T {
    let offset = try take(MemoryLayout<T>.size).startIndex
    return bytes.number(T.self, at: offset)
  }

  private mutating func length(_ opcode: PickleOpcode) throws(FormatError) -> Int {
    switch opcode {
    case .binUnicode, .binBytes: return Int(try number(UInt32.self))
    case .binUnicode8, .binBytes8, .byteArray8: return Int(clamping: try number(UInt64.self))
    default: return Int(try number(UInt8.self))
    }
  }

  private mutating func scalar(_ opcode: PickleOpcode) throws(FormatError) -> PickleValue {
    switch opcode {
    case .binInt: return .int(Int(try number(Int32.self)))
    case .binInt1: return .int(Int(try number(UInt8.self)))
    case .binInt2: return .int(Int(try number(UInt16.self)))
    case .binFloat: return .float(Double(bitPattern: try number(UInt64.self).byteSwapped))
    default:
      let digits = Array(try take(Int(try number(UInt8.self))))
      guard digits.count <= 8 else {
        heap.bytes.append(digits)
        return .largeInteger(heap.bytes.count - 1)
      }
      // Sign-extended two's complement.
      let sign = digits.last.map { $0 & 0x80 != 0 } ?? false ? -1 : 0
      return .int(digits.reversed().reduce(sign) { $0 << 8 | Int($1) })
    }
  }

  private mutating func text(_ opcode: PickleOpcode) throws(FormatError) -> PickleValue {
    guard let text = String(validating: try take(try length(opcode)), as: UTF8.self) else {
      throw error(.encoding, "text that isn't UTF-8")
    }
    return heap.text(text)
  }

  /// The text up to the next line break.
  private mutating func line() throws(FormatError) -> String {
    let rest = bytes[position...]
    guard let end = rest.firstIndex(of: UInt8(ascii: "\n")) else { throw error(.truncated, "a name without an end") }
    defer { position = end + 1 }
    guard let text = String(validating: rest[..<end], as: UTF8.self) else { throw error(.encoding, "a name that isn't UTF-8") }
    return text
  }
}

// MARK: - Stack and memo

extension PickleMachine {
  mutating func push(_ value: PickleValue) throws(FormatError) {
    if stack.count == Self.maximumStackCount {
      throw error(.tooManyValues, "more than \(Self.maximumStackCount) values at once")
    }
    stack.append(value)
  }

  private func top() throws(FormatError) -> PickleValue {
    guard stack.count > marks.last ?? 0, let value = stack.last else { throw error(.pickle, "a value is missing") }
    return value
  }

  mutating func pop(_ count: Int) throws(FormatError) -> [PickleValue] {
    if stack.count - (marks.last ?? 0) < count { throw error(.pickle, "a value is missing") }
    defer { stack.removeLast(count) }
    return Array(stack.suffix(count))
  }

  private mutating func popToMark() throws(FormatError) -> [PickleValue] {
    guard let mark = marks.popLast() else { throw error(.pickle, "a mark is missing") }
    defer { stack.removeLast(stack.count - mark) }
    return Array(stack[mark...])
  }

  private mutating func recall(_ index: UInt32) throws(FormatError) {
    guard let value = memo[index] else { throw error(.pickle, "nothing was kept under number \(index)") }
    try push(value)
  }

  // The container stands below what is added to it.

  private mutating func extendList(_ items: [PickleValue]) throws(FormatError) {
    guard case .list(let place) = try top() else { throw error(.type, "items for something that isn't a list") }
    heap.parts[place] += items
  }

  private mutating func extendSet(_ items: [PickleValue]) throws(FormatError) {
    guard case .set(let place) = try top() else { throw error(.type, "members for something that isn't a set") }
    heap.parts[place] += items
  }

  private mutating func extendDictionary(_ items: [PickleValue]) throws(FormatError) {
    guard case .dictionary(let place, _) = try top() else { throw error(.type, "items for something that isn't a dictionary") }
    if items.count % 2 != 0 { throw error(.pickle, "a key without a value") }
    heap.parts[place] += items
  }
}
