// Every binary operation, dtype and instruction set against references of one line each.

import CKernels
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

extension apus_binary_op {
  static let all = (0..<APUS_BINARY_COUNT.rawValue).map { apus_binary_op(rawValue: $0) }
  var name: String { String(cString: apus_binary_name(self)) }

  var isComparison: Bool { rawValue >= APUS_BINARY_eq.rawValue }
  var isBitwise: Bool { [APUS_BINARY_bitwise_and, APUS_BINARY_bitwise_or, APUS_BINARY_bitwise_xor].contains(self) }

  func exists(_ dtype: apus_dtype) -> Bool {
    if isComparison { return true }
    if dtype.isFloat { return !isBitwise }
    let isOfFloats = [
      APUS_BINARY_div, APUS_BINARY_atan2, APUS_BINARY_relu_gradient, APUS_BINARY_tanh_gradient, APUS_BINARY_sigmoid_gradient,
    ].contains(self)
    if dtype != APUS_BOOL { return !isOfFloats }
    return isBitwise || [APUS_BINARY_add, APUS_BINARY_mul, APUS_BINARY_maximum, APUS_BINARY_minimum].contains(self)
  }

  func reference(_ a: Double, _ b: Double) -> Double {
    switch self {
    case APUS_BINARY_add: a + b
    case APUS_BINARY_sub: a - b
    case APUS_BINARY_mul: a * b
    case APUS_BINARY_div: a / b
    case APUS_BINARY_pow: pow(a, b)
    case APUS_BINARY_maximum: a.isNaN || b.isNaN ? .nan : max(a, b)
    case APUS_BINARY_minimum: a.isNaN || b.isNaN ? .nan : min(a, b)
    case APUS_BINARY_fmax: a.isNaN ? b : b.isNaN ? a : max(a, b)
    case APUS_BINARY_fmin: a.isNaN ? b : b.isNaN ? a : min(a, b)
    case APUS_BINARY_atan2: atan2(a, b)
    case APUS_BINARY_fmod: fmod(a, b)
    case APUS_BINARY_relu_gradient: b <= 0 ? 0 : a
    case APUS_BINARY_tanh_gradient: a * (1 - b * b)
    case APUS_BINARY_sigmoid_gradient: a * b * (1 - b)
    case APUS_BINARY_remainder: remainder(a, b)
    case APUS_BINARY_eq: a == b ? 1 : 0
    case APUS_BINARY_ne: a != b ? 1 : 0
    case APUS_BINARY_lt: a < b ? 1 : 0
    case APUS_BINARY_le: a <= b ? 1 : 0
    case APUS_BINARY_gt: a > b ? 1 : 0
    case APUS_BINARY_ge: a >= b ? 1 : 0
    case APUS_BINARY_logical_and: a != 0 && b != 0 ? 1 : 0
    case APUS_BINARY_logical_or: a != 0 || b != 0 ? 1 : 0
    case APUS_BINARY_logical_xor: (a != 0) != (b != 0) ? 1 : 0
    default: fatalError("no reference for binary \(name)")
    }
  }
  private func remainder(_ a: Double, _ b: Double) -> Double {
    let r = fmod(a, b)
    return r != 0 && (r < 0) != (b < 0) ? r + b : r
  }

  func reference(_ a: Int64, _ b: Int64, _ dtype: apus_dtype) -> Int64 {
    let (q, r) = b == 0 ? (0, 0) : b == -1 ? (0 &- a, 0) : (a / b, a % b)
    let crosses = r != 0 && (r < 0) != (b < 0)
    let value: Int64 =
      switch self {
      case APUS_BINARY_add: dtype == APUS_BOOL ? a | b : a &+ b
      case APUS_BINARY_sub: a &- b
      case APUS_BINARY_mul: a &* b
      case APUS_BINARY_pow: power(a, b)
      case APUS_BINARY_maximum, APUS_BINARY_fmax: max(a, b)
      case APUS_BINARY_minimum, APUS_BINARY_fmin: min(a, b)
      case APUS_BINARY_floor_divide: crosses ? q - 1 : q
      case APUS_BINARY_remainder: crosses ? r + b : r
      case APUS_BINARY_fmod: r
      case APUS_BINARY_bitwise_and: a & b
      case APUS_BINARY_bitwise_or: a | b
      case APUS_BINARY_bitwise_xor: a ^ b
      case APUS_BINARY_eq: a == b ? 1 : 0
      case APUS_BINARY_ne: a != b ? 1 : 0
      case APUS_BINARY_lt: a < b ? 1 : 0
      case APUS_BINARY_le: a <= b ? 1 : 0
      case APUS_BINARY_gt: a > b ? 1 : 0
      case APUS_BINARY_ge: a >= b ? 1 : 0
      case APUS_BINARY_logical_and: a != 0 && b != 0 ? 1 : 0
      case APUS_BINARY_logical_or: a != 0 || b != 0 ? 1 : 0
      case APUS_BINARY_logical_xor: (a != 0) != (b != 0) ? 1 : 0
      default: fatalError("no integer reference for binary \(name)")
      }
    return isComparison ? value : dtype.wrapped(value)
  }
  private func power(_ a: Int64, _ b: Int64) -> Int64 {
    if b < 0 { return a == 1 ? 1 : a == -1 ? (b % 2 == 0 ? 1 : -1) : 0 }
    var result: Int64 = 1, base = a, e = b
    while e > 0 {
      if e & 1 == 1 { result &*= base }
      base &*= base
      e >>= 1
    }
    return result
  }
}

@Suite struct BinaryTests {
  @Test("the look-up answers exactly the operations that exist", arguments: apus_isa.available)
  func existence(isa: apus_isa) {
    for op in apus_binary_op.all {
      for dtype in apus_dtype.all { #expect((apus_binary(isa, op, dtype) != nil) == op.exists(dtype), "\(op.name) \(dtype)") }
    }
  }

  static let strides = [(1, 1, 1), (1, 0, 1), (0, 1, 1), (0, 0, 1), (2, -1, 1), (1, 1, -3), (-1, 3, 2), (0, -2, 1), (2, 0, 1)]

  @Test("every operation, dtype and layout agrees with its reference", arguments: apus_isa.available)
  func values(isa: apus_isa) {
    for op in apus_binary_op.all {
      for dtype in apus_dtype.all {
        guard let kernel = apus_binary(isa, op, dtype) else { continue }
        for n in lengths {
          for (sa, sb, sy) in Self.strides {
            let a = Line(dtype, count: n, stride: sa).fill(), b = Line(dtype, count: n, stride: sb).fill(from: n == 1000 ? 4 : 11)
            let y = Line(op.isComparison ? APUS_BOOL : dtype, count: n, stride: sy)
            kernel(n, a.pointer, sa, b.pointer, sb, y.pointer, sy)
            check(op, a, b, y, "\(isa) \(op.name) \(dtype) n \(n) strides \(sa) \(sb) \(sy)")
          }
        }
      }
    }
  }

  @Test("an output may be either input", arguments: apus_isa.available)
  func inPlace(isa: apus_isa) {
    for op in apus_binary_op.all where !op.isComparison {
      for dtype in apus_dtype.all {
        guard let kernel = apus_binary(isa, op, dtype) else { continue }
        let a = Line(dtype, count: 1000).fill(), b = Line(dtype, count: 1000).fill(from: 5)
        let first = Line(dtype, count: 1000).fill(), second = Line(dtype, count: 1000).fill(from: 5)
        kernel(1000, first.pointer, 1, b.pointer, 1, first.pointer, 1)
        kernel(1000, a.pointer, 1, second.pointer, 1, second.pointer, 1)
        check(op, a, b, first, "\(isa) \(op.name) \(dtype) y is a")
        check(op, a, b, second, "\(isa) \(op.name) \(dtype) y is b")
      }
    }
  }

  private func check(_ op: apus_binary_op, _ a: Line, _ b: Line, _ y: Line, _ what: String) {
    let dtype = a.dtype
    let isLibm = op == APUS_BINARY_pow || op == APUS_BINARY_atan2
    // A remainder that had the divisor added is rounded twice.
    let isSlope = op == APUS_BINARY_tanh_gradient || op == APUS_BINARY_sigmoid_gradient
    let ulps = isLibm || isSlope ? (dtype.size == 2 ? 0.51 : 2) : op == APUS_BINARY_remainder ? 1 : 0.5
    let wrong = (0..<y.count).first { i in
      if !dtype.isFloat { return y.int(i) != op.reference(a.int(i), b.int(i), dtype) }
      if op.isComparison { return y.real(i) != op.reference(a.real(i), b.real(i)) }
      if op == APUS_BINARY_floor_divide { return !isFloorOfQuotient(y.real(i), a.real(i), b.real(i), dtype) }
      let expected = op.reference(a.real(i), b.real(i))
      // 1 - b b has the error of b b, which is much where b is close to 1.
      let cancelled =
        op == APUS_BINARY_tanh_gradient ? abs(a.real(i)) * b.real(i) * b.real(i) * (dtype.size == 8 ? 0x1p-52 : 0x1p-23) : 0
      return !close(y.real(i), expected, y.dtype, ulps: ulps) && !(abs(y.real(i) - expected) <= cancelled)
    }
    if let i = wrong { Issue.record("\(what): f(\(a.real(i)), \(b.real(i))) = \(y.real(i))") }
    if !y.gapsAreUntouched { Issue.record("\(what): wrote outside") }
  }

  /// floor(a / b) up to the rounding of the quotient, and IEEE division's answer for a zero divisor.
  private func isFloorOfQuotient(_ q: Double, _ a: Double, _ b: Double, _ dtype: apus_dtype) -> Bool {
    if b == 0 || a.isNaN || b.isNaN { return close(q, a / b, dtype, ulps: 0.5) }
    if a.isInfinite { return q.isNaN }
    if b.isInfinite { return q == (a == 0 || (a < 0) == (b < 0) ? 0 : -1) }
    // The rounded quotient may be an integer that the exact one only comes close to; the residual decides.
    var exact = floor(a / b)
    let residual = fma(-exact, b, a)
    if residual != 0, (residual < 0) != (b < 0) { exact -= 1 }
    let rounded = dtype.rounded(exact)
    return q == rounded || (abs(exact) * dtype.ulp(1) > 0.25 && close(q, exact, dtype, ulps: 1))
  }
}
