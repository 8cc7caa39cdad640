import CZlib

/// What reader and writer of PNG have in common.
enum PNGFormat {
  static let signature: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]

  /// The five ways in which a line of bytes is predicted from what stands left of it and above.
  enum Filter: UInt8 {
    case none, left, above, average, paeth
  }

  /// Of left, above and above left, the one nearest to left + above − above left.
  @inline(__always)
  static func paeth(_ left: UInt8, _ above: UInt8, _ corner: UInt8) -> UInt8 {
    let (a, b, c) = (Int(left), Int(above), Int(corner))
    let (toLeft, toAbove, toCorner) = (abs(b - c), abs(a - c), abs(a + b - 2 * c))
    return toLeft <= toAbove && toLeft <= toCorner ? left : toAbove <= toCorner ? above : corner
  }

  static func checksum(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
    // A chunk's length has 31 bits, so zlib's 32 hold it.
    UInt32(crc32(0, bytes.baseAddress?.assumingMemoryBound(to: UInt8.self), UInt32(bytes.count)))
  }
}
