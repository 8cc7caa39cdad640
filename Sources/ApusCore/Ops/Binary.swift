import CKernels

/// Element-wise functions of two variables, with broadcasting. A case is a name; the switches below are its whole definition, with the
/// kernel of the same name in C (the raw values are those of `apus_binary_op`).
package enum Binary: UInt32, CaseIterable, Sendable {
  case add, sub, mul, div, pow, maximum, minimum, fmax, fmin
  case atan2, floorDivide, remainder, fmod
  /// The gradients of three activations, from that of the result, a, and the result, b: a where b > 0 and 0 elsewhere; a (1 − b²);
  /// a b (1 − b).
  case reluGradient, tanhGradient, sigmoidGradient
  case bitwiseAnd, bitwiseOr, bitwiseXor
  case eq, ne, lt, le, gt, ge, logicalAnd, logicalOr, logicalXor
}

extension Binary {
  /// (dL/da, dL/db) from dL/dy, at the shape of y: the engine sums a gradient to its input's shape afterwards.
  ///
  /// - Parameter secondHasGradient: whether the second input has a place in the graph.
  func rule(secondHasGradient: Bool) -> Rule {
    switch self {
    case .add: .linear { dy in [dy, dy] }
    case .sub: .linear { dy in [dy, secondHasGradient ? -dy : nil] }
    case .mul: .fromInputs { dy, x in x.needed(dy * x[1], dy * x[0]) }
    case .div: .fromInputs { dy, x in x.needed(dy / x[1], -dy * x[0] / (x[1] * x[1])) }
    case .pow:
      // d/da = b a^(b−1), 0 where b is 0 (also at a = 0); d/db = y ln a, 0 at a = 0 for b ≥ 0.
      .fromInputs { dy, x in
        let (a, b) = (x[0], x[1])
        return x.needed(
          dy * `where`(b .== 0, 0, b * a.pow(b - 1)),
          dy * `where`((a .== 0) .& (b .>= 0), 0, a.pow(b) * `where`(a .== 0, 1, a).log()))
      }
    case .maximum, .fmax: .fromInputs { dy, x in Self.toTheGreater(dy, x, x[0], x[1]) }
    case .minimum, .fmin: .fromInputs { dy, x in Self.toTheGreater(dy, x, x[1], x[0]) }
    case .atan2:
      .fromInputs { dy, x in
        let scale = dy / (x[0] * x[0] + x[1] * x[1])
        return [scale * x[1], -scale * x[0]]
      }
    case .remainder: .fromInputs { dy, x in x.needed(dy, -dy * (x[0] / x[1]).floor()) }
    case .fmod: .fromInputs { dy, x in x.needed(dy, -dy * (x[0] / x[1]).trunc()) }
    case .reluGradient: .fromInputs { dy, x in [x.needs(0) ? Tensor.binary(.reluGradient, dy, x[1]) : nil, nil] }
    case .tanhGradient:
      .fromInputs { dy, x in x.needed(Tensor.binary(.tanhGradient, dy, x[1]), dy * x[0] * (-2 * x[1])) }
    case .sigmoidGradient:
      .fromInputs { dy, x in x.needed(Tensor.binary(.sigmoidGradient, dy, x[1]), dy * x[0] * (1 - 2 * x[1])) }
    case .floorDivide: .zero
    case .bitwiseAnd, .bitwiseOr, .bitwiseXor: .zero  // their results are not floats
    case .eq, .ne, .lt, .le, .gt, .ge, .logicalAnd, .logicalOr, .logicalXor: .zero
    }
  }

  /// The gradient goes to the first input where `a` > `b`, to the second where `a` < `b`, and half to each where they are equal.
  private static func toTheGreater(_ dy: Tensor, _ x: Inputs, _ a: Tensor, _ b: Tensor) -> [Tensor?] {
    let first = (a .> b).to(dy.dtype) + 0.5 * (a .== b).to(dy.dtype)
    return x.needed(dy * first, dy * (1 - first))
  }

  /// Whether the result is bool.
  package var isComparison: Bool {
    switch self {
    case .eq, .ne, .lt, .le, .gt, .ge, .logicalAnd, .logicalOr, .logicalXor: true
    default: false
    }
  }

  /// The dtype that the op computes in when its inputs promote to `dtype`; nil where it doesn't take them.
  package func computeType(_ dtype: DType) -> DType? {
    switch self {
    case .add, .mul, .maximum, .minimum: dtype
    case .sub, .pow, .fmax, .fmin, .floorDivide, .remainder, .fmod: dtype == .bool ? nil : dtype
    case .div, .atan2: dtype.floatingType
    case .reluGradient, .tanhGradient, .sigmoidGradient: dtype.isFloatingPoint ? dtype : nil
    case .bitwiseAnd, .bitwiseOr, .bitwiseXor: dtype.isFloatingPoint ? nil : dtype
    case .eq, .ne, .lt, .le, .gt, .ge, .logicalAnd, .logicalOr, .logicalXor: dtype
    }
  }

  package var kernel: apus_binary_op { apus_binary_op(rawValue: numericCast(rawValue)) }
  package var name: String { "\(self)" }
}

// MARK: - Promotion

extension Tensor {
  /// The dtype of an op on `a` and `b`: PyTorch's rules.
  ///
  /// Tensors with axes decide before scalar tensors, and those before Swift numbers; a lower rank of these changes the dtype only when
  /// its category (bool, integer, float) is higher.
  package static func resultType(_ a: Tensor, _ b: Tensor) -> DType {
    let (x, y) = (a.data, b.data)
    if x.dtype == y.dtype { return x.dtype }
    let (px, py) = (priority(x), priority(y))
    if px == py { return DType.promote(x.dtype, y.dtype) }
    let (high, low) = px > py ? (x, y) : (y, x)
    if category(low.dtype) > category(high.dtype) { return DType.promote(high.dtype, low.dtype) }
    return high.dtype
  }

  private static func priority(_ x: TensorData) -> Int { x.isWeak ? 0 : x.rank == 0 ? 1 : 2 }
  private static func category(_ dtype: DType) -> Int { dtype == .bool ? 0 : dtype.isFloatingPoint ? 2 : 1 }
}

// MARK: - The one way in

extension Tensor {
  /// Applies a primitive; the one place where binary ops meet promotion, broadcasting, the backend and the graph.
  package static func binary(_ op: Binary, _ a: Tensor, _ b: Tensor) -> Tensor {
    if _slowPath(Context.hasOpenScopes), op == .pow, case let (x, y) = (widened(a), widened(b)),
      x.dtype != a.dtype || y.dtype != b.dtype
    {
      return binary(op, x, y)
    }
    guard let (x, y, shape) = operands(op, a, b) else { return .invalid }
    if a.data.isWeak, b.data.isWeak, !op.isComparison { return Tensor(weak(op, a.data, b.data)) }
    let result = a.device.backend.binary(op, x, y, shape: shape, into: nil)
    return recorded(result, .binary(op), op.rule(secondHasGradient: b.node != nil), a, b)
  }

  /// Numbers among themselves, as in `p *= 1 - beta`: the result is a number again, with all its digits.
  private static func weak(_ op: Binary, _ a: TensorData, _ b: TensorData) -> TensorData {
    let areIntegers = !a.dtype.isFloatingPoint && !b.dtype.isFloatingPoint && op.computeType(.int64) == .int64
    let dtype: DType = areIntegers ? .int64 : .float64
    let y = a.device.backend.binary(op, a.cast(dtype), b.cast(dtype), shape: Dims(), into: nil)
    guard y.isValid else { return y }
    return areIntegers ? .weak(y.element(Int64.self)) : .weak(Float(y.firstAsDouble), digits: y.firstAsDouble)
  }

  /// Checks two operands and brings them to one dtype; nil after a reported mistake.
  package static func operands(_ op: Binary, _ a: Tensor, _ b: Tensor) -> (TensorData, TensorData, Dims)? {
    guard a.isValid, b.isValid else { return nil }
    guard let shape = Dims.broadcast(a.data.shape, b.data.shape) else {
      fail(TensorError(.shape, op.name, "\(a.shape) and \(b.shape) do not broadcast: \(broadcastMismatch(a.shape, b.shape))"))
      return nil
    }
    let promoted = resultType(a, b)
    guard let dtype = op.computeType(promoted) else {
      fail(TensorError(.dtype, op.name, "is not defined for \(a.dtype) and \(b.dtype)"))
      return nil
    }
    guard check(a.device == b.device, .device, op.name, "tensors on \(a.device) and \(b.device)") else { return nil }
    let (x, y) = (a.data.cast(dtype), b.data.cast(dtype))
    if !dtype.isFloatingPoint, op == .floorDivide || op == .remainder || op == .fmod {
      let hasZero = y.device.backend.reduce(.all, y, axes: y.shape.axes).firstAsDouble == 0
      guard check(!hasZero, .value, op.name, "integer division by zero") else { return nil }
    }
    return (x, y, shape)
  }

  private static func broadcastMismatch(_ a: Shape, _ b: Shape) -> String {
    for i in 1...Swift.max(Swift.min(a.rank, b.rank), 1) where i <= a.rank && i <= b.rank {
      let (x, y) = (a[-i], b[-i])
      if x != y && x != 1 && y != 1 { return "axis −\(i) has sizes \(x) and \(y), which differ and are not 1" }
    }
    return "sizes differ and are not 1"
  }
}

// MARK: - Operators and methods

/// A Swift number that can stand beside a tensor: it takes on the tensor's dtype as a literal does.
public protocol Scalar: Sendable {
  /// The number as a tensor without axes that adapts its dtype.
  var asWeakTensor: Tensor { get }
}
extension Int: Scalar { public var asWeakTensor: Tensor { Tensor(integerLiteral: self) } }
extension Double: Scalar { public var asWeakTensor: Tensor { Tensor(floatLiteral: self) } }
extension Float: Scalar { public var asWeakTensor: Tensor { Tensor(floatLiteral: Double(self)) } }
extension Bool: Scalar { public var asWeakTensor: Tensor { Tensor(booleanLiteral: self) } }

infix operator .& : LogicalConjunctionPrecedence
infix operator .| : LogicalDisjunctionPrecedence
infix operator .^ : LogicalDisjunctionPrecedence

extension Tensor {
  /// a + b. On bool: or.
  public static func + (a: Tensor, b: Tensor) -> Tensor { binary(.add, a, b) }
  public static func + (a: Tensor, b: some Scalar) -> Tensor { binary(.add, a, b.asWeakTensor) }
  public static func + (a: some Scalar, b: Tensor) -> Tensor { binary(.add, a.asWeakTensor, b) }
  /// a − b. Not for bool.
  public static func - (a: Tensor, b: Tensor) -> Tensor { binary(.sub, a, b) }
  public static func - (a: Tensor, b: some Scalar) -> Tensor { binary(.sub, a, b.asWeakTensor) }
  public static func - (a: some Scalar, b: Tensor) -> Tensor { binary(.sub, a.asWeakTensor, b) }
  /// a · b, element by element. On bool: and.
  public static func * (a: Tensor, b: Tensor) -> Tensor { binary(.mul, a, b) }
  public static func * (a: Tensor, b: some Scalar) -> Tensor { binary(.mul, a, b.asWeakTensor) }
  public static func * (a: some Scalar, b: Tensor) -> Tensor { binary(.mul, a.asWeakTensor, b) }
  /// a / b; integers are divided as floats. See `floorDivide`.
  public static func / (a: Tensor, b: Tensor) -> Tensor { binary(.div, a, b) }
  public static func / (a: Tensor, b: some Scalar) -> Tensor { binary(.div, a, b.asWeakTensor) }
  public static func / (a: some Scalar, b: Tensor) -> Tensor { binary(.div, a.asWeakTensor, b) }

  /// aᵇ. Integers to a negative power are 0 unless a is ±1.
  public func pow(_ exponent: Tensor) -> Tensor { Tensor.binary(.pow, self, exponent) }
  /// aᵇ for a number b; 2 and 0.5 are as fast as `square` and `sqrt`.
  public func pow(_ exponent: some Scalar) -> Tensor {
    let b = exponent.asWeakTensor
    let value = b.data.firstAsDouble
    if value == 2 { return square() }
    if value == 0.5 && dtype.isFloatingPoint { return sqrt() }
    return Tensor.binary(.pow, self, b)
  }
  /// The greater of a and b; NaN where either is NaN. Equal elements share the gradient.
  public func maximum(_ other: Tensor) -> Tensor { Tensor.binary(.maximum, self, other) }
  /// The smaller of a and b; NaN where either is NaN. Equal elements share the gradient.
  public func minimum(_ other: Tensor) -> Tensor { Tensor.binary(.minimum, self, other) }
  /// The greater of a and b; where one is NaN, the other.
  public func fmax(_ other: Tensor) -> Tensor { Tensor.binary(.fmax, self, other) }
  /// The smaller of a and b; where one is NaN, the other.
  public func fmin(_ other: Tensor) -> Tensor { Tensor.binary(.fmin, self, other) }
  /// The angle of the point (x: other, y: self), in −π…π.
  public func atan2(_ other: Tensor) -> Tensor { Tensor.binary(.atan2, self, other) }
  /// ⌊a / b⌋ without changing the dtype. Integer division by zero is an error. Its gradient is 0.
  public func floorDivide(_ other: Tensor) -> Tensor { Tensor.binary(.floorDivide, self, other) }
  /// a − b ⌊a / b⌋: the remainder with the sign of b.
  public func remainder(_ other: Tensor) -> Tensor { Tensor.binary(.remainder, self, other) }
  /// The remainder with the sign of a.
  public func fmod(_ other: Tensor) -> Tensor { Tensor.binary(.fmod, self, other) }

  /// a and b, bit by bit. Integers and bool.
  public static func .& (a: Tensor, b: Tensor) -> Tensor { binary(.bitwiseAnd, a, b) }
  /// a or b, bit by bit. Integers and bool.
  public static func .| (a: Tensor, b: Tensor) -> Tensor { binary(.bitwiseOr, a, b) }
  /// Either a or b, bit by bit. Integers and bool.
  public static func .^ (a: Tensor, b: Tensor) -> Tensor { binary(.bitwiseXor, a, b) }
  /// Whether a and b are both other than 0.
  public func logicalAnd(_ other: Tensor) -> Tensor { Tensor.binary(.logicalAnd, self, other) }
  /// Whether a or b is other than 0.
  public func logicalOr(_ other: Tensor) -> Tensor { Tensor.binary(.logicalOr, self, other) }
  /// Whether one of a and b, but not both, is other than 0.
  public func logicalXor(_ other: Tensor) -> Tensor { Tensor.binary(.logicalXor, self, other) }

  // Comparisons are element-wise and give bool, so they carry the dot that Swift's SIMD types use.

  public static func .== (a: Tensor, b: Tensor) -> Tensor { binary(.eq, a, b) }
  public static func .== (a: Tensor, b: some Scalar) -> Tensor { binary(.eq, a, b.asWeakTensor) }
  public static func .!= (a: Tensor, b: Tensor) -> Tensor { binary(.ne, a, b) }
  public static func .!= (a: Tensor, b: some Scalar) -> Tensor { binary(.ne, a, b.asWeakTensor) }
  public static func .< (a: Tensor, b: Tensor) -> Tensor { binary(.lt, a, b) }
  public static func .< (a: Tensor, b: some Scalar) -> Tensor { binary(.lt, a, b.asWeakTensor) }
  public static func .<= (a: Tensor, b: Tensor) -> Tensor { binary(.le, a, b) }
  public static func .<= (a: Tensor, b: some Scalar) -> Tensor { binary(.le, a, b.asWeakTensor) }
  public static func .> (a: Tensor, b: Tensor) -> Tensor { binary(.gt, a, b) }
  public static func .> (a: Tensor, b: some Scalar) -> Tensor { binary(.gt, a, b.asWeakTensor) }
  public static func .>= (a: Tensor, b: Tensor) -> Tensor { binary(.ge, a, b) }
  public static func .>= (a: Tensor, b: some Scalar) -> Tensor { binary(.ge, a, b.asWeakTensor) }
}
