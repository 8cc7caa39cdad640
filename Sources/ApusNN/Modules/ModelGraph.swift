import ApusCore

/// What flows where in a model: its layers, the ops between them, and the shapes on the way, as one run of it showed them.
///
/// ```swift
/// let graph = ModelGraph(of: model, input: Tensor.zeros([2, 3, 32, 32]))
/// print(graph.dot(title: "my network"))
/// ```
///
/// A module without children, or with parameters of its own, is one node; what other modules do between the calls of their children
/// (a residual addition, say) is a node for each op.
public struct ModelGraph: Sendable {
  /// What a node is.
  public enum Kind: String, Sendable { case input, layer, operation, output }

  /// A layer, an op, the input or the output.
  public struct Node: Sendable {
    public let kind: Kind
    /// The layer's path, as `namedModules` has it; of others empty.
    public let path: String
    /// The layer's type, or the op's name.
    public let name: String
    /// What the layer's constructor took.
    public let arguments: String
    /// Of what it gives.
    public let shape: Shape
    /// Of the layer.
    public let parameterCount: Int
  }

  /// From one node to another.
  public struct Edge: Hashable, Sendable {
    /// Positions among `nodes`.
    public let from: Int
    public let to: Int
  }

  /// In the order in which they run.
  public let nodes: [Node]
  public let edges: [Edge]
  /// The size of the input's first axis, which stands for any.
  public let batchSize: Int?

  /// Runs `model` on `input` in training mode, so that everything that training does is seen; buffers, modes and the default generator are
  /// as before when it ends.
  public init(of model: any Layer, input: Tensor) {
    let log = ModuleCallLog(of: model)
    let state = ModelState(of: model)
    var x = input.detach()
    if x.dtype.isFloatingPoint { x.requiresGrad = true }
    let y = enableGrad { model(x) }
    log.stop()
    state.restore()
    var builder = Builder(log, model, input: x)
    builder.add(GraphOutline(of: y), output: y)
    (nodes, edges) = (builder.nodes, builder.edges.sorted { ($0.from, $0.to) < ($1.from, $1.to) })
    batchSize = input.rank > 0 ? input.shape[0] : nil
  }

  /// A shape in which the batch's size is `N`: `[N, 32, 14, 14]`.
  public func text(of shape: Shape) -> String {
    guard let batchSize, shape.rank > 0, shape[0] == batchSize else { return "\(shape)" }
    return "[" + (["N"] + shape.dropFirst().map { "\($0)" }).joined(separator: ", ") + "]"
  }
}

// MARK: - Making one

/// What a run on the side must leave as it was.
private struct ModelState {
  private let modes: [(Module, Bool)]
  private let buffers: [(any Slot, Tensor)]
  private let generator = Generator.default.state

  init(of model: Module) {
    modes = model.modules().map { ($0, $0.isTraining) }
    buffers = model.namedSlots().map(\.slot).filter { !$0.isParameter }.compactMap { slot in slot.tensor.map { (slot, $0) } }
    model.train()
  }

  func restore() {
    for (module, isTraining) in modes { module.isTraining = isTraining }
    for (slot, tensor) in buffers { slot.tensor = tensor }
    Generator.default.state = generator
  }
}

/// Hears when the modules that are nodes begin and end.
private final class ModuleCallLog {
  struct Call {
    let module: Module
    let inputs: [Tensor]
    /// The last op before it.
    let start: UInt64
    var end: UInt64
    var outputs: [Tensor] = []
  }
  private(set) var calls: [Call] = []
  private var open: [Int] = []
  private var hooks: [ModuleHook] = []

  init(of model: Module) {
    for module in model.modules() where Self.isNode(module) && (module !== model || model.children.isEmpty) {
      hooks.append(
        module.registerForwardPreHook { [unowned self] module, inputs in
          open.append(calls.count)
          calls.append(Call(module: module, inputs: inputs, start: GraphOutline.youngest, end: .max))
          return nil
        })
      hooks.append(
        module.registerForwardHook { [unowned self] _, _, outputs in
          if let i = open.popLast() { (calls[i].end, calls[i].outputs) = (GraphOutline.youngest, outputs) }
          return nil
        })
    }
  }

  /// Whether what happens inside is nobody's business.
  private static func isNode(_ module: Module) -> Bool {
    module.children.isEmpty || module.namedSlots().contains { !$0.name.contains(".") && $0.slot.isParameter }
  }

  func stop() { for hook in hooks { hook.remove() } }

  /// The outermost call that op `id` was made in.
  func call(of id: UInt64) -> Int? { calls.firstIndex { $0.start < id && id <= $0.end } }
}

private struct Builder {
  private(set) var nodes: [ModelGraph.Node] = []
  private(set) var edges = Set<ModelGraph.Edge>()
  private let log: ModuleCallLog
  private let input: Tensor
  private let paths: [ObjectIdentifier: String]
  /// The node that each op belongs to, and that of each call.
  private var nodeOfOp: [UInt64: Int] = [:]
  private var nodeOfCall: [Int: Int] = [:]

  init(_ log: ModuleCallLog, _ model: Module, input: Tensor) {
    (self.log, self.input) = (log, input)
    paths = Dictionary(model.namedModules().map { (ObjectIdentifier($0.module), $0.name) }) { first, _ in first }
    nodes = [Self.node(.input, "input", input.shape)]
  }

  private static func node(_ kind: ModelGraph.Kind, _ name: String, _ shape: Shape) -> ModelGraph.Node {
    .init(kind: kind, path: "", name: name, arguments: "", shape: shape, parameterCount: 0)
  }

  mutating func add(_ graph: GraphOutline, output: Tensor) {
    let source = GraphOutline.id(of: input)
    for entry in graph.entries {
      if entry.id == source {
        nodeOfOp[entry.id] = 0
      } else if !entry.isLeaf {
        let place = place(of: entry)
        nodeOfOp[entry.id] = place
        for id in entry.inputs {
          if let from = nodeOfOp[id], from != place { edges.insert(.init(from: from, to: place)) }
        }
      }
    }
    let last = nodes.count - 1
    nodes.append(Self.node(.output, "output", output.shape))
    edges.insert(.init(from: GraphOutline.id(of: output).flatMap { nodeOfOp[$0] } ?? last, to: nodes.count - 1))
  }

  /// The node of an op: that of the call it was made in, or one of its own.
  private mutating func place(of entry: GraphOutline.Entry) -> Int {
    guard let call = log.call(of: entry.id) else {
      nodes.append(Self.node(.operation, entry.operation, entry.shape))
      return nodes.count - 1
    }
    if let place = nodeOfCall[call] { return place }
    let (module, inputs) = (log.calls[call].module, log.calls[call].inputs)
    nodes.append(
      .init(
        kind: .layer, path: paths[ObjectIdentifier(module)] ?? "", name: module.kind, arguments: module.arguments,
        shape: log.calls[call].outputs.first?.shape ?? entry.shape, parameterCount: module.parameterCount))
    nodeOfCall[call] = nodes.count - 1
    // Indices have no gradient, so no history: they are known by their memory.
    if inputs.contains(where: { GraphOutline.id(of: $0) == nil && $0.data.storage === input.data.storage }) {
      edges.insert(.init(from: 0, to: nodes.count - 1))
    }
    return nodes.count - 1
  }
}

// MARK: - As text

extension ModelGraph {
  /// The graph in the DOT language: `dot -Tsvg` draws it, and so do many viewers.
  public func dot(title: String = "model") -> String {
    var lines = [
      "digraph \"\(dotEscaped(title))\" {", "  node [fontname=\"Helvetica\", shape=box, style=rounded];",
      "  edge [fontname=\"Helvetica\", fontsize=10];",
    ]
    for (i, node) in nodes.enumerated() {
      lines.append("  n\(i) [label=\"\(dotEscaped(label(node).joined(separator: "\n")))\"\(Self.look(node.kind))];")
    }
    for edge in edges {
      lines.append("  n\(edge.from) -> n\(edge.to) [label=\"\(dotEscaped(text(of: nodes[edge.from].shape)))\"];")
    }
    return (lines + ["}", ""]).joined(separator: "\n")
  }

  /// What a picture says of a node, line by line.
  public func label(_ node: Node) -> [String] {
    let head = node.path.isEmpty ? node.name : "\(node.path): \(node.name)"
    let details = [node.arguments, node.parameterCount > 0 ? "\(grouped(node.parameterCount)) parameters" : ""]
    return [head] + details.filter { !$0.isEmpty }
  }

  private static func look(_ kind: Kind) -> String {
    switch kind {
    case .input, .output: ", shape=oval, style=bold"
    case .layer: ""
    case .operation: ", shape=oval"
    }
  }
}
