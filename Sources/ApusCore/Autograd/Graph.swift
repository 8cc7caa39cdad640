/// The graph behind a tensor as DOT text: `dot -Tsvg` draws it, and so do many viewers.
///
/// Ops are boxes with their name; tensors that a gradient is collected for (leaves) are ovals with name, shape and dtype; inputs
/// without a gradient are dashed. Every edge carries shape and dtype of the tensor that flows along it.
///
/// - Parameter names: names for leaves; a tensor's own `name` is used where it has one.
public func graph(of y: Tensor, names: [String: Tensor] = [:]) -> String {
  var lines = [
    "digraph apus {", "  rankdir=BT;", "  node [fontname=\"Helvetica\"];", "  edge [fontname=\"Helvetica\", fontsize=10];",
  ]
  var given: [ObjectIdentifier: String] = [:]
  for (name, tensor) in names { if let node = tensor.node { given[ObjectIdentifier(node)] = name } }
  lines.append("  result [label=\"\(kind(y.data.shape, y.dtype))\", shape=oval, style=bold];")
  guard let root = y.node else { return (lines + ["}"]).joined(separator: "\n") }
  var numbers: [ObjectIdentifier: Int] = [:]
  var constants = 0
  var order: [Node] = []
  var stack = [root]
  while let node = stack.popLast() {
    guard numbers[ObjectIdentifier(node)] == nil else { continue }
    numbers[ObjectIdentifier(node)] = numbers.count
    order.append(node)
    stack.append(contentsOf: node.inputs.compactMap(\.node).reversed())
  }
  for node in order {
    let id = "n\(numbers[ObjectIdentifier(node)]!)"
    let name = given[ObjectIdentifier(node)] ?? node.attachments?.name
    if node.isLeaf {
      let title = name.map { dotEscaped($0) + "\\n" } ?? ""
      lines.append("  \(id) [label=\"\(title)\(kind(node.shape, node.dtype))\", shape=oval];")
    } else {
      lines.append(
        "  \(id) [label=\"\(dotEscaped(node.operation.text))\(name.map { "\\n" + dotEscaped($0) } ?? "")\", shape=box];")
    }
    for input in node.inputs {
      var source: String
      if let inputNode = input.node {
        source = "n\(numbers[ObjectIdentifier(inputNode)]!)"
      } else {
        source = "c\(constants)"
        constants += 1
        lines.append("  \(source) [label=\"\(kind(input.shape, input.dtype))\", shape=oval, style=dashed];")
      }
      lines.append("  \(source) -> \(id) [label=\"\(kind(input.shape, input.dtype))\"];")
    }
  }
  lines.append("  n0 -> result [label=\"\(kind(y.data.shape, y.dtype))\"];")
  return (lines + ["}", ""]).joined(separator: "\n")
}

private func kind(_ shape: Dims, _ dtype: DType) -> String { "\(Shape(dims: shape)) \(dtype)" }

/// `text` inside the quotes of a DOT string.
package func dotEscaped(_ text: String) -> String {
  text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
}
