import CKernels

/// Reductions of a set of axes to one number each.
package enum Reduce: CaseIterable, Sendable {
  case sum, mean, prod, amax, amin, all, any
}

extension Reduce {
  /// dL/dx from dL/dy.
  ///
  /// `prod` has no rule: where a gradient is wanted it is a tree of products (`Tensor.prod`), exact also where elements are 0.
  ///
  /// - Parameters:
  ///   - shape: of x.
  ///   - kept: of y if the reduced axes stay at size 1; they may have been dropped.
  ///   - count: how many elements make one.
  func rule(for shape: Dims, kept: Dims, count: Int) -> Rule {
    let (shape, kept) = (Shape(dims: shape), Shape(dims: kept))
    switch self {
    case .sum: return .linear { dy in [dy.reshape(kept).expand(shape)] }
    case .mean: return .linear { dy in [(dy / count).reshape(kept).expand(shape)] }
    case .amax, .amin:
      return .fromBoth { dy, y, x in
        // Equal extremes share the gradient.
        let isExtreme = (x[0] .== y.reshape(kept)).to(dy.dtype)
        let axes = shape.indices.filter { kept[$0] != shape[$0] }
        return [dy.reshape(kept) * isExtreme / (axes.isEmpty ? isExtreme : isExtreme.sum(dims: axes, keepDim: true))]
      }
    case .prod, .all, .any: return .zero
    }
  }

  /// The dtype of the result.
  package func resultType(_ dtype: DType) -> DType {
    switch self {
    case .sum, .prod: dtype.sumType
    case .mean, .amax, .amin: dtype
    case .all, .any: .bool
    }
  }

  /// Whether `autocast` computes it in float32.
  var needsRange: Bool {
    switch self {
    case .sum, .prod: true
    case .mean, .amax, .amin, .all, .any: false
    }
  }

  package var kernel: apus_reduce_op {
    switch self {
    case .sum, .mean: APUS_REDUCE_sum
    case .prod: APUS_REDUCE_prod
    case .amax: APUS_REDUCE_max
    case .amin: APUS_REDUCE_min
    case .all: APUS_REDUCE_all
    case .any: APUS_REDUCE_any
    }
  }

  package var name: StaticString {
    switch self {
    case .sum: "sum"
    case .mean: "mean"
    case .prod: "prod"
    case .amax: "amax"
    case .amin: "amin"
    case .all: "all"
    case .any: "any"
    }
  }

  /// Whether the reduction of no elements has a value.
  var hasIdentity: Bool {
    switch self {
    case .sum, .prod, .all, .any, .mean: true
    case .amax, .amin: false
    }
  }
}

package enum ArgReduce: CaseIterable, Sendable { case argmax, argmin }

extension Tensor {
  /// Applies a primitive; `dims` nil means all axes.
  func reduce(_ op: Reduce, dims: [Int]?, keepDim: Bool) -> Tensor {
    guard isValid else { return self }
    guard let axes = axes(dims, for: "\(op.name)") else { return .invalid }
    return reduce(op, axes: axes, keepDim: keepDim)
  }

  private func reduce(_ op: Reduce, axes: Dims, keepDim: Bool) -> Tensor {
    guard isValid else { return self }
    if _slowPath(Context.hasOpenScopes), op.needsRange, case let wide = widened(self), wide.dtype != dtype {
      return wide.reduce(op, axes: axes, keepDim: keepDim)
    }
    let reducedCount = axes.reduce(1) { $0 * data.shape[$1] }
    guard
      check(
        op.hasIdentity || reducedCount > 0, .shape, "\(op.name)", "no elements to choose from in \(shape) along \(Array(axes))")
    else { return .invalid }
    let kept = device.backend.reduce(op, data, axes: axes)
    let y = keepDim || axes.isEmpty || !kept.isValid ? kept : kept.rowMajorView(kept.shape.dropping(axes))
    return recorded(y, .named(op.name), op.rule(for: data.shape, kept: kept.shape, count: reducedCount), self)
  }

  /// Without `axes`, which have size 1.
  private func dropping(_ axes: Dims) -> Tensor {
    guard isValid else { return self }
    return reshape(Shape(dims: data.shape.dropping(axes)))
  }

  /// The axes that a reduction goes over: all of them for nil. The only axis of a scalar, 0 or −1 as in PyTorch, is none at all.
  func axes(_ dims: [Int]?, for operation: @autoclosure () -> String) -> Dims? {
    guard let dims else { return data.shape.axes }
    if rank == 0, dims == [0] || dims == [-1] { return Dims() }
    return resolve(dims, operation())
  }

  /// Axes as indices from 0, in the given order; nil after a reported mistake (out of range, named twice).
  func resolve(_ dims: [Int], _ operation: @autoclosure () -> String) -> Dims? {
    var axes = Dims()
    for dim in dims {
      guard let axis = resolve(dim, operation()) else { return nil }
      guard check(!axes.contains(axis), .value, operation(), "axis \(dim) is named twice in \(dims)") else { return nil }
      axes.append(axis)
    }
    return axes
  }

  /// An axis as an index from 0; negative counts from the end. A scalar has the axes 0 and −1.
  func resolve(_ dim: Int, _ operation: @autoclosure () -> String, extra: Int = 0) -> Int? {
    let bound = Swift.max(rank + extra, 1)
    let axis = dim < 0 ? dim + bound : dim
    guard check(axis >= 0 && axis < bound, .index, operation(), "axis \(dim) is not in \(-bound)..<\(bound) (shape \(shape))")
    else {
      return nil
    }
    return axis
  }

  /// Sum over all elements, or over `dims`. Integers and bool give int64.
  public func sum(dims: [Int]? = nil, keepDim: Bool = false) -> Tensor {
    reduce(.sum, dims: dims, keepDim: keepDim)
  }
  /// Sum along one axis.
  public func sum(dim: Int, keepDim: Bool = false) -> Tensor { sum(dims: [dim], keepDim: keepDim) }

  /// Arithmetic mean over all elements, or over `dims`; of nothing NaN. Floating point only.
  public func mean(dims: [Int]? = nil, keepDim: Bool = false) -> Tensor {
    guard check(dtype.isFloatingPoint, .dtype, "mean", "\(dtype) has no mean; convert with to(.float32)") else { return .invalid }
    return reduce(.mean, dims: dims, keepDim: keepDim)
  }
  /// Mean along one axis.
  public func mean(dim: Int, keepDim: Bool = false) -> Tensor { mean(dims: [dim], keepDim: keepDim) }

  /// Product of all elements, or over `dims`. Integers and bool give int64. The gradient is exact also where elements are 0.
  public func prod(dims: [Int]? = nil, keepDim: Bool = false) -> Tensor {
    guard isValid else { return self }
    if Context.hasOpenScopes, case let wide = widened(self), wide.dtype != dtype {
      return wide.prod(dims: dims, keepDim: keepDim)
    }
    guard node != nil, isGradEnabled else { return reduce(.prod, dims: dims, keepDim: keepDim) }
    guard let axes = axes(dims, for: "prod") else { return .invalid }
    var y = self
    for axis in axes { y = y.productTree(axis) }
    return keepDim || axes.isEmpty ? y : y.dropping(axes)
  }
  /// Product along one axis.
  public func prod(dim: Int, keepDim: Bool = false) -> Tensor { prod(dims: [dim], keepDim: keepDim) }

  /// The product along `axis` by multiplying halves: differentiable to any order without dividing by elements that may be 0.
  private func productTree(_ axis: Int) -> Tensor {
    var y = self
    if y.shape[axis] == 0 { return Tensor.ones(Shape(dims: data.shape.replacing(axis, with: 1)), dtype: dtype) }
    while y.shape[axis] > 1 {
      let (n, half) = (y.shape[axis], y.shape[axis] / 2)
      let product = y.narrow(dim: axis, start: 0, count: half) * y.narrow(dim: axis, start: half, count: half)
      y = n % 2 == 0 ? product : cat([product, y.narrow(dim: axis, start: n - 1, count: 1)], dim: axis)
    }
    return y
  }

  /// Greatest element, over all or over `dims`; NaN where there is one. Equal ones share the gradient. See `max(dim:)` for indices.
  public func amax(dims: [Int]? = nil, keepDim: Bool = false) -> Tensor {
    reduce(.amax, dims: dims, keepDim: keepDim)
  }
  /// Smallest element, over all or over `dims`; NaN where there is one. Equal ones share the gradient.
  public func amin(dims: [Int]? = nil, keepDim: Bool = false) -> Tensor {
    reduce(.amin, dims: dims, keepDim: keepDim)
  }
  /// Whether every element is other than 0; true for none.
  public func all(dims: [Int]? = nil, keepDim: Bool = false) -> Tensor { reduce(.all, dims: dims, keepDim: keepDim) }
  /// Whether every element along an axis is other than 0.
  public func all(dim: Int, keepDim: Bool = false) -> Tensor { all(dims: [dim], keepDim: keepDim) }
  /// Whether some element is other than 0; false for none.
  public func any(dims: [Int]? = nil, keepDim: Bool = false) -> Tensor { reduce(.any, dims: dims, keepDim: keepDim) }
  /// Whether some element along an axis is other than 0.
  public func any(dim: Int, keepDim: Bool = false) -> Tensor { any(dims: [dim], keepDim: keepDim) }

  // MARK: Indices of extremes

  private func argReduce(_ op: ArgReduce, dim: Int?, keepDim: Bool) -> Tensor {
    guard isValid else { return self }
    guard let dim else {
      let index = flatten().argReduce(op, dim: 0, keepDim: false)
      return keepDim ? index.reshape(Shape([Int](repeating: 1, count: rank))) : index
    }
    guard let axis = resolve(dim, "\(op)") else { return .invalid }
    if rank == 0 { return Tensor.zeros([], dtype: .int64) }
    guard check(data.shape[axis] > 0, .shape, "\(op)", "no elements to choose from in \(shape) along axis \(axis)") else {
      return .invalid
    }
    let y = Tensor(device.backend.argReduce(op, data, axis: axis))
    return keepDim ? y : y.squeeze(dim: axis)
  }

  /// Index (int64) of the greatest element along `dim`, or in the flattened tensor. The first of equals; NaN counts as greatest.
  public func argmax(dim: Int? = nil, keepDim: Bool = false) -> Tensor { argReduce(.argmax, dim: dim, keepDim: keepDim) }
  /// Index (int64) of the smallest element along `dim`, or in the flattened tensor. The first of equals; NaN counts as smallest.
  public func argmin(dim: Int? = nil, keepDim: Bool = false) -> Tensor { argReduce(.argmin, dim: dim, keepDim: keepDim) }

  /// Greatest element of all.
  public func max() -> Tensor { amax() }
  /// Smallest element of all.
  public func min() -> Tensor { amin() }
  /// Greatest elements along an axis and their indices (int64). The gradient goes to the elements that the indices name.
  public func max(dim: Int, keepDim: Bool = false) -> (values: Tensor, indices: Tensor) { extreme(.argmax, dim, keepDim) }
  /// Smallest elements along an axis and their indices (int64). The gradient goes to the elements that the indices name.
  public func min(dim: Int, keepDim: Bool = false) -> (values: Tensor, indices: Tensor) { extreme(.argmin, dim, keepDim) }

  private func extreme(_ op: ArgReduce, _ dim: Int, _ keepDim: Bool) -> (values: Tensor, indices: Tensor) {
    if rank == 0, resolve(dim, "\(op)") != nil { return (self, Tensor.zeros([], dtype: .int64)) }
    let indices = argReduce(op, dim: dim, keepDim: true)
    let values = gather(dim: dim, index: indices)
    return keepDim ? (values, indices) : (values.squeeze(dim: dim), indices.squeeze(dim: dim))
  }
}

// MARK: - Composites

extension Tensor {
  /// ln Σ exp(x) over all elements or over `dims`, stable for large inputs; −∞ for nothing but −∞.
  public func logsumexp(dims: [Int]? = nil, keepDim: Bool = false) -> Tensor {
    guard isValid else { return self }
    let x = widened(dtype.isFloatingPoint ? self : to(dtype.floatingType))
    guard let axes = axes(dims, for: "logsumexp") else { return .invalid }
    guard x.count > 0 else { return x.exp().reduce(.sum, axes: axes, keepDim: keepDim).log() }
    let greatest = x.detach().reduce(.amax, axes: axes, keepDim: true)
    let shift = `where`(greatest.isFinite(), greatest, 0)  // ∞ − ∞ would be NaN
    let y = (x - shift).exp().reduce(.sum, axes: axes, keepDim: true).log() + shift
    return keepDim || axes.isEmpty ? y : y.dropping(axes)
  }
  /// ln Σ exp(x) along one axis.
  public func logsumexp(dim: Int, keepDim: Bool = false) -> Tensor { logsumexp(dims: [dim], keepDim: keepDim) }

  /// Variance Σ(x − mean)² / (n − correction) over all elements or over `dims`. Floating point only; two passes.
  ///
  /// - Parameter correction: 1 for the unbiased estimate of a sample (PyTorch's default), 0 for the whole population. Where
  ///   n ≤ correction the result is NaN or ∞.
  public func `var`(dims: [Int]? = nil, correction: Int = 1, keepDim: Bool = false) -> Tensor {
    guard isValid else { return self }
    guard check(dtype.isFloatingPoint, .dtype, "var", "\(dtype) has no variance; convert with to(.float32)") else {
      return .invalid
    }
    guard let axes = axes(dims, for: "var") else { return .invalid }
    let n = axes.reduce(1) { $0 * data.shape[$1] }
    let deviation = self - reduce(.mean, axes: axes, keepDim: true)
    return deviation.square().reduce(.sum, axes: axes, keepDim: keepDim) / Swift.max(n - correction, 0)
  }
  /// Variance along one axis.
  public func `var`(dim: Int, correction: Int = 1, keepDim: Bool = false) -> Tensor {
    `var`(dims: [dim], correction: correction, keepDim: keepDim)
  }
  /// Standard deviation: the square root of `var`.
  public func std(dims: [Int]? = nil, correction: Int = 1, keepDim: Bool = false) -> Tensor {
    `var`(dims: dims, correction: correction, keepDim: keepDim).sqrt()
  }
  /// Standard deviation along one axis.
  public func std(dim: Int, correction: Int = 1, keepDim: Bool = false) -> Tensor {
    std(dims: [dim], correction: correction, keepDim: keepDim)
  }

  /// The sum over the axes along which `target` was broadcast to this tensor's shape.
  func sum(to target: Dims) -> Tensor {
    if data.shape == target || !isValid { return self }
    let lead = rank - target.count
    var axes = Dims()
    for axis in 0..<rank where axis < lead || (target[axis - lead] == 1 && data.shape[axis] != 1) { axes.append(axis) }
    let y = axes.isEmpty ? self : reduce(.sum, axes: axes, keepDim: true)
    return lead == 0 ? y : y.reshape(Shape(dims: target))
  }
}

extension Dims {
  /// The sizes of the axes that are not dropped.
  fileprivate func dropping(_ axes: Dims) -> Dims {
    var result = Dims()
    for (axis, size) in enumerated() where !axes.contains(axis) { result.append(size) }
    return result
  }
}

extension TensorData {
  /// Row-major memory with other sizes.
  fileprivate func rowMajorView(_ target: Dims) -> TensorData { view(shape: target, strides: target.contiguousStrides) }
}
