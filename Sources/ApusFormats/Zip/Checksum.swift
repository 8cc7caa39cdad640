import CZlib

/// The CRC-32 that zip files store with their content, of bytes that may come in pieces.
struct Checksum {
  private(set) var value: UInt32 = 0

  init() {}

  init(of bytes: UnsafeRawBufferPointer) { update(bytes) }

  mutating func update(_ bytes: UnsafeRawBufferPointer) {
    var rest = bytes[...]
    while !rest.isEmpty {
      // zlib counts in 32 bits.
      let piece = UnsafeRawBufferPointer(rebasing: rest.prefix(1 << 30))
      let start = piece.baseAddress!.assumingMemoryBound(to: UInt8.self)
      value = UInt32(truncatingIfNeeded: crc32(UInt(value), start, UInt32(piece.count)))
      rest = rest.dropFirst(piece.count)
    }
  }
}
