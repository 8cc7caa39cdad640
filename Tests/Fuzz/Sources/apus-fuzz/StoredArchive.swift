/// A zip archive without compression, whose checksums are right whatever is in it.
enum StoredArchive {
  /// A PyTorch file around a pickle: two storages of 24 bytes each.
  static func torch(pickle: [UInt8]) -> [UInt8] {
    let storage = [UInt8](repeating: 0, count: 24)
    return archive([
      ("a/data.pkl", pickle), ("a/byteorder", Array("little".utf8)), ("a/data/0", storage), ("a/data/1", storage),
      ("a/version", Array("3\n".utf8)),
    ])
  }

  /// The pickle in a PyTorch file that Apus wrote: the first entry, stored.
  static func pickle(_ file: [UInt8]) -> [UInt8]? {
    guard file.count > 30 else { return nil }
    func number(_ at: Int, _ count: Int) -> Int { (0..<count).reduce(0) { $0 | Int(file[at + $1]) << (8 * $1) } }
    let start = 30 + number(26, 2) + number(28, 2)
    let size = number(18, 4)
    return start + size <= file.count ? Array(file[start..<start + size]) : nil
  }

  private static func archive(_ entries: [(name: String, content: [UInt8])]) -> [UInt8] {
    var (file, directory) = ([UInt8](), [UInt8]())
    for (name, content) in entries {
      let crc = CRC32.checksum(content)
      // Version, flags, method, time, date, checksum, sizes, lengths of name and extra field.
      let facts =
        bytes(20, 2) + bytes(0, 8) + bytes(Int(crc), 4) + bytes(content.count, 4) + bytes(content.count, 4)
        + bytes(name.utf8.count, 2) + bytes(0, 2)
      directory += [0x50, 0x4B, 1, 2] + bytes(20, 2) + facts + bytes(0, 10) + bytes(file.count, 4) + Array(name.utf8)
      file += [0x50, 0x4B, 3, 4] + facts + Array(name.utf8) + content
    }
    let end = bytes(0, 4) + bytes(entries.count, 2) + bytes(entries.count, 2) + bytes(directory.count, 4) + bytes(file.count, 4)
    return file + directory + [0x50, 0x4B, 5, 6] + end + bytes(0, 2)
  }

  private static func bytes(_ value: Int, _ count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
  }
}

/// The chunks of a PNG file.
enum PNGChunks {
  /// The same file with right checksums, as far as its lengths lead.
  static func repaired(_ file: [UInt8]) -> [UInt8] {
    var (result, at) = (file, 8)
    while at + 12 <= result.count {
      let length = result[at..<at + 4].reduce(0) { $0 << 8 | Int($1) }
      let end = at + 8 + length
      guard end + 4 <= result.count else { break }
      let crc = CRC32.checksum(result[at + 4..<end])
      for i in 0..<4 { result[end + i] = UInt8(truncatingIfNeeded: crc >> (24 - 8 * UInt32(i))) }
      at = end + 4
    }
    return result
  }
}

/// The checksum of zip and PNG.
private enum CRC32 {
  private static let table: [UInt32] = (0..<256).map { byte in
    (0..<8).reduce(UInt32(byte)) { crc, _ in crc & 1 == 1 ? crc >> 1 ^ 0xEDB8_8320 : crc >> 1 }
  }

  static func checksum(_ bytes: some Sequence<UInt8>) -> UInt32 {
    ~bytes.reduce(~UInt32(0)) { crc, byte in table[Int(UInt8(truncatingIfNeeded: crc) ^ byte)] ^ crc >> 8 }
  }
}
