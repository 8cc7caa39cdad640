/// Bytes that come front to back: a file as it lies there, or an entry of an archive while it is unpacked.
///
/// A reader asks for exactly what the header before it has promised, so nothing grows beyond a promise.
protocol ByteSource: AnyObject {
  var file: String { get }
  /// How many bytes are still to come. What a header promises is compared with it before memory is asked for.
  var remaining: Int { get }
  /// How many have been read.
  var position: Int { get }
  /// The byte at `position`, as errors name it.
  func place(_ position: Int) -> FormatError.Place
  /// Fills `output`, which is no larger than `remaining`.
  func read(into output: UnsafeMutableRawBufferPointer) throws(FormatError)
  /// Makes sure that everything was read and that it is what was stored.
  func finish() throws(FormatError)
}

extension ByteSource {
  /// The next `count` bytes, which the caller has compared with `remaining`.
  func read(_ count: Int) throws(FormatError) -> [UInt8] {
    var result = [UInt8](repeating: 0, count: count)
    try result.withUnsafeMutableBufferPointer { buffer throws(FormatError) in
      try read(into: UnsafeMutableRawBufferPointer(buffer))
    }
    return result
  }

  func error(_ kind: FormatError.Kind, _ reason: String, at position: Int? = nil) -> FormatError {
    FormatError(kind, file: file, at: place(position ?? self.position), reason)
  }
}

/// Bytes that lie in a mapped file.
final class MappedSource: ByteSource {
  private let mapping: MappedFile
  private let range: Range<Int>
  /// The entry of an archive that they are; nil where they are the file.
  private let entry: String?
  private(set) var position = 0

  init(_ mapping: MappedFile, _ range: Range<Int>? = nil, entry: String? = nil) {
    self.mapping = mapping
    self.range = range ?? 0..<mapping.bytes.count
    self.entry = entry
  }

  var file: String { mapping.path }
  var remaining: Int { range.count - position }
  func place(_ position: Int) -> FormatError.Place { entry.map { .entry($0, byte: position) } ?? .byte(position) }

  func read(into output: UnsafeMutableRawBufferPointer) throws(FormatError) {
    let start = range.lowerBound + position
    output.copyMemory(from: UnsafeRawBufferPointer(rebasing: mapping.bytes[start..<start + output.count]))
    position += output.count
  }

  func finish() throws(FormatError) {
    if remaining > 0 { throw error(.offsets, "\(remaining) bytes after the data that belong to nothing") }
  }
}

extension UnsafeRawBufferPointer {
  /// The little-endian number that starts at `offset`; the caller has checked that it is inside.
  func number<T: FixedWidthInteger>(_ type: T.Type, at offset: Int) -> T {
    T(littleEndian: loadUnaligned(fromByteOffset: offset, as: T.self))
  }
}
