import ApusFormats
import Foundation

/// The bytes behind base64 text: one of `ClientFiles`.
func bytes(_ base64: String) -> [UInt8] { [UInt8](Data(base64Encoded: base64)!) }

/// The error that reading ends with; nil where it succeeds.
func formatError(_ body: () throws -> Void) -> FormatError? {
  do {
    try body()
    return nil
  } catch {
    return error as? FormatError
  }
}

/// Little-endian bytes of a number.
func little<T: FixedWidthInteger>(_ number: T) -> [UInt8] { withUnsafeBytes(of: number.littleEndian, Array.init) }

/// A `.npy` file with the given header text.
func npy(_ header: String, data: [UInt8] = [], version: UInt8 = 1, length: Int? = nil) -> [UInt8] {
  let count = length ?? header.utf8.count
  let lengthBytes = version == 1 ? little(UInt16(truncatingIfNeeded: count)) : little(UInt32(truncatingIfNeeded: count))
  return [0x93] + Array("NUMPY".utf8) + [version, 0] + lengthBytes + Array(header.utf8) + data
}

/// The CRC-32 of a zip entry, byte by byte: the twin of zlib's.
func crc32(_ bytes: [UInt8]) -> UInt32 {
  let table = (0..<256).map { i in (0..<8).reduce(UInt32(i)) { crc, _ in crc >> 1 ^ (crc & 1 == 1 ? 0xEDB8_8320 : 0) } }
  return ~bytes.reduce(~UInt32(0)) { crc, byte in crc >> 8 ^ table[Int(UInt8(truncatingIfNeeded: crc) ^ byte)] }
}

/// Builds a zip archive in which any field can be wrong.
struct ZipBuilder {
  struct Entry {
    var name: [UInt8]
    var data: [UInt8]
    var method: UInt16 = 0
    var flags: UInt16 = 0
    var checksum: UInt32
    var packedSize: UInt32
    var size: UInt32
    /// What the directory says; nil for where it is.
    var offset: UInt32?
    var system: UInt8 = 0
    var attributes: UInt32 = 0
    var extra: [UInt8] = []
    var localExtra: [UInt8] = []
    /// What the local record says otherwise.
    var localName: [UInt8]?
    var localMethod: UInt16?
    var localFlags: UInt16?
    var localChecksum: UInt32?
    var localSize: UInt32?
    /// Bytes between the data and what follows.
    var gap: [UInt8] = []

    init(_ name: String, _ data: [UInt8]) {
      self.name = Array(name.utf8)
      self.data = data
      checksum = crc32(data)
      packedSize = UInt32(data.count)
      size = UInt32(data.count)
    }
  }

  var entries: [Entry]
  var prefix: [UInt8] = []
  var comment: [UInt8] = []
  var commentLength: UInt16?
  var count: UInt16?
  var countHere: UInt16?
  var disk: UInt16 = 0
  var directorySize: UInt32?
  var directoryOffset: UInt32?
  /// Between the directory and its end record.
  var beforeEnd: [UInt8] = []

  init(_ entries: [Entry]) { self.entries = entries }

  var bytes: [UInt8] {
    var result = prefix
    var directory: [UInt8] = []
    for entry in entries {
      let start = UInt32(result.count)
      result += little(UInt32(0x0403_4b50)) + little(UInt16(20)) + little(entry.localFlags ?? entry.flags)
      result +=
        little(entry.localMethod ?? entry.method) + little(UInt32(0x21_0000)) + little(entry.localChecksum ?? entry.checksum)
      result += little(entry.localSize ?? entry.packedSize) + little(entry.localSize ?? entry.size)
      let name = entry.localName ?? entry.name
      result +=
        little(UInt16(name.count)) + little(UInt16(entry.localExtra.count)) + name + entry.localExtra + entry.data + entry.gap
      directory +=
        little(UInt32(0x0201_4b50)) + [20, entry.system] + little(UInt16(20)) + little(entry.flags) + little(entry.method)
      directory += little(UInt32(0x21_0000)) + little(entry.checksum) + little(entry.packedSize) + little(entry.size)
      directory += little(UInt16(entry.name.count)) + little(UInt16(entry.extra.count)) + little(UInt16(0)) + little(UInt16(0))
      directory += little(UInt16(0)) + little(entry.attributes) + little(entry.offset ?? start) + entry.name + entry.extra
    }
    let start = UInt32(result.count)
    result += directory + beforeEnd + little(UInt32(0x0605_4b50)) + little(disk) + little(disk)
    let number = UInt16(truncatingIfNeeded: entries.count)
    result += little(countHere ?? count ?? number) + little(count ?? number)
    result += little(directorySize ?? UInt32(directory.count)) + little(directoryOffset ?? start)
    return result + little(commentLength ?? UInt16(comment.count)) + comment
  }
}
