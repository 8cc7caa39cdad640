import CZlib

/// Packs bytes as the entries of a zip archive are packed, piece by piece.
final class Deflater {
  private let path: String
  /// zlib keeps a pointer to it: it must not move.
  private let zlib: UnsafeMutablePointer<z_stream>
  private let output = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 16)

  init(path: String) throws(FormatError) {
    self.path = path
    zlib = .allocate(capacity: 1)
    zlib.initialize(to: z_stream())
    // −15: the largest window and no wrapper; 8: zlib's own choice of memory.
    let status = deflateInit2_(
      zlib, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
    if status != Z_OK { throw FormatError(.unsupported, file: path, at: .file, "zlib cannot start (\(status))") }
  }

  deinit {
    deflateEnd(zlib)
    zlib.deinitialize(count: 1)
    zlib.deallocate()
    output.deallocate()
  }

  /// Packs the next piece; calls `write` with what is ready.
  func deflate(_ piece: UnsafeRawBufferPointer, isLast: Bool, _ write: (UnsafeRawBufferPointer) throws -> Void) throws {
    var rest = piece[...]
    repeat {
      // zlib counts in 32 bits.
      let part = UnsafeRawBufferPointer(rebasing: rest.prefix(1 << 30))
      rest = rest.dropFirst(part.count)
      zlib.pointee.next_in = part.baseAddress.map { UnsafeMutablePointer(mutating: $0.assumingMemoryBound(to: UInt8.self)) }
      zlib.pointee.avail_in = UInt32(part.count)
      let flush = isLast && rest.isEmpty ? Z_FINISH : Z_NO_FLUSH
      repeat {
        zlib.pointee.next_out = output.baseAddress!.assumingMemoryBound(to: UInt8.self)
        zlib.pointee.avail_out = UInt32(output.count)
        _ = CZlib.deflate(zlib, flush)
        try write(UnsafeRawBufferPointer(rebasing: output[..<(output.count - Int(zlib.pointee.avail_out))]))
      } while zlib.pointee.avail_out == 0
    } while !rest.isEmpty
  }
}
