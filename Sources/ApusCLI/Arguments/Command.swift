/// A subcommand of `apus`: a table that the parser and the help read, and what it does.
struct Command: Sendable {
  /// A word that a command expects besides its options.
  struct Operand: Sendable {
    /// As in `<recipe>`.
    let name: String
    /// Of several.
    let plural: String
    let help: String
    /// The words that are accepted, with their help; empty where any text is.
    var choices: [(name: String, help: String)] = []
    /// Whether it may be left out; only the last ones may.
    var isOptional = false

    /// Whether there may be more of them; only the last one may.
    var isRepeated = false

    /// As the usage shows it.
    var placeholder: String { (isOptional ? "[\(name)]" : "<\(name)>") + (isRepeated ? "…" : "") }
  }

  struct Example: Sendable {
    let line: String
    let help: String
  }

  let name: String
  /// One line.
  let summary: String
  /// Paragraphs for the command's own help.
  var discussion = ""
  var operands: [Operand] = []
  var options: [any AnyOption] = []
  var examples: [Example] = []
  /// Runs the command.
  ///
  /// - Returns: the exit code.
  let run: @Sendable (Arguments) throws -> Int32
}

/// What was given to a command, checked against its table.
struct Arguments: Sendable {
  /// As many as the command expects, but for optional ones.
  var operands: [String] = []
  var values: [String: any Sendable] = [:]

  /// The value of an option; nil where it wasn't given.
  subscript<Value>(option: Option<Value>) -> Value? { values[option.name] as? Value }

  /// Whether a flag was given.
  func has(_ flag: Option<Bool>) -> Bool { self[flag] ?? false }
}

/// Wrong usage: one line that says what is accepted.
struct UsageError: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }
}
