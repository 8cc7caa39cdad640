import ApusCore

/// x, or weight · x below 0, with a slope that is learned (He et al. 2015): `prelu`. Weight decay would pull the slope to 0.
public final class PReLU: Module, Layer {
  @Parameter public var weight: Tensor  // [parameters]
  public let numParameters: Int

  /// - Parameters:
  ///   - numParameters: 1 for one slope, or the number of channels (axis 1) for one each.
  ///   - initial: what the slopes start from.
  ///   - dtype: of the slopes.
  public init(numParameters: Int = 1, initial: Double = 0.25, dtype: DType = .float32) {
    self.numParameters = numParameters
    let fits = check(numParameters > 0, .value, "PReLU", "\(numParameters) parameters")
    weight = fits ? Init.constant([numParameters], initial, dtype: dtype) : .invalid
  }

  public func forward(_ x: Tensor) -> Tensor { prelu(x, weight) }

  public override var arguments: String { "numParameters: \(numParameters)" }
}

/// x, or slope · x for x ≤ 0, with a slope that is drawn anew for every element (Xu et al. 2015).
///
/// - Parameters:
///   - x: any shape, floating-point.
///   - lower: the least slope.
///   - upper: the greatest slope.
///   - isTraining: false for the mean of the two as slope.
///   - generator: where the slopes come from.
/// - Returns: shape and dtype of `x`. The gradient has the slopes that were drawn.
public func rrelu(
  _ x: Tensor, lower: Double = 1.0 / 8, upper: Double = 1.0 / 3, isTraining: Bool = false, generator: Generator = .default
) -> Tensor {
  guard isFloating(x, "rrelu"), check(lower <= upper, .value, "rrelu", "no slopes from \(lower) to \(upper)") else {
    return .invalid
  }
  let mean: Double = (lower + upper) / 2
  guard isTraining else { return x.leakyRelu(negativeSlope: mean) }
  let slopes = Init.uniform(x.shape, low: lower, high: upper, dtype: x.dtype, generator: generator)
  return x * `where`(x.detach() .> 0, 1, slopes)
}

/// `rrelu`, with random slopes while the module is training.
public final class RReLU: Module, Layer {
  public let lower: Double
  public let upper: Double
  private let generator: Generator

  public init(lower: Double = 1.0 / 8, upper: Double = 1.0 / 3, generator: Generator = .default) {
    self.lower = lower
    self.upper = upper
    self.generator = generator
  }

  public func forward(_ x: Tensor) -> Tensor {
    rrelu(x, lower: lower, upper: upper, isTraining: isTraining, generator: generator)
  }

  public override var arguments: String { "lower: \(lower), upper: \(upper)" }
}
