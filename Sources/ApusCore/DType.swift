import CKernels

/// The type of a tensor's elements.
///
/// The raw values are those of `apus_dtype` in the C kernels.
public enum DType: UInt8, CaseIterable, Hashable, Sendable, BitwiseCopyable {
  case float32, float64, float16, bfloat16
  case int64, int32, int16, int8, uint8
  case bool
}

extension DType: CustomStringConvertible {
  /// The name as PyTorch and NumPy write it: `float32`, `int64`, …
  public var name: String {
    switch self {
    case .float32: "float32"
    case .float64: "float64"
    case .float16: "float16"
    case .bfloat16: "bfloat16"
    case .int64: "int64"
    case .int32: "int32"
    case .int16: "int16"
    case .int8: "int8"
    case .uint8: "uint8"
    case .bool: "bool"
    }
  }

  /// The dtype called `name`, or nil.
  public init?(name: String) {
    guard let match = DType.allCases.first(where: { $0.name == name }) else { return nil }
    self = match
  }

  public var description: String { name }

  /// Bytes per element.
  public var itemSize: Int {
    switch self {
    case .float64, .int64: 8
    case .float32, .int32: 4
    case .float16, .bfloat16, .int16: 2
    case .int8, .uint8, .bool: 1
    }
  }

  public var isFloatingPoint: Bool {
    switch self {
    case .float32, .float64, .float16, .bfloat16: true
    case .int64, .int32, .int16, .int8, .uint8, .bool: false
    }
  }

  /// Whether this is one of the integer types; `bool` is not.
  public var isInteger: Bool { !isFloatingPoint && self != .bool }

  /// The spacing of numbers just above 1; nil for integers and bool.
  public var epsilon: Double? {
    switch self {
    case .float32: 0x1p-23
    case .float64: 0x1p-52
    case .float16: 0x1p-10
    case .bfloat16: 0x1p-7
    case .int64, .int32, .int16, .int8, .uint8, .bool: nil
    }
  }

  /// The dtype of sums: 64-bit for integers and bool, unchanged for floats.
  package var sumType: DType { isFloatingPoint ? self : .int64 }

  /// The dtype that functions such as `exp` compute in: unchanged for floats, the default for the rest.
  package var floatingType: DType { isFloatingPoint ? self : .float32 }

  /// The Swift type of the elements.
  package var scalarType: any TensorScalar.Type {
    switch self {
    case .float32: Float.self
    case .float64: Double.self
    case .float16: Float16.self
    case .bfloat16: BFloat16.self
    case .int64: Int64.self
    case .int32: Int32.self
    case .int16: Int16.self
    case .int8: Int8.self
    case .uint8: UInt8.self
    case .bool: Bool.self
    }
  }

  package var kernel: apus_dtype { apus_dtype(rawValue: numericCast(rawValue)) }
}

extension DType {
  /// The dtype that holds both: PyTorch's promotion lattice.
  ///
  /// bool < uint8, int8 < int16 < int32 < int64 < float16, bfloat16 < float32 < float64, where uint8 with int8 gives int16 and
  /// float16 with bfloat16 gives float32.
  public static func promote(_ a: DType, _ b: DType) -> DType {
    if a == b { return a }
    if a == .bool { return b }
    if b == .bool { return a }
    switch (a.isFloatingPoint, b.isFloatingPoint) {
    case (true, false): return a
    case (false, true): return b
    case (true, true):
      if a == .float64 || b == .float64 { return .float64 }
      return .float32  // float32 with a half type, or the two half types together
    case (false, false):
      if a == .uint8 || b == .uint8 {
        let other = a == .uint8 ? b : a
        return other == .int8 ? .int16 : other
      }
      return a.itemSize >= b.itemSize ? a : b
    }
  }
}
