import Foundation
import TestSupport
import Testing

/// The program under test, run as a user runs it.
struct Apus {
  /// What a run has left.
  struct Outcome {
    let code: Int32
    let output: String
    let errors: String

    var errorLines: [String] { errors.split(separator: "\n").map(String.init) }
  }

  /// Runs `apus` with these words and waits for its end.
  ///
  /// - Parameter environment: variables besides PATH and HOME; nothing else of the test's own environment is passed on.
  static func run(
    _ words: String..., in folder: TemporaryFolder? = nil, environment: [String: String] = [:]
  ) throws -> Outcome {
    let run = try Running(words, in: folder, environment: environment)
    return try run.outcome()
  }

  /// A program that may still be running.
  final class Running {
    private let process = Process()
    private let scratch: TemporaryFolder

    init(
      _ words: [String], in folder: TemporaryFolder? = nil, environment: [String: String] = [:], program: URL? = nil
    ) throws {
      scratch = try TemporaryFolder()
      let inherited = ProcessInfo.processInfo.environment
      process.executableURL = try program ?? Apus.binary()
      process.arguments = words
      process.currentDirectoryURL = URL(fileURLWithPath: (folder ?? scratch).path)
      // Nothing of the user's settings, but those of a sanitizer that this build may have.
      let sanitizers = inherited.filter { $0.key.hasSuffix("SAN_OPTIONS") }
      process.environment = ["PATH": inherited["PATH"] ?? "", "HOME": scratch.path].merging(sanitizers) { $1 }
        .merging(environment) { $1 }
      // Files, not pipes: nobody has to read them while the program runs.
      for name in ["out", "err"] { _ = FileManager.default.createFile(atPath: scratch.file(name), contents: nil) }
      process.standardInput = FileHandle.nullDevice
      process.standardOutput = FileHandle(forWritingAtPath: scratch.file("out"))
      process.standardError = FileHandle(forWritingAtPath: scratch.file("err"))
      try process.run()
    }

    /// Runs `apus` where no file can be longer than `blocks` of 512 bytes: a full disk for those that need more.
    convenience init(limitedTo blocks: Int, _ words: [String], in folder: TemporaryFolder) throws {
      let apus = try Apus.binary().path
      let script = "ulimit -f \(blocks) && exec \"$0\" \"$@\""
      try self.init(["-c", script, apus] + words, in: folder, program: URL(fileURLWithPath: "/bin/sh"))
    }

    var processIdentifier: Int32 { process.processIdentifier }

    deinit { if process.isRunning { process.terminate() } }

    var errors: String { (try? scratch.text("err")) ?? "" }
    var isRunning: Bool { process.isRunning }

    func send(_ signal: Int32) { kill(process.processIdentifier, signal) }

    /// Waits until `condition` holds, for a minute at most.
    func wait(_ what: String, until condition: () -> Bool) throws {
      let deadline = Date.now.addingTimeInterval(60)
      while !condition() {
        try #require(process.isRunning && Date.now < deadline, "waiting for \(what): \(errors)")
        Thread.sleep(forTimeInterval: 0.01)
      }
    }

    /// Waits for the end of the program, for five minutes at most.
    func outcome() throws -> Outcome {
      let deadline = Date.now.addingTimeInterval(300)
      while process.isRunning, Date.now < deadline { Thread.sleep(forTimeInterval: 0.005) }
      if process.isRunning {
        send(SIGKILL)
        Issue.record("it didn't come to an end: \(process.arguments ?? [])")
      }
      process.waitUntilExit()
      // A crash is no exit code.
      let code = process.terminationReason == .exit ? process.terminationStatus : -process.terminationStatus
      return Outcome(code: code, output: try scratch.text("out"), errors: errors)
    }
  }

  /// The executable stands beside the tests.
  static func binary() throws -> URL {
    var places = [URL(fileURLWithPath: CommandLine.arguments[0]), Bundle.main.bundleURL, Bundle.main.executableURL].compactMap(
      \.self)
    places += Bundle.allBundles.map(\.bundleURL)
    let candidates = places.map { $0.resolvingSymlinksInPath().deletingLastPathComponent().appendingPathComponent("apus") }
    let found = candidates.first { FileManager.default.isExecutableFile(atPath: $0.path) }
    return try #require(found, "no apus beside the tests: \(candidates.map(\.path))")
  }
}

extension TemporaryFolder {
  /// The objects of a file with one on each line.
  func rows(_ name: String) throws -> [[String: Any]] {
    try text(name).split(separator: "\n").map { line in
      try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
    }
  }

  /// The lines of metrics.jsonl, times aside.
  func metrics(_ folder: String) throws -> [String] {
    try text(folder + "/metrics.jsonl").split(separator: "\n").map { line in
      String(line[..<(try #require(line.range(of: "\"seconds\"")).lowerBound)])
    }
  }
}
