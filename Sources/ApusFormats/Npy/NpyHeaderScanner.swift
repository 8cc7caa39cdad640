/// Reads the one dictionary that a NumPy header is: `{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }`.
struct NpyHeaderScanner {
  struct Fields {
    var descr: String
    var isFortranOrder: Bool
    var shape: [Int]
  }

  private let bytes: [UInt8]
  private let source: any ByteSource
  /// Where `bytes` begins in the source, for messages.
  private let origin: Int
  private var position = 0

  init(_ bytes: [UInt8], _ source: any ByteSource, origin: Int) {
    self.bytes = bytes
    self.source = source
    self.origin = origin
  }

  private func error(_ kind: FormatError.Kind, _ reason: String, at position: Int? = nil) -> FormatError {
    source.error(kind, reason, at: origin + (position ?? self.position))
  }

  mutating func read() throws(FormatError) -> Fields {
    var descr: String?
    var isFortranOrder: Bool?
    var shape: [Int]?
    try expect("{")
    while !take("}") {
      let start = position
      let key = try string()
      try expect(":")
      let isNew: Bool
      switch key {
      case "descr": (isNew, descr) = (descr == nil, try self.descr())
      case "fortran_order": (isNew, isFortranOrder) = (isFortranOrder == nil, try bool())
      case "shape": (isNew, shape) = (shape == nil, try tuple())
      default: throw error(.syntax, "a field '\(printable(key, limit: 40))' that NumPy's format doesn't have", at: start)
      }
      if !isNew { throw error(.duplicateKey, "the field '\(key)' twice", at: start) }
      if !take(",") {
        try expect("}")
        break
      }
    }
    skipSpace()
    if position < bytes.count { throw error(.syntax, "something after the header's closing brace") }
    guard let descr else { throw error(.missingField, "no field 'descr'", at: 0) }
    guard let isFortranOrder else { throw error(.missingField, "no field 'fortran_order'", at: 0) }
    guard let shape else { throw error(.missingField, "no field 'shape'", at: 0) }
    return Fields(descr: descr, isFortranOrder: isFortranOrder, shape: shape)
  }

  private mutating func descr() throws(FormatError) -> String {
    skipSpace()
    if peek() == "[" || peek() == "(" {
      throw error(.unsupportedDType, "an array of records (a structured dtype); save each field by itself")
    }
    let start = position
    let text = try string()
    if text.dropFirst().first == "O" {
      throw error(.unsupportedDType, "an array of Python objects (a pickle that could run code); save numbers", at: start)
    }
    return text
  }

  private mutating func string() throws(FormatError) -> String {
    skipSpace()
    guard let quote = peek(), quote == "'" || quote == "\"" else {
      throw error(.type, "expected text in quotes, found \(found())")
    }
    position += 1
    let start = position
    while let next = peek(), next != quote {
      if next == "\\" || !(0x20..<0x7F ~= next.value) { throw error(.syntax, "text with anything but plain letters") }
      position += 1
    }
    guard peek() == quote else { throw error(.syntax, "text without an end", at: start - 1) }
    defer { position += 1 }
    return String(decoding: bytes[start..<position], as: UTF8.self)
  }

  private mutating func bool() throws(FormatError) -> Bool {
    skipSpace()
    for (word, value) in [("True", true), ("False", false)] where bytes[position...].starts(with: word.utf8) {
      position += word.utf8.count
      return value
    }
    throw error(.type, "expected True or False, found \(found())")
  }

  private mutating func tuple() throws(FormatError) -> [Int] {
    try expect("(", .type)
    var result: [Int] = []
    while !take(")") {
      result.append(try integer())
      if !take(",") {
        // `(3)` is a number in Python, not a tuple.
        if result.count == 1 { throw error(.type, "a shape that isn't a tuple: no comma after its only size") }
        try expect(")")
        break
      }
    }
    return result
  }

  private mutating func integer() throws(FormatError) -> Int {
    skipSpace()
    let start = position
    if peek() == "-" { throw error(.number, "a negative size") }
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
    if peek() == "." || peek() == "e" { throw error(.number, "a size that isn't written as an integer", at: start) }
    // Python 2 wrote an L behind numbers of its type `long`.
    if peek() == "L" { position += 1 }
    return value
  }

  private mutating func skipSpace() {
    while let next = peek(), next == " " || next == "\n" || next == "\t" || next == "\r" { position += 1 }
  }

  /// The next byte, as if it were Latin-1.
  private func peek() -> Unicode.Scalar? { position < bytes.count ? Unicode.Scalar(bytes[position]) : nil }

  private mutating func take(_ character: Unicode.Scalar) -> Bool {
    skipSpace()
    guard peek() == character else { return false }
    position += 1
    return true
  }

  private mutating func expect(_ character: Unicode.Scalar, _ kind: FormatError.Kind = .syntax) throws(FormatError) {
    if !take(character) { throw error(peek() == nil ? .syntax : kind, "expected '\(character)', found \(found())") }
  }

  private func found() -> String {
    guard let next = peek() else { return "the end of the header" }
    return next.isASCII ? "'\(printable(String(next)))'" : "byte \(next.value)"
  }
}
