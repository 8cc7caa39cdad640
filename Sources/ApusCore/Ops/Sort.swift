extension Tensor {
  /// Elements in order along an axis, and where they came from (int64). Stable; NaN counts as greater than everything.
  ///
  /// - Complexity: O(n log n) for each line of n elements.
  public func sort(dim: Int = -1, descending: Bool = false) -> (values: Tensor, indices: Tensor) {
    let indices = argsort(dim: dim, descending: descending)
    guard indices.isValid else { return (.invalid, .invalid) }
    return (rank == 0 ? self : gather(dim: dim, index: indices), indices)
  }

  /// Indices (int64) that put the elements in order along an axis. Stable; NaN counts as greater than everything.
  public func argsort(dim: Int = -1, descending: Bool = false) -> Tensor {
    guard isValid, let axis = resolve(dim, "argsort") else { return .invalid }
    if rank == 0 { return Tensor.zeros([], dtype: .int64) }
    return Tensor(device.backend.argSort(data, axis: axis, isDescending: descending))
  }

  /// The `k` greatest (or smallest) elements along an axis, in order, and their indices (int64).
  public func topk(_ k: Int, dim: Int = -1, largest: Bool = true) -> (values: Tensor, indices: Tensor) {
    guard isValid, let axis = resolve(dim, "topk") else { return (.invalid, .invalid) }
    let size = rank == 0 ? 1 : data.shape[axis]
    guard check(k >= 0 && k <= size, .value, "topk", "k = \(k) is not in 0...\(size) (shape \(shape))") else {
      return (.invalid, .invalid)
    }
    if rank == 0 { return (self, Tensor.zeros([], dtype: .int64)) }
    let indices = argsort(dim: axis, descending: largest).narrow(dim: axis, start: 0, count: k).contiguous()
    return (gather(dim: axis, index: indices), indices)
  }
}
