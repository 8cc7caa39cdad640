extension Tensor {
  /// The cross product of vectors of three numbers along `dim`; the other axes broadcast.
  public func cross(_ other: Tensor, dim: Int = -1) -> Tensor {
    guard isValid, other.isValid else { return .invalid }
    let pair = broadcastTensors([self, other])
    guard pair.count == 2, let axis = pair[0].resolve(dim, "cross"),
      check(
        rank == other.rank && shape[axis] == 3 && other.shape[axis] == 3, .shape, "cross",
        "\(shape) and \(other.shape) do not have one rank and 3 elements along axis \(dim)")
    else { return .invalid }
    let (a, b) = (pair[0], pair[1])
    return a.roll(-1, dim: axis) * b.roll(-2, dim: axis) - a.roll(-2, dim: axis) * b.roll(-1, dim: axis)
  }

  /// Inner products of vectors along `dim`, with broadcasting.
  public func vecdot(_ other: Tensor, dim: Int = -1) -> Tensor {
    guard isValid, other.isValid else { return .invalid }
    return (self * other).sum(dim: dim).to(Tensor.resultType(self, other))
  }

  /// The powers 0 … `count` − 1 of each element along a new last axis: Vandermonde matrices. As many as the last axis is long unless given.
  public func vander(_ count: Int? = nil) -> Tensor {
    guard isValid else { return self }
    guard check(rank > 0, .shape, "vander", "a scalar has no axis of numbers"),
      check(count ?? 0 >= 0, .value, "vander", "a count of \(count ?? 0)")
    else { return .invalid }
    let n = count ?? shape[-1]
    let ones = Tensor.ones(Shape(shape + [Swift.min(n, 1)]), dtype: dtype)
    return n < 2 ? ones : cat([ones, unsqueeze(dim: -1).expand(Shape(shape + [n - 1])).cumprod(dim: -1)], dim: -1)
  }
}
