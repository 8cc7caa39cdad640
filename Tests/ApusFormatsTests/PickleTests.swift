import ApusCore
import ApusFormats
import Testing

/// A PyTorch file with the given pickle, and storages of so many bytes.
func pth(
  _ pickle: [UInt8], storages: [Int] = [], version: String = "3\n", byteOrder: String? = "little", isDeflated: Bool = false
) -> [UInt8] {
  var entries = [ZipBuilder.Entry("m/data.pkl", pickle)]
  if let byteOrder { entries.append(.init("m/byteorder", Array(byteOrder.utf8))) }
  for (i, count) in storages.enumerated() { entries.append(.init("m/data/\(i)", (0..<count).map { UInt8($0 & 1) })) }
  entries.append(.init("m/version", Array(version.utf8)))
  if isDeflated { entries[0].method = 8 }
  return ZipBuilder(entries).bytes
}

/// A pickle of protocol 2 with this between its first and its last instruction.
func pickle(_ body: [UInt8]) -> [UInt8] { [0x80, 2] + body + [UInt8(ascii: ".")] }

/// A text as a pickle writes it.
func text(_ text: String) -> [UInt8] { [UInt8(ascii: "X")] + little(UInt32(text.utf8.count)) + Array(text.utf8) }

func number(_ number: Int) -> [UInt8] { [0x8A, 8] + little(Int64(number)) }

func tuple(_ items: [[UInt8]]) -> [UInt8] { [UInt8(ascii: "(")] + items.flatMap { $0 } + [UInt8(ascii: "t")] }

func name(_ name: String) -> [UInt8] { Array("c\(name.split(separator: " ").joined(separator: "\n"))\n".utf8) }

/// The instructions for a tensor that is a view of storage 0.
func tensor(
  _ shape: [Int], _ strides: [Int], offset: Int = 0, count: Int, storage: String = "torch FloatStorage", key: String = "0",
  function: String = "torch._utils _rebuild_tensor_v2"
) -> [UInt8] {
  let reference = tuple([text("storage"), name(storage), text(key), text("cpu"), number(count)]) + Array("Q".utf8)
  let arguments = [reference, number(offset), tuple(shape.map(number)), tuple(strides.map(number)), [0x89], [UInt8(ascii: "}")]]
  return name(function) + tuple(arguments) + Array("R".utf8)
}

private func open(_ file: [UInt8], growthLimit: Int? = nil) throws -> PthFile {
  try PthFile(MappedFile(file, path: "t.pth"), growthLimit: growthLimit)
}

/// Expects a kind of error. The file isn't part of the expectation: a failed one would print it, and some are large.
private func expect(
  _ file: [UInt8], _ expected: FormatError.Kind?, growthLimit: Int? = nil, sourceLocation: SourceLocation = #_sourceLocation
) {
  let kind = refusal(of: file, growthLimit: growthLimit)
  #expect(kind == expected, sourceLocation: sourceLocation)
}

private func refusal(of file: [UInt8], growthLimit: Int? = nil) -> FormatError.Kind? {
  formatError { _ = try open(file, growthLimit: growthLimit).value() }?.kind
}

@Suite struct PickleTests {
  @Test("views inside their storage are read, others refused: sizes, strides, offsets, overflow")
  func views() throws {
    func kind(_ shape: [Int], _ strides: [Int], offset: Int = 0, count: Int = 6, bytes: Int = 24) -> FormatError.Kind? {
      refusal(of: pth(pickle(tensor(shape, strides, offset: offset, count: count)), storages: [bytes]))
    }
    #expect(kind([2, 3], [3, 1]) == nil)
    #expect(kind([3, 2], [1, 3]) == nil)
    #expect(kind([], [], offset: 5) == nil)
    #expect(kind([], [], offset: 6) == .offsets)
    #expect(kind([2, 3], [3, 1], offset: 1) == .offsets)
    #expect(kind([2, 3], [4, 1]) == .offsets)
    #expect(kind([0, 3], [3, 1], offset: 100) == nil)
    #expect(kind([1, 6], [.max, 1]) == nil)
    #expect(kind([2], [.max]) == .offsets)
    #expect(kind([3, 3], [.max, .max]) == .offsets)
    #expect(kind([2], [-1], offset: 1) == .number)
    #expect(kind([-2], [1]) == .number)
    #expect(kind([2], [1], offset: -1) == .number)
    #expect(kind([2], [1, 1]) == .number)
    #expect(kind([1 << 40, 1 << 40], [0, 0]) == .sizeOverflow)
    #expect(kind([0, 1 << 40, 1 << 40], [0, 0, 0]) == .sizeOverflow)
    #expect(kind([6], [1], count: 7) == .sizeMismatch)
    #expect(kind([6], [1], count: 5) == .sizeMismatch)
    #expect(kind([6], [1], count: .max) == .sizeMismatch)
    #expect(kind([6], [1], count: -1) == .type)
    #expect(kind([Int](repeating: 1, count: 64), [Int](repeating: 1, count: 64)) == nil)
    #expect(kind([Int](repeating: 1, count: 65), [Int](repeating: 1, count: 65)) == .rankTooLarge)
  }

  @Test("each fault of a pickle has its name")
  func faults() {
    for (body, expected) in [
      (Array("N".utf8), nil), ([], .pickle), (Array("NN".utf8), .pickle), (Array("(N".utf8), .pickle), (Array("t".utf8), .pickle),
      (Array("(t0".utf8), .opcode), ([0x81], .opcode), ([0x92], .opcode), (Array("(i".utf8), .opcode),
      (Array("(o".utf8), .opcode), ([0xFF], .opcode),
      (Array("cos\nsystem\n".utf8), .global), (Array("c__builtin__\neval\n".utf8), .global),
      (Array("ctorch\nload\n".utf8), .global),
      (Array("ccollections\nOrderedDict".utf8), .truncated), (Array("c\u{FF}".utf8), .truncated),
      (Array("ctorch\nTensor\n".utf8), .unsupported),
      (Array("h\u{7}".utf8), .pickle), (Array("a".utf8), .pickle), (Array("NNa".utf8), .type), (Array("NNNs".utf8), .type),
      (Array("}(Nu".utf8), .pickle), (Array("](N\u{0}".utf8), .opcode), (Array("N)R".utf8), .type),
      (name("torch Size") + Array("NR".utf8), .type),
      (name("torch Size") + Array(")R".utf8), .type), (name("torch device") + Array(")R".utf8), .type),
      (name("torch._utils _rebuild_tensor_v2") + Array(")R".utf8), .type), (Array("NNb".utf8), .type), (Array("}}b".utf8), .type),
      (text("x") + Array("Q".utf8), .type), ([0x58] + little(UInt32(3)), .truncated), ([0x8D] + little(UInt64.max), .truncated),
      ([0x58] + little(UInt32(1)) + [0xFF], .encoding), ([0x80, 2], .pickle),
      (Array("}(".utf8) + text("a") + Array("N".utf8) + text("a") + Array("Nu".utf8), .duplicateKey),
      (Array("}]Ns".utf8), .type), (tensor([1], [1], count: 1, storage: "torch UintStorage"), .global),
      (tensor([1], [1], count: 1, key: "1"), .missingField), (tensor([1], [1], count: 1, key: "../data.pkl"), .missingField),
      (tensor([1], [1], count: 1, function: "torch._utils _rebuild_qtensor"), .global),
      (tensor([1], [1], count: 4, storage: "torch.storage UntypedStorage"), .type),
    ] as [([UInt8], FormatError.Kind?)] {
      #expect(refusal(of: pth(pickle(body), storages: [4])) == expected, "\(String(decoding: body, as: UTF8.self))")
    }
    #expect(refusal(of: pth(pickle(Array("N".utf8)) + [0])) == .pickle)
    #expect(refusal(of: pth([0x80, 1, 0x4E, 0x2E])) == .unsupported)
    #expect(refusal(of: pth([0x80, 6, 0x4E, 0x2E])) == .unsupported)
    #expect(refusal(of: pth(Array("N.".utf8))) == .notThisFormat)
    #expect(refusal(of: pth([])) == .truncated)
  }

  @Test("the records beside the pickle: version, byte order, no compression")
  func records() throws {
    let one = pickle(tensor([1], [1], count: 1))
    for version in ["0", "11", "x", ""] { #expect(refusal(of: pth(one, storages: [4], version: version)) == .unsupported) }
    for version in ["1", "10\n"] { #expect(refusal(of: pth(one, storages: [4], version: version)) == nil) }
    #expect(refusal(of: pth(one, storages: [4], byteOrder: "middle")) == .unsupported)
    #expect(refusal(of: pth(one, storages: [4], byteOrder: nil)) == nil)
    #expect(refusal(of: pth(one, storages: [4], isDeflated: true)) == .compression)
    // The storage's bytes are 0, 1, 0, 1.
    let little = try open(pth(one, storages: [4])).tensors()[0].tensor
    let big = try open(pth(one, storages: [4], byteOrder: "big")).tensors()[0].tensor
    #expect(little.withUnsafeBytes(Array.init) == [0, 1, 0, 1])
    #expect(big.withUnsafeBytes(Array.init) == [1, 0, 1, 0])
  }

  @Test("values may be nested 128 levels deep; a list that holds itself is too deep")
  func depth() {
    func nested(_ count: Int) -> [UInt8] {
      pickle([UInt8](repeating: UInt8(ascii: "]"), count: count) + [UInt8](repeating: UInt8(ascii: "a"), count: count - 1))
    }
    expect(pth(nested(129)), nil)
    expect(pth(nested(130)), .tooDeep)
    expect(pth(nested(500_000)), .tooDeep)
    expect(pth(pickle([0x4E] + [UInt8](repeating: 0x85, count: 500_000))), .tooDeep)
    // A list with itself and a long text: more bytes than levels.
    let long = text(String(repeating: "x", count: 1000))
    expect(pth(pickle(Array("]q\0h\0a".utf8) + long + Array("a".utf8))), .tooDeep)
    expect(pth(pickle(Array("]q\0h\0a".utf8))), .tooManyValues)
  }

  @Test("a pickle may hold 1,000,000 values at once, and as many marks")
  func stack() {
    func values(_ count: Int) -> [UInt8] { pickle(Array("(".utf8) + [UInt8](repeating: 0x4E, count: count) + Array("t".utf8)) }
    expect(pth(values(1_000_000)), nil)
    expect(pth(values(1_000_001)), .tooManyValues)
    func marks(_ count: Int) -> [UInt8] { pickle([UInt8](repeating: UInt8(ascii: "("), count: count)) }
    expect(pth(marks(1_000_000)), .pickle)
    expect(pth(marks(1_000_001)), .tooManyValues)
  }

  @Test("no more values than the pickle has bytes: lists of lists of one list are counted each time")
  func sharedValues() {
    // Each level holds the one before it twice.
    func doubling(_ levels: Int) -> [UInt8] {
      var body = Array("]q\0".utf8)
      for i in 1...levels {
        body += Array("](h".utf8) + [UInt8(i - 1)] + Array("h".utf8) + [UInt8(i - 1)] + Array("eq".utf8) + [UInt8(i)]
      }
      return pickle([UInt8(ascii: "(")] + body + Array("t".utf8))
    }
    expect(pth(doubling(2)), nil)
    expect(pth(doubling(100)), .tooManyValues)
    // 12 + 2n + 2m bytes hold 2 + (m + 1)(n + 1) values: a tuple of n empty ones, and m times the same.
    func repeated(_ n: Int, _ m: Int) -> [UInt8] {
      func recall(_ number: UInt8, _ count: Int) -> [UInt8] { (0..<count).flatMap { _ in [UInt8(ascii: "h"), number] } }
      return pickle(Array("()q\0(".utf8) + recall(0, n) + Array("tq\u{1}".utf8) + recall(1, m) + Array("t".utf8))
    }
    expect(pth(repeated(3, 6)), nil)
    expect(pth(repeated(3, 7)), .tooManyValues)
  }

  @Test("a pickle may be 64 MiB long")
  func length() {
    func padded(_ count: Int) -> [UInt8] { pickle(text(String(repeating: "x", count: count - 8))) }
    expect(pth(padded(64 << 20)), nil)
    expect(pth(padded(64 << 20 + 1)), .headerTooLong)
  }

  @Test("names may be 64 MiB long, all together")
  func names() {
    // A dictionary with one long key, and in it a list of values, each of which repeats the key in its name.
    func named(_ length: Int, _ count: Int) -> [UInt8] {
      pickle(
        Array("}".utf8) + text(String(repeating: "k", count: length)) + Array("](".utf8) + [UInt8](repeating: 0x4E, count: count)
          + Array("es".utf8))
    }
    // 2^20 for the key itself, and 63 names of it with a dot and one or two digits.
    let rest = 10 * 2 + 53 * 3
    expect(pth(named(1 << 20, 63)), .nameTooLong)
    expect(pth(named(1 << 20 - rest / 64 - 1, 63)), nil)
  }

  @Test("all tensors may have 64 MiB or four times the file, each element counted as often as it is shown")
  func growth() {
    let file = pth(pickle(tensor([16 << 20], [0], count: 1)), storages: [4])
    expect(file, nil)
    expect(pth(pickle(tensor([16 << 20 + 1], [0], count: 1)), storages: [4]), .tooLarge)
    expect(file, .tooLarge, growthLimit: 64 << 20 - 1)
    expect(pth(pickle(tensor([1 << 50], [0], count: 1)), storages: [4]), .tooLarge)
  }

  @Test("a bool is 0 or 1")
  func bools() {
    var builder = ZipBuilder([
      .init("m/data.pkl", pickle(tensor([2], [1], count: 2, storage: "torch BoolStorage"))), .init("m/data/0", [1, 3]),
      .init("m/version", [0x33]),
    ])
    let error = formatError { _ = try open(builder.bytes).value() }
    #expect(error?.kind == .value)
    #expect(error?.description == "t.pth: m/data/0, byte 1: 3 as a bool; only 0 and 1 are")
    builder.entries[1] = .init("m/data/0", [1, 0])
    #expect(refusal(of: builder.bytes) == nil)
  }
}
