/// One token per word, for the words that occur most often in a text; rarer ones are spelled, a token per character.
///
/// Words are cut as GPT-2 cuts them: a space belongs to the word behind it, punctuation stands alone. Every text of the same alphabet can be
/// encoded, and nothing is lost: there is no token for "unknown".
public struct WordTokenizer: Tokenizer {
  /// By token: first the characters in their order, then words, the most frequent first.
  public let words: [String]
  private let tokens: [String: Int]

  /// - Parameters:
  ///   - text: what is to be encoded later has no other characters than this.
  ///   - vocabularySize: how many tokens there are at most; the characters have one each in any case.
  public init(_ text: String, vocabularySize: Int) {
    let characters = Set(text.unicodeScalars).sorted().map { String($0) }
    var counts: [String: Int] = [:]
    for word in Self.split(text) where word.unicodeScalars.count > 1 { counts[word, default: 0] += 1 }
    // A word that occurs once saves nothing.
    let frequent = counts.filter { $0.value > 1 }.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
    self.init(words: characters + frequent.prefix(max(vocabularySize - characters.count, 0)).map(\.key))
  }

  /// - Parameter words: those of another tokenizer, each once.
  public init(words: [String]) {
    self.words = words
    tokens = Dictionary(words.enumerated().map { ($1, $0) }) { first, _ in first }
  }

  public var vocabularySize: Int { words.count }

  public func encode(_ text: String) throws(DataError) -> [Int] {
    var result: [Int] = []
    for word in Self.split(text) {
      if let token = tokens[word] {
        result.append(token)
        continue
      }
      for scalar in word.unicodeScalars {
        guard let token = tokens[String(scalar)] else { throw DataError.noToken(for: scalar) }
        result.append(token)
      }
    }
    return result
  }

  public func decode(_ tokens: [Int]) -> String {
    guard areTokens(tokens, below: words.count, "WordTokenizer") else { return "" }
    return tokens.map { words[$0] }.joined()
  }

  private static func split(_ text: String) -> [String] { WordSplitter(text).words.map { String(decoding: $0, as: UTF8.self) } }
}
