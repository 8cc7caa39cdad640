import Testing

@Suite("language")
struct LanguageTests {
  @Test("the text is learned by heart")
  func characterRNN() throws {
    let line = try #require(Program("CharacterRNN").lines.last)
    let right = try #require(line.firstMatch(of: /^([0-9]+) of 351/).flatMap { Int($0.1) })
    #expect(right > 300)
  }

  @Test("the rule is learned: a hundred digits in a row without a mistake")
  func fibonacci() throws {
    let lines = try Program("FibonacciLSTM").lines
    #expect(lines.contains("1 1 goes on: 1 1 2 3 5 8 3 1 4 5 9 4 3 7 0 7"))
    let right = try #require(lines.last?.firstMatch(of: /^([0-9]+) of 100/).flatMap { Int($0.1) })
    #expect(right >= 95)
  }

  @Test("the loss comes near the entropy of the grammar, and stays above it")
  func transformer() throws {
    let program = try Program("TransformerLM")
    let loss = try #require(program.numbers(after: "epoch").last)
    let entropy = try #require(program.numbers(after: "the entropy").first)
    #expect(loss > 0.99 * entropy && loss < 1.08 * entropy)
  }

  @Test("rows of digits are sorted")
  func sorting() throws {
    let line = try #require(Program("TinyGPT").lines.last)
    let right = try #require(line.firstMatch(of: /^([0-9]+) of 500/).flatMap { Int($0.1) })
    #expect(right >= 475)
  }

  @Test("the cache changes no token, and each knob makes the text tamer")
  func generation() throws {
    let lines = try Program("TextGeneration").lines
    #expect(lines.filter { $0.hasSuffix(": true") }.count == 4)
  }
}
