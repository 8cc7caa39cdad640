// Every unary operation, dtype and instruction set against references of one line each.

import CKernels
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

extension apus_unary_op {
  static let all = (0..<APUS_UNARY_COUNT.rawValue).map { apus_unary_op(rawValue: $0) }
  var name: String { String(cString: apus_unary_name(self)) }

  static let predicates = [APUS_UNARY_logical_not, APUS_UNARY_isnan, APUS_UNARY_isinf, APUS_UNARY_isfinite]
  static let integral = [
    APUS_UNARY_neg, APUS_UNARY_abs, APUS_UNARY_sign, APUS_UNARY_square, APUS_UNARY_relu, APUS_UNARY_floor, APUS_UNARY_ceil,
    APUS_UNARY_round, APUS_UNARY_trunc, APUS_UNARY_bitwise_not,
  ]
  /// Operations that must be correctly rounded.
  var isExact: Bool { [APUS_UNARY_reciprocal, APUS_UNARY_sqrt].contains(self) || Self.integral.contains(self) }

  /// The magnitude below which a result is not asked to keep its digits: the derivative of gelu has a zero, at −0.75.
  func smallest(at x: Double) -> Double { self == APUS_UNARY_gelu_slope && x > -1.5 && x < 0 ? 0.25 : 0 }

  func exists(_ dtype: apus_dtype) -> Bool {
    if Self.predicates.contains(self) { return true }
    return dtype.isFloat ? self != APUS_UNARY_bitwise_not : Self.integral.contains(self)
  }

  func reference(_ x: Double) -> Double {
    switch self {
    case APUS_UNARY_neg: -x
    case APUS_UNARY_abs: abs(x)
    case APUS_UNARY_sign: x > 0 ? 1 : x < 0 ? -1 : x
    case APUS_UNARY_square: x * x
    case APUS_UNARY_reciprocal: 1 / x
    case APUS_UNARY_sqrt: x.squareRoot()
    case APUS_UNARY_rsqrt: 1 / x.squareRoot()
    case APUS_UNARY_exp: exp(x)
    case APUS_UNARY_exp2: exp2(x)
    case APUS_UNARY_expm1: expm1(x)
    case APUS_UNARY_log: log(x)
    case APUS_UNARY_log2: log2(x)
    case APUS_UNARY_log10: log10(x)
    case APUS_UNARY_log1p: log1p(x)
    case APUS_UNARY_sin: sin(x)
    case APUS_UNARY_cos: cos(x)
    case APUS_UNARY_tan: tan(x)
    case APUS_UNARY_asin: asin(x)
    case APUS_UNARY_acos: acos(x)
    case APUS_UNARY_atan: atan(x)
    case APUS_UNARY_sinh: sinh(x)
    case APUS_UNARY_cosh: cosh(x)
    case APUS_UNARY_tanh: tanh(x)
    case APUS_UNARY_asinh: asinh(x)
    case APUS_UNARY_acosh: acosh(x)
    case APUS_UNARY_atanh: atanh(x)
    case APUS_UNARY_erf: erf(x)
    case APUS_UNARY_erfc: erfc(x)
    case APUS_UNARY_erfinv: inverseErf(x)
    case APUS_UNARY_sigmoid: x < 0 ? exp(x) / (1 + exp(x)) : 1 / (1 + exp(-x))
    case APUS_UNARY_relu: x.isNaN ? x : max(x, 0)
    case APUS_UNARY_log_sigmoid: (x > 0 ? 0 : x) - log1p(exp(-abs(x)))
    case APUS_UNARY_gelu: x < -40 ? -0.0 : 0.5 * x * erfc(-x * 0.5.squareRoot())
    case APUS_UNARY_gelu_slope:
      abs(x) > 40
        ? (x > 0 ? 1 : 0) : 0.5 * erfc(-x * 0.5.squareRoot()) + x * exp(-0.5 * x * x) / (2 * Double.pi).squareRoot()
    case APUS_UNARY_floor: floor(x)
    case APUS_UNARY_ceil: ceil(x)
    case APUS_UNARY_round: x.rounded(.toNearestOrEven)
    case APUS_UNARY_trunc: trunc(x)
    case APUS_UNARY_logical_not: x == 0 ? 1 : 0
    case APUS_UNARY_isnan: x.isNaN ? 1 : 0
    case APUS_UNARY_isinf: x.isInfinite ? 1 : 0
    case APUS_UNARY_isfinite: x.isFinite ? 1 : 0
    default: fatalError("no reference for unary \(name)")
    }
  }

  func reference(_ x: Int64, _ dtype: apus_dtype) -> Int64 {
    if dtype == APUS_BOOL {
      return switch self {
      case APUS_UNARY_bitwise_not, APUS_UNARY_logical_not: 1 - x
      case APUS_UNARY_isnan, APUS_UNARY_isinf: 0
      case APUS_UNARY_isfinite: 1
      default: x
      }
    }
    return switch self {
    case APUS_UNARY_neg: dtype.wrapped(0 &- x)
    case APUS_UNARY_abs: dtype.wrapped(x < 0 ? 0 &- x : x)
    case APUS_UNARY_sign: x.signum()
    case APUS_UNARY_square: dtype.wrapped(x &* x)
    case APUS_UNARY_relu: max(x, 0)
    case APUS_UNARY_bitwise_not: dtype.wrapped(~x)
    case APUS_UNARY_logical_not: x == 0 ? 1 : 0
    case APUS_UNARY_isnan, APUS_UNARY_isinf: 0
    case APUS_UNARY_isfinite: 1
    default: x
    }
  }
}

/// By bisection on erf, or on erfc where erf has no digits left.
func inverseErf(_ x: Double) -> Double {
  let a = abs(x)
  guard a < 1 else { return a == 1 ? copysign(.infinity, x) : .nan }
  guard a > 1e-7 else { return x * 0.886226925452758 }
  var low = 0.0, high = 6.5
  for _ in 0..<80 {
    let middle = (low + high) / 2
    if a < 0.5 ? erf(middle) < a : erfc(middle) > 1 - a { low = middle } else { high = middle }
  }
  return copysign((low + high) / 2, x)
}

@Suite struct UnaryTests {
  @Test("the look-up answers exactly the operations that exist", arguments: apus_isa.available)
  func existence(isa: apus_isa) {
    for op in apus_unary_op.all {
      for dtype in apus_dtype.all { #expect((apus_unary(isa, op, dtype) != nil) == op.exists(dtype), "\(op.name) \(dtype)") }
    }
    #expect(apus_unary(isa, APUS_UNARY_COUNT, APUS_F32) == nil)
    #expect(apus_unary(APUS_ISA_COUNT, APUS_UNARY_exp, APUS_F32) == nil)
  }

  @Test("every operation, dtype and layout agrees with its reference", arguments: apus_isa.available)
  func values(isa: apus_isa) {
    for op in apus_unary_op.all {
      for dtype in apus_dtype.all {
        guard let kernel = apus_unary(isa, op, dtype) else { continue }
        for (n, sx, sy) in lengths.flatMap({ n in [(1, 1), (3, 1), (1, 2), (-2, -1), (0, 1), (0, -2)].map { (n, $0, $1) } }) {
          let x = Line(dtype, count: n, stride: sx).fill()
          let y = Line(apus_unary_op.predicates.contains(op) ? APUS_BOOL : dtype, count: n, stride: sy)
          kernel(n, x.pointer, sx, y.pointer, sy)
          check(op, x, y, "\(isa) \(op.name) \(dtype) n \(n) strides \(sx) \(sy)")
        }
      }
    }
  }

  @Test("an output may be the input itself", arguments: apus_isa.available)
  func inPlace(isa: apus_isa) {
    for op in apus_unary_op.all where !apus_unary_op.predicates.contains(op) {
      for dtype in apus_dtype.all {
        guard let kernel = apus_unary(isa, op, dtype) else { continue }
        for stride in [1, -3] {
          let x = Line(dtype, count: 1000, stride: stride).fill(), y = Line(dtype, count: 1000, stride: stride).fill()
          kernel(1000, y.pointer, stride, y.pointer, stride)
          check(op, x, y, "\(isa) \(op.name) \(dtype) in place, stride \(stride)")
        }
      }
    }
  }

  private func check(_ op: apus_unary_op, _ x: Line, _ y: Line, _ what: String) {
    let isHalf = y.dtype == APUS_F16 || y.dtype == APUS_BF16
    let ulps = op == APUS_UNARY_erfinv && x.dtype == APUS_F64 ? 16 : op.isExact ? 0.5 : isHalf ? 0.51 : 4
    let wrong = (0..<x.count).first { i in
      y.dtype.isFloat
        ? !close(y.real(i), op.reference(x.real(i)), y.dtype, ulps: ulps, smallest: op.smallest(at: x.real(i)))
        : x.dtype.isFloat ? y.real(i) != op.reference(x.real(i)) : y.int(i) != op.reference(x.int(i), x.dtype)
    }
    if let i = wrong { Issue.record("\(what): f(\(x.real(i))) = \(y.real(i))") }
    if !y.gapsAreUntouched { Issue.record("\(what): wrote outside") }
  }
}
