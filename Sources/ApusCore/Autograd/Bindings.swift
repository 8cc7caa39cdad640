// What language bindings need from the graph and a Swift program doesn't.

extension Node {
  /// The name of the op that made it.
  package var operationText: String { operation.text }
}

/// The gradients of several tensors, taken together, with respect to `xs`; nil for an x that none of them depends on.
///
/// - Parameters:
///   - outputs: what to differentiate, each with the gradient to start from; nil for 1.
///   - xs: leaves or results of ops.
package func gradientsIfAny(
  of outputs: [(y: Tensor, gradient: Tensor?)], by xs: [Tensor], createGraph: Bool, retainGraph: Bool
) -> [Tensor?] {
  var seeds: [Tensor] = []
  for (y, gradient) in outputs {
    guard y.isValid, let seed = y.seedGradient(gradient, "grad") else { return [] }
    seeds.append(seed)
  }
  for (i, x) in xs.enumerated() {
    guard check(x.node != nil, .autograd, "grad", "tensor \(i) to differentiate by does not require a gradient") else {
      return []
    }
  }
  return gradients(
    of: outputs.map(\.y), seeds, by: xs.compactMap(\.node), createGraph: createGraph, retainGraph: retainGraph,
    endsAtTargets: false,
    anomaly: Context.mode.anomaly)
}

/// `ys` with one node behind them all, whose gradients `backward` computes: from the ys' gradients (nil where there is none), those of `xs`.
///
/// - Parameter name: of the op, for errors and pictures.
package func joined(
  _ ys: [Tensor], behind xs: [Tensor], name: String, _ backward: @escaping ([Tensor?]) -> [Tensor?]
) -> [Tensor] {
  guard ys.allSatisfy(\.isValid), xs.contains(where: \.requiresGrad), isGradEnabled else { return ys }
  let inputs = xs.map { Node.Input($0, keep: false) }
  func checked(_ gradients: [Tensor?]) -> [Tensor?] {
    let fits = check(
      gradients.count == xs.count, .autograd, name, "backward returned \(gradients.count) gradients for \(xs.count) inputs")
    guard fits else { return xs.map { _ in .invalid } }
    for (i, (gradient, x)) in zip(gradients, xs).enumerated() {
      guard let gradient, gradient.isValid, x.requiresGrad else { continue }
      guard
        check(
          Shape.broadcast(gradient.shape, x.shape) == gradient.shape, .shape, name,
          "backward returned a gradient of shape \(gradient.shape) for input \(i) of shape \(x.shape)")
      else { return xs.map { _ in .invalid } }
    }
    return gradients
  }
  if ys.count == 1 {
    guard ys[0].dtype.isFloatingPoint else { return ys }
    return [Tensor(ys[0].data, Node(.user(name), .linear { dy in checked(backward([dy])) }, inputs, output: ys[0].data))]
  }
  // As in `checkpoint`: each result puts its gradient aside, and the node behind them, older and so later in the pass, takes them all.
  let aside = Locked([Tensor?](repeating: nil, count: ys.count))
  let joint = Tensor.zeros([])
  let rule = Rule.linear { _ in
    let dys = aside.withLock { dys in
      defer { for i in dys.indices { dys[i] = nil } }
      return dys
    }
    return checked(backward(dys))
  }
  let behind = Node(.user(name), rule, inputs, output: joint.data)
  return ys.enumerated().map { i, y in
    guard y.dtype.isFloatingPoint else { return y }
    let rule = Rule.linear { dy in
      aside.withLock { $0[i] = dy }
      return [Tensor.zeros([])]
    }
    return Tensor(y.data, Node(.user(name), rule, [Node.Input(behind)], output: y.data))
  }
}
