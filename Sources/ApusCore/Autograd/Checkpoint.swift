/// Computes `body(x)` without keeping what its gradients need; the backward pass computes it again.
///
/// For blocks whose activations don't fit in memory: a chain of n blocks keeps n inputs instead of all that is inside of them.
///
/// ```swift
/// for block in blocks { x = checkpoint(x) { block($0) } }
/// ```
///
/// Gradients flow to `x` and to everything that `body` captures (parameters, other tensors), to the same bits and to any order. Scopes
/// nest. With the second run everything happens twice that `body` does beside computing: running statistics move on twice.
///
/// - Parameters:
///   - x: the input of the part, any shape.
///   - generators: the streams of random numbers that `body` draws from; the second run draws the same, so dropout repeats itself.
///   - body: tensor in, tensor out; the same for the same input and random numbers. What it captures must not change until the backward
///     pass is over.
/// - Returns: `body(x)`.
/// - Complexity: one more forward pass in the backward pass.
public func checkpoint(_ x: Tensor, preserving generators: [Generator] = [.default], _ body: @escaping (Tensor) -> Tensor)
  -> Tensor
{
  checkpoint([x], preserving: generators) { [body($0[0])] }.first ?? .invalid
}

/// The same for several inputs and results.
public func checkpoint(
  _ xs: [Tensor], preserving generators: [Generator] = [.default], _ body: @escaping ([Tensor]) -> [Tensor]
) -> [Tensor] {
  guard xs.allSatisfy(\.isValid) else { return [.invalid] }
  guard isGradEnabled else { return body(xs) }
  let segment = Segment(body: body, generators: generators.map { ($0, $0.state) }, mode: Context.mode)
  return segment.apply(xs)
}

/// A part of the graph that is computed again when its gradients are asked for.
private struct Segment {
  let body: ([Tensor]) -> [Tensor]
  let generators: [(generator: Generator, state: Generator.State)]
  let mode: Mode

  /// The results, with one node behind them in place of all that `body` recorded.
  ///
  /// The first run records its graph too, for as long as it lasts: the nodes from outside that the graph ends in are what gradients must
  /// be handed to. That costs no memory at the peak, since the second run has all of this graph as well.
  func apply(_ xs: [Tensor]) -> [Tensor] {
    let start = Node.youngest
    let variables = xs.map { $0.node == nil ? $0 : $0.asVariable(false) }
    let ys = body(variables)
    let recordedOnes = ys.indices.filter { ys[$0].node != nil }
    guard !recordedOnes.isEmpty, ys.allSatisfy(\.isValid) else { return ys }
    let captured = Self.outerNodes(of: ys, olderThan: start)
    var results = ys.map { $0.detach() }
    let outputs = recordedOnes.map { results[$0] }
    for (i, y) in zip(recordedOnes, attach(outputs, recordedOnes, xs, captured)) { results[i] = y }
    return results
  }

  /// The nodes that were there before, at which the graph of `ys` ends.
  private static func outerNodes(of ys: [Tensor], olderThan start: UInt64) -> [Node] {
    var seen = Set<ObjectIdentifier>()
    var outer: [Node] = []
    var stack = ys.compactMap(\.node)
    while let node = stack.popLast() {
      guard seen.insert(ObjectIdentifier(node)).inserted else { continue }
      if node.id <= start { outer.append(node) } else { stack.append(contentsOf: node.inputs.compactMap(\.node)) }
    }
    return outer.sorted { $0.id < $1.id }
  }

  private func attach(_ ys: [Tensor], _ indices: [Int], _ xs: [Tensor], _ captured: [Node]) -> [Tensor] {
    let inputs = xs.map { Node.Input($0, keep: true) } + captured.map { Node.Input($0) }
    let gradients = { (dys: [Tensor?], inputs: Inputs) in self.gradients(dys, indices, inputs, xs.count, captured) }
    if ys.count == 1 {
      let rule = Rule.fromInputs { dy, inputs in gradients([dy], inputs) }
      return [Tensor(ys[0].data, Node(.named("checkpoint"), rule, inputs, output: ys[0].data))]
    }
    // A node has one output. So each result has a node of its own that puts its gradient aside, and the one behind them, older and so
    // later in the pass, takes them all.
    let aside = Locked([Tensor?](repeating: nil, count: ys.count))
    let joint = Tensor.zeros([])
    let rule = Rule.fromInputs { _, inputs in
      let dys = aside.withLock { dys in
        defer { for i in dys.indices { dys[i] = nil } }
        return dys
      }
      return gradients(dys, inputs)
    }
    let behind = Tensor(joint.data, Node(.named("checkpoint"), rule, inputs, output: joint.data))
    return ys.enumerated().map { i, y in
      let rule = Rule.linear { dy in
        aside.withLock { $0[i] = dy }
        return [Tensor.zeros([])]
      }
      return Tensor(y.data, Node(.named("checkpoint"), rule, [Node.Input(behind, keep: false)], output: y.data))
    }
  }

  /// Runs `body` again, and back.
  private func gradients(_ dys: [Tensor?], _ indices: [Int], _ inputs: Inputs, _ count: Int, _ captured: [Node]) -> [Tensor?] {
    let createGraph = isGradEnabled
    let variables = (0..<count).map { inputs.needs($0) ? inputs[$0].asVariable(createGraph) : inputs[$0].detach() }
    let all = again(variables)
    let ys = indices.filter { $0 < all.count }.map { all[$0] }
    guard ys.allSatisfy(\.isValid), areAsBefore(ys, dys) else { return [Tensor?](repeating: nil, count: inputs.count) }
    let given = ys.indices.filter { dys[$0] != nil }
    let targets = variables.compactMap(\.node) + captured
    var found = ApusCore.gradients(
      of: given.map { ys[$0] }, given.map { dys[$0]! }, by: targets, createGraph: createGraph, retainGraph: createGraph,
      endsAtTargets: true, anomaly: mode.anomaly)[...]
    let ofInputs = variables.map { $0.node == nil ? nil : found.popFirst()! }
    return ofInputs + Array(found)
  }

  private func areAsBefore(_ ys: [Tensor], _ dys: [Tensor?]) -> Bool {
    check(ys.count == dys.count, .autograd, "checkpoint", "the body returned fewer tensors when it was run again")
      && zip(ys, dys).allSatisfy { y, dy in
        check(
          dy == nil || dy!.shape == y.shape, .autograd, "checkpoint",
          "the body returned shape \(dy?.shape ?? []) first and \(y.shape) when it was run again")
      }
  }

  /// The second run: the modes and random numbers of the first.
  private func again(_ xs: [Tensor]) -> [Tensor] {
    let present = generators.map(\.generator.state)
    for (generator, state) in generators { generator.state = state }
    defer { for (i, entry) in generators.enumerated() { entry.generator.state = present[i] } }
    var mode = Context.mode
    mode.isGradEnabled = true
    mode.anomaly = self.mode.anomaly
    mode.autocast = self.mode.autocast.map { AutocastScope(dtype: $0.dtype) }
    return Context.withScope(mode) { body(xs) }
  }
}
