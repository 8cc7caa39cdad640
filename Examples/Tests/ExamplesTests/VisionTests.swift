import Testing

@Suite("pictures")
struct VisionTests {
  @Test("every program prints what its source promises", arguments: Program.names(in: "Vision"))
  func output(name: String) throws { try Program.expectPromise(of: name) }

  @Test("without the shortcut the same network hardly learns")
  func shortcut() throws {
    let program = try Program("ResNetCIFAR")
    #expect(try #require(program.numbers(after: "residual").first) > 75)
    #expect(try #require(program.numbers(after: "plain").first) < 60)
  }

  @Test("the network of PyTorch answers in Apus as it did there")
  func transfer() throws {
    let lines = try Program("StateDictTransfer").lines
    #expect(lines.contains("in Apus 983 of 1000 digits are right; PyTorch counted 983"))
    #expect(lines.suffix(2).allSatisfy { $0.hasSuffix("true") })
  }

  @Test("the network looks at the digit, not at the noise")
  func gradCAM() throws {
    let line = try #require(Program("GradCAM").lines.last)
    let share = try #require(line.firstMatch(of: /in ([0-9.]+) %/).flatMap { Double($0.1) })
    #expect(share > 80)
  }

  @Test("the stripes come in, and the disc is not lost altogether")
  func styleTransfer() throws {
    let program = try Program("StyleTransfer")
    let styles = program.numbers(after: "step")
    #expect(styles[3] < 0.05 * styles[0])
  }

  @Test("patches and attention are enough to tell patterns apart")
  func visionTransformer() throws {
    #expect(try #require(Program("TinyViT").lines.last?.firstMatch(of: /^[0-9.]+/).flatMap { Double($0.0) }) > 60)
  }
}
