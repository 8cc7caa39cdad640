import Testing

@Suite("the classics")
struct ClassicsTests {
  @Test("a small part of each learns")
  func quick() throws {
    let lines = try Program("Classics", arguments: ["--quick"]).lines
    #expect(lines.count == 9)
    func ours(_ start: String) throws -> Double {
      let cells = try #require(lines.first { $0.hasPrefix("| " + start) }).split(separator: "|")
      return try #require(cells[2].split(separator: " ").first.flatMap { Double($0) })
    }
    #expect(try ours("the same: test digits right") > 50)
    #expect(try ours("spiral") > 0.8)
    #expect(try ours("sine, RNN") < 0.05)
    #expect(try ours("sine, LSTM") < 0.05)
  }
}
