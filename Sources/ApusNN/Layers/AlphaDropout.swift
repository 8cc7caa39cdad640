import ApusCore

/// Dropout for networks of `selu`s: dropped elements become the value that `selu` has at −∞, and all are scaled and shifted so that mean 0
/// and variance 1 stay (Klambauer et al. 2017).
///
/// - Parameters:
///   - x: any shape, floating-point.
///   - p: probability of an element to be dropped, 0 … 1; with 1 the result is 0.
///   - isTraining: false for `x` itself.
///   - generator: where the choice comes from.
/// - Returns: shape and dtype of `x`.
public func alphaDropout(_ x: Tensor, p: Double = 0.5, isTraining: Bool = true, generator: Generator = .default) -> Tensor {
  guard isFloating(x, "alphaDropout"), isProbability(p, "alphaDropout") else { return .invalid }
  guard isTraining, p > 0 else { return x }
  return alphaDropped(x, p: p, choices: x.shape, generator)
}

/// `alphaDropout` of whole channels.
///
/// - Parameters:
///   - x: `[N, C, …]`, floating-point.
///   - p: probability of a channel to be dropped, 0 … 1; with 1 the result is 0.
///   - isTraining: false for `x` itself.
///   - generator: where the choice comes from.
/// - Returns: shape and dtype of `x`.
public func featureAlphaDropout(_ x: Tensor, p: Double = 0.5, isTraining: Bool = true, generator: Generator = .default)
  -> Tensor
{
  let name = "featureAlphaDropout"
  guard isFloating(x, name), isProbability(p, name),
    check(x.rank >= 2, .shape, name, "takes [N, C, …], not \(x.shape)")
  else { return .invalid }
  guard isTraining, p > 0 else { return x }
  return alphaDropped(x, p: p, choices: x.channelShape(hasBatch: true), generator)
}

/// For x with mean 0 and variance 1, y = x or −α has the mean −αp and the variance (1 − p)(1 + p α²).
private func alphaDropped(_ x: Tensor, p: Double, choices: Shape, _ generator: Generator) -> Tensor {
  guard p < 1 else { return x * 0.0 }
  let alpha = 1.7580993408473766  // scale · alpha of `selu`
  let scale: Double = 1 / ((1 - p) * (1 + p * alpha * alpha)).squareRoot()
  let isKept = Tensor.rand(choices, generator: generator) .>= p
  let (kept, gone): (Double, Double) = (scale * alpha * p, scale * alpha * (p - 1))
  // Of the dtype of x before the choice: numbers alone would make it in float32.
  let number = { (value: Double) in value.asWeakTensor.to(x.dtype) }
  return x * `where`(isKept, number(scale), 0) + `where`(isKept, number(kept), number(gone))
}

/// `alphaDropout` while the module is training, its input otherwise.
public final class AlphaDropout: Module, Layer {
  public let p: Double
  private let generator: Generator

  public init(_ p: Double = 0.5, generator: Generator = .default) {
    self.p = isProbability(p, "AlphaDropout") ? p : 0
    self.generator = generator
  }
  public func forward(_ x: Tensor) -> Tensor { alphaDropout(x, p: p, isTraining: isTraining, generator: generator) }
  public override var arguments: String { "p: \(p)" }
}

/// `featureAlphaDropout` while the module is training, its input otherwise.
public final class FeatureAlphaDropout: Module, Layer {
  public let p: Double
  private let generator: Generator

  public init(_ p: Double = 0.5, generator: Generator = .default) {
    self.p = isProbability(p, "FeatureAlphaDropout") ? p : 0
    self.generator = generator
  }
  public func forward(_ x: Tensor) -> Tensor { featureAlphaDropout(x, p: p, isTraining: isTraining, generator: generator) }
  public override var arguments: String { "p: \(p)" }
}
