import ApusCore
import ApusFormats
import TestSupport
import Testing

private func read(_ file: [UInt8], growthLimit: Int? = nil) throws -> [Tensor] {
  let archive = try NpzFile(MappedFile(file, path: "t.npz"), growthLimit: growthLimit)
  return try archive.entries.map { try archive.tensor(named: $0.name) }
}

@Suite struct NpzTests {
  @Test(
    "NumPy's archives are read: stored, deflated, zip64",
    arguments: [ClientFiles.npzStored, ClientFiles.npzDeflated, ClientFiles.npzZip64])
  func clients(file: String) throws {
    let archive = try NpzFile(MappedFile(bytes(file), path: "t.npz"))
    #expect(archive.entries.map(\.name) == ["a", "b"])
    #expect(archive.entries.map(\.header.shape) == [[3], [2, 2]])
    #expect(archive.entries.map(\.header.dtype.name) == ["int64", "float32"])
    #expect(try archive.tensor(named: "a").scalars(as: Int.self) == [0, 1, 2])
    #expect(try archive.tensor(named: "b").array(as: [[Float]].self) == [[0.5, 0.5], [0.5, 0.5]])
    #expect(formatError { _ = try archive.tensor(named: "c") }?.kind == .missingTensor)
  }

  @Test("names, order, dtypes and values come back, stored and compressed", arguments: [false, true])
  func roundTrip(isCompressed: Bool) throws {
    let folder = try TemporaryFolder()
    let tensors = [
      ("z.weight", samples([3, 4], seed: 1)), ("", Tensor([1, 2])), ("a/b", Tensor(true)),
      ("é", Tensor.zeros([0, 2], dtype: .float16)),
      ("t", samples([300, 40], seed: 2).T),
    ]
    try Npz.write(tensors.map { (name: $0, tensor: $1) }, to: folder.file("x.npz"), isCompressed: isCompressed)
    let back = try Npz.read(folder.file("x.npz"))
    #expect(back.map(\.name) == tensors.map(\.0))
    for ((_, tensor), (name, expected)) in zip(back, tensors) {
      #expect(tensor.dtype == expected.dtype && tensor.shape == expected.shape, "\(name)")
      #expect(tensor.withUnsafeBytes(Array.init) == expected.withUnsafeBytes(Array.init), "\(name)")
    }
    let first = try folder.read("x.npz")
    try Npz.write(back, to: folder.file("y.npz"), isCompressed: isCompressed)
    #expect(try folder.read("y.npz") == first)
  }

  @Test(
    "every flipped bit of the content is noticed, and no flipped bit is ever a crash",
    arguments: [ClientFiles.npzStored, ClientFiles.npzDeflated])
  func flips(file: String) throws {
    let sound = bytes(file)
    let expected = try read(sound).map { $0.withUnsafeBytes(Array.init) }
    for bit in 0..<sound.count * 8 {
      var damaged = sound
      damaged[bit / 8] ^= 1 << (bit % 8)
      // A bit of a date or a version may change and mean nothing; numbers may not.
      if let tensors = try? read(damaged) { #expect(tensors.map { $0.withUnsafeBytes(Array.init) } == expected, "bit \(bit)") }
    }
    for count in 0..<sound.count { #expect(throws: FormatError.self) { try read(Array(sound[..<count])) } }
  }

  /// A deflated archive with one array of zeros.
  private func zeros(_ count: Int) throws -> [UInt8] {
    let folder = try TemporaryFolder()
    try Npz.write([("zeros", Tensor.zeros([count], dtype: .uint8))], to: folder.file("z.npz"), isCompressed: true)
    return try folder.read("z.npz")
  }

  @Test("compressed arrays may unpack to 64 MiB or four times the file, unless the caller allows more")
  func growth() throws {
    let limit = 64 << 20
    #expect(try read(zeros(limit - 128)).first?.count == limit - 128)
    let error = formatError { _ = try read(zeros(limit - 127)) }
    #expect(error?.kind == .tooLarge)
    #expect(
      error?.description == "t.npz: zeros.npy: unpacks to 67108865 bytes, 0 before it; the limit for this archive is 67108864")
    #expect(throws: Never.self) { try read(zeros(limit - 127), growthLimit: limit + 1) }
    #expect(formatError { _ = try read(zeros(1000), growthLimit: 1127) }?.kind == .tooLarge)
    #expect(formatError { _ = try read(zeros(1000), growthLimit: 1128) } == nil)
  }

  @Test("an archive whose packed data is more, less or other than its header promises")
  func promises() throws {
    let sound = try zeros(1000)
    let start = 30 + "zeros.npy".utf8.count
    let central = sound.count - 22 - 46 - "zeros.npy".utf8.count
    // Sizes stand at 22 in the local and at 24 in the central record.
    func resized(_ size: Int) -> [UInt8] {
      var file = sound
      file.replaceSubrange(22..<26, with: little(UInt32(size)))
      file.replaceSubrange(central + 24..<central + 28, with: little(UInt32(size)))
      return file
    }
    #expect(formatError { _ = try read(resized(1128)) } == nil)
    #expect(formatError { _ = try read(resized(1127)) }?.kind == .truncated)
    #expect(formatError { _ = try read(resized(1129)) }?.kind == .offsets)
    var damaged = sound
    damaged[start] = 0x07
    #expect(formatError { _ = try read(damaged) }?.kind == .syntax)
    let notArray = ZipBuilder([.init("x.txt", [1])]).bytes
    #expect(formatError { _ = try read(notArray) }?.kind == .notThisFormat)
    let broken = formatError { _ = try read(ZipBuilder([.init("x.npy", npy("{'descr': '<f4', }"))]).bytes) }
    #expect(broken?.description == "t.npz: x.npy, byte 10: no field 'fortran_order'")
  }

  @Test("what the format cannot hold isn't written, and the old file stays")
  func unwritable() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("w.npz")
    try Npz.write([("old", Tensor(1))], to: path)
    let one = Tensor([1.0])
    #expect(formatError { try Npz.write([("a", one), ("a", one)], to: path) }?.kind == .duplicateKey)
    #expect(formatError { try Npz.write([("../a", one)], to: path) }?.kind == .path)
    #expect(formatError { try Npz.write([("a", one.to(.bfloat16))], to: path) }?.kind == .unsupportedDType)
    #expect(folder.names() == ["w.npz"])
    #expect(try Npz.read(path).map(\.name) == ["old"])
  }
}
