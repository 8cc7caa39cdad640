// Elements by their place in the sorted order: NaN counts as greater than everything, as in `sort`.

extension Tensor {
  /// The middle element of all, in order; of an even number the lower of the two in the middle. NaN where there is one, and of nothing.
  ///
  /// Elements equal to it share the gradient.
  public func median() -> Tensor {
    guard isValid else { return self }
    guard count > 0 || dtype.isFloatingPoint else {
      fail(TensorError(.shape, "median", "no elements to choose from in \(shape)"))
      return .invalid
    }
    guard count > 0 else { return Tensor.full([], Double.nan, dtype: dtype) }
    let middle = detach().flatten().median(dim: 0).values
    let isMiddle = dtype.isFloatingPoint && middle.isNaN().item(as: Bool.self) ? detach().isNaN() : detach() .== middle
    return maskedSelect(isMiddle).amax()
  }

  /// The middle elements along an axis, as `median()` has it, and their indices (int64).
  public func median(dim: Int, keepDim: Bool = false) -> (values: Tensor, indices: Tensor) {
    ordered(dim, keepDim, "median") { x, axis, size in
      let middle = x.argsort(dim: axis).narrow(dim: axis, start: (size - 1) / 2, count: 1)
      guard x.dtype.isFloatingPoint else { return middle }
      return `where`(x.isNaN().any(dim: axis, keepDim: true), x.argmax(dim: axis, keepDim: true), middle)
    }
  }

  /// The `k`-th smallest elements along an axis, counted from 1, and their indices (int64).
  public func kthvalue(_ k: Int, dim: Int = -1, keepDim: Bool = false) -> (values: Tensor, indices: Tensor) {
    ordered(dim, keepDim, "kthvalue") { x, axis, size in
      guard check(k >= 1 && k <= size, .value, "kthvalue", "k = \(k) is not in 1...\(size) (shape \(shape))") else {
        return .invalid
      }
      return x.argsort(dim: axis).narrow(dim: axis, start: k - 1, count: 1)
    }
  }

  /// The most frequent elements along an axis and the index (int64) of the last place of each; of equally frequent ones the smallest.
  public func mode(dim: Int = -1, keepDim: Bool = false) -> (values: Tensor, indices: Tensor) {
    ordered(dim, keepDim, "mode") { x, axis, size in
      let (values, indices) = x.movedim(axis, -1).sort()
      let ends = values.endsOfLongestRuns(lineLength: size).reshape(Shape(values.shape.dropLast() + [1]))
      return indices.gather(dim: -1, index: ends).movedim(-1, axis)
    }
  }

  /// For each sorted line the index at which its longest run of equal elements ends.
  private func endsOfLongestRuns(lineLength n: Int) -> Tensor {
    func run<T: TensorScalar>(_: T.Type) -> [Int] {
      let x = scalars(as: T.self)
      return stride(from: 0, to: x.count, by: n).map { start in
        var (best, longest, length) = (0, 0, 0)
        for i in 0..<n {
          length = i > 0 && x[start + i].equals(x[start + i - 1]) ? length + 1 : 1
          if length > longest { (best, longest) = (i, length) }
        }
        return best
      }
    }
    return Tensor(scalars: run(dtype.scalarType))
  }

  /// Elements named by the indices, [.., 1, ..], that `choose` finds in a tensor for an axis and its size.
  private func ordered(_ dim: Int, _ keepDim: Bool, _ name: String, _ choose: (Tensor, Int, Int) -> Tensor) -> (
    values: Tensor, indices: Tensor
  ) {
    guard isValid, let axis = resolve(dim, name) else { return (.invalid, .invalid) }
    if rank == 0 { return unsqueeze(dim: 0).ordered(0, false, name, choose) }
    guard check(data.shape[axis] > 0, .shape, name, "no elements to choose from in \(shape) along axis \(axis)") else {
      return (.invalid, .invalid)
    }
    let indices = choose(detach(), axis, data.shape[axis]).contiguous()
    guard indices.isValid else { return (.invalid, .invalid) }
    let values = gather(dim: axis, index: indices)
    return keepDim ? (values, indices) : (values.squeeze(dim: axis), indices.squeeze(dim: axis))
  }
}

extension TensorScalar {
  /// Equality as of numbers: −0 is 0, NaN is not itself.
  func equals(_ other: Self) -> Bool { !Self.precedes(self, other) && !Self.precedes(other, self) && !asDouble.isNaN }
}

// MARK: - Quantiles

/// What a quantile is that falls between two elements a ≤ b, at a fraction f of the way.
public enum QuantileInterpolation: Sendable, CaseIterable {
  /// a + f (b − a).
  case linear
  /// a.
  case lower
  /// b.
  case higher
  /// Whichever is nearer; in the middle the one of even rank.
  case nearest
  /// (a + b) / 2.
  case midpoint
}

extension Tensor {
  /// The `q`-quantile of all elements, or along an axis: the element at q · (n − 1) in sorted order. NaN where there is one.
  ///
  /// - Parameters:
  ///   - q: a number in 0…1.
  ///   - interpolation: what to do between two elements.
  /// - Returns: the dtype of `self`, float32 or float64.
  /// - Complexity: sorts.
  public func quantile(
    _ q: Double, dim: Int? = nil, keepDim: Bool = false, interpolation: QuantileInterpolation = .linear
  ) -> Tensor {
    quantile(Tensor(q, dtype: dtype), dim: dim, keepDim: keepDim, interpolation: interpolation)
  }

  /// The quantiles for several `q` (one axis, of the dtype of `self`), along a new first axis; none for a scalar `q`.
  public func quantile(
    _ q: Tensor, dim: Int? = nil, keepDim: Bool = false, interpolation: QuantileInterpolation = .linear
  ) -> Tensor {
    guard let axis = checkQuantile(q, dim) else { return .invalid }
    let lines = dim == nil || rank == 0 ? flatten() : movedim(axis, -1)
    let y = lines.quantilesOfLines(q.rank == 0 ? q.unsqueeze(dim: 0) : q, interpolation)
    guard y.isValid else { return y }
    var result = y.movedim(-1, 0)  // [q, …]
    if keepDim {
      let sizes = data.shape.indices.map { dim == nil || $0 == axis ? 1 : data.shape[$0] }
      result = result.reshape(Shape([q.count] + sizes))
    }
    return q.rank == 0 ? result.squeeze(dim: 0) : result
  }

  private func checkQuantile(_ q: Tensor, _ dim: Int?) -> Int? {
    guard isValid, q.isValid, let axis = resolve(dim ?? 0, "quantile") else { return nil }
    let size = dim == nil || rank == 0 ? count : data.shape[axis]
    let isInRange = q.count == 0 || ((q.detach() .>= 0) .& (q.detach() .<= 1)).all().item(as: Bool.self)
    guard check(dtype == .float32 || dtype == .float64, .dtype, "quantile", "takes float32 and float64, not \(dtype)"),
      check(q.dtype == dtype, .dtype, "quantile", "q is \(q.dtype), the tensor \(dtype)"),
      check(q.rank <= 1, .shape, "quantile", "q has shape \(q.shape); it takes one axis"),
      check(isInRange, .value, "quantile", "q is not in 0...1"),
      check(size > 0, .shape, "quantile", "no elements to choose from in \(shape)")
    else { return nil }
    return axis
  }

  /// Along the last axis: [.., n] → [.., q].
  private func quantilesOfLines(_ q: Tensor, _ interpolation: QuantileInterpolation) -> Tensor {
    let last = data.shape[rank - 1] - 1
    let sorted = sort(dim: -1).values
    let target = Shape(shape.dropLast() + [q.count])
    let hasNaN = detach().isNaN().any(dim: -1, keepDim: true)
    let ranks = `where`(hasNaN, last.asWeakTensor.to(dtype), (q * last).expand(target))
    let at = { (place: Tensor) in sorted.gather(dim: -1, index: place.detach().to(.int64)) }
    switch interpolation {
    case .lower: return at(ranks.floor())
    case .higher: return at(ranks.ceil())
    case .nearest: return at(ranks.round())
    case .midpoint: return at(ranks.floor()).lerp(at(ranks.ceil()), 0.5)
    case .linear: return at(ranks.floor()).lerp(at(ranks.ceil()), ranks - ranks.detach().floor())
    }
  }
}
