import Apus
import Foundation

/// `apus`, the command line. Exit codes: 0 done, 1 failed, 2 wrong usage, 130 and 143 stopped by Ctrl-C and SIGTERM.
@main
enum Program {
  static let commands: [Command] = [.train, .eval, .predict, .generate, .sample, .graph, .info, .inspect, .convert, .data]

  static func main() {
    exit(run(Array(CommandLine.arguments.dropFirst())))
  }

  static func run(_ words: [String]) -> Int32 {
    do {
      return try execute(words)
    } catch let error as UsageError {
      return fail("\(error)", code: 2)
    } catch let error as DataError {
      return fail("\(printable(error.path)): \(error.reason)", hint: error.advice, code: 1)
    } catch {
      return fail("\(error)", code: 1)
    }
  }

  private static func execute(_ words: [String]) throws -> Int32 {
    let names = commands.map(\.name)
    guard let first = words.first else {
      throw UsageError("a command is missing; commands: \(names.joined(separator: ", ")); 'apus --help' explains them")
    }
    if ["--help", "-h", "help"].contains(first), words.count == 1 || first != "help" { return show(overview(of: commands)) }
    if first == "--version" { return show("apus \(Runtime.version)\n") }
    let name = first == "help" ? words[1] : first
    guard let command = commands.first(where: { $0.name == name }) else {
      throw UsageError(
        unknownWord(name.hasPrefix("-") ? "option" : "command", name, names + ["--help", "--version"], "commands"))
    }
    if first == "help" { return show(command.help) }
    switch try command.parse(words.dropFirst()) {
    case .help: return show(command.help)
    case .run(let arguments):
      try Settings.check()
      return try command.run(arguments)
    }
  }

  private static func show(_ page: String) -> Int32 {
    Terminal.standardOutput.write(page)
    return 0
  }

  private static func fail(_ text: String, hint: String = "", code: Int32) -> Int32 {
    Terminal.standardError.line("apus: \(text)")
    if !hint.isEmpty { Terminal.standardError.line("hint: \(hint)") }
    return code
  }
}
