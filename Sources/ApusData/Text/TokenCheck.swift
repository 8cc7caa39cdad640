import ApusCore
import ApusFormats

/// Whether all tokens are in a vocabulary; reports a mistake where one isn't.
func areTokens(_ tokens: [Int], below count: Int, _ name: String) -> Bool {
  let stray = tokens.first { $0 < 0 || $0 >= count }
  return check(stray == nil, .index, name, "token \(stray ?? 0) isn't in 0..<\(count)")
}

extension DataError {
  /// A character that a tokenizer hasn't seen.
  static func noToken(for scalar: Unicode.Scalar) -> DataError {
    DataError(
      .text, path: "text",
      "the character '\(printable(String(scalar)))' (U+\(String(scalar.value, radix: 16, uppercase: true))) has no token",
      advice: "make the tokenizer of a text that has all characters, or use ByteTokenizer")
  }
}
