import ApusCore

/// In training, sets each element to 0 with probability `p` and multiplies the others by 1 / (1 − p), so that the mean stays.
///
/// - Parameters:
///   - p: 0 … 1; with 1 nothing is left.
///   - isTraining: false for `x` itself.
///   - generator: where the choice comes from.
/// - Returns: shape and dtype of `x`. The gradient passes where the element did.
public func dropout(_ x: Tensor, p: Double = 0.5, isTraining: Bool = true, generator: Generator = .default) -> Tensor {
  guard isProbability(p, "dropout"), check(x.dtype.isFloatingPoint, .dtype, "dropout", "\(x.dtype) is not floating-point") else {
    return .invalid
  }
  guard x.isValid, isTraining, p > 0 else { return x }
  return dropped(x, p: p, choices: x.shape, generator)
}

/// `x` without what was chosen to go, by one choice for each element of a mask that broadcasts.
func dropped(_ x: Tensor, p: Double, choices: Shape, _ generator: Generator) -> Tensor {
  let scale: Double = p < 1 ? 1 / (1 - p) : 0
  return kept(x, where: Tensor.rand(choices, beside: x, generator: generator) .>= p, times: scale)
}

/// `x` times `scale` where the mask, which broadcasts, is true, and 0 elsewhere. For the gradient only the mask is read, a byte an element.
private func kept(_ x: Tensor, where mask: Tensor, times scale: Double) -> Tensor {
  recorded(
    noGrad { x * (mask.to(x.dtype) * scale) }.data, .named("dropout"),
    .fromInputs { dy, inputs in [kept(dy, where: inputs[1], times: scale), nil] }, x, mask)
}

func isProbability(_ p: Double, _ operation: String) -> Bool {
  check((0...1).contains(p), .value, operation, "p = \(p) is not in 0...1")
}

/// `dropout` while the module is training, its input otherwise.
public final class Dropout: Module, Layer {
  public let p: Double
  private let generator: Generator

  public init(_ p: Double = 0.5, generator: Generator = .default) {
    self.p = isProbability(p, "Dropout") ? p : 0
    self.generator = generator
  }

  public func forward(_ x: Tensor) -> Tensor { dropout(x, p: p, isTraining: isTraining, generator: generator) }

  /// Whether a call changes anything, or is looked at.
  package var isActive: Bool { isTraining && p > 0 || isIntercepted }

  public override var arguments: String { "p: \(p)" }
}
