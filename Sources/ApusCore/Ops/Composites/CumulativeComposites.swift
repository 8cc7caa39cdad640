// Running combinations along an axis. They are scans of an associative combination; where the obvious gradient would divide by
// elements that may be 0, the scan is a linear recurrence, whose gradient is one too.

extension Tensor {
  /// Running product along an axis: `y[i] = x[0] · … · x[i]`. Integers and bool give int64.
  ///
  /// The gradient is exact also where elements are 0, to any order. Half types are multiplied in float32.
  public func cumprod(dim: Int) -> Tensor {
    guard isValid, let axis = resolve(dim, "cumprod") else { return .invalid }
    if Context.hasOpenScopes, case let wide = widened(self), wide.dtype != dtype { return wide.cumprod(dim: axis) }
    let x = to(dtype.itemSize == 2 && dtype.isFloatingPoint ? .float32 : dtype.sumType)
    if rank == 0 || count == 0 { return x.to(dtype.sumType) }
    // y[i] = x[i] y[i−1], and y[0] = x[0].
    let (lines, n) = (x.movedim(axis, -1), data.shape[axis])
    let last = rank - 1
    let rest = lines.narrow(dim: -1, start: 1, count: n - 1).move(.embed(axis: last, start: 1, step: 1, size: n))
    let first = lines.narrow(dim: -1, start: 0, count: 1).move(.embed(axis: last, start: 0, step: 1, size: n))
    return linearRecurrence(rest, first).movedim(-1, axis).to(dtype.sumType)
  }

  /// Greatest element so far along an axis, and its index (int64): of equals the last. NaN stays the greatest once it was met.
  public func cummax(dim: Int) -> (values: Tensor, indices: Tensor) { runningExtreme(dim, "cummax", isMax: true) }

  /// Smallest element so far along an axis, and its index (int64): of equals the last. NaN stays the smallest once it was met.
  public func cummin(dim: Int) -> (values: Tensor, indices: Tensor) { runningExtreme(dim, "cummin", isMax: false) }

  private func runningExtreme(_ dim: Int, _ name: String, isMax: Bool) -> (values: Tensor, indices: Tensor) {
    guard isValid, let axis = resolve(dim, name) else { return (.invalid, .invalid) }
    if rank == 0 { return (self, Tensor.zeros([], dtype: .int64)) }
    let lines = detach().movedim(axis, -1)
    let indices = lines.winnersOfLines(lineLength: data.shape[axis], isMax: isMax).movedim(-1, axis).contiguous()
    return (gather(dim: axis, index: indices), indices)
  }

  /// For every element of every line of the last axis the index of the extreme up to it.
  private func winnersOfLines(lineLength n: Int, isMax: Bool) -> Tensor {
    func wins<T: TensorScalar>(_ x: T, over best: T) -> Bool {
      if isMax { return !T.precedes(x, best) }
      return x.asDouble.isNaN || (!best.asDouble.isNaN && !T.precedes(best, x))
    }
    func run<T: TensorScalar>(_: T.Type) -> [Int] {
      let x = scalars(as: T.self)
      var winners = [Int](repeating: 0, count: x.count)
      for start in stride(from: 0, to: x.count, by: Swift.max(n, 1)) {
        var best = start
        for i in start..<(start + n) {
          if wins(x[i], over: x[best]) { best = i }
          winners[i] = best - start
        }
      }
      return winners
    }
    return Tensor(scalars: run(dtype.scalarType), shape: shape)
  }

  /// Running ln Σ exp(x) along an axis, stable for large inputs. Floating point only.
  ///
  /// - Complexity: O(n log n) for each line of n elements.
  public func logcumsumexp(dim: Int) -> Tensor {
    guard isFloating(for: "logcumsumexp"), let axis = resolve(dim, "logcumsumexp") else { return .invalid }
    guard rank > 0 else { return self }
    let n = data.shape[axis]
    var (y, distance) = (self, 1)
    // After each round y[i] covers twice as many elements up to i.
    while distance < n {
      let head = y.narrow(dim: axis, start: 0, count: distance)
      let shifted = y.narrow(dim: axis, start: 0, count: n - distance)
      y = cat([head, y.narrow(dim: axis, start: distance, count: n - distance).logaddexp(shifted)], dim: axis)
      distance *= 2
    }
    return y
  }

  /// Differences of neighbours along an axis, `n` times over: `y[i] = x[i + 1] − x[i]`. Of bool: whether they differ.
  ///
  /// `prepend` and `append` are put before and after `self` along the axis first.
  ///
  /// - Returns: n elements fewer along the axis, at least none.
  public func diff(n: Int = 1, dim: Int = -1, prepend: Tensor? = nil, append: Tensor? = nil) -> Tensor {
    guard isValid, let axis = resolve(dim, "diff") else { return .invalid }
    guard check(rank > 0, .shape, "diff", "a scalar has no neighbours"), check(n >= 0, .value, "diff", "n = \(n)") else {
      return .invalid
    }
    let parts = [prepend, self, append].compactMap { $0 }
    var y = parts.count == 1 ? self : cat(parts, dim: axis)
    guard y.isValid else { return y }
    for _ in 0..<n {
      let size = y.shape[axis]
      let (a, b) = (
        y.narrow(dim: axis, start: Swift.min(1, size), count: Swift.max(size - 1, 0)),
        y.narrow(dim: axis, start: 0, count: Swift.max(size - 1, 0))
      )
      y = dtype == .bool ? a .!= b : a - b
    }
    return y
  }
}

// MARK: - The linear recurrence

/// `h[i] = a[i] h[i−1] + b[i]` along the last axis, from h[−1] = 0: the scan behind running and grouped products.
///
/// Its gradients are g[i] = dh[i] + a[i+1] g[i+1] with respect to b, the same recurrence from the other end, and g[i] h[i−1] with
/// respect to a. Nothing is divided, so zeros do no harm.
///
/// a and b have one shape with at least one axis, and one dtype of float32, float64 and int64.
func linearRecurrence(_ a: Tensor, _ b: Tensor) -> Tensor {
  guard a.isValid, b.isValid, a.count > 0 else { return b }
  let (axis, n) = (a.rank - 1, a.shape[-1])
  return recorded(
    recurrenceData(a.data.contiguous(), b.data.contiguous()), .named("linearRecurrence"),
    .fromBoth { dh, h, x in
      let next = x[0].narrow(dim: axis, start: 1, count: n - 1).move(.embed(axis: axis, start: 0, step: 1, size: n))
      let previous = h.narrow(dim: axis, start: 0, count: n - 1).move(.embed(axis: axis, start: 1, step: 1, size: n))
      let g = linearRecurrence(next.flip(axis), dh.flip(axis)).flip(axis)
      return [g * previous, g]
    }, a, b)
}

private func recurrenceData(_ a: TensorData, _ b: TensorData) -> TensorData {
  let h = TensorData.uninitialized(a.shape, a.dtype, for: "linearRecurrence")
  guard a.isValid, b.isValid, h.isValid else { return .invalid }
  let (n, count) = (a.shape[a.rank - 1], a.count)
  func scan<T: Numeric>(_: T.Type, _ next: (T, T, T) -> T) {
    let (a, b) = (a.base.assumingMemoryBound(to: T.self), b.base.assumingMemoryBound(to: T.self))
    let h = h.base.assumingMemoryBound(to: T.self)
    for start in stride(from: 0, to: count, by: n) {
      var running: T = b[start]
      h[start] = running
      for i in (start + 1)..<(start + n) {
        running = next(a[i], running, b[i])
        h[i] = running
      }
    }
  }
  switch a.dtype {
  case .float64: scan(Double.self) { $0 * $1 + $2 }
  case .float32: scan(Float.self) { $0 * $1 + $2 }
  default: scan(Int64.self) { $0 &* $1 &+ $2 }
  }
  return h
}
