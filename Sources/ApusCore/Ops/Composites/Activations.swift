// Activation functions, made of the primitives. Floating point only, where PyTorch's are.
//
// Where a branch would overflow, its argument is replaced *before* the function (the inner `where`): the branch that isn't chosen gets
// a gradient of 0, and 0 · ∞ would be NaN.

extension Tensor {
  /// min(x, 0), with a gradient of 0 for x > 0: the argument of an exponential that is only wanted below 0.
  private var negativePart: Tensor { `where`(detach() .> 0, 0, self) }

  /// x between two bounds, which have a gradient of 0 themselves; NaN stays.
  private func saturated(_ low: Double, _ high: Double) -> Tensor {
    let x = detach()
    return `where`(x .<= low, low.asWeakTensor, `where`(x .>= high, high.asWeakTensor, self)).to(dtype)
  }

  // MARK: Piecewise linear

  /// x for x > 0, slope · x otherwise.
  public func leakyRelu(negativeSlope: Double = 0.01) -> Tensor {
    guard isFloating(for: "leakyRelu") else { return .invalid }
    // Of the result if it has the sign of x: then x need not be kept.
    let gradient = { (dy: Tensor, x: Tensor) -> [Tensor?] in [`where`(x .> 0, dy, negativeSlope * dy)] }
    return recorded(
      noGrad { `where`(self .> 0, self, negativeSlope * self) }.data, .named("leakyRelu"),
      negativeSlope >= 0 ? .fromOutput { dy, y in gradient(dy, y) } : .fromInputs { dy, x in gradient(dy, x[0]) }, self)
  }

  /// min(max(x, 0), 6). The gradient at 0 and at 6 is 0.
  public func relu6() -> Tensor { hardtanh(min: 0, max: 6) }

  /// x between two bounds, at which the gradient is 0.
  public func hardtanh(min: Double = -1, max: Double = 1) -> Tensor {
    guard isValid else { return self }
    guard check(min <= max, .value, "hardtanh", "min = \(min) > max = \(max)") else { return .invalid }
    return saturated(min, max)
  }

  /// min(max(x + 3, 0), 6) / 6: a sigmoid of straight lines.
  public func hardsigmoid() -> Tensor {
    guard isFloating(for: "hardsigmoid") else { return .invalid }
    return (self + 3).saturated(0, 6) / 6
  }

  /// x · hardsigmoid(x).
  public func hardswish() -> Tensor {
    guard isFloating(for: "hardswish") else { return .invalid }
    let inner = saturated(-3, 3)
    let x = detach()
    return `where`(x .<= -3, 0, `where`(x .>= 3, self, inner * (inner + 3) / 6))
  }

  /// 0 for |x| ≤ lambda, otherwise x.
  public func hardshrink(lambda: Double = 0.5) -> Tensor {
    guard isFloating(for: "hardshrink") else { return .invalid }
    return `where`(isWithin(lambda), 0, self)
  }

  /// x moved toward 0 by lambda; 0 for |x| ≤ lambda.
  public func softshrink(lambda: Double = 0.5) -> Tensor {
    guard isFloating(for: "softshrink"),
      check(lambda >= 0, .value, "softshrink", "lambda = \(lambda) is negative")
    else { return .invalid }
    return `where`(isWithin(lambda), 0, self - detach().sign() * lambda)
  }

  private func isWithin(_ lambda: Double) -> Tensor { (detach() .>= -lambda) .& (detach() .<= lambda) }

  /// x for x > threshold, otherwise `value`; NaN stays.
  public func threshold(_ threshold: Double, _ value: Double) -> Tensor {
    guard isValid else { return self }
    return `where`(detach() .<= threshold, value.asWeakTensor.to(dtype), self)
  }

  // MARK: Exponential

  /// x for x > 0, alpha · (eˣ − 1) otherwise.
  public func elu(alpha: Double = 1) -> Tensor {
    guard isFloating(for: "elu") else { return .invalid }
    return `where`(detach() .> 0, self, alpha * negativePart.expm1())
  }

  /// x for x > 0, alpha · (e^(x / alpha) − 1) otherwise: an `elu` with a slope of 1 at 0 for every alpha. (Barron 2017)
  public func celu(alpha: Double = 1) -> Tensor {
    guard isFloating(for: "celu"), check(alpha != 0, .value, "celu", "alpha is 0") else { return .invalid }
    return `where`(detach() .> 0, self, alpha * (negativePart / alpha).expm1())
  }

  /// scale · elu(x) with the constants that keep mean 0 and variance 1 from layer to layer. (Klambauer et al. 2017)
  public func selu() -> Tensor {
    guard isFloating(for: "selu") else { return .invalid }
    return 1.0507009873554804934193349852946 * elu(alpha: 1.6732632423543772848170429916717)
  }

  /// ln(1 + e^(beta x)) / beta, and x where beta x > threshold.
  public func softplus(beta: Double = 1, threshold: Double = 20) -> Tensor {
    guard isFloating(for: "softplus"), check(beta != 0, .value, "softplus", "beta is 0") else { return .invalid }
    let scaled = self * beta
    return `where`(scaled.detach() .> threshold, self, (-scaled).logSigmoid() / -beta)
  }

  /// x · sigmoid(x), also called swish.
  public func silu() -> Tensor {
    guard isFloating(for: "silu") else { return .invalid }
    return self * sigmoid()
  }

  /// x · tanh(softplus(x)). (Misra 2019)
  public func mish() -> Tensor {
    guard isFloating(for: "mish") else { return .invalid }
    return self * softplus().tanh()
  }

  /// The first half along `dim` times the sigmoid of the second: `[…, 2n, …]` becomes `[…, n, …]`. (Dauphin et al. 2016)
  public func glu(dim: Int = -1) -> Tensor {
    guard isFloating(for: "glu"), let axis = resolve(dim, "glu") else { return .invalid }
    let size = rank == 0 ? 1 : data.shape[axis]
    guard check(size % 2 == 0, .shape, "glu", "axis \(dim) of \(shape) has no two halves") else { return .invalid }
    let half = size / 2
    return narrow(dim: axis, start: 0, count: half) * narrow(dim: axis, start: half, count: half).sigmoid()
  }

  /// How `gelu` computes the normal distribution Φ.
  public enum GELUApproximation: Sendable {
    /// Φ(x) = erfc(−x / √2) / 2, to the last digits.
    case none
    /// Φ(x) ≈ (1 + tanh(√(2/π) (x + 0.044715 x³))) / 2.
    case tanh
  }

  /// x · Φ(x), where Φ is the distribution function of the normal distribution. (Hendrycks & Gimpel 2016)
  public func gelu(approximate: GELUApproximation = .none) -> Tensor {
    guard isFloating(for: "gelu") else { return .invalid }
    switch approximate {
    case .none: return unary(.gelu)
    case .tanh:
      // Beyond 20 the tangent is ±1 to the last digit; the cube would overflow.
      let x = clamp(min: -20, max: 20)
      let cube = x * x * x
      return 0.5 * self * (1 + (0.79788456080286535588 * (x + 0.044715 * cube)).tanh())
    }
  }

  /// The readable twin of the exact `gelu`, of ordinary ops: erfc rather than 1 + erf, which cancels for negative x.
  package func geluTwin() -> Tensor { 0.5 * self * (self * -0.70710678118654752440).erfc() }

  // MARK: Rational and tangent

  /// x / (1 + |x|).
  public func softsign() -> Tensor {
    guard isFloating(for: "softsign") else { return .invalid }
    // Not a quotient: the gradient of that squares its denominator, which overflows.
    return self * (1 + abs()).reciprocal()
  }

  /// x − tanh(x).
  public func tanhshrink() -> Tensor {
    guard isFloating(for: "tanhshrink") else { return .invalid }
    return self - tanh()
  }

  /// The softmax of −x along `dim`.
  public func softmin(dim: Int) -> Tensor {
    guard isFloating(for: "softmin") else { return .invalid }
    return (-self).softmax(dim: dim)
  }
}

/// x for x > 0, weight · x otherwise, with a weight that is learned. (He et al. 2015)
///
/// - Parameter weight: one element, or one for each channel (axis 1 of `x`; of a vector all elements are one channel).
public func prelu(_ x: Tensor, _ weight: Tensor) -> Tensor {
  guard x.isFloating(for: "prelu"), weight.isFloating(for: "prelu") else { return .invalid }
  let channels = x.rank > 1 ? x.shape[1] : 1
  guard
    check(
      weight.rank <= 1 && (weight.count == 1 || weight.count == channels), .shape, "prelu",
      "a weight of shape \(weight.shape) for a tensor of shape \(x.shape)"),
    check(weight.dtype == x.dtype, .dtype, "prelu", "the weight is \(weight.dtype), the tensor \(x.dtype)")
  else { return .invalid }
  let sizes = weight.count == 1 ? [] : [channels] + [Int](repeating: 1, count: x.rank - 2)
  let isPositive = x.detach() .> 0
  return `where`(isPositive, x, weight.reshape(Shape(sizes)) * `where`(isPositive, 0, x))
}
