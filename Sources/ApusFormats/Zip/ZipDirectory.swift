/// Where the directory of an archive stands and how long it is: what the records at its end say.
struct ZipDirectory {
  var range: Range<Int>
  var entryCount: Int

  private static let signature: UInt32 = 0x0605_4b50
  private static let length = 22
  private static let locatorSignature: UInt32 = 0x0706_4b50
  private static let locatorLength = 20
  private static let zip64Signature: UInt32 = 0x0606_4b50
  private static let zip64Length = 56

  /// Finds the end record: the last one whose comment reaches exactly to the end of the file.
  init(of bytes: UnsafeRawBufferPointer, file: String) throws(FormatError) {
    func error(_ kind: FormatError.Kind, at offset: Int? = nil, _ reason: String) -> FormatError {
      FormatError(kind, file: file, at: offset.map { .byte($0) } ?? .file, reason)
    }
    let first = max(0, bytes.count - Self.length - Int(UInt16.max))
    var offset = bytes.count - Self.length
    while offset >= first, !Self.isEndRecord(bytes, offset) { offset -= 1 }
    if offset < first { throw error(.truncated, "no directory at the end of the archive: it is cut short") }
    let disks = [4, 6].map { bytes.number(UInt16.self, at: offset + $0) }
    var counts = [8, 10].map { UInt64(bytes.number(UInt16.self, at: offset + $0)) }
    var (size, start) = (
      UInt64(bytes.number(UInt32.self, at: offset + 12)), UInt64(bytes.number(UInt32.self, at: offset + 16))
    )
    var end = offset
    let locator = offset - Self.locatorLength
    if locator >= 0, bytes.number(UInt32.self, at: locator) == Self.locatorSignature {
      let position = bytes.number(UInt64.self, at: locator + 8)
      guard position <= UInt64(locator), locator - Int(position) >= Self.zip64Length,
        bytes.number(UInt32.self, at: Int(position)) == Self.zip64Signature,
        bytes.number(UInt64.self, at: Int(position) + 4) == UInt64(locator - Int(position) - 12)
      else { throw error(.offsets, at: locator, "no zip64 end record where its locator points") }
      end = Int(position)
      let large = [24, 32, 40, 48].map { bytes.number(UInt64.self, at: end + $0) }
      let small = [counts[0], counts[1], size, start]
      // A field of the small record is at its largest value, or says the same.
      for (i, value) in small.enumerated() where value != (i < 2 ? 0xFFFF : 0xFFFF_FFFF) && value != large[i] {
        throw error(.offsets, at: end, "the zip64 end record contradicts the end record")
      }
      (counts, size, start) = ([large[0], large[1]], large[2], large[3])
    }
    if disks.contains(where: { $0 != 0 && $0 != .max }) || counts[0] != counts[1] {
      throw error(.unsupported, at: offset, "an archive in several parts")
    }
    if counts[0] > UInt64(ZipArchive.maximumEntryCount) {
      throw error(.tooManyEntries, at: end, "\(counts[0]) entries; the limit is \(ZipArchive.maximumEntryCount)")
    }
    guard start <= UInt64(end), size == UInt64(end) - start else {
      throw error(.offsets, at: end, "a directory of \(size) bytes at \(start) doesn't end where its end record begins")
    }
    range = Int(start)..<end
    entryCount = Int(counts[0])
  }

  private static func isEndRecord(_ bytes: UnsafeRawBufferPointer, _ offset: Int) -> Bool {
    bytes.number(UInt32.self, at: offset) == signature
      && Int(bytes.number(UInt16.self, at: offset + 20)) == bytes.count - offset - length
  }
}
