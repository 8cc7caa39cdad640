// Reading and writing through indices, made of gather, scatter and their kin.

extension Tensor {
  /// Elements of the flattened tensor at `index` (int64; negative counts from the end), in the shape of `index`.
  public func take(_ index: Tensor) -> Tensor {
    guard isValid, index.isValid, let places = index.wrapped(to: count, "take", "\(-count)..<\(count)") else { return .invalid }
    return flatten().indexSelect(dim: 0, index: places.flatten()).reshape(index.shape)
  }

  /// `gather` with broadcasting: `index` (int64, rank of self) and self broadcast in all axes but `dim`. Without an axis, elements of the
  /// flattened tensor.
  public func takeAlongDim(_ index: Tensor, dim: Int? = nil) -> Tensor {
    guard isValid, index.isValid else { return .invalid }
    guard let dim else { return flatten().gather(dim: 0, index: index.flatten()) }
    guard let axis = resolve(dim, "takeAlongDim") else { return .invalid }
    guard
      check(
        index.rank == rank && rank > 0, .shape, "takeAlongDim", "an index of shape \(index.shape) for a tensor of shape \(shape)"),
      let joined = Dims.broadcast(data.shape.replacing(axis, with: 1), index.data.shape.replacing(axis, with: 1))
    else {
      if index.rank == rank { fail(TensorError(.shape, "takeAlongDim", "\(shape) and \(index.shape) do not broadcast")) }
      return .invalid
    }
    let places = index.expand(Shape(dims: joined.replacing(axis, with: index.data.shape[axis])))
    return expand(Shape(dims: joined.replacing(axis, with: data.shape[axis]))).gather(dim: axis, index: places)
  }

  /// A copy in which the slices of an axis that `index` names are full of a number.
  public func indexFill(dim: Int, index: Tensor, _ value: some Scalar) -> Tensor {
    indexFill(dim: dim, index: index, value.asWeakTensor)
  }

  /// A copy in which the slices of an axis that `index` (int64, at most one axis; negative counts from the end) names are full of
  /// `value`, a tensor without axes.
  public func indexFill(dim: Int, index: Tensor, _ value: Tensor) -> Tensor {
    guard isValid, index.isValid, value.isValid, let axis = resolve(dim, "indexFill") else { return .invalid }
    let size = rank == 0 ? 1 : data.shape[axis]
    guard check(index.rank <= 1, .shape, "indexFill", "the index has shape \(index.shape); it takes one axis"),
      check(value.rank == 0, .shape, "indexFill", "the value has shape \(value.shape); it must have no axes"),
      let places = index.wrapped(to: size, "indexFill", "\(-size)..<\(size)")
    else { return .invalid }
    let flags = Tensor.zeros([size], dtype: .bool).scatter(dim: 0, index: places.reshape([index.count]), true)
    return maskedFill(
      rank == 0 ? flags.reshape([]) : flags.reshape(Shape([size] + [Int](repeating: 1, count: rank - 1 - axis))), value)
  }

  /// A copy with `values` (same dtype, broadcast) at the elements that `indices` name: a tensor of integers for each of the first
  /// axes, broadcast together, or bool tensors for as many axes as they have. Further axes stay whole.
  ///
  /// - Parameter accumulate: add instead of replacing, as often as an element is named. Without it one of several values stays.
  public func indexPut(_ indices: [Tensor], _ values: Tensor, accumulate: Bool = false) -> Tensor {
    guard isValid, values.isValid, let places = places(indices) else { return .invalid }
    guard check(values.dtype == dtype, .dtype, "indexPut", "the values are \(values.dtype), the tensor \(dtype)"),
      check(
        Dims.broadcast(values.data.shape, places.data.shape) == places.data.shape, .shape, "indexPut",
        "values of shape \(values.shape) do not fit the part of shape \(places.shape)")
    else { return .invalid }
    let (index, source) = (places.flatten(), values.expand(places.shape).flatten())
    let x = flatten()
    let y = accumulate ? x.scatterAdd(dim: 0, index: index, source) : x.scatter(dim: 0, index: index, source)
    return y.reshape(shape)
  }

  /// Where the indexed elements stand in the flattened tensor.
  private func places(_ indices: [Tensor]) -> Tensor? {
    guard indices.allSatisfy(\.isValid) else { return nil }
    let columns = indices.flatMap { $0.dtype == .bool ? $0.nonzero().unbind(dim: 1) : [$0] }
    guard
      check(
        !columns.isEmpty && columns.count <= rank, .index, "indexPut", "\(columns.count) indices for a tensor of shape \(shape)")
    else { return nil }
    guard check(masksFit(indices), .shape, "indexPut", "a mask's shape differs from its axes of \(shape)") else { return nil }
    let joined = broadcastTensors(columns)
    guard joined.allSatisfy(\.isValid) else { return nil }
    var rows = Tensor.zeros(joined[0].shape, dtype: .int64)
    for (axis, column) in joined.enumerated() {
      let size = data.shape[axis]
      guard let index = column.wrapped(to: size, "indexPut", "\(-size)..<\(size)") else { return nil }
      rows = rows * size + index
    }
    let rest = Array(data.shape.dropFirst(columns.count))
    let width = rest.reduce(1, *)
    let places = rows.unsqueeze(dim: -1) * width + Tensor.arange(width)
    return places.reshape(Shape(Array(rows.shape) + rest))
  }

  private func masksFit(_ indices: [Tensor]) -> Bool {
    var axis = 0
    for index in indices {
      let consumed = index.dtype == .bool ? index.rank : 1
      if index.dtype == .bool, Array(data.shape[axis..<(axis + consumed)]) != Array(index.shape) { return false }
      axis += consumed
    }
    return true
  }

  /// A copy in which the elements where `mask` (bool) is true are the first elements of `source` (same dtype), in order.
  ///
  /// self and `mask` broadcast together; `source` must have enough elements, and may have more.
  public func maskedScatter(_ mask: Tensor, _ source: Tensor) -> Tensor {
    guard isValid, mask.isValid, source.isValid else { return .invalid }
    guard check(mask.dtype == .bool, .dtype, "maskedScatter", "the mask is \(mask.dtype), not bool"),
      check(source.dtype == dtype, .dtype, "maskedScatter", "source is \(source.dtype), the tensor \(dtype)")
    else { return .invalid }
    let pair = broadcastTensors([self, mask])
    guard pair[0].isValid else { return .invalid }
    let flags = pair[1].flatten()
    let needed = flags.countNonzero().item(as: Int.self)
    guard check(source.count >= needed, .shape, "maskedScatter", "\(source.count) elements for \(needed) places") else {
      return .invalid
    }
    guard needed > 0 else { return pair[0].clone() }
    let places = (flags.cumsum(dim: 0) - 1).clamp(min: 0)
    let values = source.flatten().indexSelect(dim: 0, index: places).reshape(pair[0].shape)
    return `where`(pair[1], values, pair[0])
  }
}
