import ApusCore

extension Unary {
  /// Where the function is smooth and its second derivative tame: what the gradient checks draw from.
  var gradientRange: ClosedRange<Double> {
    switch self {
    case .sqrt, .rsqrt, .log, .log2, .log10, .reciprocal: 0.4...3
    case .log1p: -0.5...2
    case .asin, .acos, .atanh, .erfinv: -0.8...0.8
    case .acosh: 1.3...3
    case .tan: -1.1...1.1
    default: -2...2
    }
  }

  /// The same function of one double, by the C library or the definition.
  func reference(_ x: Double) -> Double {
    switch self {
    case .neg: return -x
    case .abs: return Swift.abs(x)
    case .sign: return x.isNaN ? x : x > 0 ? 1 : x < 0 ? -1 : 0
    case .square: return x * x
    case .reciprocal: return 1 / x
    case .sqrt: return x.squareRoot()
    case .rsqrt: return 1 / x.squareRoot()
    case .exp: return C.exp(x)
    case .exp2: return C.exp2(x)
    case .expm1: return C.expm1(x)
    case .log: return C.log(x)
    case .log2: return C.log2(x)
    case .log10: return C.log10(x)
    case .log1p: return C.log1p(x)
    case .sin: return C.sin(x)
    case .cos: return C.cos(x)
    case .tan: return C.tan(x)
    case .asin: return C.asin(x)
    case .acos: return C.acos(x)
    case .atan: return C.atan(x)
    case .sinh: return C.sinh(x)
    case .cosh: return C.cosh(x)
    case .tanh: return C.tanh(x)
    case .asinh: return C.asinh(x)
    case .acosh: return C.acosh(x)
    case .atanh: return C.atanh(x)
    case .erf: return C.erf(x)
    case .erfc: return C.erfc(x)
    case .erfinv: return inverseErf(x)
    case .sigmoid: return 1 / (1 + C.exp(-x))
    case .relu: return x.isNaN ? x : Swift.max(x, 0)
    case .logSigmoid: return Swift.min(x, 0) - C.log1p(C.exp(-Swift.abs(x)))
    case .gelu: return x < -40 ? -0.0 : 0.5 * x * C.erfc(-x * 0.5.squareRoot())
    case .geluSlope:
      if Swift.abs(x) > 40 { return x > 0 ? 1 : 0 }
      return 0.5 * C.erfc(-x * 0.5.squareRoot()) + x * C.exp(-0.5 * x * x) / (2 * Double.pi).squareRoot()
    case .floor: return x.rounded(.down)
    case .ceil: return x.rounded(.up)
    case .round: return x.rounded(.toNearestOrEven)
    case .trunc: return x.rounded(.towardZero)
    case .bitwiseNot: return -x - 1
    case .logicalNot: return x == 0 ? 1 : 0
    case .isNaN: return x.isNaN ? 1 : 0
    case .isInfinite: return x.isInfinite ? 1 : 0
    case .isFinite: return x.isFinite ? 1 : 0
    }
  }

  /// By bisection of the C library's erf.
  private func inverseErf(_ y: Double) -> Double {
    if y.isNaN || y < -1 || y > 1 { return .nan }
    if Swift.abs(y) == 1 { return y * .infinity }
    var (low, high) = (-6.0, 6.0)
    for _ in 0..<200 {
      let middle = (low + high) / 2
      if C.erf(middle) < y { low = middle } else { high = middle }
    }
    return (low + high) / 2
  }
}

extension Binary {
  /// What the gradient checks draw the two inputs from.
  var gradientRanges: (ClosedRange<Double>, ClosedRange<Double>) {
    switch self {
    case .div, .remainder, .fmod: (-3...3, 0.8...1.9)
    case .pow: (0.4...2, -2...2)
    case .atan2: (0.3...2, 0.4...2)
    default: (-2...2, -2...2)
    }
  }

  /// The same function of two doubles.
  func reference(_ a: Double, _ b: Double) -> Double {
    switch self {
    case .add: return a + b
    case .sub: return a - b
    case .mul: return a * b
    case .div: return a / b
    case .pow: return C.pow(a, b)
    case .maximum: return a.isNaN ? a : b.isNaN ? b : Swift.max(a, b)
    case .minimum: return a.isNaN ? a : b.isNaN ? b : Swift.min(a, b)
    case .fmax: return a.isNaN ? b : b.isNaN ? a : Swift.max(a, b)
    case .fmin: return a.isNaN ? b : b.isNaN ? a : Swift.min(a, b)
    case .atan2: return C.atan2(a, b)
    case .floorDivide: return ((a - reference(remainderOf: a, b)) / b).rounded()
    case .remainder: return reference(remainderOf: a, b)
    case .fmod: return a.truncatingRemainder(dividingBy: b)
    case .reluGradient: return b <= 0 ? 0 : a
    case .tanhGradient: return a * (1 - b * b)
    case .sigmoidGradient: return a * b * (1 - b)
    case .bitwiseAnd: return Double(Int(a) & Int(b))
    case .bitwiseOr: return Double(Int(a) | Int(b))
    case .bitwiseXor: return Double(Int(a) ^ Int(b))
    case .eq: return a == b ? 1 : 0
    case .ne: return a != b ? 1 : 0
    case .lt: return a < b ? 1 : 0
    case .le: return a <= b ? 1 : 0
    case .gt: return a > b ? 1 : 0
    case .ge: return a >= b ? 1 : 0
    case .logicalAnd: return a != 0 && b != 0 ? 1 : 0
    case .logicalOr: return a != 0 || b != 0 ? 1 : 0
    case .logicalXor: return (a != 0) != (b != 0) ? 1 : 0
    }
  }

  private func reference(remainderOf a: Double, _ b: Double) -> Double {
    let r = a.truncatingRemainder(dividingBy: b)
    return r != 0 && (r < 0) != (b < 0) ? r + b : r
  }
}
