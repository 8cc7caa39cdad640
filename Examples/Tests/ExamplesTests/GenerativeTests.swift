import Testing

/// Two networks that learn from each other go other ways on machines that round differently, so these tests ask for less than the
/// sources promise.
@Suite("networks that make something")
struct GenerativeTests {
  /// The first number of the line that contains `text`.
  func number(_ name: String, _ text: String) throws -> Double {
    let line = try #require(Program(name).lines.last { $0.contains(text) })
    return try #require(line.firstMatch(of: /[0-9]+(\.[0-9]+)?/).flatMap { Double($0.0) })
  }

  @Test("the generator of points finds the spots")
  func points() throws {
    let last = try #require(Program("PointGAN").lines.last)
    let found = try #require(last.firstMatch(of: /([0-9]) of 8 spots are found, ([0-9]+) of 1000/))
    #expect(try #require(Int(found.1)) >= 6)
    #expect(try #require(Int(found.2)) >= 500)
  }

  @Test("the generator of digits has not collapsed")
  func collapse() throws { #expect(try number("DigitsDCGAN", "among 1000 pictures") >= 8) }

  @Test("the generator that is told a digit draws it")
  func conditional() throws { #expect(try number("ConditionalGAN", "show the digit asked for") >= 60) }

  @Test("codes of digits decode to the same digits, and new codes to all ten")
  func autoencoder() throws {
    #expect(try number("DigitsVAE", "are still recognised") >= 65)
    #expect(try number("DigitsVAE", "among 1000 new ones") >= 8)
  }
}
