import Foundation
import TestSupport
import Testing

@Suite("train --resume")
struct TrainResumeTests {
  private static let words = ["--limit", "800", "--epochs", "3", "--checkpoint-every", "2", "-q"]

  private static func train(
    _ name: String, _ more: [String] = [], in folder: TemporaryFolder
  ) throws -> Apus.Running {
    try Apus.Running(["train", "digits", "--save-dir", name] + words + more, in: folder)
  }

  /// Whether two runs have left the same parameters, metrics (times aside) and curve.
  private static func expectSame(_ a: String, _ b: String, in folder: TemporaryFolder, _ comment: Comment) throws {
    #expect(try folder.read(a + "/model.safetensors") == folder.read(b + "/model.safetensors"), comment)
    #expect(try folder.metrics(a) == folder.metrics(b), comment)
    #expect(try folder.read(a + "/loss.svg") == folder.read(b + "/loss.svg"), comment)
  }

  /// Kills a run between its first checkpoint and its end; on a busy machine one may be faster than the signal, then the next.
  private static func killedMidway(
    in folder: TemporaryFolder, start: (_ name: String) throws -> Apus.Running
  ) throws -> (name: String, process: Int32) {
    for i in 0..<20 {
      let name = "killed\(i)"
      let run = try start(name)
      try run.wait("a checkpoint") { folder.names(in: name + "/checkpoints").contains { $0.hasPrefix("step-") } }
      run.send(SIGKILL)
      if try run.outcome().code != 0 { return (name, run.processIdentifier) }
    }
    throw FasterThanTheSignal()
  }

  private struct FasterThanTheSignal: Error {}

  /// Runs to be killed; a hundred before a release.
  private static let kills = Int(ProcessInfo.processInfo.environment["APUS_KILL_TESTS"] ?? "") ?? 8

  @Test("killed at random moments and resumed, a run ends in the same bits")
  func killed() throws {
    let folder = try TemporaryFolder()
    let start = Date.now
    #expect(try Self.train("whole", in: folder).outcome().code == 0)
    let duration = Date.now.timeIntervalSince(start)
    var done = 0
    var round = 0
    while done < Self.kills {
      round += 1
      var isFinished = false
      while !isFinished {
        let run = try Self.train("killed\(round)", ["--resume"], in: folder)
        // Beyond the end now and then, so that every round comes to one.
        Thread.sleep(forTimeInterval: Double.random(in: 0...1.3) * duration)
        run.send(SIGKILL)
        let outcome = try run.outcome()
        #expect(outcome.errors.isEmpty && (outcome.code == 0 || outcome.code == -SIGKILL), "\(outcome.code) \(outcome.errors)")
        isFinished = outcome.code == 0
        done += isFinished ? 0 : 1
        // A machine that is busy may never come to the end in time.
        if done > 4 * Self.kills {
          isFinished = try Self.train("killed\(round)", ["--resume"], in: folder).outcome().code == 0
        }
      }
      try Self.expectSame("killed\(round)", "whole", in: folder, "round \(round)")
    }
  }

  @Test("stopped by Ctrl-C and resumed, too; nothing is left half-done", arguments: [SIGINT, SIGTERM])
  func stopped(_ signal: Int32) throws {
    let folder = try TemporaryFolder()
    #expect(try Self.train("whole", in: folder).outcome().code == 0)
    let run = try Self.train("stopped", in: folder)
    try run.wait("a checkpoint") { folder.names(in: "stopped/checkpoints").contains { $0.hasPrefix("step-") } }
    run.send(signal)
    let code = try run.outcome().code
    // It may have been faster.
    #expect(code == 128 + signal || code == 0)
    #expect(try Self.train("stopped", ["--resume"], in: folder).outcome().code == 0)
    try Self.expectSame("stopped", "whole", in: folder, "")
    #expect(!folder.names(in: "stopped/checkpoints").contains { $0.hasSuffix(".tmp") })
  }

  @Test("a CNN with dropout and batch norm, stopped in the middle of an epoch")
  func convolutional() throws {
    let folder = try TemporaryFolder()
    let words = ["--data", "synthetic", "--limit", "256", "--epochs", "1", "--batch-size", "32"]
    #expect(try Apus.Running(["train", "mnist-cnn", "-q", "--save-dir", "whole"] + words, in: folder).outcome().code == 0)
    let (name, _) = try Self.killedMidway(in: folder) { name in
      try Apus.Running(["train", "mnist-cnn", "-q", "--save-dir", name, "--checkpoint-every", "1"] + words, in: folder)
    }
    let resumed = try Apus.Running(["train", "mnist-cnn", "--save-dir", name, "--resume"] + words, in: folder).outcome()
    #expect(resumed.code == 0 && resumed.output.contains("resumed   in epoch 1, after batch "), "\(resumed.output)")
    try Self.expectSame(name, "whole", in: folder, "")
  }

  @Test("without a checkpoint it begins; at the end it only says so; with more epochs it goes on")
  func ends() throws {
    let folder = try TemporaryFolder()
    func run(_ words: String...) throws -> Apus.Outcome {
      try Apus.Running(["train", "digits", "--limit", "300", "--save-dir", "r"] + words, in: folder).outcome()
    }
    let first = try run("--epochs", "1", "--resume")
    #expect(first.code == 0 && first.output.contains("resumed   no: there is no checkpoint yet"))
    let model = try folder.read("r/model.safetensors")
    let again = try run("--resume")
    #expect(again.code == 0 && again.output.contains("resumed   at its end, from r/checkpoints/step-00000003.safetensors"))
    #expect(try folder.read("r/model.safetensors") == model)
    let longer = try run("--resume", "--epochs", "3")
    #expect(longer.code == 0 && longer.output.contains("resumed   in epoch 2, from "))
    #expect(try folder.rows("r/metrics.jsonl").map { $0["epoch"] as? Int } == [1, 1, 2, 2, 3, 3])
  }

  @Test("options of another run: wrong usage, and nothing is touched")
  func otherOptions() throws {
    let folder = try TemporaryFolder()
    #expect(try Apus.run("train", "digits", "--limit", "300", "--epochs", "1", "--save-dir", "r", "-q", in: folder).code == 0)
    let metrics = try folder.text("r/metrics.jsonl")
    for (words, message) in [
      (["digits", "--lr", "0.5"], "which had --lr 0.001; leave --lr out, or start anew without --resume"),
      (["digits", "--limit", "10"], "which had --limit 300;"), (["digits", "--data", "x"], "which had no --data;"),
      (["digits", "--seed", "1"], "which had --seed 42;"), (["digits", "--batch-size", "1"], "which had --batch-size 128;"),
      (["spiral"], "the run to resume has the recipe digits, not spiral"),
    ] {
      let run = try Apus.Running(["train", "--save-dir", "r", "--resume"] + words, in: folder).outcome()
      #expect(run.code == 2 && run.errorLines.count == 1 && run.errors.contains(message), "\(run.errors)")
    }
    #expect(try folder.text("r/metrics.jsonl") == metrics)
  }

  @Test("a damaged newest checkpoint: a warning, and the result is the same; all damaged: code 1")
  func damaged() throws {
    let folder = try TemporaryFolder()
    #expect(try Self.train("whole", in: folder).outcome().code == 0)
    #expect(try Self.train("r", in: folder).outcome().code == 0)
    let newest = "r/checkpoints/" + (try #require(folder.names(in: "r/checkpoints").last { $0.hasPrefix("step-") }))
    var bytes = try folder.read(newest)
    bytes[bytes.count / 2] ^= 1
    try folder.write(bytes, newest)
    let resumed = try Self.train("r", ["--resume"], in: folder).outcome()
    #expect(resumed.code == 0 && resumed.errorLines.count == 1)
    #expect(
      resumed.errors.hasPrefix("apus: warning: \(newest): the content has changed")
        && resumed.errors.contains("trying the checkpoint before"))
    try Self.expectSame("r", "whole", in: folder, "")
    for name in folder.names(in: "r/checkpoints") { try folder.write([1, 2, 3], "r/checkpoints/" + name) }
    let failed = try Self.train("r", ["--resume"], in: folder).outcome()
    #expect(failed.code == 1 && failed.errorLines.last?.hasPrefix("apus: \(newest): ") == true, "\(failed.errors)")
  }

  @Test("a disk that is full: code 1, and the last good checkpoint can be resumed")
  func fullDisk() throws {
    let folder = try TemporaryFolder()
    #expect(try Self.train("whole", in: folder).outcome().code == 0)
    let (name, killed) = try Self.killedMidway(in: folder) { try Self.train($0, in: folder) }
    let good = folder.names(in: name + "/checkpoints").filter { $0.hasPrefix("step-") }
    let full = try Apus.Running(
      limitedTo: 400, ["train", "digits", "--save-dir", name, "--resume"] + Self.words, in: folder
    ).outcome()
    #expect(full.code == 1 && full.errorLines.count == 1)
    #expect(
      full.errors.contains("cannot write: ") && full.errors.contains("the last good checkpoint is \(name)/"), "\(full.errors)")
    #expect(Set(good).isSubset(of: folder.names(in: name + "/checkpoints")))
    #expect(
      !folder.names(in: name + "/checkpoints").contains { $0.hasSuffix(".tmp") && !$0.contains("\(killed)-") })
    #expect(try Self.train(name, ["--resume"], in: folder).outcome().code == 0)
    try Self.expectSame(name, "whole", in: folder, "")
    #expect(!folder.names(in: name + "/checkpoints").contains { $0.hasSuffix(".tmp") })
  }

  @Test("a place for checkpoints that is none: code 1, one line")
  func noFolder() throws {
    let folder = try TemporaryFolder()
    try folder.write([], "r/checkpoints")
    let run = try Self.train("r", in: folder).outcome()
    #expect(run.code == 1 && run.errorLines.count == 1, "\(run.errors)")
    #expect(run.errors.hasPrefix("apus: r/checkpoints: cannot make a folder of it: "), "\(run.errors)")
  }
}
