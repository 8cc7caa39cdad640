/// Reads the directory of an archive, entry by entry, and the record in front of each entry's data.
struct ZipEntryParser {
  let bytes: UnsafeRawBufferPointer
  let file: String
  let directory: Range<Int>
  private var offset: Int

  init(bytes: UnsafeRawBufferPointer, file: String, directory: Range<Int>) {
    self.bytes = bytes
    self.file = file
    self.directory = directory
    offset = directory.lowerBound
  }

  mutating func next() throws(FormatError) -> ZipEntry {
    let start = offset
    guard let record = ZipRecord(central: bytes, at: offset, end: directory.upperBound) else {
      throw FormatError(.truncated, file: file, at: .byte(offset), "no sound record of the directory here")
    }
    offset = record.end
    let name = try name(record)
    // The upper half holds what Unix calls the mode of a file.
    if bytes[start + 5] == 3, bytes.number(UInt32.self, at: start + 38) >> 28 == 0o12 {
      throw error(.path, name, "a symbolic link")
    }
    return try entry(name, record)
  }

  /// Checks what concerns all entries: the directory is used up, and the entries lie side by side from the start of the file.
  func finish(_ entries: [ZipEntry]) throws(FormatError) {
    if offset != directory.upperBound {
      throw FormatError(.offsets, file: file, at: .byte(offset), "more in the directory than its count of entries says")
    }
    var end = 0
    var previous: ZipEntry?
    for entry in entries.sorted(by: { $0.start < $1.start }) {
      if previous == nil, entry.start != 0 {
        throw error(.offsets, entry.name, "the first entry, at \(entry.start): something is before it")
      }
      if entry.start < end { throw error(.offsets, entry.name, "overlaps '\(printable(previous!.name, limit: 80))'") }
      end = entry.data.upperBound
      previous = entry
    }
  }

  private func name(_ record: ZipRecord) throws(FormatError) -> String {
    let piece = bytes[record.name]
    guard let name = String(validating: piece, as: UTF8.self),
      record.flags & ZipRecord.Flag.utf8 != 0 || piece.allSatisfy({ $0 < 0x80 })
    else { throw FormatError(.encoding, file: file, at: .byte(record.name.lowerBound), "a name of an entry that isn't UTF-8") }
    if !Self.isInside(name) { throw error(.path, name, "a name that could point out of the archive") }
    return name
  }

  /// Whether a name stays inside, whoever might one day use it as a path.
  static func isInside(_ name: String) -> Bool {
    !name.isEmpty && !name.utf8.contains { $0 == 0 || $0 == UInt8(ascii: "\\") } && !name.hasPrefix("/")
      && !name.split(separator: "/").contains("..")
  }

  private func entry(_ name: String, _ record: ZipRecord) throws(FormatError) -> ZipEntry {
    typealias Flag = ZipRecord.Flag
    if record.flags & (Flag.encrypted | Flag.strongEncryption | Flag.maskedHeader) != 0 {
      throw error(.encrypted, name, "is encrypted")
    }
    guard let method = ZipEntry.Method(rawValue: record.method), record.flags & Flag.patch == 0 else {
      throw error(.compression, name, "is packed by method \(record.method); only stored (0) and deflated (8) entries are read")
    }
    // Everything lies before the directory, so whatever is smaller fits an Int.
    let limit = UInt64(directory.lowerBound)
    guard record.start < limit, let local = ZipRecord(local: bytes, at: Int(record.start), end: directory.lowerBound) else {
      throw error(.offsets, name, "no record of it at byte \(record.start), where the directory says that it is")
    }
    try compare(record, local, name)
    guard record.packedSize <= limit - UInt64(local.end), record.size <= UInt64(Int.max) else {
      throw error(.truncated, name, "its \(record.packedSize) bytes reach into the directory")
    }
    if method == .stored, record.packedSize != record.size {
      throw error(.sizeMismatch, name, "is stored as it is, yet has \(record.size) bytes in \(record.packedSize)")
    }
    return ZipEntry(
      name: name, method: method, checksum: record.checksum, start: Int(record.start),
      data: local.end..<local.end + Int(record.packedSize), size: Int(record.size))
  }

  private func compare(_ central: ZipRecord, _ local: ZipRecord, _ name: String) throws(FormatError) {
    let isDeferred = local.flags & ZipRecord.Flag.descriptor != 0
    func agree<T: FixedWidthInteger>(_ x: T, _ y: T) -> Bool { x == y || isDeferred && y == 0 }
    let field =
      !bytes[central.name].elementsEqual(bytes[local.name])
      ? "name"
      : central.flags != local.flags
        ? "flags"
        : central.method != local.method
          ? "method"
          : !agree(central.size, local.size) || !agree(central.packedSize, local.packedSize)
            ? "size" : !agree(central.checksum, local.checksum) ? "CRC-32" : nil
    if let field { throw error(.offsets, name, "its \(field) in the directory and in front of its data differ") }
  }

  private func error(_ kind: FormatError.Kind, _ name: String, _ reason: String) -> FormatError {
    FormatError(kind, file: file, at: .entry(name), reason)
  }
}
