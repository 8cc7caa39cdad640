import ApusFormats
import TestSupport
import Testing

private typealias Entry = ZipBuilder.Entry

private func archive(_ builder: ZipBuilder) throws -> ZipArchive { try ZipArchive(MappedFile(builder.bytes, path: "t.zip")) }

@Suite struct ZipTests {
  private static let two = [Entry("a", Array("first".utf8)), Entry("b/c", [1, 2, 3])]

  /// `two` with a change, and the kind of error that reading it ends with.
  private func refusal(_ change: (inout ZipBuilder) -> Void) -> FormatError.Kind? {
    var builder = ZipBuilder(Self.two)
    change(&builder)
    return formatError {
      let archive = try archive(builder)
      for entry in archive.entries { _ = try archive.content(of: entry) }
    }?.kind
  }

  @Test("a sound archive is read: names, order, content, comment, descriptors, unknown extra fields")
  func sound() throws {
    var builder = ZipBuilder(Self.two)
    builder.comment = Array("words".utf8)
    builder.entries[0].flags = 1 << 3
    builder.entries[0].localChecksum = 0
    builder.entries[0].localSize = 0
    builder.entries[0].gap = little(UInt32(0x0807_4b50)) + little(crc32(Array("first".utf8))) + little(5) + little(5)
    builder.entries[1].localExtra = [0x46, 0x42, 2, 0, 90, 90]
    let archive = try archive(builder)
    #expect(archive.entries.map(\.name) == ["a", "b/c"])
    #expect(try Array(archive.content(of: archive.entries[0])) == Array("first".utf8))
    #expect(try Array(archive.content(of: #require(archive.entry(named: "b/c")))) == [1, 2, 3])
    #expect(archive.entry(named: "c") == nil)
    #expect(try ZipArchive(MappedFile(ZipBuilder([]).bytes, path: "e")).entries.isEmpty)
  }

  @Test("each fault of an entry has its name")
  func entryFaults() {
    #expect(refusal { _ in } == nil)
    #expect(refusal { $0.entries[1].data[0] ^= 1 } == .checksum)
    for flag: UInt16 in [1, 1 << 6, 1 << 13] { #expect(refusal { $0.entries[0].flags = flag } == .encrypted) }
    #expect(refusal { $0.entries[0].method = 99 } == .compression)
    #expect(refusal { $0.entries[0].flags = 1 << 5 } == .compression)
    #expect(refusal { $0.entries[0].method = 8 } == .compression)  // `content` is for stored entries
    for name in ["../a", "a/../b", "/a", "a\\b", "a\0b", ""] {
      #expect(refusal { $0.entries[1].name = Array(name.utf8) } == .path, "\(name)")
    }
    for name in ["..a", "a..", "a/...", "dir/"] { #expect(refusal { $0.entries[1].name = Array(name.utf8) } == nil, "\(name)") }
    #expect(
      refusal {
        $0.entries[1].system = 3; $0.entries[1].attributes = 0o120777 << 16
      } == .path)
    #expect(refusal { $0.entries[1].name = [0xFF] } == .encoding)
    #expect(refusal { $0.entries[1].name = Array("é".utf8) } == .encoding)
    #expect(
      refusal {
        $0.entries[1].name = Array("é".utf8); $0.entries[1].flags = 1 << 11
      } == nil)
    #expect(refusal { $0.entries[1].name = $0.entries[0].name } == .duplicateKey)
    #expect(refusal { $0.entries[1].size += 1 } == .sizeMismatch)
    #expect(
      refusal {
        $0.entries[1].packedSize = 1 << 20; $0.entries[1].size = 1 << 20
      } == .truncated)
  }

  @Test("the directory and the record in front of the data must agree")
  func disagreement() {
    #expect(refusal { $0.entries[1].localName = Array("b/d".utf8) } == .offsets)
    #expect(refusal { $0.entries[1].localMethod = 8 } == .offsets)
    #expect(refusal { $0.entries[1].localFlags = 8 } == .offsets)
    #expect(refusal { $0.entries[1].localChecksum = 7 } == .offsets)
    #expect(refusal { $0.entries[1].localSize = 2 } == .offsets)
    // A zero stands for "behind the data" only where the flag says so.
    #expect(refusal { $0.entries[1].localSize = 0 } == .offsets)
    #expect(refusal { $0.entries[1].offset = 1 } == .offsets)
    #expect(refusal { $0.entries[1].offset = 1 << 30 } == .offsets)
  }

  @Test("no byte belongs to two entries, and none stands before the first")
  func layout() {
    // The second record lies inside the first one's data.
    #expect(
      refusal {
        let inner = ZipBuilder([Entry("x", [9])]).bytes.prefix(32)
        $0 = ZipBuilder([Entry("a", Array(inner)), Entry("x", [9])])
        $0.entries[1].offset = 31
      } == .offsets)
    #expect(refusal { $0.prefix = Array("MZ".utf8) } == .notThisFormat)
    #expect(refusal { $0.prefix = little(UInt32(0x0403_4b50)) } == .offsets)
  }

  @Test("each fault of the directory has its name")
  func directoryFaults() throws {
    #expect(refusal { $0.count = 1 } == .offsets)
    #expect(refusal { $0.count = 3 } == .truncated)
    #expect(refusal { $0.countHere = 1 } == .unsupported)
    #expect(refusal { $0.disk = 1 } == .unsupported)
    #expect(refusal { $0.directorySize = 5 } == .offsets)
    #expect(refusal { $0.directoryOffset = 5 } == .offsets)
    #expect(refusal { $0.directoryOffset = .max } == .offsets)
    #expect(refusal { $0.beforeEnd = [0] } == .offsets)
    #expect(refusal { $0.commentLength = 1 } == .truncated)
    let bytes = ZipBuilder(Self.two).bytes
    for count in 0..<bytes.count {
      let kind = formatError { _ = try ZipArchive(MappedFile(Array(bytes[..<count]), path: "t")) }?.kind
      #expect(kind == (count < 4 ? .notThisFormat : .truncated), "cut to \(count) bytes")
    }
  }

  @Test("an archive may have 1,000,000 entries")
  func entryCount() {
    func refusal(_ count: UInt64) -> FormatError.Kind? {
      var builder = ZipBuilder([])
      builder.prefix = little(UInt32(0x0403_4b50))
      builder.count = .max
      builder.beforeEnd =
        little(UInt32(0x0606_4b50)) + little(UInt64(44)) + little(UInt32(45 << 16 | 45)) + little(UInt64(0)) + little(count)
        + little(count) + little(UInt64(0)) + little(UInt64(4)) + little(UInt32(0x0706_4b50)) + little(UInt32(0))
        + little(UInt64(4))
        + little(UInt32(1))
      builder.directoryOffset = .max
      return formatError { _ = try archive(builder) }?.kind
    }
    // As many entries as one likes, but they aren't there.
    #expect(refusal(1_000_000) == .truncated)
    #expect(refusal(1_000_001) == .tooManyEntries)
  }

  @Test("zip64: the two end records must agree")
  func zip64Faults() throws {
    let sound = bytes(ClientFiles.npzZip64)
    #expect(throws: Never.self) { try ZipArchive(MappedFile(sound, path: "t")) }
    let end = sound.count - 22
    for (offset, value) in [(end - 20 + 8, 1), (end - 76 + 4, 1), (end - 76 + 24, 1), (end - 76 + 48, 1), (end + 8, 1)] {
      var damaged = sound
      damaged[offset] ^= UInt8(value)
      #expect(formatError { _ = try ZipArchive(MappedFile(damaged, path: "t")) } != nil, "byte \(offset)")
    }
  }
}

@Suite struct ZipWriterTests {
  private func written(largest: Int? = nil, _ body: (ZipWriter) throws -> Void) throws -> ZipArchive {
    let folder = try TemporaryFolder()
    let writer = try largest.map { try ZipWriter(folder.file("w.zip"), largest: $0) } ?? ZipWriter(folder.file("w.zip"))
    try body(writer)
    try writer.commit()
    return try ZipArchive(MappedFile(folder.file("w.zip")))
  }

  @Test("what is written is read, in 32 and in 64 bits, aligned where asked", arguments: [nil, 10, -1])
  func roundTrip(largest: Int?) throws {
    let empty: [UInt8] = []
    let long = (0..<100_000).map { UInt8(truncatingIfNeeded: $0 / 1000) }
    let archive = try written(largest: largest) { writer in
      try writer.store(empty, as: "empty", alignment: 64)
      try writer.store([1, 2, 3], as: "s", alignment: 64)
      try writer.store(long, as: "日本")
      try long.withUnsafeBytes { try writer.deflate([$0, UnsafeRawBufferPointer(start: nil, count: 0)], as: "d") }
      try long.withUnsafeBytes { try writer.store([$0], as: "last", alignment: 64) }
    }
    #expect(archive.entries.map(\.name) == ["empty", "s", "日本", "d", "last"])
    #expect(archive.entries.map(\.method) == [.stored, .stored, .stored, .deflated, .stored])
    #expect(try Array(archive.content(of: archive.entries[2])) == long)
    #expect(try Array(archive.content(of: archive.entries[1])) == [1, 2, 3])
    for i in [0, 1, 4] { #expect(archive.entries[i].data.lowerBound % 64 == 0) }
    #expect(archive.entries[3].data.count < 1000 && archive.entries[3].size == long.count)
  }

  @Test("names that no archive should have aren't written")
  func names() throws {
    let empty: [UInt8] = []
    for (name, kind) in [
      ("../x", FormatError.Kind.path), ("/x", .path), ("", .path), (String(repeating: "n", count: 65_536), .nameTooLong),
    ] {
      let error = #expect(throws: FormatError.self) { try written { try $0.store(empty, as: name) } }
      #expect(error?.kind == kind)
    }
    #expect(throws: Never.self) { try written { try $0.store(empty, as: String(repeating: "n", count: 65_535)) } }
  }
}
