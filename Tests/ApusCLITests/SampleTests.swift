import Foundation
import TestSupport
import Testing

@Suite("sample", .serialized)
struct SampleTests {
  private static func train(_ folder: TemporaryFolder, _ words: String...) throws {
    let run = try Apus.Running(["train"] + words + ["--data", "synthetic", "-q"], in: folder).outcome()
    try #require(run.code == 0, "\(run.errors)")
  }

  @Test("the same seed draws the same pictures; a class can be asked for where there are some")
  func grids() throws {
    let folder = try TemporaryFolder()
    try Self.train(folder, "cvae", "--limit", "256", "--epochs", "1", "--save-dir", "r")
    func pixels(_ words: String...) throws -> [UInt8] {
      let run = try Apus.Running(["sample", "r", "--count", "20", "-o", "grid.png"] + words, in: folder).outcome()
      #expect(run.code == 0 && run.output == "grid.png: 20 pictures\n", "\(run.errors)")
      return try folder.read("grid.png")
    }
    let picture = try pixels()
    #expect(try picture.starts(with: [0x89, 0x50, 0x4E, 0x47]) && pixels() == picture)
    #expect(try pixels("--seed", "7") != picture)
    #expect(try pixels("--class", "7") != pixels("--class", "1"))
    #expect(try Apus.run("sample", "r/checkpoints/best.safetensors", "--count", "4", in: folder).code == 0)
    #expect(folder.exists("samples.png"))
    for (words, message) in [
      (["r", "--class", "10"], "sample: --class takes a whole number from 0 to 9, not '10'"),
      (["r", "--manifold"], "sample: --manifold is for a model with two numbers in a code and no classes; that of cvae has 10"),
      (["r", "-o", "x.jpg"], "sample: --output takes a .png file, not 'x.jpg'"),
      (["r", "--count", "0"], "sample: --count takes a whole number"),
      (["r", "--judge", "r"], "sample: --judge takes a classifier"),
    ] {
      let run = try Apus.Running(["sample"] + words, in: folder).outcome()
      #expect(run.code == 2 && run.errors.contains(message), "\(words): \(run.errors)")
    }
  }

  @Test("a classifier recognizes what a trained generator draws; one that has collapsed fails with code 1")
  func judged() throws {
    let folder = try TemporaryFolder()
    try Self.train(folder, "mnist-mlp", "--limit", "6000", "--epochs", "3", "--save-dir", "judge")
    try Self.train(folder, "cvae", "--limit", "6000", "--epochs", "20", "--save-dir", "good")
    let good = try Apus.run("sample", "good", "--judge", "judge", in: folder)
    #expect(good.code == 0 && good.errors.isEmpty, "\(good.output)\(good.errors)")
    let match = try #require(good.output.firstMatch(of: /recognized  (\d+(\.\d+)?) %/))
    #expect(try #require(Double(match.1)) > 60, "\(good.output)")
    #expect(good.output.contains("classes     10 of 10: ") && good.output.contains("distance    "))
    try Self.train(folder, "gan", "--limit", "64", "--epochs", "1", "--save-dir", "bad")
    let bad = try Apus.run("sample", "bad", "--judge", "judge", in: folder)
    #expect(bad.code == 1 && bad.errors.contains("the generator has collapsed: "), "\(bad.output)")
    #expect(bad.output.contains("judged      1,000 pictures"))
  }

  @Test("a class of an unconditional generator, and pictures of a classifier: wrong usage")
  func wrong() throws {
    let folder = try TemporaryFolder()
    try Self.train(folder, "vae", "--limit", "64", "--epochs", "1", "--save-dir", "r")
    try Self.train(folder, "mnist-mlp", "--limit", "64", "--epochs", "1", "--save-dir", "c")
    let asked = try Apus.run("sample", "r", "--class", "3", in: folder)
    #expect(asked.code == 2 && asked.errors.contains("the network of vae cannot be asked for a class"))
    let classifier = try Apus.run("sample", "c", in: folder)
    #expect(classifier.code == 2 && classifier.errors.contains("the network of mnist-mlp draws no pictures"))
    #expect(try Apus.run("sample", "r", "--manifold", in: folder).output == "manifold.png: 400 pictures\n")
  }
}
