/// The header of a safetensors file: which tensors it holds, and where.
///
/// Reading it checks everything that can be checked without looking at the data: `SafetensorsHeader` values that exist are sound.
/// The rules are those of the reference implementation, and two that it states but doesn't enforce: no duplicate keys, and nothing
/// before the opening brace.
public struct SafetensorsHeader: Sendable {
  /// One tensor of the file.
  public struct Entry: Hashable, Sendable {
    public let name: String
    public let dtype: SafetensorsDType
    public let shape: [Int]
    /// Where its bytes stand, counted from the end of the header.
    public let bytes: Range<Int>
  }

  /// The tensors in the order of the header.
  public let entries: [Entry]
  public let metadata: [String: String]
  /// Where in `entries` each name stands.
  let index: [String: Int]
  /// Where the data begins in the file.
  package let dataOffset: Int
  /// Where the content digest stands in the file, if there is one.
  package private(set) var digestOffset: Int?

  /// Headers may be this long, in bytes; the reference implementation has the same limit.
  public static let maximumLength = 100_000_000
  /// Tensors may have this many axes: NumPy's limit.
  public static let maximumRank = 64

  static let metadataKey = "__metadata__"
  /// The metadata key of the content digest that Apus writes: SHA-256 of the file with 64 zeros in the digest's own place.
  static let digestKey = "apus.sha256"
  static let digestLength = 64
}

extension SafetensorsHeader {
  /// Reads the header of the file whose bytes are `bytes`.
  ///
  /// - Parameter file: the name that errors carry.
  /// - Complexity: linear in the length of the header; sorting where its entries are out of order.
  package init(of bytes: UnsafeRawBufferPointer, file: String) throws(FormatError) {
    let length = try Self.length(of: bytes, file: file)
    dataOffset = 8 + length
    let text = UnsafeRawBufferPointer(rebasing: bytes[8..<dataOffset])
    if text[0] != UInt8(ascii: "{") {
      throw FormatError(.notThisFormat, file: file, at: .byte(8), "the header doesn't start with '{': not a safetensors file")
    }
    var scanner = HeaderScanner(text, file: file, origin: 8)
    var parts = Parts(file: file)
    try scanner.object { scanner, name throws(FormatError) in try parts.read(name, &scanner) }
    if !scanner.isAtEnd() { throw scanner.error(.syntax, "something after the header's closing brace") }
    entries = parts.entries
    index = parts.index
    metadata = parts.metadata ?? [:]
    digestOffset = parts.digestPosition.map { $0 + 8 }
    try Self.checkLayout(entries, dataSize: bytes.count - dataOffset, file: file)
  }

  private static func length(of bytes: UnsafeRawBufferPointer, file: String) throws(FormatError) -> Int {
    if bytes.count < 8 {
      throw FormatError(.truncated, file: file, at: .file, "\(bytes.count) bytes; a safetensors file has at least 10")
    }
    let length = UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self))
    if length > UInt64(maximumLength) {
      throw FormatError(.headerTooLong, file: file, at: .byte(0), "a header of \(length) bytes; the limit is \(maximumLength)")
    }
    if length > UInt64(bytes.count - 8) {
      throw FormatError(
        .truncated, file: file, at: .byte(0),
        "a header of \(length) bytes in a file with \(bytes.count - 8) bytes after its length")
    }
    if length < 2 { throw FormatError(.truncated, file: file, at: .byte(0), "a header of \(length) bytes; the shortest is '{}'") }
    return Int(length)
  }

  /// What has been read of a header so far.
  private struct Parts {
    let file: String
    var entries: [Entry] = []
    var index: [String: Int] = [:]
    var metadata: [String: String]?
    var digestPosition: Int?

    mutating func read(_ name: String, _ scanner: inout HeaderScanner) throws(FormatError) {
      if name == metadataKey {
        if metadata != nil { throw duplicate(name) }
        metadata = try readMetadata(&scanner)
      } else {
        if index.updateValue(entries.count, forKey: name) != nil { throw duplicate(name) }
        entries.append(try readEntry(name, &scanner))
      }
    }

    private func duplicate(_ name: String) -> FormatError {
      FormatError(.duplicateKey, file: file, at: .key(name), "the key stands in the header twice")
    }

    private mutating func readMetadata(_ scanner: inout HeaderScanner) throws(FormatError) -> [String: String] {
      var result: [String: String] = [:]
      var digestPosition: Int?
      try scanner.object { scanner, key throws(FormatError) in
        let start = scanner.position
        let value = try scanner.string()
        if result.updateValue(value, forKey: key) != nil {
          throw FormatError(.duplicateKey, file: file, at: .key(metadataKey), "the key '\(printable(key, limit: 80))' twice")
        }
        if key == digestKey {
          // 64 hexadecimal digits and two quotes, nothing escaped.
          guard value.utf8.count == digestLength, scanner.position - start == digestLength + 2 else {
            throw FormatError(.digest, file: file, at: .key(metadataKey), "'\(digestKey)' isn't a SHA-256 digest")
          }
          digestPosition = start + 1
        }
      }
      self.digestPosition = digestPosition
      return result
    }

    private func readEntry(_ name: String, _ scanner: inout HeaderScanner) throws(FormatError) -> Entry {
      var dtype: String?
      var shape: [Int]?
      var offsets: [Int]?
      var others: Set<String> = []
      try scanner.object { scanner, field throws(FormatError) in
        var isNew = true
        switch field {
        case "dtype":
          isNew = dtype == nil
          dtype = try scanner.string()
        case "shape":
          isNew = shape == nil
          shape = try scanner.integers()
        case "data_offsets":
          isNew = offsets == nil
          offsets = try scanner.integers()
        default:
          isNew = others.insert(field).inserted
          try scanner.skipValue(depth: 3)
        }
        if !isNew { throw error(.duplicateKey, name, "the field '\(printable(field, limit: 80))' twice") }
      }
      guard let dtype else { throw error(.missingField, name, "no field 'dtype'") }
      guard let shape else { throw error(.missingField, name, "no field 'shape'") }
      guard let offsets else { throw error(.missingField, name, "no field 'data_offsets'") }
      return try entry(name, dtype, shape, offsets)
    }

    private func entry(_ name: String, _ dtypeName: String, _ shape: [Int], _ offsets: [Int]) throws(FormatError) -> Entry {
      guard let dtype = SafetensorsDType(rawValue: dtypeName) else {
        throw error(.unknownDType, name, "unknown dtype '\(printable(dtypeName, limit: 40))'")
      }
      if shape.count > maximumRank {
        throw error(.rankTooLarge, name, "a shape of \(shape.count) axes; the limit is \(maximumRank)")
      }
      guard offsets.count == 2, offsets[0] <= offsets[1] else {
        throw error(.offsets, name, "data_offsets \(offsets.prefix(4)) are not a start and an end")
      }
      guard let size = byteCount(of: shape, dtype) else {
        throw error(.sizeOverflow, name, "the size of shape \(shape) of \(dtypeName) overflows, or isn't whole bytes")
      }
      if size != offsets[1] - offsets[0] {
        throw error(
          .sizeMismatch, name,
          "shape \(shape) of \(dtypeName) needs \(size) bytes; its data_offsets hold \(offsets[1] - offsets[0])")
      }
      return Entry(name: name, dtype: dtype, shape: shape, bytes: offsets[0]..<offsets[1])
    }

    private func error(_ kind: FormatError.Kind, _ name: String, _ reason: String) -> FormatError {
      FormatError(kind, file: file, at: .key(name), reason)
    }
  }

  /// Bytes of a tensor; nil where a product overflows or the last byte is used in part.
  ///
  /// An axis of size 0 doesn't excuse the others: `[0, 2^40, 2^40]` has no strides that fit.
  static func byteCount(of shape: [Int], _ dtype: SafetensorsDType) -> Int? {
    var bits = dtype.bitWidth
    for size in shape where size != 0 {
      let (product, overflow) = bits.multipliedReportingOverflow(by: size)
      if overflow { return nil }
      bits = product
    }
    if shape.contains(0) { return 0 }
    return bits % 8 == 0 ? bits / 8 : nil
  }

  /// The data must be covered once, without holes, to its last byte.
  private static func checkLayout(_ entries: [Entry], dataSize: Int, file: String) throws(FormatError) {
    func follows(_ a: Entry, _ b: Entry) -> Bool {
      (a.bytes.lowerBound, a.bytes.upperBound) <= (b.bytes.lowerBound, b.bytes.upperBound)
    }
    var sorted = entries
    if !zip(entries, entries.dropFirst()).allSatisfy(follows) { sorted.sort { !follows($1, $0) } }
    var end = 0
    for entry in sorted {
      if entry.bytes.lowerBound != end {
        let fault = entry.bytes.lowerBound < end ? "overlaps the tensor before it" : "leaves a hole before it"
        throw FormatError(
          .offsets, file: file, at: .key(entry.name), "its data starts at \(entry.bytes.lowerBound) where \(end) is due: \(fault)"
        )
      }
      end = entry.bytes.upperBound
    }
    if end > dataSize {
      throw FormatError(
        .truncated, file: file, at: .file, "the tensors need \(end) bytes of data, the file has \(dataSize): it is cut short")
    }
    if end < dataSize {
      throw FormatError(.offsets, file: file, at: .file, "\(dataSize - end) bytes after the last tensor that belong to none")
    }
  }
}
