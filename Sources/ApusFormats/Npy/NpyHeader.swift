/// The header of a NumPy array: what its elements are and how they lie. Versions 1.0, 2.0 and 3.0 of NumPy's format.
///
/// It is text in Python's grammar; a scanner for exactly this dictionary reads it, and nothing is ever evaluated.
public struct NpyHeader: Hashable, Sendable {
  public let dtype: NpyDType
  /// Whether the first axis is the one whose elements lie side by side.
  public let isFortranOrder: Bool
  public let shape: [Int]
  /// Bytes of the elements.
  public let byteCount: Int

  /// Headers may be this long, in bytes; NumPy itself reads up to 10,000 unless it is told otherwise.
  public static let maximumLength = 65_535
  /// Arrays may have this many axes: NumPy's limit.
  public static let maximumRank = 64

  private static let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)

  /// Whether `bytes` begin like a NumPy array.
  static func matches(_ bytes: UnsafeRawBufferPointer) -> Bool { bytes.prefix(magic.count).elementsEqual(magic) }

  /// Reads the header at the front of `source`, whose rest must then be exactly the elements.
  init(from source: any ByteSource) throws(FormatError) {
    if source.remaining < 10 {
      throw source.error(
        .truncated, "\(source.remaining) bytes; the shortest array file has more than its 10 of magic and length")
    }
    let start = try source.read(8)
    if !start.starts(with: Self.magic) { throw source.error(.notThisFormat, "doesn't begin as a NumPy array", at: 0) }
    guard (1...3).contains(start[6]), start[7] == 0 else {
      throw source.error(.unsupported, "version \(start[6]).\(start[7]) of NumPy's format; 1.0, 2.0 and 3.0 are known", at: 6)
    }
    let text = try Self.text(from: source, lengthSize: start[6] == 1 ? 2 : 4)
    let origin = source.position - text.count
    var scanner = NpyHeaderScanner(text, source, origin: origin)
    let fields = try scanner.read()
    guard let dtype = NpyDType(descr: fields.descr) else {
      throw source.error(.unknownDType, "unknown dtype '\(printable(fields.descr, limit: 40))'", at: origin)
    }
    if fields.shape.count > Self.maximumRank {
      throw source.error(.rankTooLarge, "a shape of \(fields.shape.count) axes; the limit is \(Self.maximumRank)", at: origin)
    }
    guard let byteCount = Self.byteCount(of: fields.shape, dtype.itemSize) else {
      throw source.error(.sizeOverflow, "the size of shape \(fields.shape) of \(printable(dtype.name)) overflows", at: origin)
    }
    if byteCount > source.remaining {
      throw source.error(
        .truncated, "shape \(fields.shape) of \(printable(dtype.name)) needs \(byteCount) bytes; \(source.remaining) are there")
    }
    if byteCount < source.remaining {
      throw source.error(
        .offsets, "\(source.remaining - byteCount) bytes after the array that belong to none", at: source.position + byteCount)
    }
    (self.dtype, isFortranOrder, shape, self.byteCount) = (dtype, fields.isFortranOrder, fields.shape, byteCount)
  }

  private static func text(from source: any ByteSource, lengthSize: Int) throws(FormatError) -> [UInt8] {
    if source.remaining < lengthSize { throw source.error(.truncated, "ends in the length of its header") }
    let length = try source.read(lengthSize).reversed().reduce(0) { $0 << 8 | Int($1) }
    if length > maximumLength {
      throw source.error(.headerTooLong, "a header of \(length) bytes; the limit is \(maximumLength)", at: 8)
    }
    if length > source.remaining {
      throw source.error(.truncated, "a header of \(length) bytes where \(source.remaining) are left", at: 8)
    }
    return try source.read(length)
  }

  /// Bytes of an array; nil where a product overflows. An axis of size 0 doesn't excuse the others.
  static func byteCount(of shape: [Int], _ itemSize: Int) -> Int? {
    var bytes = itemSize
    for size in shape where size != 0 {
      let (product, overflow) = bytes.multipliedReportingOverflow(by: size)
      if overflow { return nil }
      bytes = product
    }
    return shape.contains(0) ? 0 : bytes
  }

  /// The bytes in front of the elements of a row-major array, to the last one those that NumPy writes: the elements start at a multiple
  /// of 64, and the first axis has room to grow.
  static func encode(descr: String, shape: [Int]) -> [UInt8] {
    let sizes = shape.count == 1 ? "\(shape[0])," : shape.map(String.init).joined(separator: ", ")
    var text = "{'descr': '\(descr)', 'fortran_order': False, 'shape': (\(sizes)), }"
    if let first = shape.first { text += String(repeating: " ", count: 21 - String(first).count) }
    let length = 10 + text.utf8.count + 1
    text += String(repeating: " ", count: 64 - length % 64) + "\n"
    var bytes = magic + [1, 0]
    bytes.append(littleEndian: UInt16(text.utf8.count))
    return bytes + Array(text.utf8)
  }
}
