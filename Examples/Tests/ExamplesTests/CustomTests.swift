import Testing

@Suite("your own")
struct CustomTests {
  @Test("every program prints what its source promises", arguments: Program.names(in: "Custom"))
  func output(name: String) throws { try Program.expectPromise(of: name) }
}
