/// Reads a tar archive (POSIX ustar, GNU's long names) front to back, entry by entry.
///
/// It writes nothing: names are for the caller to compare, so one that points elsewhere does no harm.
package struct TarReader {
  package struct Entry {
    package let name: String
    /// Of its content, in bytes.
    package let size: Int
    package let isFile: Bool
  }

  private let path: String
  private let read: (UnsafeMutableRawBufferPointer) throws(DataError) -> Int
  /// Content and padding of the current entry that hasn't been read.
  private var rest = 0
  private var padding = 0

  /// Entries are at most this long; an archive of data sets has none near it.
  private static let limit = 1 << 32

  /// - Parameter path: the file that errors name.
  /// - Parameter read: fills a buffer; fewer bytes than it holds mean the end.
  package init(path: String, read: @escaping (UnsafeMutableRawBufferPointer) throws(DataError) -> Int) {
    self.path = path
    self.read = read
  }

  /// The next entry, or nil at the end of the archive. What is left of the current one's content is read over.
  package mutating func next() throws(DataError) -> Entry? {
    try skip(rest + padding)
    (rest, padding) = (0, 0)
    var longName: String?
    while true {
      let header = try take(512)
      if header.allSatisfy({ $0 == 0 }) { return nil }
      guard let sum = octal(header[148..<156]), sum == checksum(header) else {
        throw error(.corrupt, "an entry's checksum differs")
      }
      guard let size = octal(header[124..<136]), size <= Self.limit else { throw error(.size, "an entry of impossible size") }
      rest = size
      padding = (512 - size % 512) % 512
      switch header[156] {
      case UInt8(ascii: "L"):
        guard size <= 64 << 10 else { throw error(.size, "a name of \(size) bytes") }
        longName = text(try content()[...])
        try skip(padding)
        (rest, padding) = (0, 0)
      case UInt8(ascii: "x"), UInt8(ascii: "g"):
        // Extended attributes: times and owners, which don't matter here.
        try skip(rest + padding)
        (rest, padding) = (0, 0)
      default:
        let prefix = header[257..<262].elementsEqual("ustar".utf8) && header[262] == 0 ? text(header[345..<500]) : ""
        let name = longName ?? (prefix.isEmpty ? "" : prefix + "/") + text(header[0..<100])
        return Entry(name: name, size: size, isFile: header[156] == 0 || header[156] == UInt8(ascii: "0"))
      }
    }
  }

  /// The current entry's content. Memory grows with what is there, not with what its header says.
  package mutating func content() throws(DataError) -> [UInt8] {
    var result: [UInt8] = []
    while rest > 0 {
      let piece = try take(min(rest, 1 << 20))
      result += piece
      rest -= piece.count
    }
    return result
  }

  private func skip(_ count: Int) throws(DataError) {
    var count = count
    while count > 0 { count -= try take(min(count, 1 << 20)).count }
  }

  private func take(_ count: Int) throws(DataError) -> [UInt8] {
    var failure: DataError?
    let result = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
      do throws(DataError) {
        initialized = try read(UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer).prefix(count)))
      } catch { failure = error }
    }
    if let failure { throw failure }
    guard result.count == count else { throw error(.corrupt, "the archive is cut short") }
    return result
  }

  /// Octal digits, with spaces and zeros around them.
  private func octal(_ field: ArraySlice<UInt8>) -> Int? {
    let digits = field.drop { $0 == 0x20 }.prefix { $0 != 0 && $0 != 0x20 }
    guard digits.count < 13, digits.allSatisfy({ (0x30...0x37).contains($0) }) else { return nil }
    return digits.reduce(0) { $0 << 3 | Int($1 - 0x30) }
  }

  /// The sum of a header's bytes, with spaces in place of the sum.
  private func checksum(_ header: [UInt8]) -> Int {
    header.enumerated().reduce(0) { $0 + ((148..<156).contains($1.offset) ? 0x20 : Int($1.element)) }
  }

  private func text(_ field: ArraySlice<UInt8>) -> String { String(decoding: field.prefix { $0 != 0 }, as: UTF8.self) }

  private func error(_ kind: DataError.Kind, _ reason: String) -> DataError {
    DataError(kind, path: path, reason, advice: DataError.replaceAdvice)
  }
}
