import Foundation
import Synchronization
import Testing

/// An example, run as a user runs it.
struct Program {
  /// What it printed.
  let lines: [String]

  /// Runs the program, unless it has run in this process before.
  init(_ name: String, arguments: [String] = []) throws {
    let run = Self.runs.withLock { runs in
      let run = runs[[name] + arguments] ?? Run()
      runs[[name] + arguments] = run
      return run
    }
    lines = try run.lines.withLock { lines in
      if let lines { return lines }
      let new = try Self.run(name, arguments)
      lines = new
      return new
    }
  }

  /// A program that was or is being run: whoever comes second waits for the first.
  private final class Run: Sendable {
    let lines = Mutex<[String]?>(nil)
  }

  private static let runs = Mutex<[[String]: Run]>([:])

  private static func run(_ name: String, _ arguments: [String]) throws -> [String] {
    let process = Process()
    process.executableURL = builtProducts.appending(path: name)
    process.arguments = arguments
    let pipe = Pipe()
    process.standardOutput = pipe
    try process.run()
    let output = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    try #require(process.terminationStatus == 0, "\(name) ended with status \(process.terminationStatus)")
    return lines(of: String(decoding: output, as: UTF8.self))
  }

  /// The last number of every line that starts with `start`.
  func numbers(after start: String = "") -> [Double] {
    lines.filter { $0.hasPrefix(start) }.compactMap { Self.pieces($0).compactMap(Double.init).last }
  }

  /// Runs a program and compares what it prints with what its source says.
  static func expectPromise(of name: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
    let (lines, promise) = (try Program(name).lines, try promise(of: name))
    #expect(lines.count == promise.count, sourceLocation: sourceLocation)
    for (line, promised) in zip(lines, promise) {
      #expect(agree(line, promised), "\(line) instead of \(promised)", sourceLocation: sourceLocation)
    }
  }

  /// What the source says that it prints: the comment at its end.
  static func promise(of name: String) throws -> [String] {
    let path = try #require(sources.first { $0.hasSuffix("/\(name)/main.swift") })
    let source = try String(contentsOfFile: path, encoding: .utf8)
    let parts = source.components(separatedBy: "\n// Prints:\n")
    try #require(parts.count == 2, "\(name) does not end with what it prints")
    return lines(of: parts[1]).map { String($0.dropFirst(3)) }
  }

  /// Whether two lines say the same, where numbers may differ by 5 %: training runs on other machines round differently.
  static func agree(_ line: String, _ promised: String) -> Bool {
    let (a, b) = (pieces(line), pieces(promised))
    return a.count == b.count
      && zip(a, b).allSatisfy { x, y in
        guard let u = Double(x), let v = Double(y) else { return x == y }
        return abs(u - v) <= 0.05 * abs(v) + 1e-6
      }
  }

  private static func lines(of text: String) -> [String] { text.split(separator: "\n").map(String.init) }

  /// A line cut into numbers and what stands between them.
  private static func pieces(_ line: String) -> [String] {
    var pieces: [String] = []
    var rest = line[...]
    while let match = rest.firstMatch(of: /-?[0-9]+(\.[0-9]+)?(e[-+]?[0-9]+)?/) {
      pieces += [String(rest[..<match.range.lowerBound]), String(match.0)]
      rest = rest[match.range.upperBound...]
    }
    return pieces + [String(rest)]
  }

  /// The names of all programs in the folder `kind`.
  static func names(in kind: String) -> [String] {
    let names = sources.compactMap { path -> String? in
      let parts: [Substring] = path.split(separator: "/")
      return parts[parts.count - 3] == kind ? String(parts[parts.count - 2]) : nil
    }
    return names.sorted()
  }

  /// The paths of all programs: `Examples/<kind>/<name>/main.swift`.
  private static let sources: [String] = {
    let examples = URL(filePath: #filePath).appending(path: "../../..").standardized
    let kinds = ["Basics", "Custom", "Generative", "Language", "Vision"].map { examples.appending(path: $0).path }
    return kinds.flatMap { folder in
      let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
      return names.map { "\(folder)/\($0)/main.swift" }
    }
  }()

  /// Where SwiftPM puts the programs: beside the test bundle.
  private static let builtProducts: URL = {
    #if os(macOS)
      let bundle = Bundle.allBundles.first { $0.bundlePath.hasSuffix(".xctest") }!.bundleURL
    #else
      let bundle = URL(filePath: CommandLine.arguments[0])
    #endif
    return bundle.deletingLastPathComponent()
  }()
}
