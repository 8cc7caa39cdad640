/// Text as numbers, and back: what a language model reads and writes.
public protocol Tokenizer: Sendable {
  /// Tokens are numbers below this.
  var vocabularySize: Int { get }

  /// The tokens of `text`.
  ///
  /// - Throws: `DataError` of kind `text` where the tokenizer has no token for something in it.
  func encode(_ text: String) throws(DataError) -> [Int]

  /// The text of `tokens`. What isn't UTF-8, as the first half of a letter, becomes U+FFFD.
  func decode(_ tokens: [Int]) -> String
}

/// One token per byte of UTF-8: every text can be written, and there is nothing to train.
public struct ByteTokenizer: Tokenizer {
  public let vocabularySize = 256

  public init() {}

  public func encode(_ text: String) -> [Int] { text.utf8.map(Int.init) }

  public func decode(_ tokens: [Int]) -> String {
    guard areTokens(tokens, below: 256, "ByteTokenizer") else { return "" }
    return String(decoding: tokens.map { UInt8($0) }, as: UTF8.self)
  }
}
