import CZlib

/// Decompresses gzip (RFC 1952) piece by piece, so that a caller decides how much it lets out.
///
/// Several members in a row are one stream, as `gzip` itself reads them. Each member's CRC-32 and length are verified by zlib.
package final class GzipStream {
  private let path: String
  private let input: UnsafeRawBufferPointer
  /// zlib keeps a pointer to it: it must not move.
  private let zlib: UnsafeMutablePointer<z_stream>
  /// Input that zlib has not been shown yet starts here: its counters have 32 bits.
  private var offset = 0
  private var isAtEnd = false

  /// Deflate makes nothing more than this many times smaller.
  package static let maximumRatio = 1032

  /// Whether `bytes` begin like a gzip file.
  package static func isGzip(_ bytes: UnsafeRawBufferPointer) -> Bool {
    bytes.count >= 2 && bytes[0] == 0x1F && bytes[1] == 0x8B
  }

  /// - Parameter input: the compressed bytes; they must outlive the stream.
  /// - Parameter path: the file that errors name.
  package init(_ input: UnsafeRawBufferPointer, path: String) throws(DataError) {
    self.input = input
    self.path = path
    zlib = .allocate(capacity: 1)
    zlib.initialize(to: z_stream())
    // 15: the largest window; 16: a gzip wrapper, and no other.
    let status = inflateInit2_(zlib, 15 + 16, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
    if status != Z_OK {
      throw DataError(
        .corrupt, path: path, "zlib cannot start (\(status))", advice: "check that zlib fits the one Apus was built with")
    }
  }

  deinit {
    inflateEnd(zlib)
    zlib.deinitialize(count: 1)
    zlib.deallocate()
  }

  /// Decompresses the next bytes into `output`.
  ///
  /// - Returns: how many; fewer than `output` holds only at the end of the stream.
  /// - Throws: `DataError` of kind `corrupt` where the stream is damaged or ends early.
  package func read(into output: UnsafeMutableRawBufferPointer) throws(DataError) -> Int {
    var produced = 0
    while produced < output.count, !isAtEnd {
      feed()
      let room = min(output.count - produced, 1 << 30)
      zlib.pointee.next_out = (output.baseAddress! + produced).assumingMemoryBound(to: UInt8.self)
      zlib.pointee.avail_out = UInt32(room)
      let status = inflate(zlib, Z_NO_FLUSH)
      produced += room - Int(zlib.pointee.avail_out)
      switch status {
      case Z_OK: continue
      case Z_STREAM_END: try finishMember()
      case Z_BUF_ERROR: throw error("the compressed data ends early")
      default: throw error("the compressed data is damaged\(zlib.pointee.msg.map { " (\(String(cString: $0)))" } ?? "")")
      }
    }
    return produced
  }

  /// Makes sure that everything has been read.
  ///
  /// - Throws: `DataError` where content is left, or the stream's end is damaged or missing.
  package func finish() throws(DataError) {
    let byte = UnsafeMutableRawBufferPointer.allocate(byteCount: 1, alignment: 1)
    defer { byte.deallocate() }
    let count = try read(into: byte)
    if count != 0 { throw DataError(.size, path: path, "more content than its header says", advice: DataError.replaceAdvice) }
  }

  /// Shows zlib more input when it has used up what it had.
  private func feed() {
    guard zlib.pointee.avail_in == 0, offset < input.count else { return }
    let piece = min(input.count - offset, 1 << 30)
    // zlib's interface has no `const`; it only reads.
    zlib.pointee.next_in = UnsafeMutablePointer(mutating: (input.baseAddress! + offset).assumingMemoryBound(to: UInt8.self))
    zlib.pointee.avail_in = UInt32(piece)
    offset += piece
  }

  /// A member is complete: the file ends here, or another member follows.
  private func finishMember() throws(DataError) {
    feed()
    if zlib.pointee.avail_in == 0 {
      isAtEnd = true
    } else if inflateReset(zlib) != Z_OK {
      throw error("the compressed data is damaged")
    }
  }

  private func error(_ reason: String) -> DataError {
    DataError(.corrupt, path: path, reason, advice: DataError.replaceAdvice)
  }
}
