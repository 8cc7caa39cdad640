import ApusCore

/// Byte-pair encoding of bytes, as in GPT-2 (Sennrich et al., 2016; Radford et al., 2019): frequent pairs of tokens have a token of their own.
///
/// ```swift
/// let tokenizer = BPETokenizer.train([text], vocabularySize: 1000)
/// let tokens = tokenizer.encode("Hello")
/// try tokenizer.save(to: "tokenizer.json")  // Hugging Face's format
/// let gpt2 = try BPETokenizer.load("gpt2/tokenizer.json")
/// ```
///
/// Every text can be encoded, and decodes to itself.
public struct BPETokenizer: Tokenizer {
  /// Two tokens side by side.
  struct Pair: Hashable {
    let left: Int32
    let right: Int32
  }

  /// What a pair becomes, and how early.
  struct Merge {
    let rank: Int
    let token: Int32
  }

  /// The bytes of each token; empty where a number has none.
  public let tokens: [[UInt8]]
  /// Texts that are one token wherever they stand, as `<|endoftext|>`.
  public let addedTokens: [String: Int]
  let merges: [Pair: Merge]
  let byteTokens: [Int32]  // [256]
  /// Whether the text is cut into words first, within which pairs are merged.
  let splitsWords: Bool
  /// Whether a text that doesn't begin with a space gets one.
  let addsPrefixSpace: Bool

  init(
    tokens: [[UInt8]], addedTokens: [String: Int], merges: [Pair: Merge], byteTokens: [Int32], splitsWords: Bool = true,
    addsPrefixSpace: Bool = false
  ) {
    self.tokens = tokens
    self.addedTokens = addedTokens
    self.merges = merges
    self.byteTokens = byteTokens
    self.splitsWords = splitsWords
    self.addsPrefixSpace = addsPrefixSpace
  }

  public var vocabularySize: Int { tokens.count }

  /// The tokens of `text`. Added tokens are found in it; none are added at its beginning or end.
  public func encode(_ text: String) -> [Int] {
    var result: [Int] = []
    // Most texts say the same words again and again.
    var known: [[UInt8]: [Int]] = [:]
    for piece in pieces(of: text) {
      switch piece {
      case .token(let token): result.append(token)
      case .text(var text):
        if addsPrefixSpace, !text.hasPrefix(" ") { text = " " + text }
        for word in splitsWords ? WordSplitter(text).words : [Array(text.utf8)] {
          if let tokens = known[word] {
            result += tokens
          } else {
            let tokens = merged(word)
            known[word] = tokens
            result += tokens
          }
        }
      }
    }
    return result
  }

  public func decode(_ tokens: [Int]) -> String {
    guard areTokens(tokens, below: vocabularySize, "BPETokenizer") else { return "" }
    return String(decoding: tokens.flatMap { self.tokens[$0] }, as: UTF8.self)
  }

  /// Merges the pair that was learned first, wherever it stands, until no pair is left that is known.
  private func merged(_ word: [UInt8]) -> [Int] {
    var tokens = word.map { byteTokens[Int($0)] }
    while tokens.count > 1 {
      var best: (pair: Pair, merge: Merge)?
      for i in 1..<tokens.count {
        let pair = Pair(left: tokens[i - 1], right: tokens[i])
        if let merge = merges[pair], merge.rank < best?.merge.rank ?? .max { best = (pair, merge) }
      }
      guard let best else { break }
      tokens = Self.replacing(best.pair, by: best.merge.token, in: tokens)
    }
    return tokens.map(Int.init)
  }

  /// `tokens` with `token` in place of each `pair`, from left to right.
  static func replacing(_ pair: Pair, by token: Int32, in tokens: [Int32]) -> [Int32] {
    var (result, i) = ([Int32](), 0)
    result.reserveCapacity(tokens.count)
    while i < tokens.count {
      if i + 1 < tokens.count, tokens[i] == pair.left, tokens[i + 1] == pair.right {
        result.append(token)
        i += 2
      } else {
        result.append(tokens[i])
        i += 1
      }
    }
    return result
  }

  private enum Piece {
    case text(String)
    case token(Int)
  }

  /// The text cut at the added tokens in it; of several that begin at one place the longest counts.
  private func pieces(of text: String) -> [Piece] {
    if text.isEmpty { return [] }
    guard !addedTokens.isEmpty else { return [.text(text)] }
    let candidates = addedTokens.map { (bytes: Array($0.key.utf8), token: $0.value) }.sorted { $0.bytes.count > $1.bytes.count }
    let firstBytes = Set(candidates.compactMap(\.bytes.first))
    let bytes = Array(text.utf8)
    var (result, start, i) = ([Piece](), 0, 0)
    func flush() {
      if start < i { result.append(.text(String(decoding: bytes[start..<i], as: UTF8.self))) }
    }
    while i < bytes.count {
      if firstBytes.contains(bytes[i]), let found = candidates.first(where: { bytes[i...].starts(with: $0.bytes) }) {
        flush()
        result.append(.token(found.token))
        i += found.bytes.count
        start = i
      } else {
        i += 1
      }
    }
    flush()
    return result
  }
}
