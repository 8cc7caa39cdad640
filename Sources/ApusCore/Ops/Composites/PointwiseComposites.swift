// Element-wise functions of several tensors, made of the primitives.

extension Tensor {
  /// self + value · a · b, element by element, with broadcasting and promotion of all.
  public func addcmul(_ a: Tensor, _ b: Tensor, value: some Scalar = 1) -> Tensor { self + value * (a * b) }

  /// self + value · a / b, element by element, with broadcasting and promotion of all. Integers alone are an error.
  public func addcdiv(_ a: Tensor, _ b: Tensor, value: some Scalar = 1) -> Tensor {
    guard isValid, a.isValid, b.isValid else { return .invalid }
    guard
      check(
        a.dtype.isFloatingPoint || b.dtype.isFloatingPoint, .dtype, "addcdiv",
        "does not divide \(a.dtype) by \(b.dtype); convert one to float")
    else { return .invalid }
    return self + value * (a / b)
  }

  /// ln(eᵃ + eᵇ), stable for large and for very different inputs. Floating point only.
  ///
  /// Equal infinities give that infinity. The gradients are the two shares eᵃ / (eᵃ + eᵇ) and eᵇ / (eᵃ + eᵇ).
  public func logaddexp(_ other: Tensor) -> Tensor {
    guard isFloating(for: "logaddexp"), other.isFloating(for: "logaddexp") else { return .invalid }
    let isFirst = detach() .>= other.detach()
    let (high, low) = (`where`(isFirst, self, other), `where`(isFirst, other, self))
    let isSame = (high.detach() .== low.detach()) .& high.detach().isInfinite()
    // ∞ − ∞ must not be computed, not even where it isn't chosen: its gradient would be NaN.
    let (a, b) = (`where`(isSame, 0, high), `where`(isSame, 0, low))
    return `where`(isSame, high, a - (a - b).logSigmoid())
  }

  /// self · ln(other), and 0 where self is 0 (unless `other` is NaN). Integers become float32.
  public func xlogy(_ other: Tensor) -> Tensor {
    guard isValid, other.isValid else { return .invalid }
    let y = other.detach()
    let isZero = (detach() .== 0) .& ((y .<= 0) .| (y .== Double.infinity))
    return self * `where`(isZero, 1, other).log()
  }

  /// NaN, +∞ and −∞ replaced; the gradient of a replaced element is 0. Integers are returned as they are.
  ///
  /// - Parameters:
  ///   - nan: what stands for NaN.
  ///   - posinf: what stands for +∞; left out, the greatest finite number of the dtype.
  ///   - neginf: what stands for −∞; left out, the smallest finite number of the dtype.
  public func nanToNum(nan: Double = 0, posinf: Double? = nil, neginf: Double? = nil) -> Tensor {
    guard isValid, let greatest = dtype.greatestFinite else { return self }
    let x = detach()
    let finite = `where`(x .== Double.infinity, (posinf ?? greatest).asWeakTensor.to(dtype), self)
    let bounded = `where`(x .== -Double.infinity, (neginf ?? -greatest).asWeakTensor.to(dtype), finite)
    return `where`(x.isNaN(), nan.asWeakTensor.to(dtype), bounded)
  }
}

extension DType {
  /// The greatest finite number; nil for integers and bool.
  var greatestFinite: Double? {
    switch self {
    case .float32: Double(Float.greatestFiniteMagnitude)
    case .float64: .greatestFiniteMagnitude
    case .float16: 65504
    case .bfloat16: 0x1.FEp127
    case .int64, .int32, .int16, .int8, .uint8, .bool: nil
    }
  }
}

// MARK: - Comparisons

extension Tensor {
  /// Whether |self − other| ≤ atol + rtol · |other|, element by element (bool), with broadcasting.
  ///
  /// Equal infinities are close; NaN is close to NaN only where `equalNaN` says so. The dtypes must agree.
  public func isclose(_ other: Tensor, rtol: Double = 1e-5, atol: Double = 1e-8, equalNaN: Bool = false) -> Tensor {
    guard isValid, other.isValid else { return .invalid }
    guard check(dtype == other.dtype, .dtype, "isclose", "\(dtype) and \(other.dtype) differ"),
      check(rtol >= 0 && atol >= 0, .value, "isclose", "rtol = \(rtol) and atol = \(atol) must not be negative")
    else { return .invalid }
    let wide = dtype.isFloatingPoint ? dtype : .float64
    let (a, b) = (detach().to(wide), other.detach().to(wide))
    let difference = (a - b).abs()
    let isNear = difference.isFinite() .& (difference .<= atol + (rtol * b).abs())
    let isClose = (detach() .== other.detach()) .| isNear
    return equalNaN ? isClose .| (a.isNaN() .& b.isNaN()) : isClose
  }

  /// Whether every element is close to that of `other`: see `isclose`.
  public func allclose(_ other: Tensor, rtol: Double = 1e-5, atol: Double = 1e-8, equalNaN: Bool = false) -> Bool {
    isclose(other, rtol: rtol, atol: atol, equalNaN: equalNaN).all().item(as: Bool.self)
  }

  /// Whether `other` has the same shape and every element is equal; NaN equals nothing. dtypes are promoted as in `.==`.
  public func equal(_ other: Tensor) -> Bool {
    isValid && other.isValid && shape == other.shape && (detach() .== other.detach()).all().item(as: Bool.self)
  }
}

/// Whether each element of `x` is among those of `tests` (bool, the shape of `x`); NaN is not, not even in NaN.
///
/// - Parameter invert: whether it is missing instead.
/// - Complexity: O((n + m) log m) for n elements and m tests.
public func isin(_ x: Tensor, _ tests: Tensor, invert: Bool = false) -> Tensor {
  guard x.isValid, tests.isValid else { return .invalid }
  let dtype = Tensor.resultType(x, tests)
  let sorted = tests.detach().to(dtype).flatten().sort().values
  guard sorted.count > 0 else { return Tensor.full(x.shape, invert) }
  let values = x.detach().to(dtype)
  let place = searchsorted(sorted, values).clamp(max: (sorted.count - 1).asWeakTensor)
  let isFound = sorted.take(place) .== values
  return invert ? isFound.logicalNot() : isFound
}
