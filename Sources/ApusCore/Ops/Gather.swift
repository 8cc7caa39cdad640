/// What happens where an element is written to.
package enum Scatter: CaseIterable, Sendable {
  case set, add
}

extension Tensor {
  /// Elements picked along an axis: `y[i][j] = x[index[i][j]][j]` for dim 0, and so on.
  ///
  /// - Parameter index: int64 with the rank of `self`; in every axis but `dim` at most as large. Every entry must be in
  ///   `0 ..< shape[dim]`.
  /// - Returns: the shape of `index`.
  public func gather(dim: Int, index: Tensor) -> Tensor {
    guard let axis = checkIndex(dim, index, "gather") else { return .invalid }
    let y = device.backend.gather(data, axis: axis, index: index.data)
    let shape = shape
    return recorded(
      y, .named("gather"),
      .linear { dy in [Tensor.zeros(shape, dtype: dy.dtype).scatterAdd(dim: axis, index: index, dy)] }, self)
  }

  /// A copy with `source` written at `[index[i][j]][j]` (for dim 0). Where an element is written twice, one of the two stays.
  ///
  /// - Parameters:
  ///   - index: as for `gather`.
  ///   - source: at least as large as `index` in every axis; what lies outside is not used.
  public func scatter(dim: Int, index: Tensor, _ source: Tensor) -> Tensor { scatter(dim, index, source, .set) }

  /// A copy with a number written at `[index[i][j]][j]` (for dim 0).
  public func scatter(dim: Int, index: Tensor, _ value: some Scalar) -> Tensor {
    guard isValid, index.isValid else { return .invalid }
    return scatter(dim, index, value.asWeakTensor.to(dtype).expand(index.shape), .set)
  }

  /// A copy with `source` added at `[index[i][j]][j]` (for dim 0), as often as the index says so.
  public func scatterAdd(dim: Int, index: Tensor, _ source: Tensor) -> Tensor { scatter(dim, index, source, .add) }

  private func scatter(_ dim: Int, _ index: Tensor, _ source: Tensor, _ combine: Scatter) -> Tensor {
    let name: StaticString = combine == .set ? "scatter" : "scatterAdd"
    guard source.isValid, let axis = checkIndex(dim, index, "\(name)") else { return .invalid }
    guard check(source.dtype == dtype, .dtype, "\(name)", "source is \(source.dtype), the tensor \(dtype)") else {
      return .invalid
    }
    let fits = source.rank == rank && zip(index.data.shape, source.data.shape).allSatisfy { $0 <= $1 }
    guard check(fits, .shape, "\(name)", "source of shape \(source.shape) is smaller than the index, \(index.shape)") else {
      return .invalid
    }
    let used = source.corner(index.shape)
    let y = device.backend.scatter(data, axis: axis, index: index.data, source: used.data, combine: combine)
    return recorded(
      y, .named(name),
      .linear { dy in
        [combine == .set ? dy.scatter(dim: axis, index: index, 0.0) : dy, dy.gather(dim: axis, index: index)]
      }, self, used)
  }

  /// The part of the given shape at the start of every axis.
  func corner(_ shape: Shape) -> Tensor {
    shape.enumerated().reduce(self) { part, axis in part.narrow(dim: axis.offset, start: 0, count: axis.element) }
  }

  /// Indices from 0 for indices (int64) that may count from the end of an axis of `size`; nil after a reported mistake.
  ///
  /// - Parameter place: what a wrong index is not in.
  func wrapped(to size: Int, _ name: String, _ place: @autoclosure () -> String) -> Tensor? {
    guard check(dtype == .int64, .dtype, name, "the index is \(dtype), not int64") else { return nil }
    guard count > 0 else { return self }
    let (low, high) = (amin().item(as: Int.self), amax().item(as: Int.self))
    guard check(low >= -size && high < size, .index, name, "index \(low < -size ? low : high) is not in \(place())") else {
      return nil
    }
    return `where`(self .< 0, self + size, self)
  }

  private func checkIndex(_ dim: Int, _ index: Tensor, _ name: String) -> Int? {
    guard isValid, index.isValid else { return nil }
    guard check(index.dtype == .int64, .dtype, name, "the index is \(index.dtype), not int64") else { return nil }
    guard check(index.rank == rank, .shape, name, "an index of shape \(index.shape) for a tensor of shape \(shape)") else {
      return nil
    }
    guard let axis = resolve(dim, name) else { return nil }
    for i in 0..<rank where i != axis {
      guard
        check(
          index.data.shape[i] <= data.shape[i], .shape, name,
          "the index, \(index.shape), is larger than the tensor, \(shape), in axis \(i)")
      else { return nil }
    }
    return axis
  }

  /// The slices of an axis that `index` names, in its order.
  ///
  /// - Parameter index: int64 with one axis (or none, for one slice); entries in `0 ..< shape[dim]`.
  public func indexSelect(dim: Int, index: Tensor) -> Tensor {
    guard let (axis, index) = checkLine(dim, index, "indexSelect") else { return .invalid }
    let y = device.backend.indexSelect(data, axis: axis, index: index.data)
    let shape = shape
    return recorded(
      y, .named("indexSelect"),
      .linear { dy in [Tensor.zeros(shape, dtype: dy.dtype).indexAdd(dim: axis, index: index, dy)] }, self)
  }

  /// A copy with the slices of `source` added to those that `index` names, as often as it does.
  public func indexAdd(dim: Int, index: Tensor, _ source: Tensor) -> Tensor { indexWrite(dim, index, source, .add) }

  /// A copy with the slices of `source` in place of those that `index` names. Of a slice named twice, one stays.
  public func indexCopy(dim: Int, index: Tensor, _ source: Tensor) -> Tensor { indexWrite(dim, index, source, .set) }

  private func indexWrite(_ dim: Int, _ index: Tensor, _ source: Tensor, _ combine: Scatter) -> Tensor {
    let name: StaticString = combine == .set ? "indexCopy" : "indexAdd"
    guard source.isValid, let (axis, index) = checkLine(dim, index, "\(name)") else { return .invalid }
    guard check(source.dtype == dtype, .dtype, "\(name)", "source is \(source.dtype), the tensor \(dtype)") else {
      return .invalid
    }
    let expected = rank == 0 ? Dims() : data.shape.replacing(axis, with: index.count)
    guard
      check(
        source.data.shape == expected, .shape, "\(name)",
        "source of shape \(source.shape) where \(Shape(dims: expected)) is needed")
    else { return .invalid }
    let y = device.backend.indexWrite(data, axis: axis, index: index.data, source: source.data, combine: combine)
    return recorded(
      y, .named(name),
      .linear { dy in
        [
          combine == .set ? dy.indexCopy(dim: axis, index: index, Tensor.zeros(Shape(dims: expected), dtype: dy.dtype)) : dy,
          dy.indexSelect(dim: axis, index: index),
        ]
      }, self, source)
  }

  private func checkLine(_ dim: Int, _ index: Tensor, _ name: String) -> (Int, Tensor)? {
    guard isValid, index.isValid, let axis = resolve(dim, name) else { return nil }
    guard check(rank > 0, .shape, name, "a scalar has no axis to index") else { return nil }
    guard check(index.dtype == .int64, .dtype, name, "the index is \(index.dtype), not int64") else { return nil }
    guard check(index.rank <= 1, .shape, name, "the index has shape \(index.shape); it takes one axis") else { return nil }
    return (axis, index.reshape([index.count]))
  }

  /// int64 class numbers as rows of 0 and 1: `[…]` becomes `[…, classes]` (int64).
  ///
  /// - Parameter classes: number of classes; left out, one more than the greatest number.
  public func oneHot(_ classes: Int? = nil) -> Tensor {
    guard isValid else { return self }
    guard check(dtype == .int64, .dtype, "oneHot", "class numbers are int64, not \(dtype)") else { return .invalid }
    guard check(count > 0 || classes != nil, .value, "oneHot", "the number of classes does not follow from no elements") else {
      return .invalid
    }
    let greatest = count == 0 ? -1 : amax().item(as: Int.self)
    let n = classes ?? greatest + 1
    let smallest = count == 0 ? 0 : amin().item(as: Int.self)
    guard
      check(smallest >= 0 && greatest < n && n > 0, .value, "oneHot", "class numbers \(smallest)…\(greatest) for \(n) classes")
    else {
      return .invalid
    }
    return (unsqueeze(dim: -1) .== Tensor.arange(n)).to(.int64)
  }
}
