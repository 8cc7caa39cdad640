/// How an op's gradient is computed: the derivative of every input from that of the output, `dy`.
///
/// The form says what the graph keeps alive until then. Rules are written with tensor ops, so a gradient can be differentiated again.
/// A rule may return its gradients at the shape and dtype of the *output*: the engine sums each to its input's shape (undoing
/// broadcasting) and converts it to its input's dtype. A nil entry means that the input has no derivative.
public enum Rule {
  /// The derivative is 0 wherever it exists (`floor`).
  case zero
  /// Needs neither inputs nor output.
  case linear((_ dy: Tensor) -> [Tensor?])
  /// Needs the output: `tanh` is 1 − y².
  case fromOutput((_ dy: Tensor, _ y: Tensor) -> [Tensor?])
  /// Needs the inputs.
  case fromInputs((_ dy: Tensor, _ x: Inputs) -> [Tensor?])
  /// Needs both.
  case fromBoth((_ dy: Tensor, _ y: Tensor, _ x: Inputs) -> [Tensor?])

  var keepsInputs: Bool {
    switch self {
    case .zero, .linear, .fromOutput: false
    case .fromInputs, .fromBoth: true
    }
  }

  var keepsOutput: Bool {
    switch self {
    case .zero, .linear, .fromInputs: false
    case .fromOutput, .fromBoth: true
    }
  }
}

/// The inputs that a rule asked the graph to keep.
public struct Inputs {
  let node: Node
  /// Whether the pass is recorded, so that the inputs have to have their place in the graph.
  let createGraph: Bool
  /// The nodes that lie on a way to a target; nil where all count.
  let onTheWay: Set<ObjectIdentifier>?

  public var count: Int { node.inputs.count }

  /// The i-th input, as it was when the op ran.
  public subscript(i: Int) -> Tensor {
    node.inputs[i].data.map { Tensor($0, createGraph ? node.inputs[i].node : nil) } ?? .invalid
  }

  /// Whether somebody wants the gradient of the i-th input.
  public func needs(_ i: Int) -> Bool { node.inputs[i].isWanted(onTheWay) }

  /// The gradients of both inputs, each computed only where it is wanted.
  public func needed(_ first: @autoclosure () -> Tensor, _ second: @autoclosure () -> Tensor) -> [Tensor?] {
    [needs(0) ? first() : nil, needs(1) ? second() : nil]
  }
}
