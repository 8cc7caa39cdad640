import ApusFormats

extension Command {
  /// What a line of arguments asks for.
  enum Request {
    case run(Arguments)
    case help
  }

  /// Reads the words behind the command's name: `--option value`, `--option=value`, flags, and operands in any order. After `--`
  /// everything is an operand. The last of several values of one option counts; options that take lists collect them.
  ///
  /// - Throws: `UsageError` for the first word that isn't accepted.
  func parse(_ words: some Sequence<String>) throws(UsageError) -> Request {
    var arguments = Arguments()
    var rest = Array(words)[...]
    var isLiteral = false
    while let word = rest.popFirst() {
      if isLiteral || !word.hasPrefix("-") || word == "-" {
        arguments.operands.append(word)
      } else if word == "--" {
        isLiteral = true
      } else if word == "--help" || word == "-h" {
        return .help
      } else {
        let (option, value) = try read(word, &rest)
        arguments.values[option.name] = option.merged(arguments.values[option.name], value)
      }
    }
    try checkOperands(arguments.operands)
    return .run(arguments)
  }

  /// The option that `word` names, with its value, which may be the next word.
  private func read(_ word: String, _ rest: inout ArraySlice<String>) throws(UsageError) -> (any AnyOption, any Sendable) {
    let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    guard let option = options.first(where: { parts[0] == "--\($0.name)" || ($0.letter.map { parts[0] == "-\($0)" } ?? false) })
    else {
      throw unknown("option", parts[0], (options.map { "--\($0.name)" }) + ["--help"], "options")
    }
    if option.placeholder == nil {
      guard parts.count == 1 else { throw UsageError("\(name): \(parts[0]) takes no value") }
      return (option, true)
    }
    // A word with two dashes is the next option, not a value; one dash may begin a number.
    guard let text = parts.count == 2 ? parts[1] : rest.first?.hasPrefix("--") == false ? rest.popFirst() : nil else {
      throw UsageError("\(name): \(parts[0]) needs a value: \(option.accepts)")
    }
    guard let value = option.value(of: text) else {
      throw UsageError("\(name): \(parts[0]) takes \(option.accepts), not \(quoted(text))")
    }
    return (option, value)
  }

  private func checkOperands(_ words: [String]) throws(UsageError) {
    for (operand, word) in zip(operands, words) {
      let choices = operand.choices.map(\.name)
      if !choices.isEmpty, !choices.contains(word) { throw unknown(operand.name, word, choices, operand.plural) }
      if word.isEmpty { throw UsageError("\(name): the \(operand.name) is empty") }
    }
    if words.count < operands.count, !operands[words.count].isOptional {
      let missing = operands[words.count]
      let choices = missing.choices.map(\.name)
      let accepted = choices.isEmpty ? "" : "; \(missing.plural): \(choices.joined(separator: ", "))"
      throw UsageError("\(name): the \(missing.name) is missing\(accepted)")
    }
    if words.count > operands.count, operands.last?.isRepeated != true {
      let expected =
        operands.isEmpty ? "takes options only" : "takes \(operands.map { "one \($0.name)" }.joined(separator: ", "))"
      throw UsageError("\(name): unexpected \(quoted(words[operands.count])): \(expected)")
    }
  }

  private func unknown(_ kind: String, _ word: String, _ accepted: [String], _ plural: String) -> UsageError {
    UsageError("\(name): " + unknownWord(kind, word, accepted, plural))
  }
}

/// `unknown recipe 'mnist'; did you mean 'mnist-mlp'? recipes: mnist-mlp, digits`
func unknownWord(_ kind: String, _ word: String, _ accepted: [String], _ plural: String) -> String {
  let guess = nearest(to: word, among: accepted).map { "; did you mean '\($0)'?" } ?? ";"
  return "unknown \(kind) \(quoted(word))\(guess) \(plural): \(accepted.joined(separator: ", "))"
}

private func quoted(_ word: String) -> String { "'\(printable(word, limit: 80))'" }

/// The word among `words` that `word` may have been meant to be: one that begins with it, or the one with the fewest typing errors,
/// if they are few.
func nearest(to word: String, among words: [String]) -> String? {
  let typed = word.lowercased()
  guard typed.count <= 80, typed.contains(where: { $0 != "-" }) else { return nil }
  if typed.count >= 3, let longer = words.first(where: { $0.hasPrefix(typed) }) { return longer }
  let distances = words.map { (word: $0, distance: editDistance(Array(typed), Array($0))) }
  guard let best = distances.min(by: { $0.distance < $1.distance }) else { return nil }
  return best.distance <= max(1, best.word.count / 3) ? best.word : nil
}

/// Insertions, deletions, replacements and swaps of neighbours that make `b` of `a` (optimal string alignment).
private func editDistance(_ a: [Character], _ b: [Character]) -> Int {
  var before: [Int] = []
  var row = Array(0...b.count)
  for i in a.indices {
    var next = [i + 1]
    for j in b.indices {
      var distance = min(row[j + 1] + 1, next[j] + 1, row[j] + (a[i] == b[j] ? 0 : 1))
      if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { distance = min(distance, before[j - 1] + 1) }
      next.append(distance)
    }
    (before, row) = (row, next)
  }
  return row[b.count]
}
