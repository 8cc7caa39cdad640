/// An op with a gradient of its own: what a user adds, and what the fused ops inside Apus are.
///
/// ```swift
/// struct Cube: DifferentiableFunction {
///   func forward(_ x: [Tensor]) -> Tensor { x[0] * x[0] * x[0] }
///   var rule: Rule { .fromInputs { dy, x in [dy * 3 * x[0] * x[0]] } }
/// }
/// let y = Cube()(x)
/// ```
public protocol DifferentiableFunction {
  /// How errors and the graph's picture call it; the type's name unless given.
  var name: String { get }

  /// The result. Nothing in here is recorded; the inputs have no history.
  func forward(_ x: [Tensor]) -> Tensor

  /// dL/dx for every input. Written with tensor ops, it can be differentiated again.
  var rule: Rule { get }
}

extension DifferentiableFunction {
  public var name: String { "\(Self.self)" }

  /// Applies the function.
  public func callAsFunction(_ inputs: Tensor...) -> Tensor {
    guard inputs.allSatisfy(\.isValid) else { return .invalid }
    let y = noGrad { forward(inputs.map { $0.detach() }) }
    guard y.isValid else { return y }
    return recorded(y.data, .user(name), rule, inputs)
  }
}
