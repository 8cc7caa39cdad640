// What the kernel tests share: the instruction sets and dtypes to iterate over, strided lines of elements in raw memory, and
// reference arithmetic for the short float formats.

import CKernels
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

extension apus_isa: @retroactive CustomStringConvertible {
  public var description: String { String(cString: apus_isa_name(self)) }
  static let available = (0..<APUS_ISA_COUNT.rawValue).map { apus_isa(rawValue: $0) }.filter(apus_isa_is_available)
}

extension apus_dtype: @retroactive CustomStringConvertible {
  static let all = (0..<APUS_DTYPE_COUNT.rawValue).map { apus_dtype(rawValue: $0) }
  static let floats = [APUS_F32, APUS_F64, APUS_F16, APUS_BF16]

  public var description: String { ["f32", "f64", "f16", "bf16", "i64", "i32", "i16", "i8", "u8", "bool"][Int(rawValue)] }
  var size: Int { [4, 8, 2, 2, 8, 4, 2, 1, 1, 1][Int(rawValue)] }
  var isFloat: Bool { rawValue <= APUS_BF16.rawValue }
  /// Bits of the fraction, smallest exponent of a normal number, for the float formats.
  var fractionBits: Int { [23, 52, 10, 7][Int(rawValue)] }
  var smallestExponent: Int { [-126, -1022, -14, -126][Int(rawValue)] }

  /// `x` rounded to this format, to nearest even; overflow becomes infinite.
  func rounded(_ x: Double) -> Double {
    guard self != APUS_F64, x.isFinite, x != 0 else { return x }
    let unit = ulp(x)
    let r = (x / unit).rounded(.toNearestOrEven) * unit
    let limit = scalbn(2 - scalbn(1.0, -fractionBits), self == APUS_F16 ? 15 : 127)
    return abs(r) > limit ? copysign(.infinity, x) : r
  }

  /// The distance between neighbours of this format around `x`.
  func ulp(_ x: Double) -> Double {
    guard x.isFinite else { return 1 }
    let exponent = x == 0 ? smallestExponent : max(Int(x.exponent), smallestExponent)
    return scalbn(1.0, exponent - fractionBits)
  }

  /// An integer wrapped to this format.
  func wrapped(_ x: Int64) -> Int64 {
    switch self {
    case APUS_I32: Int64(Int32(truncatingIfNeeded: x))
    case APUS_I16: Int64(Int16(truncatingIfNeeded: x))
    case APUS_I8: Int64(Int8(truncatingIfNeeded: x))
    case APUS_U8: Int64(UInt8(truncatingIfNeeded: x))
    case APUS_BOOL: x != 0 ? 1 : 0
    default: x
    }
  }
  var range: ClosedRange<Int64> {
    switch self {
    case APUS_I64: .min ... .max
    case APUS_I32: Int64(Int32.min)...Int64(Int32.max)
    case APUS_I16: Int64(Int16.min)...Int64(Int16.max)
    case APUS_I8: -128...127
    case APUS_U8: 0...255
    default: 0...1
    }
  }
}

/// The value of a half bit pattern, from the definition of the format.
func decodeHalf(_ bits: UInt16, _ dtype: apus_dtype) -> Double {
  let f = dtype.fractionBits, exponentMask = dtype == APUS_F16 ? 31 : 255
  let exponent = Int(bits >> UInt16(f)) & exponentMask, fraction = Double(Int(bits) & ((1 << f) - 1))
  let sign = bits >> 15 == 1 ? -1.0 : 1.0
  if exponent == exponentMask { return fraction == 0 ? sign * .infinity : .nan }
  let significand = exponent == 0 ? fraction : fraction + scalbn(1.0, f)
  return sign * scalbn(significand, max(exponent, 1) - 1 + dtype.smallestExponent - f)
}

/// The bit pattern of a value that the format holds.
func encodeHalf(_ x: Double, _ dtype: apus_dtype) -> UInt16 {
  let f = dtype.fractionBits, exponentMask = dtype == APUS_F16 ? 31 : 255
  let sign: UInt16 = x.sign == .minus ? 0x8000 : 0
  if x.isNaN { return UInt16(exponentMask << f | 1 << (f - 1)) }
  if x.isInfinite { return sign | UInt16(exponentMask << f) }
  let exponent = x == 0 ? dtype.smallestExponent : max(Int(x.exponent), dtype.smallestExponent)
  let significand = Int(scalbn(abs(x), f - exponent))
  let biased = significand >> f == 0 ? 0 : exponent - dtype.smallestExponent + 1
  return sign | UInt16(biased << f | significand & ((1 << f) - 1))
}

/// `count` elements of a dtype in raw memory, `stride` apart; the gaps hold a sentinel that must survive.
final class Line {
  static let sentinel: UInt8 = 0xA5
  let dtype: apus_dtype, count: Int, stride: Int
  private let bytes: UnsafeMutableRawPointer, byteCount: Int, base: Int

  init(_ dtype: apus_dtype, count: Int, stride: Int = 1) {
    self.dtype = dtype
    self.count = count
    self.stride = stride
    let span = stride == 0 ? 1 : max(1, (max(count, 1) - 1) * abs(stride) + 1)
    base = stride < 0 ? span - 1 : 0
    byteCount = (span + 2) * dtype.size  // one element of slack on each side
    bytes = .allocate(byteCount: byteCount, alignment: 8)
    memset(bytes, Int32(Self.sentinel), byteCount)
  }
  deinit { bytes.deallocate() }

  /// The address of element 0; offset by one element so that nothing is aligned to more than its size.
  var pointer: UnsafeMutableRawPointer { bytes + (base + 1) * dtype.size }
  private func address(_ i: Int) -> UnsafeMutableRawPointer { pointer + i * stride * dtype.size }

  func real(_ i: Int) -> Double {
    let p = address(i)
    return switch dtype {
    case APUS_F32: Double(p.load(as: Float.self))
    case APUS_F64: p.load(as: Double.self)
    case APUS_F16, APUS_BF16: decodeHalf(p.load(as: UInt16.self), dtype)
    default: Double(int(i))
    }
  }
  func int(_ i: Int) -> Int64 {
    let p = address(i)
    return switch dtype {
    case APUS_I64: p.load(as: Int64.self)
    case APUS_I32: Int64(p.load(as: Int32.self))
    case APUS_I16: Int64(p.load(as: Int16.self))
    case APUS_I8: Int64(p.load(as: Int8.self))
    default: Int64(p.load(as: UInt8.self))
    }
  }
  /// Stores a value that the dtype holds (a float dtype rounds it).
  func set(_ i: Int, _ x: Double) {
    let p = address(i)
    switch dtype {
    case APUS_F32: p.storeBytes(of: Float(x), as: Float.self)
    case APUS_F64: p.storeBytes(of: x, as: Double.self)
    case APUS_F16, APUS_BF16: p.storeBytes(of: encodeHalf(dtype.rounded(x), dtype), as: UInt16.self)
    default: set(i, Int64(x))
    }
  }
  func set(_ i: Int, _ x: Int64) {
    let p = address(i)
    switch dtype {
    case APUS_I64: p.storeBytes(of: x, as: Int64.self)
    case APUS_I32: p.storeBytes(of: Int32(truncatingIfNeeded: x), as: Int32.self)
    case APUS_I16: p.storeBytes(of: Int16(truncatingIfNeeded: x), as: Int16.self)
    case APUS_I8, APUS_U8, APUS_BOOL: p.storeBytes(of: UInt8(truncatingIfNeeded: x), as: UInt8.self)
    default: set(i, Double(x))
    }
  }

  /// Elements from the samples of the dtype, beginning with sample `from`.
  func fill(from: Int = 0) -> Line {
    for i in 0..<(stride == 0 ? 1 : count) {
      if dtype.isFloat { set(i, Samples.real(i + from)) } else { set(i, Samples.int(i + from, dtype)) }
    }
    return self
  }

  /// Whether every byte between and around the elements is still the sentinel.
  var gapsAreUntouched: Bool {
    let first = bytes.assumingMemoryBound(to: UInt8.self)
    var isElement = [Bool](repeating: false, count: byteCount)
    for i in 0..<(stride == 0 ? min(1, count) : count) {
      let offset = (base + 1 + i * stride) * dtype.size
      for b in offset..<offset + dtype.size { isElement[b] = true }
    }
    return (0..<byteCount).allSatisfy { isElement[$0] || first[$0] == Self.sentinel }
  }
}

/// Deterministic inputs: special values first, then numbers of moderate size with some very large and small ones.
enum Samples {
  static let specialReals: [Double] = [
    1.5, -0.75, 0, -0.0, 1, -1, .infinity, -.infinity, .nan, 0.5, 2.5, -2.5, 3.5, 1e-8, -1e-8, 1e30, -1e30, 6e-8, 1e-40, 100,
    -100, 65504, 3, 2,
  ]
  static func real(_ i: Int) -> Double {
    if i < specialReals.count { return specialReals[i] }
    var h = UInt64(truncatingIfNeeded: i) &* 0x9E37_79B9_7F4A_7C15
    h ^= h >> 29
    h &*= 0xBF58_476D_1CE4_E5B9
    let u = Double(h >> 11) * 0x1p-53 * 2 - 1
    return i % 13 == 0 ? u * scalbn(1.0, i % 61 - 30) : u * 4
  }
  static func int(_ i: Int, _ dtype: apus_dtype) -> Int64 {
    let range = dtype.range
    let specials = [3, range.lowerBound, range.upperBound, 0, 1, -1, 2, -7, 5]
    if i < specials.count { return dtype.wrapped(specials[i]) }
    var h = UInt64(truncatingIfNeeded: i) &* 0x9E37_79B9_7F4A_7C15
    h ^= h >> 31
    return dtype.wrapped(i % 3 == 0 ? Int64(bitPattern: h) : Int64(h % 23) - 11)
  }
}

let lengths = [0, 1, 7, 64, 1000]

/// Equal up to `ulps` units of the dtype, at `smallest` or above; NaN equals NaN, infinities must agree in sign.
func close(_ got: Double, _ want: Double, _ dtype: apus_dtype, ulps: Double, smallest: Double = 0) -> Bool {
  if want.isNaN || got.isNaN { return want.isNaN && got.isNaN }
  let rounded = dtype.rounded(want)
  if got == rounded { return true }
  if got.isInfinite || rounded.isInfinite {
    // At the edge of overflow a unit may decide.
    let isAtEdge = dtype != APUS_F64 && min(abs(got), abs(rounded)) >= dtype.rounded(3.3e38) * 0.98
    return ulps > 0.5 && got.sign == rounded.sign && isAtEdge
  }
  return abs(got - want) <= ulps * dtype.ulp(max(abs(want), smallest))
}
