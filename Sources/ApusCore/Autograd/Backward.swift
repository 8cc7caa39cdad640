extension Tensor {
  /// Computes the gradient of this tensor with respect to every leaf that it was made from and adds it to their `grad`.
  ///
  /// - Parameters:
  ///   - gradient: dL/d(self) to start from, of this tensor's shape; may be left out for a single element, where it is 1.
  ///   - retainGraph: keep what the ops remembered, so that another pass can go through the same graph. By default it is given up on the
  ///     way, which is what keeps the memory of a training step small.
  ///   - createGraph: record the pass itself, so that gradients can be differentiated again; keeps the graph too.
  /// - Complexity: as the forward ops, within a small factor.
  public func backward(_ gradient: Tensor? = nil, retainGraph: Bool? = nil, createGraph: Bool = false) {
    guard isValid, gradient?.isValid ?? true else { return }
    guard let seed = seedGradient(gradient, "backward") else { return }
    var pass = BackwardPass(createGraph: createGraph, retainGraph: retainGraph ?? createGraph)
    pass.add(seed, to: node!)
    pass.run()
  }

  /// What most passes start from.
  private static let one = Tensor.ones([])

  /// Checks the gradient that a pass starts from, or makes it.
  func seedGradient(_ gradient: Tensor?, _ operation: String) -> Tensor? {
    guard
      check(node != nil, .autograd, operation, "the tensor does not require a gradient: no leaf that does was used to make it")
    else { return nil }
    guard let gradient else {
      guard
        check(
          count == 1, .autograd, operation,
          "a tensor of shape \(shape) needs the gradient to start from; only a single element has 1")
      else { return nil }
      return rank == 0 && dtype == .float32 ? Self.one : Tensor.ones(shape, dtype: dtype)
    }
    guard check(gradient.shape == shape, .shape, operation, "gradient of shape \(gradient.shape) for a tensor of shape \(shape)")
    else { return nil }
    return gradient.to(dtype)
  }
}

/// The gradient of `y` with respect to each of `xs`, without touching anybody's `grad`.
///
/// - Parameters:
///   - y: what to differentiate; more than one element needs `gradient`.
///   - xs: leaves or results of ops on the way to `y`. One that `y` does not depend on has a gradient of zeros.
///   - gradient: dL/dy to start from.
///   - createGraph: record the pass, so that the result can be differentiated again.
///   - retainGraph: keep the graph for another pass; by default only with `createGraph`.
/// - Returns: for each x a tensor of its shape and dtype.
public func grad(
  of y: Tensor, withRespectTo xs: [Tensor], gradient: Tensor? = nil, createGraph: Bool = false, retainGraph: Bool? = nil
) -> [Tensor] {
  let invalid = xs.map { _ in Tensor.invalid }
  guard y.isValid, xs.allSatisfy(\.isValid), gradient?.isValid ?? true else { return invalid }
  guard let seed = y.seedGradient(gradient, "grad") else { return invalid }
  for (i, x) in xs.enumerated() {
    guard check(x.node != nil, .autograd, "grad", "tensor \(i) to differentiate by does not require a gradient") else {
      return invalid
    }
  }
  var pass = BackwardPass(createGraph: createGraph, retainGraph: retainGraph ?? createGraph, targets: xs.map { $0.node! })
  pass.restrict(from: [y.node!])
  pass.add(seed, to: y.node!)
  pass.run()
  return xs.map { x in pass.found[ObjectIdentifier(x.node!)] ?? Tensor.zerosLike(x) }
}

/// One walk back through the graph, in decreasing order of node ids, with an explicit queue instead of recursion.
struct BackwardPass {
  let createGraph: Bool
  let retainGraph: Bool
  /// With targets: collect their gradients in `found`; without: in the `grad` of the leaves.
  private let targets: Set<ObjectIdentifier>?
  private(set) var found: [ObjectIdentifier: Tensor] = [:]
  /// With targets: whether they count as independent of each other, so that the pass ends at each.
  private let endsAtTargets: Bool
  /// With targets: the nodes that lie on a way to one.
  private var onTheWay: Set<ObjectIdentifier>?

  /// Where the pass was started inside `detectAnomaly`.
  var anomaly = Context.mode.anomaly

  private var queue = NodeQueue()
  private var pending = PendingGradients()

  init(createGraph: Bool, retainGraph: Bool, targets: [Node]? = nil, endsAtTargets: Bool = false) {
    self.createGraph = createGraph
    self.retainGraph = retainGraph
    self.endsAtTargets = endsAtTargets
    self.targets = targets.map { Set($0.map { ObjectIdentifier($0) }) }
  }

  /// Adds a contribution to the gradient of `node`'s tensor.
  mutating func add(_ gradient: Tensor, to node: Node) {
    if var sum = pending.take(node.id) {
      // In place, unless one of them is only noted down: then the sum becomes a part of that chain.
      let isNoted = !sum.data.storage.isComputed || !gradient.data.storage.isComputed
      if createGraph || isNoted { sum = sum + gradient } else { sum += gradient }
      pending.put(sum, node.id)
    } else {
      pending.put(gradient, node.id)
      queue.insert(node)
    }
  }

  /// Walks the graph. The pass has a mode of its own: rules run in the dtypes that they get, and are looked at as a whole.
  mutating func run() {
    var mode = Context.mode
    if mode.isGradEnabled == createGraph, mode.anomaly == nil, mode.autocast == nil, mode.profile == nil { return walk() }
    (mode.isGradEnabled, mode.anomaly, mode.autocast) = (createGraph, nil, nil)
    Context.$mode.withValue(mode) { Profiler.span("backward") { walk() } }
  }

  private mutating func walk() {
    while let node = queue.popYoungest() {
      guard var gradient = pending.take(node.id), gradient.isValid else { continue }
      // Where the pass ends somebody else's goes on, and calls the hooks.
      if !ends(at: node) { gradient = runHooks(of: node, gradient) }
      keep(gradient, at: node)
      if !node.isLeaf { passBack(gradient, through: node) }
    }
  }

  private func runHooks(of node: Node, _ gradient: Tensor) -> Tensor {
    guard let hooks = node.hooks, !hooks.isEmpty else { return gradient }
    var gradient = gradient
    for hook in hooks {
      guard let replacement = hook.body(gradient) else { continue }
      guard
        check(
          replacement.shape == gradient.shape || !replacement.isValid, .shape, "gradient hook",
          "returned shape \(replacement.shape) for a gradient of shape \(gradient.shape)")
      else { continue }
      gradient = replacement
    }
    return gradient
  }

  private mutating func keep(_ gradient: Tensor, at node: Node) {
    if let targets {
      if targets.contains(ObjectIdentifier(node)) { found[ObjectIdentifier(node)] = gradient }
      return
    }
    guard node.isLeaf || node.retainsGrad else { return }
    // The sum is made outside the lock: take what is there, add, and put it back, again if somebody else was quicker.
    var sum = gradient
    while var before = node.attach({ $0.exchange(sum) }) {
      if createGraph { sum = before + sum } else { before += sum; sum = before }
    }
  }

  private mutating func passBack(_ gradient: Tensor, through node: Node) {
    guard !node.isUnchained, !ends(at: node) else { return }
    guard
      check(
        !node.isReleased, .autograd, "backward",
        "the graph of '\(node.operation.text)' was given up by an earlier pass; pass retainGraph: true to that one")
    else { return }
    guard node.inputs.contains(where: { $0.isWanted(onTheWay) }) else { return }
    let gradients = evaluate(node, gradient)
    if let anomaly, anomaly.hasAnomaly(gradients, of: node, from: gradient) { return }
    for i in node.inputs.indices where node.inputs[i].isWanted(onTheWay) {
      guard let inputGradient = gradients[i], let inputNode = node.inputs[i].node else { continue }
      add(inputGradient.sum(to: node.inputs[i].shape).to(node.inputs[i].dtype), to: inputNode)
    }
    if !retainGraph { release(node) }
  }

  private func evaluate(_ node: Node, _ dy: Tensor) -> [Tensor?] {
    switch node.rule {
    case .zero: node.inputs.map { Tensor.zeros(Shape(dims: $0.shape), dtype: $0.dtype) }
    case .linear(let rule): rule(dy)
    case .fromOutput(let rule): rule(dy, output(of: node))
    case .fromInputs(let rule): rule(dy, inputs(of: node))
    case .fromBoth(let rule): rule(dy, output(of: node), inputs(of: node))
    }
  }

  private func output(of node: Node) -> Tensor { Tensor(node.output!, createGraph ? node : nil) }

  private func inputs(of node: Node) -> Inputs { Inputs(node: node, createGraph: createGraph, onTheWay: onTheWay) }

  /// Gives up what only this pass needed. Links to other nodes stay, so a second pass can say what is wrong.
  private func release(_ node: Node) {
    if case .linear = node.rule { return }
    if case .zero = node.rule { return }
    node.isReleased = true
    node.output = nil
    for i in node.inputs.indices { node.inputs[i].data = nil }
  }

  private func ends(at node: Node) -> Bool { endsAtTargets && targets?.contains(ObjectIdentifier(node)) == true }

  /// Finds the nodes between `roots` and the targets, so that nothing else is computed.
  mutating func restrict(from roots: [Node]) {
    guard let targets else { return }
    var reaches: [ObjectIdentifier: Bool] = [:]
    var stack = roots.map { (node: $0, isDone: false) }
    while let (node, isDone) = stack.popLast() {
      let id = ObjectIdentifier(node)
      if isDone {
        reaches[id] =
          targets.contains(id) || node.inputs.contains { $0.node.map { reaches[ObjectIdentifier($0)] == true } ?? false }
      } else if reaches[id] == nil {
        reaches[id] = targets.contains(id)
        stack.append((node, true))
        if ends(at: node) { continue }
        for input in node.inputs {
          if let next = input.node, reaches[ObjectIdentifier(next)] == nil { stack.append((next, false)) }
        }
      }
    }
    onTheWay = Set(reaches.filter(\.value).keys)
  }
}

/// A binary heap that gives back the node with the highest id.
private struct NodeQueue {
  private var heap: [Node] = []

  init() { heap.reserveCapacity(16) }

  mutating func insert(_ node: Node) {
    var i = heap.count
    heap.append(node)
    while i > 0, heap[(i - 1) / 2].id < heap[i].id {
      heap.swapAt(i, (i - 1) / 2)
      i = (i - 1) / 2
    }
  }

  mutating func popYoungest() -> Node? {
    guard let last = heap.popLast() else { return nil }
    guard let top = heap.first else { return last }
    heap[0] = last
    var i = 0
    while true {
      let (left, right) = (2 * i + 1, 2 * i + 2)
      var largest = i
      if left < heap.count, heap[left].id > heap[largest].id { largest = left }
      if right < heap.count, heap[right].id > heap[largest].id { largest = right }
      if largest == i { return top }
      heap.swapAt(i, largest)
      i = largest
    }
  }
}
