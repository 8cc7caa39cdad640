import CZlib

/// Writes a zip archive: entries in the order of the calls, no times, no owners. Equal content gives equal bytes.
package final class ZipWriter {
  private struct Record {
    let name: [UInt8]
    let method: ZipEntry.Method
    let checksum: UInt32
    let packedSize: Int
    let size: Int
    let start: Int
  }

  private let file: AtomicFile
  private var records: [Record] = []
  /// Sizes and places from here on are written in 64 bits.
  private let largest: Int

  /// - Parameter largest: the largest number that is written in 32 bits; less than the format's own limit only in tests.
  package init(_ path: String, largest: Int = Int(UInt32.max) - 1) throws(FileError) {
    file = try AtomicFile(path)
    self.largest = largest
  }

  /// Adds an entry with the pieces of its content, one behind the other, as they are.
  ///
  /// - Parameter alignment: the content starts at a multiple of it, behind an extra field of PyTorch's kind.
  package func store(_ pieces: [UnsafeRawBufferPointer], as name: String, alignment: Int = 1) throws {
    var checksum = Checksum()
    for piece in pieces { checksum.update(piece) }
    let size = pieces.reduce(0) { $0 + $1.count }
    let record = Record(
      name: try encoded(name), method: .stored, checksum: checksum.value, packedSize: size, size: size, start: file.byteCount)
    try file.write(localRecord(record, isLarge: size > largest, alignment: alignment))
    for piece in pieces { try file.write(piece) }
    records.append(record)
  }

  package func store(_ content: [UInt8], as name: String, alignment: Int = 1) throws {
    try content.withUnsafeBytes { try store([$0], as: name, alignment: alignment) }
  }

  /// Adds an entry with the pieces of its content, one behind the other, deflated.
  package func deflate(_ pieces: [UnsafeRawBufferPointer], as name: String) throws {
    let start = file.byteCount
    let size = pieces.reduce(0) { $0 + $1.count }
    // Sizes are known afterwards; packed data is never a 16th larger than it was.
    let isLarge = size + size / 16 + 1024 > largest
    let name = try encoded(name)
    func record(_ checksum: UInt32, _ packedSize: Int) -> Record {
      Record(name: name, method: .deflated, checksum: checksum, packedSize: packedSize, size: size, start: start)
    }
    try file.write(localRecord(record(0, 0), isLarge: isLarge))
    let dataStart = file.byteCount
    var checksum = Checksum()
    let deflater = try Deflater(path: file.path)
    for (i, piece) in pieces.enumerated() {
      checksum.update(piece)
      try deflater.deflate(piece, isLast: i == pieces.count - 1) { try file.write($0) }
    }
    let final = record(checksum.value, file.byteCount - dataStart)
    try file.overwrite(localRecord(final, isLarge: isLarge), at: start)
    records.append(final)
  }

  /// Writes the directory and gives the archive its name.
  package func commit() throws {
    let start = file.byteCount
    for record in records { try file.write(centralRecord(record)) }
    let size = file.byteCount - start
    let isLarge = size > largest || start > largest || records.count >= Int(UInt16.max)
    var end: [UInt8] = []
    if isLarge {
      let place = file.byteCount
      end.append(littleEndian: UInt32(0x0606_4b50), UInt64(44), UInt16(45), UInt16(45), UInt32(0), UInt32(0))
      end.append(littleEndian: UInt64(records.count), UInt64(records.count), UInt64(size), UInt64(start))
      end.append(littleEndian: UInt32(0x0706_4b50), UInt32(0), UInt64(place), UInt32(1))
    }
    let count = isLarge ? UInt16.max : UInt16(records.count)
    end.append(littleEndian: UInt32(0x0605_4b50), UInt16(0), UInt16(0), count, count)
    end.append(littleEndian: isLarge ? UInt32.max : UInt32(size), isLarge ? UInt32.max : UInt32(start), UInt16(0))
    try file.write(end)
    try file.commit()
  }

  private func encoded(_ name: String) throws(FormatError) -> [UInt8] {
    func error(_ kind: FormatError.Kind, _ reason: String) -> FormatError {
      FormatError(kind, file: file.path, at: .entry(name), reason)
    }
    if !ZipEntryParser.isInside(name) { throw error(.path, "a name that could point out of the archive") }
    if name.utf8.count > Int(UInt16.max) {
      throw error(.nameTooLong, "a name of \(name.utf8.count) bytes; the limit is \(UInt16.max)")
    }
    if records.count == ZipArchive.maximumEntryCount {
      throw error(.tooManyEntries, "an archive holds \(ZipArchive.maximumEntryCount) entries at most")
    }
    return Array(name.utf8)
  }
}

// MARK: - Records

extension ZipWriter {
  /// 1980-01-01, the first day that the format can say.
  private static let date: UInt16 = 0x21

  private func localRecord(_ record: Record, isLarge: Bool, alignment: Int = 1) -> [UInt8] {
    var extra: [UInt8] = []
    if isLarge { extra.append(littleEndian: UInt16(1), UInt16(16), UInt64(record.size), UInt64(record.packedSize)) }
    let place = record.start + ZipRecord.localLength + record.name.count + extra.count
    if place % alignment != 0 {
      let padding = (alignment - (place + 4) % alignment) % alignment
      extra.append(littleEndian: UInt16(0x4246), UInt16(padding))  // "FB"
      extra += [UInt8](repeating: UInt8(ascii: "Z"), count: padding)
    }
    var bytes: [UInt8] = []
    bytes.append(littleEndian: ZipRecord.localSignature)
    bytes += common(record, isLarge: isLarge)
    bytes.append(littleEndian: UInt16(record.name.count), UInt16(extra.count))
    return bytes + record.name + extra
  }

  private func centralRecord(_ record: Record) -> [UInt8] {
    let isLarge = record.size > largest || record.packedSize > largest || record.start > largest
    var extra: [UInt8] = []
    if isLarge {
      extra.append(littleEndian: UInt16(1), UInt16(24), UInt64(record.size), UInt64(record.packedSize), UInt64(record.start))
    }
    var bytes: [UInt8] = []
    bytes.append(littleEndian: ZipRecord.centralSignature, UInt16(0x032d))  // Unix, version 4.5
    bytes += common(record, isLarge: isLarge)
    bytes.append(littleEndian: UInt16(record.name.count), UInt16(extra.count), UInt16(0), UInt16(0), UInt16(0))
    bytes.append(littleEndian: UInt32(0o100644) << 16, isLarge ? UInt32.max : UInt32(record.start))
    return bytes + record.name + extra
  }

  private func common(_ record: Record, isLarge: Bool) -> [UInt8] {
    let flags = record.name.allSatisfy { $0 < 0x80 } ? 0 : ZipRecord.Flag.utf8
    var bytes: [UInt8] = []
    bytes.append(littleEndian: UInt16(isLarge ? 45 : 20), flags, record.method.rawValue, UInt16(0), Self.date, record.checksum)
    bytes.append(littleEndian: isLarge ? UInt32.max : UInt32(record.packedSize), isLarge ? UInt32.max : UInt32(record.size))
    return bytes
  }
}

extension [UInt8] {
  /// Appends numbers, little-endian. (The label matters: an `append` of bare numbers would win over the array's own for a literal.)
  mutating func append(littleEndian numbers: any FixedWidthInteger...) {
    for number in numbers { appendBytes(of: number) }
  }

  private mutating func appendBytes<T: FixedWidthInteger>(of number: T) {
    Swift.withUnsafeBytes(of: number.littleEndian) { append(contentsOf: $0) }
  }
}
