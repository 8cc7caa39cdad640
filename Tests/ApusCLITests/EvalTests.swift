import Apus
import Foundation
import TestSupport
import Testing

@Suite("eval and predict")
struct EvalTests {
  private let folder: TemporaryFolder

  /// Each test has a run of its own.
  init() throws {
    folder = try TemporaryFolder()
    let run = try Apus.run("train", "digits", "--limit", "2000", "--epochs", "3", "--save-dir", "r", "-q", in: folder)
    try #require(run.code == 0, "\(run.errors)")
  }

  private func run(_ words: String...) throws -> Apus.Outcome { try Apus.Running(words, in: folder).outcome() }

  @Test("eval: the folder of a run, its model and its last checkpoint are what the log says")
  func eval() throws {
    let last = try #require(try folder.rows("r/metrics.jsonl").last)
    let accuracy = String(format: "accuracy  %.2f %%", 100 * (try #require(last["accuracy"] as? Double)))
    for path in ["r", "r/", "r/model.safetensors", "r/checkpoints/step-00000048.safetensors"] {
      let run = try self.run("eval", path)
      #expect(run.code == 0 && run.errors.isEmpty)
      for text in ["\(path): digits", "synthetic digits (built in): 4,000 to test", accuracy, "class", "recall", "mean"] {
        #expect(run.output.contains(text), "\(text) in \(run.output)")
      }
    }
    // Ten classes, a heading, the mean, four lines and an empty one above.
    #expect(try self.run("eval", "r").output.split(separator: "\n", omittingEmptySubsequences: false).count == 18)
    #expect(try self.run("eval", "r/checkpoints/best.safetensors").code == 0)
  }

  @Test("predict: test samples by their numbers, pictures by their names")
  func predict() throws {
    let digits = SyntheticDigits.load(.test, count: 40)
    let sample = digits[7]
    try PNG.write(sample.input, to: folder.file("seven.png"))
    // The same on paper, in colour, and larger.
    let large = (1 - sample.input).repeatInterleave(2, dim: 1).repeatInterleave(2, dim: 2)
    try PNG.write(cat([large, large, large], dim: 0), to: folder.file("paper.png"))
    let run = try self.run("predict", "r", "7", "seven.png")
    #expect(run.code == 0, "\(run.errors)")
    let rows = run.output.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
    #expect(rows[0] == ["picture", "answer", "certainty", "next", "label"])
    #expect(rows.count == 3 && rows[1][0] == "7" && rows[2][0] == "seven.png")
    #expect(rows[1][1...5] == rows[2][1...5], "the same picture, the same answer")
    #expect(rows[1].last == "\(sample.target.item(as: Int.self))")
    let paper = try self.run("predict", "r", "paper.png", "--invert")
    #expect(paper.code == 0 && paper.output.split(separator: "\n")[1].split(separator: " ")[1] == rows[2][1])
    #expect(!paper.output.contains("label"))
  }

  @Test("a file of plain weights needs --recipe")
  func weights() throws {
    let state = MLP(784, 128, 10).stateDict().map { (name: $0.name, tensor: $0.tensor) }
    try Safetensors.write(state, to: folder.file("plain.safetensors"))
    try Safetensors.write([("0.weight", Tensor.zeros([2]))], to: folder.file("other.safetensors"))
    let run = try self.run("eval", "plain.safetensors")
    #expect(run.code == 2 && run.errors.contains("doesn't say which network it is of; --recipe NAME does"))
    #expect(try self.run("eval", "plain.safetensors", "--recipe", "digits").code == 0)
    let other = try self.run("eval", "other.safetensors", "--recipe", "digits")
    #expect(other.code == 1 && other.errorLines.count == 1 && other.errors.contains("missing: 0.bias"), "\(other.errors)")
  }

  @Test("what goes wrong is said in one line")
  func failures() throws {
    try folder.write(Array("no picture".utf8), "text.png")
    for (words, code, message) in [
      (["eval", "nowhere"], 1, "apus: nowhere: "), (["eval", "text.png", "--recipe", "digits"], 1, "apus: text.png: "),
      (["eval"], 2, "apus: eval: the checkpoint is missing"), (["predict", "r"], 2, "apus: predict: the picture is missing"),
      (["predict", "r", "4000"], 2, "apus: predict: there is no test sample 4000: they are 0 to 3999"),
      (["predict", "r", "text.png"], 1, "apus: text.png: "), (["predict", "r", "none.png"], 1, "apus: none.png: "),
      (["eval", "r", "--recipe", "mnist"], 2, "apus: eval: --recipe takes mnist-mlp, "),
    ] as [([String], Int32, String)] {
      let run = try Apus.Running(words, in: folder).outcome()
      #expect(run.code == code && run.output.isEmpty && run.errors.hasPrefix(message), "\(words): \(run.code) \(run.errors)")
    }
  }

  @Test("the spiral is learned; its network sees no pictures")
  func spiral() throws {
    #expect(try self.run("train", "spiral", "--epochs", "20", "--save-dir", "s", "-q").code == 0)
    #expect(try #require(try folder.rows("s/metrics.jsonl").last?["accuracy"] as? Double) > 0.95)
    #expect(try self.run("eval", "s").output.contains("third arm"))
    let run = try self.run("predict", "s", "x.png")
    #expect(run.code == 2 && run.errors.contains("the network of spiral sees no pictures"))
  }
}
