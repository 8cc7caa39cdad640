import ApusFormats

/// A value in a JSON file (RFC 8259), for the small files that describe tokenizers.
enum JSON: Equatable {
  case null
  case bool(Bool)
  case number(Double)
  case string(String)
  case array([JSON])
  case object([String: JSON])

  /// Files of tokenizers have some megabytes, the largest some thirty.
  private static let sizeLimit = 1 << 26

  static func read(_ path: String) throws(DataError) -> JSON {
    let file: MappedFile
    do throws(FileError) { file = try MappedFile(path) } catch { throw DataError(error) }
    defer { withExtendedLifetime(file) {} }
    guard file.bytes.count <= sizeLimit else {
      throw DataError(
        .size, path: path, "\(file.bytes.count) bytes; the limit is \(sizeLimit)", advice: "name a tokenizer's file")
    }
    var reader = JSONReader(file.bytes, path: path)
    return try reader.read()
  }

  subscript(key: String) -> JSON? {
    guard case .object(let fields) = self else { return nil }
    return fields[key]
  }

  /// Whether nothing is set: absent, null or false, an empty text or list.
  static func isUnset(_ value: JSON?) -> Bool {
    switch value {
    case nil, .null, .bool(false), .string(""), .array([]): true
    case .bool, .number, .string, .array, .object: false
    }
  }

  var text: String? {
    guard case .string(let text) = self else { return nil }
    return text
  }

  /// A number that is an integer of 0 ..< 2³¹.
  var index: Int? {
    guard case .number(let number) = self, number >= 0, number < 0x1p31, number == number.rounded() else { return nil }
    return Int(number)
  }
}

/// Reads JSON strictly: no key twice, nothing after the value, no deeper than a limit.
struct JSONReader {
  private let bytes: UnsafeRawBufferPointer
  private let path: String
  private var position = 0
  private static let maximumDepth = 64

  init(_ bytes: UnsafeRawBufferPointer, path: String) {
    self.bytes = bytes
    self.path = path
  }

  mutating func read() throws(DataError) -> JSON {
    let result = try value(depth: 0)
    skipSpace()
    if position < bytes.count { throw error("something after the end") }
    return result
  }

  private mutating func value(depth: Int) throws(DataError) -> JSON {
    if depth > Self.maximumDepth { throw error("values nested deeper than \(Self.maximumDepth) levels") }
    skipSpace()
    switch peek {
    case UInt8(ascii: "{"): return try object(depth)
    case UInt8(ascii: "["): return try array(depth)
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "t"): return try word("true", .bool(true))
    case UInt8(ascii: "f"): return try word("false", .bool(false))
    case UInt8(ascii: "n"): return try word("null", .null)
    default: return try number()
    }
  }

  private mutating func object(_ depth: Int) throws(DataError) -> JSON {
    var fields: [String: JSON] = [:]
    position += 1
    skipSpace()
    if take("}") { return .object(fields) }
    while true {
      skipSpace()
      let start = position
      let key = try string()
      skipSpace()
      guard take(":") else { throw error("expected ':'") }
      let value = try value(depth: depth + 1)
      if fields.updateValue(value, forKey: key) != nil {
        throw error("the key '\(printable(key, limit: 80))' a second time", at: start)
      }
      skipSpace()
      if take("}") { return .object(fields) }
      guard take(",") else { throw error("expected ',' or '}'") }
    }
  }

  private mutating func array(_ depth: Int) throws(DataError) -> JSON {
    var values: [JSON] = []
    position += 1
    skipSpace()
    if take("]") { return .array(values) }
    while true {
      values.append(try value(depth: depth + 1))
      skipSpace()
      if take("]") { return .array(values) }
      guard take(",") else { throw error("expected ',' or ']'") }
    }
  }

  private mutating func string() throws(DataError) -> String {
    guard take("\"") else { throw error("expected a string") }
    let start = position
    var content: [UInt8] = []
    while let byte = peek {
      position += 1
      switch byte {
      case UInt8(ascii: "\""):
        guard let text = String(validating: content, as: UTF8.self) else { throw error("a string that isn't UTF-8", at: start) }
        return text
      case UInt8(ascii: "\\"): content += String(try escape()).utf8
      case 0..<0x20: throw error("a control character in a string", at: position - 1)
      default: content.append(byte)
      }
    }
    throw error("a string without an end", at: start)
  }

  private mutating func escape() throws(DataError) -> Unicode.Scalar {
    guard let letter = peek else { throw error("a string without an end") }
    position += 1
    switch letter {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(letter)
    case UInt8(ascii: "b"): return "\u{8}"
    case UInt8(ascii: "f"): return "\u{c}"
    case UInt8(ascii: "n"): return "\n"
    case UInt8(ascii: "r"): return "\r"
    case UInt8(ascii: "t"): return "\t"
    case UInt8(ascii: "u"):
      let first = try fourDigits()
      if let scalar = Unicode.Scalar(first) { return scalar }
      // The upper half of a pair must be followed by the lower half.
      guard 0xD800..<0xDC00 ~= first, take("\\"), take("u"), case let second = try fourDigits(), 0xDC00..<0xE000 ~= second,
        let scalar = Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00))
      else { throw error("half of a surrogate pair") }
      return scalar
    default: throw error("an unknown escape")
    }
  }

  private mutating func fourDigits() throws(DataError) -> UInt32 {
    guard bytes.count - position >= 4 else { throw error("an escape that is cut short") }
    let digits = bytes[position..<position + 4].map { Character(Unicode.Scalar($0)).hexDigitValue }
    position += 4
    var value: UInt32 = 0
    for digit in digits {
      guard let digit else { throw error("an escape without four hexadecimal digits") }
      value = value << 4 | UInt32(digit)
    }
    return value
  }

  private mutating func number() throws(DataError) -> JSON {
    let start = position
    while let byte = peek, (0x30...0x39).contains(byte) || [0x2B, 0x2D, 0x2E, 0x45, 0x65].contains(byte) { position += 1 }
    let text = String(decoding: UnsafeRawBufferPointer(rebasing: bytes[start..<position]), as: UTF8.self)
    guard position - start < 400, let first = text.first, first == "-" || first.isNumber, let number = Double(text),
      number.isFinite
    else { throw error("expected a value", at: start) }
    return .number(number)
  }

  private mutating func word(_ word: String, _ value: JSON) throws(DataError) -> JSON {
    guard bytes[position...].starts(with: word.utf8) else { throw error("expected \(word)") }
    position += word.utf8.count
    return value
  }

  private var peek: UInt8? { position < bytes.count ? bytes[position] : nil }

  private mutating func take(_ character: Unicode.Scalar) -> Bool {
    guard peek == UInt8(ascii: character) else { return false }
    position += 1
    return true
  }

  private mutating func skipSpace() {
    while let byte = peek, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { position += 1 }
  }

  private func error(_ reason: String, at position: Int? = nil) -> DataError {
    DataError(.format, path: path, "byte \(position ?? self.position): \(reason)", advice: "name an intact JSON file")
  }
}
