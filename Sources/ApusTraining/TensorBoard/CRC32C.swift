/// The checksum of TFRecord frames: CRC-32 with Castagnoli's polynomial (RFC 3720, appendix B.4), a byte at a time by a table.
package enum CRC32C {
  private static let table: [UInt32] = (0..<256).map { byte in
    // The polynomial 0x1EDC6F41 with its bits in reverse order.
    (0..<8).reduce(UInt32(byte)) { crc, _ in crc & 1 == 1 ? crc >> 1 ^ 0x82F6_3B78 : crc >> 1 }
  }

  package static func checksum(_ bytes: [UInt8]) -> UInt32 {
    ~bytes.reduce(~UInt32(0)) { crc, byte in table[Int(UInt8(truncatingIfNeeded: crc) ^ byte)] ^ crc >> 8 }
  }

  /// The checksum as it stands in a file. Checksums of data that contain checksums are weak, so it is turned and moved.
  package static func masked(_ bytes: [UInt8]) -> UInt32 {
    let crc = checksum(bytes)
    return (crc >> 15 | crc << 17) &+ 0xA282_EAD8
  }
}
