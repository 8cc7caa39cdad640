/// Reads JSON (RFC 8259) strictly, one pass, front to back: the grammar half of a safetensors header.
///
/// It builds no tree. The caller asks for what must come next, so a value of the wrong kind is an error where it stands, and
/// memory is used only for what the caller keeps.
struct HeaderScanner {
  private let bytes: UnsafeRawBufferPointer
  private let file: String
  /// Where `bytes` begins in the file, for messages.
  private let origin: Int
  private(set) var position = 0

  /// Values may be nested this deep.
  static let maximumDepth = 8
  /// Keys may be this long, in bytes of UTF-8.
  static let maximumNameLength = 64 << 10

  init(_ bytes: UnsafeRawBufferPointer, file: String, origin: Int) {
    self.bytes = bytes
    self.file = file
    self.origin = origin
  }

  func error(_ kind: FormatError.Kind, _ reason: String, at position: Int? = nil) -> FormatError {
    FormatError(kind, file: file, at: .byte(origin + (position ?? self.position)), reason)
  }

  /// Reads an object; calls `field` with each key, in order, which reads the value.
  mutating func object(_ field: (inout HeaderScanner, String) throws(FormatError) -> Void) throws(FormatError) {
    try expect("{", kind: .type)
    skipSpace()
    if take("}") { return }
    while true {
      skipSpace()
      let start = position
      let key = try string()
      if key.utf8.count > Self.maximumNameLength {
        throw error(.nameTooLong, "a name of \(key.utf8.count) bytes; the limit is \(Self.maximumNameLength)", at: start)
      }
      skipSpace()
      try expect(":")
      skipSpace()
      try field(&self, key)
      skipSpace()
      if take("}") { return }
      try expect(",", or: "}")
    }
  }

  /// Reads an array of integers.
  mutating func integers() throws(FormatError) -> [Int] {
    var result: [Int] = []
    try array { scanner throws(FormatError) in result.append(try scanner.integer()) }
    return result
  }

  private mutating func array(_ element: (inout HeaderScanner) throws(FormatError) -> Void) throws(FormatError) {
    try expect("[", kind: .type)
    skipSpace()
    if take("]") { return }
    while true {
      skipSpace()
      try element(&self)
      skipSpace()
      if take("]") { return }
      try expect(",", or: "]")
    }
  }

  /// Reads an integer from 0 to 2^63 − 1.
  mutating func integer() throws(FormatError) -> Int {
    let start = position
    if peek() == "-" { throw error(.number, "a negative number") }
    var value = 0
    while let digit = peek(), "0"..."9" ~= digit {
      let (product, overflow) = value.multipliedReportingOverflow(by: 10)
      let (sum, carry) = product.addingReportingOverflow(Int(digit.value - 48))
      if overflow || carry { throw error(.number, "a number of 2^63 or more", at: start) }
      value = sum
      position += 1
    }
    if position == start { throw error(.type, "expected a number, found \(found())") }
    if position - start > 1, bytes[start] == UInt8(ascii: "0") { throw error(.syntax, "a number with a leading zero", at: start) }
    if let next = peek(), next == "." || next == "e" || next == "E" {
      throw error(.number, "a number that isn't written as an integer", at: start)
    }
    return value
  }

  /// Reads a string.
  mutating func string() throws(FormatError) -> String {
    try expect("\"", kind: .type)
    let start = position
    var union: UInt8 = 0
    while position < bytes.count {
      union |= bytes[position]
      switch bytes[position] {
      case UInt8(ascii: "\""):
        let piece = UnsafeRawBufferPointer(rebasing: bytes[start..<position])
        // ASCII, and so nearly every name, needs no validation.
        let text = union < 0x80 ? String(decoding: piece, as: UTF8.self) : try utf8(piece, at: start)
        position += 1
        return text
      case UInt8(ascii: "\\"):
        return try stringWithEscapes(from: start)
      case 0..<0x20:
        throw error(.syntax, "a control character in a string")
      default:
        position += 1
      }
    }
    throw error(.syntax, "a string without an end", at: start - 1)
  }

  /// The rest of a string whose first backslash stands at `position`.
  private mutating func stringWithEscapes(from start: Int) throws(FormatError) -> String {
    var content = Array(bytes[start..<position])
    while position < bytes.count {
      let byte = bytes[position]
      position += 1
      switch byte {
      case UInt8(ascii: "\""):
        return try utf8(content, at: start)
      case UInt8(ascii: "\\"): content.append(contentsOf: String(try escape()).utf8)
      case 0..<0x20: throw error(.syntax, "a control character in a string", at: position - 1)
      default: content.append(byte)
      }
    }
    throw error(.syntax, "a string without an end", at: start - 1)
  }

  /// The scalar behind a backslash.
  private mutating func escape() throws(FormatError) -> Unicode.Scalar {
    let start = position - 1
    guard let letter = peek() else { throw error(.syntax, "a string without an end", at: start) }
    position += 1
    switch letter {
    case "\"", "\\", "/": return letter
    case "b": return "\u{8}"
    case "f": return "\u{c}"
    case "n": return "\n"
    case "r": return "\r"
    case "t": return "\t"
    case "u":
      let first = try hexadecimal(from: start)
      if let scalar = Unicode.Scalar(first) { return scalar }
      // The upper half of a pair must be followed by the lower half.
      guard 0xD800..<0xDC00 ~= first, take("\\"), take("u") else { throw error(.encoding, "half of a surrogate pair", at: start) }
      let second = try hexadecimal(from: start)
      guard 0xDC00..<0xE000 ~= second,
        let scalar = Unicode.Scalar(0x10000 + (UInt32(first) - 0xD800) << 10 + (UInt32(second) - 0xDC00))
      else { throw error(.encoding, "half of a surrogate pair", at: start) }
      return scalar
    default: throw error(.syntax, "an unknown escape in a string", at: start)
    }
  }

  private mutating func hexadecimal(from start: Int) throws(FormatError) -> UInt16 {
    var value: UInt16 = 0
    for _ in 0..<4 {
      guard let digit = peek().flatMap({ Character($0).hexDigitValue }), bytes[position] < 0x80 else {
        throw error(.syntax, "an escape without four hexadecimal digits", at: start)
      }
      value = value << 4 | UInt16(digit)
      position += 1
    }
    return value
  }

  private func utf8(_ piece: some Collection<UInt8>, at start: Int) throws(FormatError) -> String {
    guard let text = String(validating: piece, as: UTF8.self) else {
      throw error(.encoding, "a string that isn't UTF-8", at: start)
    }
    return text
  }

  /// Reads over a value of any kind, `depth` levels down.
  mutating func skipValue(depth: Int) throws(FormatError) {
    switch peek() {
    case "{":
      try checkDepth(depth)
      var keys: Set<String> = []
      try object { scanner, key throws(FormatError) in
        if !keys.insert(key).inserted {
          throw scanner.error(.duplicateKey, "the key '\(printable(key, limit: 80))' a second time")
        }
        try scanner.skipValue(depth: depth + 1)
      }
    case "[":
      try checkDepth(depth)
      try array { scanner throws(FormatError) in try scanner.skipValue(depth: depth + 1) }
    case "\"": _ = try string()
    case "t": try word("true")
    case "f": try word("false")
    case "n": try word("null")
    default: try skipNumber()
    }
  }

  private func checkDepth(_ depth: Int) throws(FormatError) {
    if depth > Self.maximumDepth { throw error(.tooDeep, "values nested deeper than \(Self.maximumDepth) levels") }
  }

  private mutating func word(_ word: StaticString) throws(FormatError) {
    let start = position
    for i in 0..<word.utf8CodeUnitCount {
      guard position < bytes.count, bytes[position] == word.utf8Start[i] else {
        throw error(.syntax, "expected \(word)", at: start)
      }
      position += 1
    }
  }

  private mutating func skipNumber() throws(FormatError) {
    let start = position
    _ = take("-")
    let whole = skipDigits()
    if whole == 0 { throw error(.syntax, "expected a value, found \(found())", at: start) }
    if whole > 1, bytes[position - whole] == UInt8(ascii: "0") { throw error(.syntax, "a number with a leading zero", at: start) }
    if take("."), skipDigits() == 0 { throw error(.syntax, "a number without digits after the point", at: start) }
    if take("e") || take("E") {
      if !take("+") { _ = take("-") }
      if skipDigits() == 0 { throw error(.syntax, "a number without digits in its exponent", at: start) }
    }
  }

  private mutating func skipDigits() -> Int {
    let start = position
    while let digit = peek(), "0"..."9" ~= digit { position += 1 }
    return position - start
  }

  mutating func skipSpace() {
    while position < bytes.count {
      let byte = bytes[position]
      guard byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 else { return }
      position += 1
    }
  }

  /// Whether only white space is left.
  mutating func isAtEnd() -> Bool {
    skipSpace()
    return position == bytes.count
  }

  /// The next byte, as if it were Latin-1: enough to recognise what is ASCII.
  private func peek() -> Unicode.Scalar? { position < bytes.count ? Unicode.Scalar(bytes[position]) : nil }

  private mutating func take(_ character: Unicode.Scalar) -> Bool {
    guard peek() == character else { return false }
    position += 1
    return true
  }

  private mutating func expect(
    _ character: Unicode.Scalar, or other: Unicode.Scalar? = nil, kind: FormatError.Kind = .syntax
  ) throws(FormatError) {
    if take(character) { return }
    let either = other.map { " or '\($0)'" } ?? ""
    throw error(peek() == nil ? .syntax : kind, "expected '\(character)'\(either), found \(found())")
  }

  private func found() -> String {
    guard let next = peek() else { return "the end of the header" }
    return next.isASCII ? "'\(printable(String(next)))'" : "byte \(next.value)"
  }
}
