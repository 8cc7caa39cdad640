import ApusCore
import ApusFormats
import TestSupport
import Testing

private func read(_ file: [UInt8]) throws -> Tensor { try Npy.read(MappedFile(file, path: "t.npy")) }

private func kind(_ file: [UInt8]) -> FormatError.Kind? { formatError { _ = try read(file) }?.kind }

@Suite struct NpyTests {
  @Test("every dtype but bfloat16 and awkward shapes come back bit for bit", arguments: DType.allCases.filter { $0 != .bfloat16 })
  func roundTrip(dtype: DType) throws {
    let folder = try TemporaryFolder()
    for shape: Shape in [[], [0], [1], [7], [2, 3], [3, 0, 2], [1, 2, 1, 3, 1]] {
      let bytes = (0..<shape.elementCount * dtype.itemSize).map {
        dtype == .bool ? UInt8($0 & 1) : UInt8(truncatingIfNeeded: $0 &* 151 &+ 77)
      }
      let tensor = bytes.withUnsafeBytes { Tensor(bytes: $0, shape: shape, dtype: dtype) }
      try Npy.write(tensor, to: folder.file("x.npy"))
      let back = try Npy.read(folder.file("x.npy"))
      #expect(back.shape == shape && back.dtype == dtype)
      #expect(back.withUnsafeBytes(Array.init) == bytes)
    }
  }

  @Test("NumPy's files are read: versions, byte orders, columns first, no axes, no elements")
  func clients() throws {
    let x = try read(bytes(ClientFiles.npyFloat32))
    #expect(x.dtype == .float32 && x.array(as: [[Float]].self) == [[0, 1, 2], [3, 4, 5]])
    let columns = try read(bytes(ClientFiles.npyFortran))
    #expect(columns.dtype == .float64 && columns.array(as: [[Double]].self) == [[0, 1, 2], [3, 4, 5]])
    #expect(columns.strides == [1, 2])
    let big = try read(bytes(ClientFiles.npyBigEndian))
    #expect(big.dtype == .int32 && big.scalars(as: Int.self) == [-2, 258])
    let scalar = try read(bytes(ClientFiles.npyScalar))
    #expect(scalar.shape == [] && scalar.item(as: Bool.self))
    let empty = try read(bytes(ClientFiles.npyEmpty))
    #expect(empty.shape == [3, 0] && empty.dtype == .float16)
    #expect(try read(bytes(ClientFiles.npyVersion2)).scalars(as: Int.self) == [1, 2])
    #expect(try read(bytes(ClientFiles.npyVersion3)).dtype == .int16)
  }

  @Test("and the same bytes are written")
  func writesTheSame() throws {
    let folder = try TemporaryFolder()
    try Npy.write(Tensor([[0.0, 1, 2], [3, 4, 5]]), to: folder.file("x"))
    #expect(try folder.read("x") == bytes(ClientFiles.npyFloat32))
    try Npy.write(Tensor(true), to: folder.file("s"))
    #expect(try folder.read("s") == bytes(ClientFiles.npyScalar))
    try Npy.write(Tensor.zeros([3, 0], dtype: .float16), to: folder.file("e"))
    #expect(try folder.read("e") == bytes(ClientFiles.npyEmpty))
  }

  @Test("other byte orders of every width, and views written as what they show")
  func byteOrders() throws {
    let folder = try TemporaryFolder()
    for (descr, data) in [(">i2", [1, 2]), (">f4", [0x40, 0x20, 0, 0]), (">i8", [0, 0, 0, 0, 0, 0, 1, 2])] as [(String, [UInt8])]
    {
      let x = try read(npy("{'descr': '\(descr)', 'fortran_order': True, 'shape': (1,)}", data: data))
      #expect(x.item() == (descr == ">f4" ? 2.5 : 258))
    }
    try Npy.write(Tensor([[0.0, 1, 2], [3, 4, 5]]).T, to: folder.file("t"))
    #expect(try Npy.read(folder.file("t")).array(as: [[Float]].self) == [[0, 3], [1, 4], [2, 5]])
  }

  @Test("headers that other programs write are accepted")
  func lenience() throws {
    for header in [
      #"{"shape":(2,),"fortran_order":False,"descr":"|u1"}"#,
      "{ 'descr' : '|u1' , 'fortran_order' : True , 'shape' : ( 2 , ) , } \n",
      "{'descr': '=i1', 'fortran_order': False, 'shape': (2L,)}", "{'descr': '|u1', 'fortran_order': False, 'shape': (1, 2)}",
    ] {
      #expect(try read(npy(header, data: [3, 4])).count == 2, "\(header)")
    }
  }

  private static func header(_ descr: String = "'<f4'", _ order: String = "False", _ shape: String = "(2,)") -> String {
    "{'descr': \(descr), 'fortran_order': \(order), 'shape': \(shape), }"
  }

  @Test(
    "each fault has its name",
    arguments: [
      (header("'<f4"), .syntax), (header("[('a', '<f4')]"), .unsupportedDType), (header("'|O'"), .unsupportedDType),
      (header("'<u4'"), .unsupportedDType), (header("'<c8'", "False", "(1,)"), .unsupportedDType),
      (header("'|S4'"), .unsupportedDType),
      (header("'<U1'"), .unsupportedDType), (header("'<M8[ns]'", "False", "(1,)"), .unsupportedDType),
      (header("'f4'"), .unknownDType),
      (header("'<f5'"), .unknownDType), (header("'<f4x'"), .unknownDType), (header("'|f4'"), .unknownDType),
      (header("''"), .unknownDType),
      (header("'<'"), .unknownDType), (header("'|V0'"), .unknownDType), (header("'<U9223372036854775807'"), .unknownDType),
      (header("'<f99999999999999999999'"), .unknownDType),
      (header("4"), .type), (header("'\\x41'"), .syntax), (header("'é'"), .syntax),
      (header("'<f4'", "0"), .type), (header("'<f4'", "true"), .type),
      (header("'<f4'", "False", "[2]"), .type), (header("'<f4'", "False", "(2)"), .type), (header("'<f4'", "False", "2"), .type),
      (header("'<f4'", "False", "(2 2)"), .type), (header("'<f4'", "False", "(-2,)"), .number),
      (header("'<f4'", "False", "(2.0,)"), .number), (header("'<f4'", "False", "(02,)"), .syntax),
      (header("'<f4'", "False", "(9223372036854775808,)"), .number), (header("'<f4'", "False", "(,)"), .type),
      (header("'<f4'", "False", "(4611686018427387904, 2)"), .sizeOverflow),
      (header("'<f4'", "False", "(0, 4611686018427387904, 4)"), .sizeOverflow),
      (header("'<f4'", "False", "(3,)"), .truncated), (header("'<f4'", "False", "(1,)"), .offsets),
      ("{'descr': '<f4', 'shape': (2,)}", .missingField), ("{'descr': '<f4', 'fortran_order': False}", .missingField),
      ("{'fortran_order': False, 'shape': (2,)}", .missingField), ("{}", .missingField), ("", .syntax), ("[]", .syntax),
      ("{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (2,)}", .duplicateKey),
      ("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), 'x': 1}", .syntax), (header() + "x", .syntax),
      ("{'descr'", .syntax),
      ("{'descr': '<f4' 'fortran_order': False, 'shape': (2,)}", .syntax), (String(header().dropLast(2)), .type),
    ] as [(String, FormatError.Kind)])
  func faults(header: String, expected: FormatError.Kind) {
    #expect(kind(npy(header, data: [UInt8](repeating: 0, count: 8))) == expected)
  }

  @Test("a frame that isn't sound: magic, version, length, cuts")
  func frame() throws {
    let sound = npy(Self.header(), data: [UInt8](repeating: 0, count: 8))
    #expect(kind(sound) == nil)
    for count in 0..<sound.count { #expect(kind(Array(sound[..<count])) != nil, "cut to \(count) bytes") }
    var file = sound
    file[1] = UInt8(ascii: "n")
    #expect(kind(file) == .notThisFormat)
    for (offset, value) in [(6, 0), (6, 4), (7, 1)] as [(Int, UInt8)] {
      file = sound
      file[offset] = value
      #expect(kind(file) == .unsupported)
    }
    #expect(kind(npy(Self.header(), data: [], length: 5000)) == .truncated)
  }

  @Test("a header may be 65,535 bytes long, and have 64 axes")
  func limits() throws {
    func padded(_ count: Int) -> [UInt8] {
      let text = Self.header("'|u1'", "False", "()")
      return npy(text + String(repeating: " ", count: count - text.utf8.count), data: [1], version: 2)
    }
    #expect(kind(padded(65_535)) == nil)
    #expect(kind(padded(65_536)) == .headerTooLong)
    func axes(_ count: Int) -> [UInt8] {
      npy(Self.header("'|u1'", "False", "(" + String(repeating: "1,", count: count) + ")"), data: [1])
    }
    #expect(kind(axes(64)) == nil)
    #expect(kind(axes(65)) == .rankTooLarge)
    #expect(try read(axes(64)).rank == 64)
  }

  @Test("a bool is 0 or 1")
  func bools() {
    let error = formatError { _ = try read(npy(Self.header("'|b1'"), data: [1, 2])) }
    #expect(error?.kind == .value)
    #expect(error?.description == "t.npy: byte \(10 + Self.header("'|b1'").utf8.count + 1): 2 as a bool; only 0 and 1 are")
  }

  @Test("what NumPy's files hold and we don't is refused with a way out")
  func refusals() throws {
    let records = formatError { _ = try read(bytes(ClientFiles.npyRecords)) }
    #expect(records?.description.contains("structured dtype); save each field by itself") == true)
    let objects = formatError { _ = try read(bytes(ClientFiles.npyObjects)) }
    #expect(objects?.description.contains("Python objects (a pickle that could run code)") == true)
    let unsigned = formatError { _ = try read(bytes(ClientFiles.npyUnsigned)) }
    #expect(unsigned?.description.contains("its dtype uint32 is none that an Apus tensor can have") == true)
    let folder = try TemporaryFolder()
    #expect(try Npy.header(folder.write(bytes(ClientFiles.npyUnsigned), "u")).dtype.name == "uint32")
    let written = formatError { try Npy.write(Tensor.zeros([1], dtype: .bfloat16), to: folder.file("b")) }
    #expect(written?.kind == .unsupportedDType)
    #expect(
      written?.description.hasSuffix(
        "b: NumPy has no bfloat16: convert to float32, which holds each of its values, or write safetensors") == true)
    #expect(folder.names() == ["u"])
  }
}
