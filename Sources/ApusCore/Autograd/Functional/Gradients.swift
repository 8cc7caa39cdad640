// Derivatives of functions at a point, as opposed to those of tensors that have been computed: nobody's `grad` is touched, and the
// inputs need not require a gradient.

/// The value of `function` at `x`, a single number, and its gradient there.
///
/// ```swift
/// let (loss, gradient) = valueAndGrad(at: w) { w in mseLoss(x.matmul(w), y) }
/// ```
///
/// - Parameters:
///   - x: floating-point, any shape.
///   - createGraph: record the derivative, so that it can be differentiated again: by `x`, if that requires a gradient, and by what
///     `function` captures. Otherwise value and gradient come without history.
///   - function: tensor in, tensor of one element out.
/// - Returns: the value, and the gradient in shape and dtype of `x`: zeros where the value doesn't depend on it.
/// - Complexity: a forward and a backward pass.
public func valueAndGrad(at x: Tensor, createGraph: Bool = false, _ function: (Tensor) -> Tensor) -> (
  value: Tensor, gradient: Tensor
) {
  let (value, gradients) = valueAndGrad(at: [x], createGraph: createGraph) { function($0[0]) }
  return (value, gradients[0])
}

/// The value of a function of several tensors at `xs`, a single number, and its gradient by each.
public func valueAndGrad(at xs: [Tensor], createGraph: Bool = false, _ function: ([Tensor]) -> Tensor) -> (
  value: Tensor, gradients: [Tensor]
) {
  let point = Point(xs, createGraph, "valueAndGrad")
  let y = point.value { [function($0)] }[0]
  guard
    check(
      y.count == 1 || !y.isValid, .autograd, "valueAndGrad",
      "the function returns shape \(y.shape); only a single element has a gradient, see jacobian")
  else { return (.invalid, xs.map { _ in .invalid }) }
  let gradients = point.pullBack([Tensor.onesLike(y.detach())], from: [y])
  return (point.result(y), gradients)
}

/// The gradient of `function` at `x`: `valueAndGrad` without the value.
public func grad(at x: Tensor, createGraph: Bool = false, _ function: (Tensor) -> Tensor) -> Tensor {
  valueAndGrad(at: x, createGraph: createGraph, function).gradient
}

/// The gradients of a function of several tensors at `xs`: `valueAndGrad` without the value.
public func grad(at xs: [Tensor], createGraph: Bool = false, _ function: ([Tensor]) -> Tensor) -> [Tensor] {
  valueAndGrad(at: xs, createGraph: createGraph, function).gradients
}

/// The inputs of a function that is to be differentiated, as nodes of their own.
struct Point {
  let inputs: [Tensor]
  let createGraph: Bool
  let operation: String

  init(_ xs: [Tensor], _ createGraph: Bool, _ operation: String) {
    self.createGraph = createGraph
    self.operation = operation
    inputs = xs.enumerated().map { i, x in
      guard x.isValid,
        check(x.dtype.isFloatingPoint, .dtype, operation, "input \(i) is \(x.dtype); only floating-point tensors have gradients")
      else { return .invalid }
      return x.asVariable(createGraph)
    }
  }

  /// The function's values, with their graph.
  func value(_ function: ([Tensor]) -> [Tensor]) -> [Tensor] { enableGrad { function(inputs) } }

  /// vᵀJ: for each input the sum of dL/d(input) over the outputs, whose own gradients are `vs`; zeros where there is no way.
  ///
  /// - Parameter last: whether the graph of the outputs is not needed any more.
  func pullBack(_ vs: [Tensor], from ys: [Tensor], last: Bool = true, createGraph: Bool? = nil) -> [Tensor] {
    let createGraph = createGraph ?? self.createGraph
    guard (inputs + ys + vs).allSatisfy(\.isValid) else { return inputs.map { _ in .invalid } }
    return gradients(of: ys, vs, by: inputs, createGraph: createGraph, retainGraph: createGraph || !last).enumerated().map {
      $1 ?? Tensor.zerosLike(inputs[$0].detach())
    }
  }

  /// A value to be handed out.
  func result(_ y: Tensor) -> Tensor { createGraph ? y : y.detach() }
}

extension Tensor {
  /// The same numbers as a new node: with a way back to this tensor's history where it is to be kept, otherwise a leaf.
  func asVariable(_ keepsHistory: Bool) -> Tensor {
    if keepsHistory, node != nil { return enableGrad { recorded(data, .named("variable"), .linear { dy in [dy] }, self) } }
    var leaf = detach()
    leaf.requiresGrad = true
    return leaf
  }
}

/// Gradients of several tensors together, which start from `vs`; nil where an x is not reached.
func gradients(of ys: [Tensor], _ vs: [Tensor], by xs: [Tensor], createGraph: Bool, retainGraph: Bool) -> [Tensor?] {
  gradients(of: ys, vs, by: xs.map { $0.node! }, createGraph: createGraph, retainGraph: retainGraph)
}

/// The same by nodes.
///
/// - Parameter endsAtTargets: whether the targets count as independent of each other.
func gradients(
  of ys: [Tensor], _ vs: [Tensor], by targets: [Node], createGraph: Bool, retainGraph: Bool, endsAtTargets: Bool = false,
  anomaly: AnomalyScope? = Context.mode.anomaly
) -> [Tensor?] {
  var pass = BackwardPass(
    createGraph: createGraph, retainGraph: retainGraph, targets: targets, endsAtTargets: endsAtTargets)
  pass.anomaly = anomaly
  pass.restrict(from: ys.compactMap(\.node))
  for (y, v) in zip(ys, vs) {
    if let node = y.node { pass.add(v.to(y.dtype), to: node) }
  }
  pass.run()
  return targets.map { pass.found[ObjectIdentifier($0)] }
}
