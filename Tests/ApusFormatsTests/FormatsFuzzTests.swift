import ApusCore
import ApusFormats
import Testing

/// Damages files of every format field by field (bytes at random hardly ever get past the magic) and asks that every outcome is an
/// error with a name, or tensors that keep their promises.
@Suite struct FormatsFuzzTests {
  /// Reads with every reader whatever its format; counts what came of it.
  private struct Outcome {
    var accepted = 0
    var kinds: [FormatError.Kind: Int] = [:]

    mutating func add(_ read: () throws -> [Tensor], limit: Int) throws {
      do {
        let tensors = try read()
        accepted += 1
        for tensor in tensors {
          #expect(tensor.count == tensor.shape.reduce(1, *))
          #expect(tensor.count * tensor.dtype.itemSize <= limit)
          tensor.withUnsafeBytes { #expect($0.count == tensor.count * tensor.dtype.itemSize) }
        }
      } catch let error as FormatError {
        kinds[error.kind, default: 0] += 1
        #expect(error.description.hasPrefix("fuzz") && !error.reason.isEmpty)
      }
    }
  }

  /// Tensors that files of a few hundred bytes may have.
  private static let limit = 1 << 16

  private static let numbers: [UInt64] = [0, 1, 2, 7, 8, 0x7F, 0xFF, 0x7FFF, 0xFFFF, 1 << 31, 0xFFFF_FFFF, 1 << 40, 1 << 63, ~0]

  @Test("NumPy headers")
  func npyHeaders() throws {
    var random = Xorshift(state: 1)
    var outcome = Outcome()
    for _ in 0..<4000 {
      let (code, size) = random.pick([("<f4", 4), ("|u1", 1), ("|b1", 1), (">i8", 8), ("<f2", 2)])
      let shape = (0..<random.below(4)).map { _ in random.below(3) }
      var tokens = [
        "{", "'descr'", ":", "'\(code)'", ",", "'fortran_order'", ":", random.pick(["True", "False"]), ",", "'shape'", ":", "(",
      ]
      for size in shape { tokens += ["\(size)", ","] }
      tokens += [")", "}"]
      let i = random.below(tokens.count)
      switch random.below(9) {
      case 0: tokens.remove(at: i)
      case 1: tokens.insert(tokens[i], at: i)
      case 2: tokens.swapAt(i, random.below(tokens.count))
      case 3: tokens.removeLast(random.below(tokens.count))
      case 4:
        tokens[i] = random.pick([
          "0", "-1", "1.0", "1L", "00", "9223372036854775807", "9223372036854775808", "4611686018427387904", "'|O'", "'<c8'",
          "'<U1'", "'<f3'",
          "[('a', '<f4')]", "''", "'\\x00'", "None", "{", "}", "(", ")", "'", "\"x\"", "lambda: 0", "__import__('os')",
        ])
      default: break
      }
      var file = npy(
        tokens.joined(), data: [UInt8](repeating: 0, count: shape.reduce(size, *)), version: UInt8(1 + random.below(3)))
      if random.below(8) == 0 { damage(&file, &random) }
      try outcome.add({ [try Npy.read(MappedFile(file, path: "fuzz.npy"))] }, limit: Self.limit)
    }
    #expect(outcome.accepted > 1000 && outcome.kinds.count >= 10, "\(outcome.accepted) \(outcome.kinds)")
  }

  @Test("zip records")
  func zipRecords() throws {
    var random = Xorshift(state: 2)
    var outcome = Outcome()
    for _ in 0..<6000 {
      var builder = ZipBuilder(
        (0..<1 + random.below(3)).map {
          .init(
            "t\($0).npy",
            npy("{'descr': '|u1', 'fortran_order': False, 'shape': (\($0),)}", data: [UInt8](repeating: 1, count: $0)))
        })
      if random.below(5) > 0 { mutate(&builder, &random) }
      var file = builder.bytes
      if random.below(8) == 0 { damage(&file, &random) }
      try outcome.add({ try tensors(ofNpz: file) }, limit: Self.limit)
    }
    #expect(outcome.accepted > 1000 && outcome.kinds.count >= 12, "\(outcome.accepted) \(outcome.kinds)")
  }

  private func mutate(_ builder: inout ZipBuilder, _ random: inout Xorshift) {
    let i = random.below(builder.entries.count)
    let number = random.pick(Self.numbers)
    let (n16, n32) = (UInt16(truncatingIfNeeded: number), UInt32(truncatingIfNeeded: number))
    switch random.below(22) {
    case 0: builder.entries[i].method = random.pick([8, n16])
    case 1: builder.entries[i].flags = 1 << UInt16(random.below(16))
    case 2: builder.entries[i].checksum = n32
    case 3: builder.entries[i].packedSize = n32
    case 4: builder.entries[i].size = n32
    case 5: builder.entries[i].offset = n32
    case 6: builder.entries[i].localName = random.pick([[], Array("x".utf8), builder.entries[0].name])
    case 7: builder.entries[i].localMethod = n16
    case 8: builder.entries[i].localFlags = n16
    case 9: builder.entries[i].localSize = n32
    case 10: builder.entries[i].localChecksum = n32
    case 11:
      builder.entries[i].name = random.pick([[], Array("../x.npy".utf8), [0xFF], Array("/".utf8), builder.entries[0].name])
    case 12: builder.entries[i].extra = random.pick([[1, 0, 8, 0] + little(number), [1, 0, 24, 0], [9, 9, 200, 0], [1]])
    case 13:
      (builder.entries[i].size, builder.entries[i].packedSize) = (.max, .max)
      builder.entries[i].extra =
        [1, 0, 16, 0] + little(random.pick([UInt64(builder.entries[i].data.count), number]))
        + little(UInt64(builder.entries[i].data.count))
    case 14: builder.entries[i].localExtra = [UInt8](repeating: 0, count: random.below(70))
    case 15: builder.count = n16
    case 16: builder.disk = n16
    case 17: builder.directorySize = n32
    case 18: builder.directoryOffset = n32
    case 19:
      builder.beforeEnd = random.pick([[0], little(UInt32(0x0706_4b50)) + little(UInt32(0)) + little(number) + little(UInt32(1))])
    case 20: builder.comment = [UInt8](repeating: 0x50, count: random.below(50))
    default: builder.entries[i].data = builder.entries[i].data.dropLast(random.below(builder.entries[i].data.count))
    }
  }

  @Test("pickles")
  func pickles() throws {
    var random = Xorshift(state: 3)
    var outcome = Outcome()
    for _ in 0..<8000 {
      var tokens: [[UInt8]] = [[0x80, 2], Array("}".utf8), Array("(".utf8)]
      for i in 0..<1 + random.below(3) {
        let storage = random.pick([
          ("torch FloatStorage", 4), ("torch LongStorage", 2), ("torch BoolStorage", 16), ("torch ByteStorage", 16),
        ])
        tokens += [
          text("t\(i)"), name("torch._utils _rebuild_tensor_v2"), Array("((".utf8), text("storage"), name(storage.0),
          text("\(random.below(2))"),
        ]
        tokens += [text("cpu"), number(storage.1), Array("t".utf8), Array("Q".utf8), number(random.below(2)), Array("(".utf8)]
        let rank = random.below(3)
        for _ in 0..<rank { tokens.append(number(random.below(3))) }
        tokens += [Array("t".utf8), Array("(".utf8)]
        for _ in 0..<rank { tokens.append(number(random.below(3))) }
        tokens += [Array("t".utf8), [0x89], Array("}".utf8), Array("t".utf8), Array("R".utf8), Array("q\u{1}".utf8)]
      }
      tokens += [Array("u".utf8), Array(".".utf8)]
      for _ in 0..<random.below(3) { mutate(&tokens, &random) }
      var file = pth(Array(tokens.joined()), storages: [16, 16])
      if random.below(10) == 0 { damage(&file, &random) }
      try outcome.add({ try tensors(ofPth: file) }, limit: 64 << 20)
    }
    #expect(outcome.accepted > 800 && outcome.kinds.count >= 15, "\(outcome.accepted) \(outcome.kinds)")
  }

  private func mutate(_ tokens: inout [[UInt8]], _ random: inout Xorshift) {
    let i = random.below(tokens.count)
    switch random.below(6) {
    case 0: tokens.remove(at: i)
    case 1: tokens.insert(tokens[i], at: i)
    case 2: tokens.swapAt(i, random.below(tokens.count))
    case 3: tokens[i] = [random.pick(Self.opcodes)]
    case 4:
      tokens[i] = random.pick([
        number(Int(truncatingIfNeeded: random.pick(Self.numbers))), [UInt8(ascii: "h"), 1], text("0"), Array("]".utf8),
      ])
    default:
      tokens[i] = random.pick([
        name("os system"), name("torch._utils _rebuild_parameter"), name("collections OrderedDict"), name("torch Size"),
        name("torch float16"),
        [0x95] + little(random.pick(Self.numbers)), [0x58] + little(UInt32(truncatingIfNeeded: random.pick(Self.numbers))),
        [0x81],
      ])
    }
  }

  private static let opcodes = Array("().NQRabehjqrstu}]XKMJGcCBU0128".utf8) + Array(0x80...0x98)

  @Test("files of NumPy and PyTorch with damaged fields")
  func clients() throws {
    var random = Xorshift(state: 4)
    var outcome = Outcome()
    let npz = [ClientFiles.npzStored, ClientFiles.npzDeflated, ClientFiles.npzZip64].map { bytes($0) }
    let pth = [ClientFiles.pthTensor, ClientFiles.pthShared, ClientFiles.pthProtocol2, ClientFiles.pthProtocol5].map { bytes($0) }
    for _ in 0..<4000 {
      var file = random.pick(npz + pth)
      for _ in 0...random.below(2) { damage(&file, &random) }
      try outcome.add({ try tensors(ofNpz: file) }, limit: Self.limit)
      try outcome.add({ try tensors(ofPth: file) }, limit: Self.limit)
    }
    #expect(outcome.kinds.count >= 8, "\(outcome.accepted) \(outcome.kinds)")
  }

  /// Changes a byte, writes a number of some width over what is there, cuts a piece out, or doubles one.
  private func damage(_ file: inout [UInt8], _ random: inout Xorshift) {
    guard file.count > 8 else { return }
    let i = random.below(file.count - 8)
    switch random.below(5) {
    case 0: file[i] ^= 1 << UInt8(random.below(8))
    case 1, 2: file.replaceSubrange(i..<i + 4, with: little(UInt32(truncatingIfNeeded: random.pick(Self.numbers))))
    case 3: file.removeSubrange(i..<min(file.count, i + 1 + random.below(20)))
    default: file.insert(contentsOf: file[i..<i + 8], at: i)
    }
  }

  private func tensors(ofNpz file: [UInt8]) throws -> [Tensor] {
    let archive = try NpzFile(MappedFile(file, path: "fuzz.npz"), growthLimit: Self.limit)
    return try archive.entries.map { try archive.tensor(named: $0.name) }
  }

  private func tensors(ofPth file: [UInt8]) throws -> [Tensor] {
    let file = try PthFile(MappedFile(file, path: "fuzz.pth"), growthLimit: Self.limit)
    _ = try file.value()
    return try file.tensors().map(\.tensor)
  }
}
