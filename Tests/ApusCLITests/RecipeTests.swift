import Foundation
import TestSupport
import Testing

/// A recipe with options that make it short: a few steps, but an interruption in their midst.
struct ShortRecipe: Sendable, CustomTestStringConvertible {
  let name: String
  let words: [String]
  /// What `metrics.jsonl` has beside `loss`.
  let metrics: [String]

  var testDescription: String { ([name] + words).joined(separator: " ") }

  init(_ name: String, _ words: String..., metrics: String...) { (self.name, self.words, self.metrics) = (name, words, metrics) }

  /// A text of which there is more in every line.
  static let text = (0..<400).map { "line \($0): \($0 % 7) swifts fly over \($0 * $0 % 11) roofs, and back.\n" }.joined()

  static let language = [
    ShortRecipe("char-rnn", "--data", "text.txt", "--batch-size", "8", "--limit", "48", metrics: "perplexity"),
    ShortRecipe("char-rnn", "--cell", "gru", "--data", "text.txt", "--batch-size", "8", "--limit", "48", metrics: "perplexity"),
    ShortRecipe("char-lstm", "--data", "text.txt", "--batch-size", "8", "--limit", "48", metrics: "perplexity"),
    ShortRecipe("char-gpt", "--data", "text.txt", "--batch-size", "4", "--limit", "24", metrics: "perplexity"),
    ShortRecipe("word-transformer", "--data", "text.txt", "--batch-size", "4", "--limit", "24", metrics: "perplexity"),
  ]

  static let all =
    language + [
      ShortRecipe("sine-rnn", "--limit", "240"), ShortRecipe("sine-rnn", "--cell", "lstm", "--batch-size", "3"),
      ShortRecipe("translate-toy", "--limit", "256", metrics: "exact"),
      ShortRecipe(
        "gan", "--data", "synthetic", "--limit", "160", "--batch-size", "32", metrics: "discriminator_loss", "generator_loss"),
      ShortRecipe(
        "dcgan", "--data", "synthetic", "--limit", "64", "--batch-size", "16", "--latent", "16",
        metrics: "discriminator_loss", "generator_loss"),
      ShortRecipe(
        "cgan", "--data", "synthetic", "--limit", "96", "--batch-size", "16", "--accumulate", "2", "--schedule", "cosine",
        metrics: "discriminator_loss", "generator_loss"),
      ShortRecipe("vae", "--data", "synthetic", "--limit", "320", "--batch-size", "32", metrics: "reconstruction", "divergence"),
      ShortRecipe("cvae", "--data", "synthetic", "--limit", "320", "--batch-size", "32", metrics: "reconstruction", "divergence"),
    ]

  func run(_ folder: TemporaryFolder, to place: String, _ more: String...) throws -> Apus.Running {
    try folder.write(Array(Self.text.utf8), "text.txt")
    return try Apus.Running(["train", name, "-q", "--epochs", "1", "--save-dir", place] + words + more, in: folder)
  }
}

@Suite("Recipes of language, series and generation", .serialized)
struct RecipeTests {
  @Test("killed in the midst of an epoch and resumed, each ends in the same bits", arguments: ShortRecipe.all)
  func resume(_ recipe: ShortRecipe) throws {
    let folder = try TemporaryFolder()
    let whole = try recipe.run(folder, to: "whole").outcome()
    #expect(whole.code == 0 && whole.errors.isEmpty, "\(whole.errors)")
    let killed = try recipe.run(folder, to: "killed", "--checkpoint-every", "1")
    try killed.wait("a checkpoint") { folder.names(in: "killed/checkpoints").contains { $0.hasPrefix("step-") } }
    killed.send(SIGKILL)
    _ = try killed.outcome()
    let resumed = try recipe.run(folder, to: "killed", "--resume").outcome()
    #expect(resumed.code == 0 && resumed.errors.isEmpty, "\(resumed.errors)")
    for file in ["model.safetensors", "loss.svg"] {
      #expect(try folder.read("killed/" + file) == folder.read("whole/" + file), "\(file)")
    }
    #expect(try folder.metrics("killed") == folder.metrics("whole"))
    for row in try folder.rows("whole/metrics.jsonl") {
      for metric in ["loss"] + recipe.metrics { #expect((row[metric] as? Double)?.isFinite == true, "\(metric)") }
    }
  }

  @Test("Ctrl-C finishes the step of both networks, saves, and says how to go on")
  func stopped() throws {
    let folder = try TemporaryFolder()
    let recipe = ShortRecipe("gan", "--data", "synthetic", "--limit", "20000", "--batch-size", "16", metrics: "")
    let run = try recipe.run(folder, to: "r", "--checkpoint-every", "1")
    try run.wait("a checkpoint") { folder.names(in: "r/checkpoints").contains { $0.hasPrefix("step-") } }
    run.send(SIGINT)
    let outcome = try run.outcome()
    #expect(outcome.code == 130 && outcome.errors.contains("--resume goes on"), "\(outcome.errors)")
    #expect(folder.exists("r/model.safetensors"))
  }

  @Test("pictures of the same noise after each epoch, and a map of those with two numbers in a code")
  func sampleGrids() throws {
    let folder = try TemporaryFolder()
    let run = try Apus.run(
      "train", "vae", "--data", "synthetic", "--limit", "256", "--epochs", "2", "--save-dir", "r", "-q", in: folder)
    #expect(run.code == 0, "\(run.errors)")
    #expect(folder.names(in: "r/samples") == ["epoch-0001.png", "epoch-0002.png", "manifold.png"])
    #expect(try folder.read("r/samples/epoch-0001.png") != folder.read("r/samples/epoch-0002.png"))
    let report = try folder.text("r/report.html")
    #expect(report.contains("<title>Samples</title>") && report.contains("<title>Map of all codes</title>"))
    #expect(folder.exists("r/pictures/samples.png") && folder.exists("r/pictures/map-of-all-codes.svg"))
  }

  @Test("rows of digits: the loss falls, and the model answers")
  func translation() throws {
    let folder = try TemporaryFolder()
    let run = try Apus.run(
      "train", "translate-toy", "--limit", "2560", "--epochs", "2", "--save-dir", "r", "-q", in: folder)
    #expect(run.code == 0, "\(run.errors)")
    let losses = try folder.rows("r/metrics.jsonl").compactMap { $0["loss"] as? Double }
    #expect(losses.count == 4 && losses[3] < losses[0] && losses[3] < 2.3)
    let answer = try Apus.run("generate", "r", "--prompt", "sort 3 1 4", in: folder)
    #expect(answer.code == 0 && answer.output.wholeMatch(of: /(\d( \d)*)?\n/) != nil, "\(answer.output)\(answer.errors)")
    let wrong = try Apus.run("generate", "r", "--prompt", "shuffle 3 1 4", in: folder)
    #expect(wrong.code == 2 && wrong.errors.contains("answers 'reverse' or 'sort'"))
    let evaluated = try Apus.run("eval", "r", in: folder)
    #expect(evaluated.code == 0 && evaluated.output.contains("exact     "), "\(evaluated.output)\(evaluated.errors)")
  }

  @Test("what a recipe has no use for, or cannot have: wrong usage")
  func wrongUsage() throws {
    let folder = try TemporaryFolder()
    try folder.write(Array("too short".utf8), "short.txt")
    try folder.write([0xFF, 0xFE, 0x00], "binary")
    for (words, message, code) in [
      (["char-gpt", "--cell", "lstm"], "train: --cell is for sine-rnn, char-rnn, not char-gpt", 2),
      (["mnist-mlp", "--latent", "3"], "train: --latent is for gan, dcgan, cgan, vae, cvae, not mnist-mlp", 2),
      (["char-rnn", "--cell", "lstn"], "train: --cell takes rnn, lstm, gru, not 'lstn'", 2),
      (["char-gpt", "--data", "synthetic"], "train: this recipe reads a text", 2),
      (["sine-rnn", "--data", "x"], "train: this recipe draws its own wave", 2),
      (["translate-toy", "--data", "x"], "train: this recipe makes up its own rows", 2),
      (["char-gpt", "--data", "short.txt"], "short.txt: 9 tokens are too few", 1),
      (["char-gpt", "--data", "binary"], "binary: not a text in UTF-8", 1),
    ] {
      let run = try Apus.Running(["train"] + words, in: folder).outcome()
      #expect(run.code == Int32(code) && run.errors.contains(message), "\(words): \(run.code) \(run.errors)")
    }
    #expect(folder.names(in: "") == ["binary", "short.txt"])
  }
}
