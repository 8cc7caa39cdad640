/// A Swift type that can be an element of a tensor.
///
/// `Int` stands for int64. Values read from a tensor are converted as `to(_:)` converts: floats truncate toward zero.
public protocol TensorScalar: Hashable, Sendable {
  /// The dtype of tensors with such elements.
  static var dtype: DType { get }
  /// The dtype of a tensor made from such values when none is asked for.
  static var defaultDType: DType { get }
  /// The value as a double; int64 beyond 2^53 is rounded.
  var asDouble: Double { get }
  /// The value nearest to `double`, truncated toward zero and saturated for integers.
  init(fromDouble double: Double)
  /// Order used by sorting: NaN is greater than everything.
  static func precedes(_ a: Self, _ b: Self) -> Bool
  /// Text of one element, digits chosen by the printer.
  var isNonFinite: Bool { get }
}

extension TensorScalar {
  public static var defaultDType: DType { dtype }
  public var isNonFinite: Bool { false }
}

extension TensorScalar where Self: BinaryFloatingPoint {
  public var asDouble: Double { Double(self) }
  public init(fromDouble double: Double) { self.init(double) }
  public var isNonFinite: Bool { !isFinite }
  public static func precedes(_ a: Self, _ b: Self) -> Bool { a < b || (b.isNaN && !a.isNaN) }
}

extension TensorScalar where Self: FixedWidthInteger {
  public var asDouble: Double { Double(self) }
  public init(fromDouble double: Double) {
    if double.isNaN {
      self = 0
    } else if double >= Double(Self.max) {
      self = .max
    } else if double <= Double(Self.min) {
      self = .min
    } else {
      self.init(double)
    }
  }
  public static func precedes(_ a: Self, _ b: Self) -> Bool { a < b }
}

extension Float: TensorScalar { public static var dtype: DType { .float32 } }
extension Double: TensorScalar {
  public static var dtype: DType { .float64 }
  /// Swift's floating-point literals are doubles, as Python's are: without a dtype they make float32 tensors, as in PyTorch.
  public static var defaultDType: DType { .float32 }
}
extension Float16: TensorScalar { public static var dtype: DType { .float16 } }
extension Int64: TensorScalar { public static var dtype: DType { .int64 } }
extension Int: TensorScalar { public static var dtype: DType { .int64 } }
extension Int32: TensorScalar { public static var dtype: DType { .int32 } }
extension Int16: TensorScalar { public static var dtype: DType { .int16 } }
extension Int8: TensorScalar { public static var dtype: DType { .int8 } }
extension UInt8: TensorScalar { public static var dtype: DType { .uint8 } }
extension Bool: TensorScalar {
  public static var dtype: DType { .bool }
  public var asDouble: Double { self ? 1 : 0 }
  public init(fromDouble double: Double) { self = double != 0 }
  public static func precedes(_ a: Bool, _ b: Bool) -> Bool { !a && b }
}

/// The upper half of a `Float`: 8 bits of exponent, 7 of fraction.
public struct BFloat16: Hashable, Sendable {
  public var bitPattern: UInt16

  public init(bitPattern: UInt16) { self.bitPattern = bitPattern }

  /// `value` rounded to the nearest, ties to even; NaN stays NaN.
  public init(_ value: Float) {
    let bits = value.bitPattern
    if value.isNaN {
      bitPattern = UInt16(truncatingIfNeeded: bits >> 16) | 0x40
    } else {
      bitPattern = UInt16(truncatingIfNeeded: (bits &+ 0x7FFF &+ ((bits >> 16) & 1)) >> 16)
    }
  }

  public var floatValue: Float { Float(bitPattern: UInt32(bitPattern) << 16) }
}

extension BFloat16: TensorScalar {
  public static var dtype: DType { .bfloat16 }
  public var asDouble: Double { Double(floatValue) }
  public init(fromDouble double: Double) {
    // Rounding twice (to float, then to bfloat16) is off by one bit in rare ties; rounding the float to odd first avoids it.
    let float = Float(double)
    guard float.isFinite, Double(float) != double else {
      self.init(float)
      return
    }
    let towardZero = abs(Double(float)) > abs(double) ? Float(bitPattern: float.bitPattern &- 1) : float
    self.init(Float(bitPattern: towardZero.bitPattern | 1))
  }
  public var isNonFinite: Bool { !floatValue.isFinite }
  public static func precedes(_ a: BFloat16, _ b: BFloat16) -> Bool { Float.precedes(a.floatValue, b.floatValue) }
}
