import CKernels

/// Element-wise functions of one variable. A case is a name; the switches below are its whole definition, with the kernel of the same
/// name in C (the raw values are those of `apus_unary_op`).
package enum Unary: UInt32, CaseIterable, Sendable {
  case neg, abs, sign, square, reciprocal, sqrt, rsqrt
  case exp, exp2, expm1, log, log2, log10, log1p
  case sin, cos, tan, asin, acos, atan
  case sinh, cosh, tanh, asinh, acosh, atanh
  case erf, erfc, erfinv, sigmoid, relu, logSigmoid, gelu, geluSlope
  case floor, ceil, round, trunc
  case bitwiseNot
  case logicalNot, isNaN, isInfinite, isFinite
}

extension Unary {
  /// dL/dx from dL/dy. Written with tensors, so it can be differentiated again.
  package var rule: Rule {
    switch self {
    case .neg: .linear { dy in [-dy] }
    case .abs: .fromInputs { dy, x in [dy * x[0].sign()] }
    case .square: .fromInputs { dy, x in [dy * (2 * x[0])] }
    case .reciprocal: .fromOutput { dy, y in [-dy * y * y] }
    case .sqrt: .fromOutput { dy, y in [dy / (2 * y)] }
    case .rsqrt: .fromOutput { dy, y in [-0.5 * dy * y * y * y] }
    case .exp: .fromOutput { dy, y in [dy * y] }
    case .exp2: .fromOutput { dy, y in [dy * y * ln2] }
    case .expm1: .fromOutput { dy, y in [dy * (y + 1)] }
    case .log: .fromInputs { dy, x in [dy / x[0]] }
    case .log2: .fromInputs { dy, x in [dy / (x[0] * ln2)] }
    case .log10: .fromInputs { dy, x in [dy / (x[0] * ln10)] }
    case .log1p: .fromInputs { dy, x in [dy / (x[0] + 1)] }
    case .sin: .fromInputs { dy, x in [dy * x[0].cos()] }
    case .cos: .fromInputs { dy, x in [-dy * x[0].sin()] }
    case .tan: .fromOutput { dy, y in [dy * (1 + y * y)] }
    case .asin: .fromInputs { dy, x in [dy * (1 - x[0] * x[0]).rsqrt()] }
    case .acos: .fromInputs { dy, x in [-dy * (1 - x[0] * x[0]).rsqrt()] }
    case .atan: .fromInputs { dy, x in [dy / (1 + x[0] * x[0])] }
    case .sinh: .fromInputs { dy, x in [dy * x[0].cosh()] }
    case .cosh: .fromInputs { dy, x in [dy * x[0].sinh()] }
    case .tanh, .sigmoid, .relu: .fromOutput { [self] dy, y in [Tensor.binary(gradientOp!, dy, y)] }
    case .asinh: .fromInputs { dy, x in [dy * (x[0] * x[0] + 1).rsqrt()] }
    case .acosh: .fromInputs { dy, x in [dy * (x[0] * x[0] - 1).rsqrt()] }
    case .atanh: .fromInputs { dy, x in [dy / (1 - x[0] * x[0])] }
    case .erf: .fromInputs { dy, x in [dy * (twoOverRootPi * (-x[0] * x[0]).exp())] }
    case .erfc: .fromInputs { dy, x in [-dy * (twoOverRootPi * (-x[0] * x[0]).exp())] }
    case .erfinv: .fromOutput { dy, y in [dy * (1 / twoOverRootPi * (y * y).exp())] }
    case .logSigmoid: .fromInputs { dy, x in [dy * (-x[0]).sigmoid()] }
    case .gelu: .fromInputs { dy, x in [dy * x[0].unary(.geluSlope)] }
    case .geluSlope:
      .fromInputs { dy, x in
        let x = x[0].clamp(min: -40, max: 40)  // beyond is nothing, and ∞ · 0
        return [dy * ((2 - x * x) * (oneOverRootTwoPi * (-0.5 * x * x).exp()))]
      }
    case .sign, .floor, .ceil, .round, .trunc: .zero
    case .bitwiseNot, .logicalNot, .isNaN, .isInfinite, .isFinite: .zero  // their results are not floats
    }
  }

  /// The one op that makes dL/dx of dL/dy and y, where there is one.
  package var gradientOp: Binary? {
    switch self {
    case .tanh: .tanhGradient
    case .sigmoid: .sigmoidGradient
    case .relu: .reluGradient
    default: nil
    }
  }

  /// What the op makes of a dtype before it computes.
  private enum Domain { case floats, numbers, integers, all }

  private var domain: Domain {
    switch self {
    case .neg, .sign, .square, .relu, .floor, .ceil, .round, .trunc, .abs: .numbers
    case .bitwiseNot: .integers
    case .logicalNot, .isNaN, .isInfinite, .isFinite: .all
    case .reciprocal, .sqrt, .rsqrt, .exp, .exp2, .expm1, .log, .log2, .log10, .log1p, .sin, .cos, .tan, .asin, .acos, .atan,
      .sinh,
      .cosh, .tanh, .asinh, .acosh, .atanh, .erf, .erfc, .erfinv, .sigmoid, .logSigmoid, .gelu, .geluSlope:
      .floats
    }
  }

  /// The dtype that the op computes in for inputs of `dtype`; nil where it doesn't take them.
  package func computeType(_ dtype: DType) -> DType? {
    switch domain {
    case .floats: dtype.floatingType
    case .numbers: dtype == .bool ? nil : dtype
    case .integers: dtype.isFloatingPoint ? nil : dtype
    case .all: dtype
    }
  }

  /// Whether the result is bool.
  package var isPredicate: Bool {
    switch self {
    case .logicalNot, .isNaN, .isInfinite, .isFinite: true
    default: false
    }
  }

  /// Whether `autocast` computes it in float32.
  var needsRange: Bool {
    switch self {
    case .exp, .exp2, .expm1, .log, .log2, .log10, .log1p, .reciprocal, .rsqrt, .sinh, .cosh, .tan, .asin, .acos, .erfinv: true
    case .neg, .abs, .sign, .square, .sqrt, .sin, .cos, .atan, .tanh, .asinh, .acosh, .atanh, .erf, .erfc, .sigmoid, .relu,
      .logSigmoid, .gelu, .geluSlope, .floor, .ceil, .round, .trunc, .bitwiseNot, .logicalNot, .isNaN, .isInfinite, .isFinite:
      false
    }
  }

  package var kernel: apus_unary_op { apus_unary_op(rawValue: numericCast(rawValue)) }
  package var name: String { "\(self)" }
}

private let ln2 = 0.693147180559945309417
private let ln10 = 2.302585092994045684018
private let twoOverRootPi = 1.128379167095512573896
private let oneOverRootTwoPi = 0.398942280401432677940

extension Tensor {
  /// Applies a primitive; the one place where unary ops meet dtype rules, the backend and the graph.
  @inline(__always)
  package func unary(_ op: Unary) -> Tensor {
    guard isValid else { return self }
    if _slowPath(Context.hasOpenScopes), op.needsRange, case let wide = widened(self), wide.dtype != dtype {
      return wide.unary(op)
    }
    guard let dtype = op.computeType(dtype) else {
      fail(TensorError(.dtype, op.name, "is not defined for \(self.dtype)"))
      return .invalid
    }
    let y = device.backend.unary(op, data.cast(dtype))
    return recorded(y, .unary(op), op.rule, self)
  }

  /// −x. Not for bool.
  public static prefix func - (x: Tensor) -> Tensor { x.data.isWeak ? x * -1 : x.unary(.neg) }
  /// |x|.
  public func abs() -> Tensor { unary(.abs) }
  /// −1, 0 or 1; NaN for NaN. Its gradient is 0.
  public func sign() -> Tensor { unary(.sign) }
  /// x².
  public func square() -> Tensor { unary(.square) }
  /// 1 / x.
  public func reciprocal() -> Tensor { unary(.reciprocal) }
  /// √x; NaN below 0.
  public func sqrt() -> Tensor { unary(.sqrt) }
  /// 1 / √x.
  public func rsqrt() -> Tensor { unary(.rsqrt) }
  /// eˣ.
  public func exp() -> Tensor { unary(.exp) }
  /// 2ˣ.
  public func exp2() -> Tensor { unary(.exp2) }
  /// eˣ − 1, exact near 0.
  public func expm1() -> Tensor { unary(.expm1) }
  /// Natural logarithm; −∞ at 0, NaN below.
  public func log() -> Tensor { unary(.log) }
  /// Logarithm to base 2.
  public func log2() -> Tensor { unary(.log2) }
  /// Logarithm to base 10.
  public func log10() -> Tensor { unary(.log10) }
  /// ln(1 + x), exact near 0.
  public func log1p() -> Tensor { unary(.log1p) }
  /// Sine of an angle in radians.
  public func sin() -> Tensor { unary(.sin) }
  /// Cosine of an angle in radians.
  public func cos() -> Tensor { unary(.cos) }
  /// Tangent of an angle in radians.
  public func tan() -> Tensor { unary(.tan) }
  /// Inverse sine, in −π/2…π/2.
  public func asin() -> Tensor { unary(.asin) }
  /// Inverse cosine, in 0…π.
  public func acos() -> Tensor { unary(.acos) }
  /// Inverse tangent, in −π/2…π/2.
  public func atan() -> Tensor { unary(.atan) }
  /// Hyperbolic sine.
  public func sinh() -> Tensor { unary(.sinh) }
  /// Hyperbolic cosine.
  public func cosh() -> Tensor { unary(.cosh) }
  /// Hyperbolic tangent.
  public func tanh() -> Tensor { unary(.tanh) }
  /// Inverse hyperbolic sine.
  public func asinh() -> Tensor { unary(.asinh) }
  /// Inverse hyperbolic cosine; NaN below 1.
  public func acosh() -> Tensor { unary(.acosh) }
  /// Inverse hyperbolic tangent; NaN outside −1…1.
  public func atanh() -> Tensor { unary(.atanh) }
  /// Error function 2/√π ∫₀ˣ e^(−t²) dt.
  public func erf() -> Tensor { unary(.erf) }
  /// 1 − erf(x), exact for large x.
  public func erfc() -> Tensor { unary(.erfc) }
  /// Inverse of `erf`; NaN outside −1…1.
  public func erfinv() -> Tensor { unary(.erfinv) }
  /// 1 / (1 + e⁻ˣ).
  public func sigmoid() -> Tensor { unary(.sigmoid) }
  /// max(x, 0); NaN for NaN. The gradient at 0 is 0.
  public func relu() -> Tensor { unary(.relu) }
  /// ln(sigmoid(x)), stable for large negative x.
  public func logSigmoid() -> Tensor { unary(.logSigmoid) }
  /// The greatest integer not above x. Its gradient is 0, as those of `ceil`, `round` and `trunc`.
  public func floor() -> Tensor { unary(.floor) }
  /// The smallest integer not below x.
  public func ceil() -> Tensor { unary(.ceil) }
  /// The nearest integer, halves to even.
  public func round() -> Tensor { unary(.round) }
  /// x without its fraction.
  public func trunc() -> Tensor { unary(.trunc) }
  /// x − trunc(x): the fraction, with the sign of x.
  public func frac() -> Tensor { self - trunc() }
  /// Integers: all bits flipped. Bool: not.
  public func bitwiseNot() -> Tensor { unary(.bitwiseNot) }
  /// x == 0, as bool.
  public func logicalNot() -> Tensor { unary(.logicalNot) }
  /// Whether x is not a number.
  public func isNaN() -> Tensor { unary(.isNaN) }
  /// Whether x is +∞ or −∞.
  public func isInfinite() -> Tensor { unary(.isInfinite) }
  /// Whether x is neither infinite nor NaN.
  public func isFinite() -> Tensor { unary(.isFinite) }
}
