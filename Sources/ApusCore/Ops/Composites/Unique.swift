extension Tensor {
  /// The different elements in ascending order; along an axis, the different slices in lexicographic order.
  ///
  /// NaN differs from itself, so each stays. No gradient.
  ///
  /// - Parameter dim: axis of the slices; nil for single elements.
  /// - Returns: `values`; `inverse` (int64), for every element (or slice) of `self` its index in `values`; `counts` (int64), how often
  ///   each occurred.
  /// - Complexity: O(n log n) comparisons of n elements (or slices).
  public func unique(dim: Int? = nil) -> (values: Tensor, inverse: Tensor, counts: Tensor) {
    grouped(dim, "unique", isSorted: true)
  }

  /// The elements (or slices along an axis) without those equal to their predecessor; returns as `unique`.
  public func uniqueConsecutive(dim: Int? = nil) -> (values: Tensor, inverse: Tensor, counts: Tensor) {
    grouped(dim, "uniqueConsecutive", isSorted: false)
  }

  private func grouped(_ dim: Int?, _ name: String, isSorted: Bool) -> (values: Tensor, inverse: Tensor, counts: Tensor) {
    guard isValid, let axis = resolve(dim ?? 0, name) else { return (.invalid, .invalid, .invalid) }
    let isFlat = dim == nil || rank == 0
    let slices = isFlat ? detach().flatten() : detach().movedim(axis, 0).contiguous()
    let groups = slices.groupsOfSlices(isSorted: isSorted)
    let values = slices.indexSelect(dim: 0, index: Tensor(scalars: groups.firsts))
    let inverse = Tensor(scalars: groups.inverse, shape: isFlat ? shape : nil)
    return (isFlat ? values : values.movedim(0, axis), inverse, Tensor(scalars: groups.counts))
  }

  /// Groups of equal slices of the first axis: where each begins, which one each slice is in, how many each has.
  private func groupsOfSlices(isSorted: Bool) -> (firsts: [Int], inverse: [Int], counts: [Int]) {
    let n = data.shape[0]
    let width = data.shape.dropFirst().reduce(1, *)
    func run<T: TensorScalar>(_: T.Type) -> (firsts: [Int], inverse: [Int], counts: [Int]) {
      let x = scalars(as: T.self)
      let slice = { (i: Int) in x[(i * width)..<((i + 1) * width)] }
      var order = Array(0..<n)
      if isSorted { order.sort { slice($0).lexicographicallyPrecedes(slice($1), by: T.precedes) } }
      var (firsts, counts, inverse) = ([Int](), [Int](), [Int](repeating: 0, count: n))
      for (k, i) in order.enumerated() {
        if k > 0, zip(slice(i), slice(order[k - 1])).allSatisfy({ $0.equals($1) }) {
          counts[counts.count - 1] += 1
        } else {
          firsts.append(i)
          counts.append(1)
        }
        inverse[i] = firsts.count - 1
      }
      return (firsts, inverse, counts)
    }
    return run(dtype.scalarType)
  }
}
