/// `condition ? a : b`, element by element, with broadcasting of all three.
///
/// - Parameter condition: bool.
/// - Returns: the promoted dtype of `a` and `b`. The gradient of the one that wasn't chosen is 0.
public func `where`(_ condition: Tensor, _ a: Tensor, _ b: Tensor) -> Tensor {
  guard condition.isValid, a.isValid, b.isValid else { return .invalid }
  guard check(condition.dtype == .bool, .dtype, "where", "the condition is \(condition.dtype), not bool") else { return .invalid }
  guard let pair = Dims.broadcast(a.data.shape, b.data.shape), let shape = Dims.broadcast(pair, condition.data.shape) else {
    fail(TensorError(.shape, "where", "\(condition.shape), \(a.shape) and \(b.shape) do not broadcast"))
    return .invalid
  }
  let dtype = Tensor.resultType(a, b)
  let y = a.device.backend.select(condition.data, a.data.cast(dtype), b.data.cast(dtype), shape: shape)
  let (first, second) = (a.node != nil, b.node != nil)
  return recorded(
    y, .named("where"),
    .linear { dy in [nil, first ? `where`(condition, dy, 0) : nil, second ? `where`(condition, 0, dy) : nil] },
    [Tensor(condition.data), a, b])
}

extension Tensor {
  /// A copy in which the elements where `mask` (bool, broadcast) is true are `value`.
  public func maskedFill(_ mask: Tensor, _ value: some Scalar) -> Tensor { maskedFill(mask, value.asWeakTensor) }

  /// A copy in which the elements where `mask` (bool, broadcast) is true are `value`, a tensor without axes.
  ///
  /// - Returns: the dtype of `self`.
  public func maskedFill(_ mask: Tensor, _ value: Tensor) -> Tensor {
    guard isValid, mask.isValid, value.isValid else { return .invalid }
    guard check(value.rank == 0, .shape, "maskedFill", "the value has shape \(value.shape); it must have no axes") else {
      return .invalid
    }
    guard
      check(
        Dims.broadcast(data.shape, mask.data.shape) == data.shape, .shape, "maskedFill",
        "mask of shape \(mask.shape) does not broadcast to \(shape)")
    else { return .invalid }
    return `where`(mask, value.to(dtype), self)
  }

  /// Elements outside min…max replaced by the nearer bound, a number or a tensor (broadcast); either may be left out.
  ///
  /// NaN stays. Where min > max the result is max. The gradient is 1 inside and at the bounds.
  public func clamp(min: Tensor? = nil, max: Tensor? = nil) -> Tensor {
    guard check(min != nil || max != nil, .value, "clamp", "neither min nor max is given") else { return .invalid }
    var y = self
    // Comparisons rather than `maximum`: at a bound the whole gradient belongs to the input.
    if let min { y = `where`(y .< min, min.to(adapting: y), y) }
    if let max { y = `where`(y .> max, max.to(adapting: y), y) }
    return y
  }

  /// `clamp` with bounds that are variables of type Double. (Literals are tensors already.)
  @_disfavoredOverload
  public func clamp(min: Double? = nil, max: Double? = nil) -> Tensor {
    clamp(min: min?.asWeakTensor, max: max?.asWeakTensor)
  }

  /// For integers a fractional bound promotes, as in any binary op; otherwise a number takes on the dtype of `x`.
  private func to(adapting x: Tensor) -> Tensor { to(Tensor.resultType(x, self)) }

  /// self + weight · (end − self).
  public func lerp(_ end: Tensor, _ weight: Tensor) -> Tensor { self + weight * (end - self) }
}
