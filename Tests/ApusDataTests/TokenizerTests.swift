import ApusCore
import ApusData
import Foundation
import TestSupport
import Testing

private let golden = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Golden")

@Suite struct TokenizerTests {
  private struct Case: Decodable {
    let text: String
    let ids: [Int]
    let decoded: String
  }

  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  @Test("bytes and characters")
  func simple() throws {
    let bytes = ByteTokenizer()
    #expect(
      bytes.encode("aé") == [97, 0xC3, 0xA9] && bytes.decode([97, 0xC3, 0xA9]) == "aé" && bytes.decode([0xC3]) == "\u{FFFD}")
    #expect(mistake { _ = bytes.decode([256]) }?.kind == .index)
    let characters = CharacterTokenizer("hello é\n\"\\\u{1}")
    #expect(characters.vocabularySize == 10 && characters.characters.first == "\u{1}")
    #expect(try characters.decode(characters.encode("hole\n\"")) == "hole\n\"")
    let error = dataError { _ = try characters.encode("hx") }
    #expect(error?.kind == .text && error?.reason == "the character 'x' (U+78) has no token")
    try characters.save(to: folder.file("c.json"))
    #expect(try CharacterTokenizer.load(folder.file("c.json")).characters == characters.characters)
    try folder.write(Array("{\"type\":\"characters\",\"characters\":\"aa\"}".utf8), "d.json")
    #expect(dataError { _ = try CharacterTokenizer.load(folder.file("d.json")) }?.kind == .format)
  }

  @Test("a tokenizer.json gives the tokens that Hugging Face's library gives")
  func huggingFace() throws {
    let tokenizer = try BPETokenizer.load(golden.appendingPathComponent("tokenizer.json").path)
    #expect(tokenizer.vocabularySize == 342 && tokenizer.addedTokens == ["<|end|>": 0, "<|endoftext|>": 1])
    for golden in try Golden<Case>.load("tokenizing") {
      #expect(tokenizer.encode(golden.text) == golden.ids, "\(golden.text.debugDescription)")
      #expect(tokenizer.decode(golden.ids) == golden.decoded)
      #expect(tokenizer.decode(tokenizer.encode(golden.text)) == golden.text)
    }
  }

  @Test("training learns the merges that Hugging Face's trainer learns, and the file can be read back")
  func training() throws {
    let corpus = try String(contentsOf: golden.appendingPathComponent("corpus.txt"), encoding: .utf8)
    let expected = try BPETokenizer.load(golden.appendingPathComponent("tokenizer.json").path)
    let tokenizer = BPETokenizer.train([corpus], vocabularySize: 420, addedTokens: ["<|end|>", "<|endoftext|>"])
    #expect(tokenizer.tokens == expected.tokens)
    try tokenizer.save(to: folder.file("tokenizer.json"))
    let loaded = try BPETokenizer.load(folder.file("tokenizer.json"))
    for golden in try Golden<Case>.load("tokenizing") {
      #expect(tokenizer.encode(golden.text) == golden.ids && loaded.encode(golden.text) == golden.ids)
    }
    // No pair is left that comes twice.
    #expect(BPETokenizer.train(["abab ab"], vocabularySize: 1000).vocabularySize < 262)
    #expect(mistake { _ = BPETokenizer.train([], vocabularySize: 100) }?.kind == .value)
  }

  @Test("what isn't supported, and what is broken, is an error that says so")
  func refusals() throws {
    let text = try String(contentsOf: golden.appendingPathComponent("tokenizer.json"), encoding: .utf8)
    func error(_ old: String, _ new: String) throws -> DataError? {
      #expect(text.contains(old), "\(old)")
      try folder.write(Array(text.replacing(old, with: new, maxReplacements: 1).utf8), "x.json")
      return dataError { _ = try BPETokenizer.load(folder.file("x.json")) }
    }
    #expect(try error("\"type\":\"BPE\"", "\"type\":\"Unigram\"")?.reason == "a model of type Unigram isn't supported")
    #expect(try error("\"normalizer\":null", "\"normalizer\":{\"type\":\"NFC\"}")?.kind == .unsupported)
    #expect(try error("\"byte_fallback\":false", "\"byte_fallback\":true")?.reason == "the model's byte_fallback isn't supported")
    #expect(
      try error("\"pre_tokenizer\":{\"type\":\"ByteLevel\"", "\"pre_tokenizer\":{\"type\":\"Whitespace\"")?.kind == .unsupported)
    #expect(try error("\"lstrip\":false", "\"lstrip\":true")?.kind == .unsupported)
    #expect(try error("\"!\":2", "\"!\":99999999999")?.kind == .size)
    #expect(try error("\"!\":2", "\"!\":3")?.reason == "two tokens with the number 3")
    #expect(try error("\"!\":2,", "")?.kind == .unsupported)
    #expect(
      try error("\"merges\":[", "\"merges\":[[\"a\",\"雨\"],")?.reason == "merge 0 doesn't name two tokens that make a third")
    #expect(try error("\"version\":\"1.0\"", "\"version\":\"1.0\",\"version\":1")?.reason.contains("a second time") == true)
    // A cut anywhere is an error.
    for count in stride(from: 0, to: text.utf8.count - 1, by: 211) {
      try folder.write(Array(text.utf8.prefix(count)), "x.json")
      #expect(dataError { _ = try BPETokenizer.load(folder.file("x.json")) } != nil)
    }
    try folder.write([UInt8](repeating: UInt8(ascii: "["), count: 100_000), "deep.json")
    #expect(dataError { _ = try BPETokenizer.load(folder.file("deep.json")) }?.reason.contains("64 levels") == true)
    #expect(dataError { _ = try BPETokenizer.load(folder.file("none.json")) }?.kind == .missing)
  }

  @Test("a file with flipped bytes is refused or works, and nothing else")
  func fuzz() throws {
    let bytes = try Array(Data(contentsOf: golden.appendingPathComponent("tokenizer.json")))
    var (state, refused): (UInt64, Int) = (1, 0)
    func random(_ bound: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(state >> 33) % bound
    }
    for _ in 0..<500 {
      var changed = bytes
      for _ in 0...random(3) { changed[random(bytes.count)] = UInt8(random(256)) }
      let path = try folder.write(changed, "x.json")
      if let tokenizer = try? BPETokenizer.load(path) {
        _ = tokenizer.decode(tokenizer.encode("The swift <|end|> 雨 's"))
      } else {
        refused += 1
      }
    }
    #expect(refused > 100)
  }

  @Test("tiny Shakespeare: encoding is quick and loses nothing", .enabled(if: realData != nil))
  func shakespeare() throws {
    let text = try TinyShakespeare.load(
      from: DataLocator(folder: realData, environment: ["XDG_CACHE_HOME": "/nonexistent"], allowsDownload: false))
    let part = String(text.prefix(200_000))
    let tokenizer = BPETokenizer.train([part], vocabularySize: 512)
    let tokens = tokenizer.encode(part)
    #expect(tokens.count < 120_000 && tokenizer.decode(tokens) == part && tokenizer.vocabularySize == 512)
  }
}
