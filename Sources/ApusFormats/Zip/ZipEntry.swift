/// One file in an archive, as both of its records describe it.
package struct ZipEntry: Hashable, Sendable {
  package enum Method: UInt16, Sendable {
    case stored = 0
    case deflated = 8
  }

  package let name: String
  package let method: Method
  /// CRC-32 of the content.
  package let checksum: UInt32
  /// Where its first record begins in the archive.
  package let start: Int
  /// Where its content stands, packed as `method` says.
  package let data: Range<Int>
  /// Bytes of the content when it is unpacked.
  package let size: Int
}

/// What one of the two records of an entry says. They repeat each other; readers that believe different ones see different files.
struct ZipRecord {
  var flags: UInt16
  var method: UInt16
  var checksum: UInt32
  var packedSize: UInt64
  var size: UInt64
  /// Where the local record stands; 0 in the local record itself.
  var start: UInt64 = 0
  var name: Range<Int>
  var extra: Range<Int>
  /// Where the record ends.
  var end: Int

  static let centralSignature: UInt32 = 0x0201_4b50
  static let localSignature: UInt32 = 0x0403_4b50
  static let centralLength = 46
  static let localLength = 30
  static let saturated = UInt64(UInt32.max)

  enum Flag {
    static let encrypted: UInt16 = 1
    /// Sizes and checksum stand behind the data.
    static let descriptor: UInt16 = 1 << 3
    static let patch: UInt16 = 1 << 5
    static let strongEncryption: UInt16 = 1 << 6
    static let utf8: UInt16 = 1 << 11
    static let maskedHeader: UInt16 = 1 << 13
  }

  /// The record of the directory at `offset`; nil where it doesn't fit before `end` or doesn't begin as it must.
  init?(central bytes: UnsafeRawBufferPointer, at offset: Int, end limit: Int) {
    guard limit - offset >= Self.centralLength, bytes.number(UInt32.self, at: offset) == Self.centralSignature else { return nil }
    self.init(bytes, fields: offset + 8, names: offset + 28, body: offset + Self.centralLength)
    end += Int(bytes.number(UInt16.self, at: offset + 32))
    start = UInt64(bytes.number(UInt32.self, at: offset + 42))
    if end > limit || !applyZip64(bytes) { return nil }
  }

  /// The record in front of the data at `offset`; nil as above.
  init?(local bytes: UnsafeRawBufferPointer, at offset: Int, end limit: Int) {
    guard limit - offset >= Self.localLength, bytes.number(UInt32.self, at: offset) == Self.localSignature else { return nil }
    self.init(bytes, fields: offset + 6, names: offset + 26, body: offset + Self.localLength)
    if end > limit || !applyZip64(bytes) { return nil }
  }

  private init(_ bytes: UnsafeRawBufferPointer, fields: Int, names: Int, body: Int) {
    flags = bytes.number(UInt16.self, at: fields)
    method = bytes.number(UInt16.self, at: fields + 2)
    checksum = bytes.number(UInt32.self, at: fields + 8)
    packedSize = UInt64(bytes.number(UInt32.self, at: fields + 12))
    size = UInt64(bytes.number(UInt32.self, at: fields + 16))
    name = body..<body + Int(bytes.number(UInt16.self, at: names))
    extra = name.upperBound..<name.upperBound + Int(bytes.number(UInt16.self, at: names + 2))
    end = extra.upperBound
  }

  /// Replaces the fields that 32 bits cannot hold by those of the zip64 extra field.
  ///
  /// - Returns: false where a field that is said to be there isn't, or the extra fields overrun their space.
  private mutating func applyZip64(_ bytes: UnsafeRawBufferPointer) -> Bool {
    var offset = extra.lowerBound
    while extra.upperBound - offset >= 4 {
      let id = bytes.number(UInt16.self, at: offset)
      var fields = offset + 4..<offset + 4 + Int(bytes.number(UInt16.self, at: offset + 2))
      if fields.upperBound > extra.upperBound { return false }
      offset = fields.upperBound
      guard id == 1 else { continue }
      for field in [\ZipRecord.size, \.packedSize, \.start] where self[keyPath: field] == Self.saturated {
        if fields.count < 8 { return false }
        self[keyPath: field] = bytes.number(UInt64.self, at: fields.lowerBound)
        fields = fields.lowerBound + 8..<fields.upperBound
      }
      return true
    }
    return true
  }
}
