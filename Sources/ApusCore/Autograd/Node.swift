import Synchronization

/// Which op made a node; the text is made only when somebody asks.
package enum OperationName {
  case leaf
  case unary(Unary)
  case binary(Binary)
  case named(StaticString)
  case user(String)

  package var text: String {
    switch self {
    case .leaf: "leaf"
    case .unary(let op): op.name
    case .binary(let op): op.name
    case .named(let name): "\(name)"
    case .user(let name): name
    }
  }
}

/// A tensor's place in the graph: the op that made it and the nodes of that op's inputs. A leaf has no op and collects its gradient.
///
/// Nodes point only at what they came from, so the graph has no cycles: a rule that needs the op's own output gets its numbers, to
/// which the node is attached again when the rule runs.
package final class Node: @unchecked Sendable {
  /// One input of the op.
  struct Input {
    var node: Node?  // nil where no gradient is wanted
    var data: TensorData?  // where the rule keeps the inputs
    let shape: Dims
    let dtype: DType

    init(_ x: Tensor, keep: Bool) {
      node = x.node
      data = keep ? x.data : nil
      shape = x.data.shape
      dtype = x.data.dtype
    }

    /// Whether its gradient is needed in a pass for targets with certain nodes on the way to them, or for all leaves.
    func isWanted(_ onTheWay: Set<ObjectIdentifier>?) -> Bool {
      guard let node else { return false }
      return onTheWay?.contains(ObjectIdentifier(node)) ?? true
    }

    /// An input whose numbers nobody needs.
    init(_ node: Node) {
      self.node = node
      data = nil
      shape = node.shape
      dtype = node.dtype
    }
  }

  /// Counts up over the life of the process: an op's node is younger than those of its inputs, so decreasing order is an order in which
  /// gradients can be passed back.
  let id: UInt64
  let operation: OperationName
  let rule: Rule
  @exclusivity(unchecked) var inputs: [Input]
  @exclusivity(unchecked) var output: TensorData?  // where the rule keeps it
  let shape: Dims
  let dtype: DType
  /// Set when `backward` gave up the tensors that the rule needs.
  var isReleased = false
  /// Set by `unchain`: gradients stop here.
  var isUnchained = false

  /// What leaves have and other nodes only when a user asks: gradient, hooks, name, where the op was called.
  struct Attachments {
    var grad: Tensor?
    var retainsGrad = false
    var name: String?
    var callSite: CallSite?
    var hooks: [(id: Int, body: (Tensor) -> Tensor?)] = []
    var nextHook = 0

    /// Takes the gradient away; where there is none, leaves `sum` in its place.
    mutating func exchange(_ sum: Tensor) -> Tensor? {
      defer { grad = grad == nil ? sum : nil }
      return grad
    }
  }
  private final class Box: @unchecked Sendable { var attachments = Attachments() }
  /// Guarded by one lock for all nodes, since leaves are shared between threads; made at the first write, since most nodes never have any.
  @exclusivity(unchecked) private var box: Box?
  /// Spares most nodes the lock.
  private let hasBox = Atomic<Bool>(false)
  private static let lock = Locked(())

  /// Changes the attachments.
  func attach<R>(_ body: (inout Attachments) -> R) -> R {
    Self.lock.withLock { _ in
      if box == nil {
        box = Box()
        hasBox.store(true, ordering: .releasing)
      }
      return body(&box!.attachments)
    }
  }

  /// The attachments, nil where there are none.
  var attachments: Attachments? { attached { $0 } }
  // One of them at a time, without a copy of the others.
  var hooks: [(id: Int, body: (Tensor) -> Tensor?)]? { attached { $0.hooks } }
  var retainsGrad: Bool { attached { $0.retainsGrad } ?? false }

  private func attached<R>(_ read: (Attachments) -> R) -> R? {
    guard hasBox.load(ordering: .acquiring) else { return nil }
    return Self.lock.withLock { _ in read(box!.attachments) }
  }

  private static let counter = Atomic<UInt64>(0)

  /// The id of the youngest node so far.
  static var youngest: UInt64 { counter.load(ordering: .relaxed) }

  init(_ operation: OperationName, _ rule: Rule, _ inputs: [Input], output: TensorData) {
    id = Self.counter.add(1, ordering: .relaxed).newValue
    self.operation = operation
    self.rule = rule
    self.inputs = inputs
    self.output = rule.keepsOutput ? output : nil
    shape = output.shape
    dtype = output.dtype
    if _slowPath(Context.hasOpenScopes), let scope = Context.mode.anomaly { attach { $0.callSite = scope.callSite } }
  }

  /// A leaf.
  init(leaf data: TensorData) {
    id = Self.counter.add(1, ordering: .relaxed).newValue
    operation = .leaf
    rule = .zero
    inputs = []
    shape = data.shape
    dtype = data.dtype
  }

  var isLeaf: Bool {
    if case .leaf = operation { return true }
    return false
  }

  /// A chain of ops is a linked list; releasing it node by node from inside `deinit` would need a stack frame per op, so nodes that
  /// nobody else holds are taken apart here, one after the other.
  deinit {
    guard inputs.contains(where: { $0.node != nil }) else { return }
    var doomed: [Node] = []
    Self.takeNodes(from: &inputs, into: &doomed)
    while var node = doomed.popLast() {
      if isKnownUniquelyReferenced(&node) { Self.takeNodes(from: &node.inputs, into: &doomed) }
    }
  }

  private static func takeNodes(from inputs: inout [Input], into nodes: inout [Node]) {
    for i in inputs.indices {
      if let node = inputs[i].node {
        inputs[i].node = nil
        nodes.append(node)
      }
    }
  }
}

// MARK: - Recording

/// The result of an op with one input, with its place in the graph where a gradient is wanted.
@inline(__always)
package func recorded(_ y: TensorData, _ operation: OperationName, _ rule: @autoclosure () -> Rule, _ x: Tensor) -> Tensor {
  if _slowPath(Context.hasOpenScopes), hasAnomaly(y, operation, [x]) { return .invalid }
  guard x.node != nil, y.isValid, y.dtype.isFloatingPoint, Context.mode.isGradEnabled else { return Tensor(y) }
  let rule = rule()
  return Tensor(y, Node(operation, rule, [Node.Input(x, keep: rule.keepsInputs)], output: y))
}

/// The same for two inputs.
@inline(__always)
package func recorded(_ y: TensorData, _ operation: OperationName, _ rule: @autoclosure () -> Rule, _ a: Tensor, _ b: Tensor)
  -> Tensor
{
  if _slowPath(Context.hasOpenScopes), hasAnomaly(y, operation, [a, b]) { return .invalid }
  guard a.node != nil || b.node != nil, y.isValid, y.dtype.isFloatingPoint, Context.mode.isGradEnabled else { return Tensor(y) }
  let rule = rule()
  let keep = rule.keepsInputs
  return Tensor(y, Node(operation, rule, [Node.Input(a, keep: keep), Node.Input(b, keep: keep)], output: y))
}

/// The same for any number of inputs.
package func recorded(_ y: TensorData, _ operation: OperationName, _ rule: @autoclosure () -> Rule, _ inputs: [Tensor]) -> Tensor
{
  if _slowPath(Context.hasOpenScopes), hasAnomaly(y, operation, inputs) { return .invalid }
  guard y.isValid, y.dtype.isFloatingPoint, inputs.contains(where: { $0.node != nil }), Context.mode.isGradEnabled else {
    return Tensor(y)
  }
  let rule = rule()
  return Tensor(y, Node(operation, rule, inputs.map { Node.Input($0, keep: rule.keepsInputs) }, output: y))
}
