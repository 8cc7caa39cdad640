import ApusCore

// A model prints as a tree, in PyTorch's layout:
//
//   Sequential(
//     (0): Linear(in: 784, out: 128, bias: true)
//     (1): ReLU()
//   )

extension Module {
  /// The tree of modules, each with what its constructor took.
  public var description: String { treeLines().map(\.text).joined(separator: "\n") }

  /// The tree with the number of parameters of every module that has no children, and their sum.
  public func parameterTree() -> String {
    let lines = treeLines()
    let width = (lines.map(\.text.count).max() ?? 0) + 2
    let counts = lines.map { $0.parameterCount.map(grouped) ?? "" }
    let countWidth = counts.map(\.count).max() ?? 0
    var rows = zip(lines, counts).map { line, count in
      count.isEmpty ? line.text : padded(line.text, to: width) + String(repeating: " ", count: countWidth - count.count) + count
    }
    let cells = namedParametersSoFar().map(\.cell)
    let trained = cells.reduce(0) { $0 + ($1.requiresGrad ? $1.count : 0) }
    let all = cells.reduce(0) { $0 + $1.count }
    rows.append("\(grouped(all)) parameters" + (trained == all ? "" : ", \(grouped(trained)) of them trained"))
    let waiting = modules().count { $0.awaitsInput }
    if waiting > 0 { rows.append("and those of \(waiting) \(waiting == 1 ? "layer" : "layers") without an input so far") }
    return rows.joined(separator: "\n")
  }

  /// The type's name as it prints, without what a generic type was made for.
  var kind: String { String("\(type(of: self))".prefix { $0 != "<" }) }

  private struct TreeLine {
    var text: String
    var parameterCount: Int?
  }

  private func treeLines(ancestors: Set<ObjectIdentifier> = []) -> [TreeLine] {
    let path = ancestors.union([ObjectIdentifier(self)])
    let name = kind
    let inventory = Inventory(of: self)
    let children = inventory.children.filter { !path.contains(ObjectIdentifier($0.module)) }
    let own = inventory.slots.reduce(0) { sum, named in
      if case .parameter(let cell) = named.slot.role { sum + cell.count } else { sum }
    }
    if children.isEmpty { return [TreeLine(text: "\(name)(\(arguments))", parameterCount: own > 0 ? own : nil)] }
    var lines = [TreeLine(text: "\(name)(", parameterCount: own > 0 ? own : nil)]
    if !arguments.isEmpty { lines.append(TreeLine(text: "  \(arguments)")) }
    for (name, child) in children {
      for (i, line) in child.treeLines(ancestors: path).enumerated() {
        lines.append(TreeLine(text: (i == 0 ? "  (\(name)): " : "  ") + line.text, parameterCount: line.parameterCount))
      }
    }
    return lines + [TreeLine(text: ")")]
  }
}

/// 101770 as 101,770.
func grouped(_ number: Int) -> String {
  var text = "\(number)"
  var i = text.count - 3
  while i > 0 {
    text.insert(",", at: text.index(text.startIndex, offsetBy: i))
    i -= 3
  }
  return text
}

func padded(_ text: String, to width: Int) -> String { text + String(repeating: " ", count: max(width - text.count, 0)) }
