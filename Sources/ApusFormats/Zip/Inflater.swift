import CZlib

/// Unpacks a deflated entry piece by piece. It never lets out more than the directory promises, and compares the CRC-32 at the end.
final class Inflater: ByteSource {
  private let mapping: MappedFile
  private let entry: ZipEntry
  /// zlib keeps a pointer to it: it must not move.
  private let zlib: UnsafeMutablePointer<z_stream>
  /// Packed bytes that zlib has not been shown yet start here: its counters have 32 bits.
  private var offset: Int
  private var checksum = Checksum()
  private var isAtEnd = false
  private(set) var position = 0

  init(_ entry: ZipEntry, in mapping: MappedFile) throws(FormatError) {
    self.mapping = mapping
    self.entry = entry
    offset = entry.data.lowerBound
    zlib = .allocate(capacity: 1)
    zlib.initialize(to: z_stream())
    // 15: the largest window; negative: no wrapper around the deflated data.
    let status = inflateInit2_(zlib, -15, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
    if status != Z_OK { throw error(.unsupported, "zlib cannot start (\(status))") }
  }

  deinit {
    inflateEnd(zlib)
    zlib.deinitialize(count: 1)
    zlib.deallocate()
  }

  var file: String { mapping.path }
  var remaining: Int { entry.size - position }
  func place(_ position: Int) -> FormatError.Place { .entry(entry.name, byte: position) }

  func read(into output: UnsafeMutableRawBufferPointer) throws(FormatError) {
    let count = try inflate(into: output)
    if count < output.count { throw error(.truncated, "its packed data ends here; \(entry.size) bytes were promised") }
    checksum.update(UnsafeRawBufferPointer(output))
  }

  func finish() throws(FormatError) {
    if remaining > 0 { throw error(.offsets, "\(remaining) bytes after the data that belong to nothing") }
    var byte: UInt8 = 0
    let more = try withUnsafeMutableBytes(of: &byte) { buffer throws(FormatError) in try inflate(into: buffer) }
    if more > 0 { throw error(.sizeMismatch, "unpacks to more than the \(entry.size) bytes that the directory promises") }
    if zlib.pointee.avail_in > 0 || offset < entry.data.upperBound {
      throw error(.offsets, "something after the end of its packed data")
    }
    if checksum.value != entry.checksum { throw ZipArchive.checksumError(entry, file: file) }
  }

  /// Unpacks into `output`.
  ///
  /// - Returns: how many bytes; fewer than it holds only at the end.
  private func inflate(into output: UnsafeMutableRawBufferPointer) throws(FormatError) -> Int {
    var produced = 0
    while produced < output.count, !isAtEnd {
      feed()
      let room = min(output.count - produced, 1 << 30)
      zlib.pointee.next_out = (output.baseAddress! + produced).assumingMemoryBound(to: UInt8.self)
      zlib.pointee.avail_out = UInt32(room)
      let status = CZlib.inflate(zlib, Z_NO_FLUSH)
      let count = room - Int(zlib.pointee.avail_out)
      produced += count
      position += count
      switch status {
      case Z_OK: continue
      case Z_STREAM_END: isAtEnd = true
      case Z_BUF_ERROR: throw error(.truncated, "its packed data has no end")
      default:
        let detail = zlib.pointee.msg.map { " (\(String(cString: $0)))" } ?? ""
        throw error(.syntax, "its packed data is damaged\(detail)")
      }
    }
    return produced
  }

  /// Shows zlib more input when it has used up what it had.
  private func feed() {
    guard zlib.pointee.avail_in == 0, offset < entry.data.upperBound else { return }
    let piece = min(entry.data.upperBound - offset, 1 << 30)
    // zlib's interface has no `const`; it only reads.
    let start = mapping.bytes.baseAddress! + offset
    zlib.pointee.next_in = UnsafeMutablePointer(mutating: start.assumingMemoryBound(to: UInt8.self))
    zlib.pointee.avail_in = UInt32(piece)
    offset += piece
  }
}
