// Tensors laid out anew: joined, repeated, turned, cut up.

/// All tensors expanded to the shape that they broadcast to together.
public func broadcastTensors(_ tensors: [Tensor]) -> [Tensor] {
  guard tensors.allSatisfy(\.isValid) else { return tensors.map { _ in .invalid } }
  var shape = Dims()
  for x in tensors {
    guard let joined = Dims.broadcast(shape, x.data.shape) else {
      let shapes = tensors.map(\.shape.description).joined(separator: ", ")
      fail(TensorError(.shape, "broadcastTensors", "\(shapes) do not broadcast"))
      return tensors.map { _ in .invalid }
    }
    shape = joined
  }
  return tensors.map { $0.expand(Shape(dims: shape)) }
}

/// Tensors side by side: joined along the second axis, vectors along their only one. Scalars count as vectors.
public func hstack(_ tensors: [Tensor]) -> Tensor {
  let parts = tensors.map { $0.rank == 0 ? $0.reshape([1]) : $0 }
  return cat(parts, dim: parts.first?.rank == 1 ? 0 : 1)
}

/// Tensors below each other: joined along the first axis. Vectors count as rows.
public func vstack(_ tensors: [Tensor]) -> Tensor {
  cat(tensors.map { $0.rank < 2 ? $0.reshape([1, $0.count]) : $0 }, dim: 0)
}

/// Which axis the first vector of a grid runs along.
public enum MeshgridIndexing: Sendable {
  /// The first axis: rows, as in matrices.
  case ij
  /// The second axis: x to the right and y down, as in pictures.
  case xy
}

/// Coordinates of a grid: for vectors of n₀, n₁, … elements as many tensors of shape `[n₀, n₁, …]`, each varying along its own axis.
///
/// - Parameter indexing: with `.xy` the first two axes are exchanged.
public func meshgrid(_ tensors: [Tensor], indexing: MeshgridIndexing = .ij) -> [Tensor] {
  for (i, x) in tensors.enumerated() {
    guard check(x.rank <= 1, .shape, "meshgrid", "tensor \(i) has shape \(x.shape); it takes vectors") else {
      return tensors.map { _ in .invalid }
    }
  }
  let n = tensors.count
  let lines = tensors.enumerated().map { i, x in
    x.reshape(Shape((0..<n).map { $0 == i ? x.count : 1 }))
  }
  let grids = broadcastTensors(lines)
  return indexing == .xy && n >= 2 ? grids.map { $0.transpose(0, 1) } : grids
}

extension Tensor {
  /// `repeat` with counts for the last axes: those in front that have none are kept as they are.
  public func tile(_ counts: [Int]) -> Tensor {
    self.repeat([Int](repeating: 1, count: Swift.max(rank - counts.count, 0)) + counts)
  }

  public func tile(_ counts: Int...) -> Tensor { tile(counts) }

  /// Every element of an axis `count` times in a row; without an axis, of the flattened tensor.
  public func repeatInterleave(_ count: Int, dim: Int? = nil) -> Tensor {
    guard check(count >= 0, .value, "repeatInterleave", "\(count) repeats") else { return .invalid }
    return repeatInterleave(Tensor([count]), dim: dim)
  }

  /// The i-th element of an axis `counts[i]` times in a row; without an axis, of the flattened tensor.
  ///
  /// - Parameter counts: integers from 0 in one axis, or a single one for all.
  public func repeatInterleave(_ counts: Tensor, dim: Int? = nil) -> Tensor {
    guard isValid, counts.isValid else { return .invalid }
    guard let dim, rank > 0 else {
      guard resolve(dim ?? 0, "repeatInterleave") != nil else { return .invalid }
      return flatten().repeatInterleave(counts, dim: 0)
    }
    guard let axis = resolve(dim, "repeatInterleave") else { return .invalid }
    let size = data.shape[axis]
    guard check(counts.dtype.isInteger, .dtype, "repeatInterleave", "counts are integers, not \(counts.dtype)"),
      check(
        counts.rank <= 1 && (counts.count == 1 || counts.count == size), .shape, "repeatInterleave",
        "counts of shape \(counts.shape) for axis \(dim) of \(shape)")
    else { return .invalid }
    let repeats = counts.scalars(as: Int.self)
    guard check(repeats.allSatisfy { $0 >= 0 }, .value, "repeatInterleave", "a count is negative") else { return .invalid }
    let places = (0..<size).flatMap { i in [Int](repeating: i, count: repeats.count == 1 ? repeats[0] : repeats[i]) }
    return indexSelect(dim: axis, index: Tensor(scalars: places))
  }

  /// Turned `k` times by 90° in the plane of two axes, from the first toward the second; below 0 the other way.
  public func rot90(_ k: Int = 1, dims: [Int] = [0, 1]) -> Tensor {
    guard isValid else { return self }
    guard check(dims.count == 2, .value, "rot90", "\(dims) does not name two axes"), let axes = resolve(dims, "rot90") else {
      return .invalid
    }
    switch ((k % 4) + 4) % 4 {
    case 1: return flip(axes[1]).transpose(axes[0], axes[1])
    case 2: return flip(dims)
    case 3: return flip(axes[0]).transpose(axes[0], axes[1])
    default: return self
    }
  }

  /// `sections` pieces along an axis, the first of them one element longer where they cannot be equal.
  public func tensorSplit(_ sections: Int, dim: Int = 0) -> [Tensor] {
    guard isValid, let axis = resolve(dim, "tensorSplit") else { return [.invalid] }
    guard check(rank > 0 && sections > 0, .value, "tensorSplit", "\(sections) sections of axis \(dim) of \(shape)") else {
      return [.invalid]
    }
    let (size, longer) = data.shape[axis].quotientAndRemainder(dividingBy: sections)
    return split((0..<sections).map { size + ($0 < longer ? 1 : 0) }, dim: axis)
  }

  /// The pieces of an axis between the `bounds`, which slice as ranges do: `[0, b₀)`, `[b₀, b₁)`, … up to the end.
  public func tensorSplit(at bounds: [Int], dim: Int = 0) -> [Tensor] {
    guard isValid, let axis = resolve(dim, "tensorSplit") else { return [.invalid] }
    guard check(rank > 0, .shape, "tensorSplit", "a scalar has no axis to take apart") else { return [.invalid] }
    let size = data.shape[axis]
    let places = bounds.map { Swift.min(Swift.max($0 < 0 ? $0 + size : $0, 0), size) }
    return zip([0] + places, places + [size]).map { start, end in
      narrow(dim: axis, start: start, count: Swift.max(end - start, 0))
    }
  }

  /// Windows that slide along an axis: as many as fit, `step` apart; the `size` elements of each are a new last axis.
  ///
  /// A copy: windows that overlap would share memory, and the gradient adds up what they share.
  public func unfold(dim: Int, size: Int, step: Int) -> Tensor {
    guard isValid, let axis = resolve(dim, "unfold") else { return .invalid }
    let length = rank == 0 ? 1 : data.shape[axis]
    guard check(size >= 0 && size <= length, .value, "unfold", "windows of \(size) in axis \(dim) of \(shape)"),
      check(step > 0, .value, "unfold", "step = \(step) is not positive")
    else { return .invalid }
    if rank == 0 { return reshape([1]).narrow(dim: 0, start: 0, count: size) }
    let count = (length - size) / step + 1
    let places = (0..<count).flatMap { i in (0..<size).map { i * step + $0 } }
    return indexSelect(dim: axis, index: Tensor(scalars: places)).unflatten(dim: axis, [count, size]).movedim(axis + 1, -1)
  }

  /// `count` numbers from baseˢᵗᵃʳᵗ to baseᵉⁿᵈ, both included, whose logarithms are evenly spaced.
  public static func logspace(_ start: Double, _ end: Double, _ count: Int, base: Double = 10, dtype: DType = .float32) -> Tensor
  {
    guard check(count >= 0, .value, "logspace", "\(count) numbers") else { return .invalid }
    let exponents = linspace(start, end, count, dtype: .float64)
    return Tensor.full([], base, dtype: .float64).pow(exponents).to(dtype)
  }
}
