extension Command {
  /// The command's page, at most 80 columns wide.
  var help: String {
    let usage = ["apus", name] + operands.map(\.placeholder) + (options.isEmpty ? [] : ["[options]"])
    var parts = ["\(summary)\n", "Usage: \(usage.joined(separator: " "))\n"]
    if !discussion.isEmpty { parts.append(wrapped(discussion, width: 80) + "\n") }
    let words = operands.filter(\.choices.isEmpty)
    if !words.isEmpty { parts.append(section("Arguments", words.map { ($0.placeholder, $0.help) })) }
    for operand in operands where !operand.choices.isEmpty {
      parts.append(section(capitalized(operand.plural), operand.choices.map { ($0.name, $0.help) }))
    }
    let rows = options.map { (Self.usage(of: $0), $0.help) } + [("-h, --help", "Show this help")]
    parts.append(section("Options", rows))
    if !examples.isEmpty {
      parts.append("Examples:\n" + examples.map { "  \($0.line)\n      \($0.help)\n" }.joined())
    }
    return parts.joined(separator: "\n")
  }

  private static func usage(of option: any AnyOption) -> String {
    let letter = option.letter.map { "-\($0), " } ?? "    "
    return "\(letter)--\(option.name)" + (option.placeholder.map { " \($0)" } ?? "")
  }
}

/// The page of the program itself.
func overview(of commands: [Command]) -> String {
  [
    "Apus trains neural networks.\n",
    "Usage: apus <command> [options]\n",
    section(
      "Commands",
      commands.map { command in
        ((["\(command.name)"] + command.operands.map(\.placeholder)).joined(separator: " "), command.summary)
      }),
    section(
      "Options", [("-h, --help", "Show this help; after a command, that command's"), ("    --version", "Show the version")]),
    section(
      "Environment",
      [
        ("APUS_DATA", "Folders with data sets, separated by colons"),
        ("APUS_NUM_THREADS", "Threads that compute; one per core where it isn't set"),
        ("APUS_ISA", "Instruction set to use in place of the machine's best"),
        ("APUS_WINOGRAD", "'off' computes 3×3 convolutions directly"),
        ("APUS_MEMORY_LIMIT", "Bound on the memory of tensors, as in 512M or 4G"),
        ("NO_COLOR", "No colours"),
      ]),
    section(
      "Examples",
      [
        ("apus train digits", "Train on built-in digits: needs no network"),
        ("apus train --help", "All recipes and options"),
      ]),
  ].joined(separator: "\n")
}

/// A heading and two columns, the second wrapped at column 80.
func section(_ title: String, _ rows: [(String, String)]) -> String {
  // A left column that is too wide gets lines of its own.
  let width = rows.map(\.0.count).filter { $0 <= 32 }.max() ?? 0
  let lines = rows.map { left, right in
    let indent = String(repeating: " ", count: width + 4)
    let text = wrapped(right, width: 80 - indent.count).split(separator: "\n").joined(separator: "\n\(indent)")
    let gap = left.count <= width ? String(repeating: " ", count: width - left.count + 2) : "\n\(indent)"
    return "  \(left)\(gap)\(text)"
  }
  return "\(title):\n" + lines.joined(separator: "\n") + "\n"
}

/// `text` with lines of at most `width` columns. Its own line breaks stay.
func wrapped(_ text: String, width: Int) -> String {
  text.split(separator: "\n", omittingEmptySubsequences: false).map { paragraph in
    var lines: [String] = []
    var line = ""
    for word in paragraph.split(separator: " ") {
      if !line.isEmpty, line.count + 1 + word.count > width {
        lines.append(line)
        line = ""
      }
      line += (line.isEmpty ? "" : " ") + word
    }
    return (lines + [line]).joined(separator: "\n")
  }.joined(separator: "\n")
}

private func capitalized(_ word: String) -> String { word.prefix(1).uppercased() + word.dropFirst() }
