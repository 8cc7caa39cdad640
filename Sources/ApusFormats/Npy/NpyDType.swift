import ApusCore

/// What the elements of a NumPy array are, as the `descr` of its header says it: `<f4`, `|b1`, `>i8`, `<U10`, …
public struct NpyDType: Hashable, Sendable {
  /// The same dtype in Apus; nil where no Apus tensor can have it.
  public let dtype: DType?
  /// NumPy's name for a number, its `descr` for anything else.
  public let name: String
  /// Bytes per element.
  public let itemSize: Int
  public let isBigEndian: Bool

  /// Reads a `descr`; nil where NumPy has no such dtype.
  init?(descr: String) {
    let text = Array(descr.utf8)
    guard text.count >= 2, let order = text.first, "<>|=".utf8.contains(order) else { return nil }
    let kind = Character(Unicode.Scalar(text[1]))
    let digits = text.dropFirst(2).prefix { 48...57 ~= $0 }
    guard let size = digits.isEmpty ? 0 : Int(String(decoding: digits, as: UTF8.self)) else { return nil }
    let rest = String(decoding: text.dropFirst(2 + digits.count), as: UTF8.self)
    switch (kind, size) {
    case ("f", 2), ("f", 4), ("f", 8), ("i", 1), ("i", 2), ("i", 4), ("i", 8), ("u", 1), ("b", 1):
      dtype = Self.supported["\(kind)\(size)"]
      name = dtype!.name
    case ("u", 2), ("u", 4), ("u", 8):
      (dtype, name) = (nil, "uint\(8 * size)")
    case ("f", 12), ("f", 16):
      (dtype, name) = (nil, "float\(8 * size)")
    case ("c", 8), ("c", 16), ("c", 24), ("c", 32):
      (dtype, name) = (nil, "complex\(8 * size)")
    case ("S", _), ("U", _), ("V", _), ("a", _), ("m", 8), ("M", 8):
      (dtype, name) = (nil, descr)
    default: return nil
    }
    // Only dates and times carry more than a size: their unit.
    if !rest.isEmpty, !"mM".contains(kind) { return nil }
    if "fiuc".contains(kind), order == UInt8(ascii: "|"), size > 1 { return nil }
    let (bytes, overflow) = size.multipliedReportingOverflow(by: kind == "U" ? 4 : 1)
    // Elements of no bytes would let a short file have any number of them.
    if overflow || bytes == 0 { return nil }
    itemSize = bytes
    isBigEndian = order == UInt8(ascii: ">") && bytes > 1
  }

  /// The dtype of the arrays that hold a tensor's elements; nil for bfloat16, which NumPy doesn't have.
  static func descr(of dtype: DType) -> String? {
    guard let code = supported.first(where: { $0.value == dtype })?.key else { return nil }
    return (dtype.itemSize == 1 ? "|" : "<") + code
  }

  private static let supported: [String: DType] = [
    "f2": .float16, "f4": .float32, "f8": .float64, "i1": .int8, "i2": .int16, "i4": .int32, "i8": .int64, "u1": .uint8,
    "b1": .bool,
  ]
}
