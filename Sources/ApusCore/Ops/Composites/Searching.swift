// Where numbers belong among sorted ones, and how often each occurs.

/// For every value the index (int64) at which it could be inserted so that the sequence stays sorted.
///
/// - Parameters:
///   - sorted: ascending along the last axis; NaN counts as greater than everything. One axis for all values, or the shape of `values`
///     in all axes but the last. Not checked for order.
///   - values: of the dtype of `sorted`.
///   - right: where some elements are equal to the value, the index after the last of them; otherwise that of the first.
///   - sorter: int64 indices that sort `sorted` (as `argsort` gives), if it isn't.
/// - Returns: the shape of `values`.
/// - Complexity: O(log n) for each value among n.
public func searchsorted(_ sorted: Tensor, _ values: Tensor, right: Bool = false, sorter: Tensor? = nil) -> Tensor {
  guard sorted.isValid, values.isValid, sorter?.isValid ?? true else { return .invalid }
  if let sorter {
    return searchsorted(sorted.detach().gather(dim: -1, index: sorter), values, right: right)
  }
  let isShared = sorted.rank == 1
  guard
    check(
      isShared || (sorted.rank > 1 && sorted.shape.dropLast() == values.shape.dropLast()), .shape, "searchsorted",
      "a sequence of shape \(sorted.shape) for values of shape \(values.shape)"),
    check(sorted.dtype == values.dtype, .dtype, "searchsorted", "the sequence is \(sorted.dtype), the values \(values.dtype)")
  else { return .invalid }
  let n = sorted.shape[-1]
  let lineLength = isShared ? Swift.max(values.count, 1) : Swift.max(values.shape[-1], 1)
  func run<T: TensorScalar>(_: T.Type) -> [Int] {
    let (line, x) = (sorted.scalars(as: T.self), values.scalars(as: T.self))
    return x.indices.map { i in
      let start = i / lineLength * n
      var (low, high) = (start, start + n)
      while low < high {
        let middle = (low + high) / 2
        let isBefore = right ? !T.precedes(x[i], line[middle]) : T.precedes(line[middle], x[i])
        if isBefore { low = middle + 1 } else { high = middle }
      }
      return low - start
    }
  }
  return Tensor(scalars: run(sorted.dtype.scalarType), shape: values.shape)
}

/// The index (int64) of the bucket that each element of `x` falls into: bucket i holds boundaries[i − 1] < x ≤ boundaries[i].
///
/// - Parameters:
///   - boundaries: ascending, one axis, of the dtype of `x`.
///   - right: bucket i holds boundaries[i − 1] ≤ x < boundaries[i] instead.
public func bucketize(_ x: Tensor, _ boundaries: Tensor, right: Bool = false) -> Tensor {
  guard x.isValid, boundaries.hasRank(1, for: "bucketize") else { return .invalid }
  return searchsorted(boundaries, x, right: right)
}

extension Tensor {
  /// How often each of the numbers 0, 1, 2, … occurs: y[i] = the number of elements equal to i, or the sum of their weights.
  ///
  /// - Parameters:
  ///   - weights: of the shape of `self`, which must be integers from 0 in one axis.
  ///   - minLength: least size of the result, which otherwise ends with the greatest element.
  /// - Returns: int64; with weights float32 for those, float64 for all others.
  public func bincount(weights: Tensor? = nil, minLength: Int = 0) -> Tensor {
    guard hasRank(1, for: "bincount"), weights?.isValid ?? true else { return .invalid }
    let smallest = count > 0 && dtype.isInteger ? amin().item(as: Int.self) : 0
    guard check(dtype.isInteger, .dtype, "bincount", "counts integers, not \(dtype)"),
      check(smallest >= 0, .value, "bincount", "\(smallest) is negative"),
      check(minLength >= 0, .value, "bincount", "minLength = \(minLength) is negative"),
      check(
        weights == nil || weights!.shape == shape, .shape, "bincount",
        "weights of shape \(weights?.shape ?? []) for a tensor of shape \(shape)")
    else { return .invalid }
    let size = Swift.max(minLength, count > 0 ? amax().item(as: Int.self) + 1 : 0)
    let type: DType = weights.map { $0.dtype == .float32 ? .float32 : .float64 } ?? .int64
    let added = weights?.to(type) ?? Tensor.ones(shape, dtype: type)
    return Tensor.zeros([size], dtype: type).scatterAdd(dim: 0, index: to(.int64), added)
  }

  /// How many elements fall into each of `bins` intervals of equal width from `min` to `max`, both included; others are not counted.
  ///
  /// Where `min` and `max` are equal, as by default, the smallest and greatest element take their place.
  ///
  /// - Returns: `[bins]` of the dtype of `self`, which must be floats.
  public func histc(bins: Int = 100, min: Double = 0, max: Double = 0) -> Tensor {
    guard isFloating(for: "histc") else { return .invalid }
    guard check(bins > 0, .value, "histc", "\(bins) bins"), check(min <= max, .value, "histc", "min = \(min) > max = \(max)")
    else { return .invalid }
    var (low, high) = (min, max)
    if low == high, count > 0 { (low, high) = (amin().item(), amax().item()) }
    guard check(low.isFinite && high.isFinite, .value, "histc", "the range \(low)...\(high) is not finite") else {
      return .invalid
    }
    if low == high { (low, high) = (low - 1, high + 1) }
    let x = detach().flatten()
    let inside = x.maskedSelect((x .>= low) .& (x .<= high))
    let bin = ((inside - low) * Double(bins) / (high - low)).to(.int64).clamp(max: (bins - 1).asWeakTensor)
    return bin.bincount(minLength: bins).to(dtype)
  }
}
