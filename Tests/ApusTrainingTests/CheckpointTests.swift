import Apus
import Foundation
import TestSupport
import Testing

@Suite("Checkpoint files")
struct CheckpointTests {
  private static func trainer() -> (Trainer, DataLoader<TensorDataset>) {
    let generator = Generator(seed: .max)
    let model = Sequential([Linear(2, 3, generator: generator)])
    let trainer = Trainer(
      model, optimizer: Adam(model.parameters(), lr: 0.1), loss: { crossEntropy($0, $1) }, correct: correctClasses)
    trainer.generators = [generator]
    trainer.config = "a \"text\"\n"
    let data = TensorDataset(
      input: Tensor.randn([20, 2], generator: Generator(seed: 1)), target: Tensor(scalars: (0..<20).map { $0 % 3 }, shape: [20]))
    return (trainer, DataLoader(data, batchSize: 5, shuffle: true, seed: 1))
  }

  @Test("what was written is read: tensors, numbers beyond every day's, text")
  func roundTrip() throws {
    let folder = try TemporaryFolder()
    let (trainer, loader) = Self.trainer()
    try trainer.fit(loader, test: loader, epochs: 2)
    var checkpoint = trainer.checkpoint()
    let numbers = [
      "infinity": Double.infinity, "-infinity": -.infinity, "tiny": .leastNonzeroMagnitude, "third": 1 / 3, "nan": .nan,
    ]
    checkpoint.parts["other"] = OptimizerState(tensors: ["t": Tensor([Int64.max])], numbers: numbers)
    try checkpoint.write(to: folder.file("c"))
    let read = try Checkpoint(folder.file("c"))
    #expect(read.generators == checkpoint.generators && read.generators[0].seed == .max)
    #expect(read.history == checkpoint.history && read.config == "a \"text\"\n")
    #expect((read.step, read.epoch, read.batch) == (8, 3, 0))
    let other = try #require(read.parts["other"])
    #expect(other.tensors["t"]?.item(as: Int64.self) == .max && other.tensors["t"]?.dtype == .int64)
    #expect(other.numbers.mapValues(\.bitPattern) == numbers.mapValues(\.bitPattern))
    #expect(read.model.names.sorted() == ["0.bias", "0.weight"])
    #expect(folder.names() == ["c"])
  }

  @Test("every flipped bit and every cut is noticed")
  func damage() throws {
    let folder = try TemporaryFolder()
    let (trainer, _) = Self.trainer()
    try trainer.checkpoint().write(to: folder.file("c"))
    let bytes = try folder.read("c")
    for i in 0..<bytes.count {
      var damaged = bytes
      damaged[i] ^= 1 << UInt8(i % 8)
      try folder.write(damaged, "d")
      #expect(throws: FormatError.self, "byte \(i)") { try Checkpoint(folder.file("d")) }
    }
    for length in stride(from: 0, to: bytes.count, by: 7) {
      try folder.write(Array(bytes.prefix(length)), "d")
      #expect(throws: FormatError.self, "\(length) bytes") { try Checkpoint(folder.file("d")) }
    }
  }

  @Test("a file that is no checkpoint says so")
  func otherFiles() throws {
    let folder = try TemporaryFolder()
    try Safetensors.write([("w", Tensor([1.0]))], to: folder.file("plain"))
    try Safetensors.write([("w", Tensor([1.0]))], to: folder.file("model"), digest: true)
    try Safetensors.write(
      [("w", Tensor([1.0]))], metadata: ["apus.checkpoint": "2", "apus.state": "{}"], to: folder.file("new"), digest: true)
    try Safetensors.write(
      [("w", Tensor([1.0]))], metadata: ["apus.checkpoint": "1", "apus.state": "{}"], to: folder.file("odd"), digest: true)
    for (name, reason) in [
      ("plain", "no digest of the content"), ("model", "not a checkpoint: 'apus.checkpoint' isn't in its metadata"),
      ("new", "a checkpoint of version 2; this is 1"), ("odd", "'apus.state' in its metadata is not a checkpoint's"),
    ] {
      let error = #expect(throws: FormatError.self) { try Checkpoint(folder.file(name)) }
      #expect("\(try #require(error))".contains(reason))
    }
    #expect(throws: FileError.self) { try Checkpoint(folder.file("missing")) }
  }

  // MARK: The folder

  @Test("the last few are kept, and the best")
  func retention() throws {
    let folder = try TemporaryFolder()
    let (trainer, loader) = Self.trainer()
    trainer.checkpoints = CheckpointFolder(folder.file("run/checkpoints"), keep: 2)
    trainer.goal = .highest("accuracy")
    trainer.checkpointInterval = 3
    try trainer.fit(loader, test: loader, epochs: 4)
    #expect(
      folder.names(in: "run/checkpoints") == ["best.safetensors", "step-00000015.safetensors", "step-00000016.safetensors"])
    let tests = trainer.history.filter { $0.pass.split == .test }.map { $0.accuracy ?? 0 }
    let best = try Checkpoint(folder.file("run/checkpoints/best.safetensors"))
    #expect(best.epoch == (tests.firstIndex(of: tests.max() ?? 0) ?? 0) + 2)
    #expect(trainer.checkpoints?.lastGood == folder.file("run/checkpoints/step-00000016.safetensors"))
  }

  @Test("a damaged newest one: told of, and the one before is taken; all damaged: an error")
  func fallback() throws {
    let folder = try TemporaryFolder()
    let (trainer, loader) = Self.trainer()
    trainer.checkpoints = CheckpointFolder(folder.path)
    try trainer.fit(loader, epochs: 2)
    try folder.write(Array(folder.read("step-00000008.safetensors").dropLast()), "step-00000008.safetensors")
    var told: [String] = []
    let checkpoints = CheckpointFolder(folder.path)
    let checkpoint = try #require(try checkpoints.newest { told.append("\($0)") })
    #expect(checkpoint.step == 4 && checkpoints.lastGood == folder.file("step-00000004.safetensors"))
    #expect(told.count == 1 && told[0].hasPrefix(folder.file("step-00000008.safetensors") + ": "))

    // What lies beyond goes when the run that went on has written again.
    let (second, _) = Self.trainer()
    second.checkpoints = checkpoints
    second.checkpointInterval = 1
    try second.load(checkpoint)
    second.shouldStop = { [unowned second] in second.step == 5 }
    try second.fit(loader, epochs: 2)
    #expect(folder.names() == ["best.safetensors", "step-00000004.safetensors", "step-00000005.safetensors"])

    for name in ["step-00000004.safetensors", "step-00000005.safetensors"] { try folder.write([1, 2, 3], name) }
    told = []
    #expect(throws: FormatError.self) { try CheckpointFolder(folder.path).newest { told.append("\($0)") } }
    #expect(told.count == 2)
    #expect(try CheckpointFolder(folder.file("none")).newest() == nil)
  }

  @Test("a new run takes the place of an earlier one when it has something to put there")
  func replaced() throws {
    let folder = try TemporaryFolder()
    let (first, loader) = Self.trainer()
    first.checkpoints = CheckpointFolder(folder.path)
    try first.fit(loader, epochs: 3)
    try folder.write([0], ".step-00000099.safetensors.999999999-1.tmp")
    let (second, _) = Self.trainer()
    second.checkpoints = CheckpointFolder(folder.path)
    second.shouldStop = { [unowned second] in second.step == 2 }
    try second.fit(loader, epochs: 3)
    #expect(folder.names() == ["step-00000002.safetensors"])
  }

  @Test("a place that cannot be written: an error with the last good one, which stays")
  func unwritable() throws {
    let folder = try TemporaryFolder()
    let (trainer, loader) = Self.trainer()
    trainer.checkpoints = CheckpointFolder(folder.file("c"))
    try trainer.fit(loader, epochs: 1)
    let good = try #require(trainer.checkpoints?.lastGood)
    // A folder where the next file should be: renaming fails at the very end.
    try folder.write([0], "c/step-00000008.safetensors/x")
    let error = #expect(throws: TrainingError.self) { try trainer.fit(loader, epochs: 2) }
    let text = "\(try #require(error))"
    #expect(text.contains("step-00000008.safetensors: cannot write: ") && text.hasSuffix("; the last good checkpoint is \(good)"))
    #expect(try Checkpoint(good).step == 4)
    #expect(!folder.names(in: "c").contains { $0.hasSuffix(".tmp") })
  }
}
