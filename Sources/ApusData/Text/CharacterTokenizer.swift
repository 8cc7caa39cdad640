import ApusCore
import ApusFormats

/// One token per character (Unicode scalar) that occurs in a text, in their order: the simplest tokenizer for a small language model.
public struct CharacterTokenizer: Tokenizer {
  /// By token.
  public let characters: [Unicode.Scalar]
  private let tokens: [Unicode.Scalar: Int]

  /// - Parameter text: what is to be encoded later has no other characters than this.
  public init(_ text: String) { self.init(characters: Set(text.unicodeScalars).sorted()) }

  private init(characters: [Unicode.Scalar]) {
    self.characters = characters
    tokens = Dictionary(uniqueKeysWithValues: characters.enumerated().map { ($1, $0) })
  }

  public var vocabularySize: Int { characters.count }

  public func encode(_ text: String) throws(DataError) -> [Int] {
    var result: [Int] = []
    result.reserveCapacity(text.utf8.count)
    for scalar in text.unicodeScalars {
      guard let token = tokens[scalar] else {
        throw DataError.noToken(for: scalar)
      }
      result.append(token)
    }
    return result
  }

  public func decode(_ tokens: [Int]) -> String {
    guard areTokens(tokens, below: characters.count, "CharacterTokenizer") else { return "" }
    var text = String.UnicodeScalarView()
    for token in tokens { text.append(characters[token]) }
    return String(text)
  }

  /// Writes the characters as a JSON file, which appears whole or not at all.
  public func save(to path: String) throws(DataError) {
    let text = jsonQuoted(String(String.UnicodeScalarView(characters)))
    do throws(FileError) {
      try AtomicFile.write("{\"type\":\"characters\",\"characters\":\(text)}\n", to: path)
    } catch { throw DataError(error) }
  }

  /// Reads what `save` wrote.
  public static func load(_ path: String) throws(DataError) -> CharacterTokenizer {
    let file = try JSON.read(path)
    guard case .object(let fields) = file, fields["type"] == .string("characters"),
      case .string(let text)? = fields["characters"],
      case let characters = Array(text.unicodeScalars), Set(characters).count == characters.count
    else {
      throw DataError(
        .format, path: path, "not the characters of a tokenizer", advice: "name a file that CharacterTokenizer saved")
    }
    return CharacterTokenizer(characters: characters)
  }
}
