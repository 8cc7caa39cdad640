/// The graph behind a tensor as plain values, for those who draw it.
package struct GraphOutline {
  /// An op, or a leaf.
  package struct Entry {
    /// Ops that were called later have larger numbers.
    package let id: UInt64
    package let operation: String
    package let isLeaf: Bool
    /// Of the result.
    package let shape: Shape
    package let dtype: DType
    /// Of the inputs that a gradient is wanted for.
    package let inputs: [UInt64]
  }

  /// In the order in which they were called.
  package let entries: [Entry]

  /// Everything that `y` was computed from and a gradient goes to; nothing where `y` has no history.
  package init(of y: Tensor) {
    var seen: [UInt64: Node] = [:]
    var stack = [y.node].compactMap(\.self)
    while let node = stack.popLast() {
      if seen.updateValue(node, forKey: node.id) != nil { continue }
      stack += node.inputs.compactMap(\.node)
    }
    entries = seen.values.sorted { $0.id < $1.id }.map { node in
      Entry(
        id: node.id, operation: node.operation.text, isLeaf: node.isLeaf, shape: Shape(dims: node.shape), dtype: node.dtype,
        inputs: node.inputs.compactMap { $0.node?.id })
    }
  }

  /// The number of the op that made `x`; nil where `x` has no history.
  package static func id(of x: Tensor) -> UInt64? { x.node?.id }

  /// The number of the last op so far, in this process.
  package static var youngest: UInt64 { Node.youngest }
}
