/// Ops that only change where an element stands: views, and their inverses.
///
/// All but `embed` are new sizes and strides over the same memory (`reshape` copies where strides cannot express it).
package enum Movement {
  case reshape(Dims)
  case permute(Dims)
  case expand(Dims)
  /// `count` elements along `axis` from `start`, `step` apart; a negative step walks backward.
  case slice(axis: Int, start: Int, step: Int, count: Int)
  /// The inverse of a slice: zeros of size `size` along `axis` with x at the slice's place.
  case embed(axis: Int, start: Int, step: Int, size: Int)
}

extension Movement {
  /// Movements are linear, and the gradient is the inverse movement; that of `expand` is the engine's own sum.
  func rule(for shape: Dims) -> Rule {
    switch self {
    case .reshape: return .linear { dy in [dy.reshape(Shape(dims: shape))] }
    case .permute(let order):
      var inverse = order
      for (i, axis) in order.enumerated() { inverse[axis] = i }
      return .linear { dy in [dy.move(.permute(inverse))] }
    case .expand: return .linear { dy in [dy] }
    case .slice(let axis, let start, let step, _):
      let size = shape[axis]
      return .linear { dy in [dy.move(.embed(axis: axis, start: start, step: step, size: size))] }
    case .embed(let axis, let start, let step, _):
      let count = shape[axis]
      return .linear { dy in [dy.move(.slice(axis: axis, start: start, step: step, count: count))] }
    }
  }

  func apply(_ x: TensorData) -> TensorData {
    switch self {
    case .reshape(let shape):
      if let strides = x.strides(reshapedTo: shape) { return x.view(shape: shape, strides: strides) }
      let copy = x.contiguous()
      return copy.isValid ? copy.view(shape: shape, strides: shape.contiguousStrides) : copy
    case .permute(let order):
      return x.view(shape: x.shape.permuted(order), strides: x.strides.permuted(order))
    case .expand(let shape): return x.expanded(to: shape)
    case .slice(let axis, let start, let step, let count):
      return x.view(
        shape: x.shape.replacing(axis, with: count), strides: x.strides.replacing(axis, with: x.strides[axis] * step),
        offset: x.offset + (count == 0 ? 0 : start * x.strides[axis]))
    case .embed(let axis, let start, let step, let size):
      let y = TensorData.filled(x.shape.replacing(axis, with: size), x.dtype, 0)
      guard y.isValid else { return y }
      x.device.backend.copy(x, into: Movement.slice(axis: axis, start: start, step: step, count: x.shape[axis]).apply(y))
      return y
    }
  }

  var name: StaticString {
    switch self {
    case .reshape: "reshape"
    case .permute: "permute"
    case .expand: "expand"
    case .slice: "slice"
    case .embed: "embed"
    }
  }
}

extension TensorData {
  /// Strides that show these elements, row-major, as `target`; nil where only a copy can.
  func strides(reshapedTo target: Dims) -> Dims? {
    if isContiguous || count == 0 { return target.contiguousStrides }
    var result = Dims(repeating: 1, count: target.count)
    // Both lists of axes are cut into groups of equal products; inside a group the memory must be evenly spaced.
    var (i, j) = (rank - 1, target.count - 1)
    while i >= 0 || j >= 0 {
      var (have, want) = (i >= 0 ? shape[i] : 1, j >= 0 ? target[j] : 1)
      let (lastI, lastJ) = (i, j)
      i -= 1
      j -= 1
      while have != want {
        if have < want {
          have *= shape[i]
          i -= 1
        } else {
          want *= target[j]
          j -= 1
        }
      }
      // Source axes i+1...lastI against target axes j+1...lastJ. Axes of size 1 don't matter.
      var step: Int?
      var expected = 0
      var axis = lastI
      while axis > i {
        if axis >= 0, shape[axis] != 1 {
          if step == nil { step = strides[axis] } else if strides[axis] != expected { return nil }
          expected = strides[axis] * shape[axis]
        }
        axis -= 1
      }
      var running = step ?? 1
      axis = lastJ
      while axis > j {
        if axis >= 0 {
          result[axis] = running
          running *= target[axis]
        }
        axis -= 1
      }
    }
    return result
  }
}

extension Tensor {
  /// Applies a movement whose arguments have been checked.
  package func move(_ movement: Movement) -> Tensor {
    guard isValid else { return self }
    return recorded(movement.apply(data), .named(movement.name), movement.rule(for: data.shape), self)
  }

  /// The same elements, row-major, in another shape. One size may be −1: it follows from the others.
  public func reshape(_ shape: Shape) -> Tensor {
    guard isValid else { return self }
    if shape.dims == data.shape { return self }
    guard let target = inferred(shape, "reshape") else { return .invalid }
    return move(.reshape(target))
  }

  public func reshape(_ sizes: Int...) -> Tensor { reshape(Shape(sizes)) }

  private func inferred(_ shape: Shape, _ operation: String) -> Dims? {
    var target = shape.dims
    let unknown = target.indices.filter { target[$0] == -1 }
    guard check(unknown.count <= 1, .shape, operation, "\(shape) has −1 more than once") else { return nil }
    guard check(target.allSatisfy { $0 >= -1 }, .shape, operation, "\(shape) has a negative size") else { return nil }
    if let axis = unknown.first {
      let known = target.removing(at: axis).checkedProduct ?? 0
      guard check(known > 0 && count % known == 0, .shape, operation, "\(self.shape) (\(count) elements) does not fit \(shape)")
      else {
        return nil
      }
      target[axis] = count / known
    }
    guard
      check(
        target.checkedProduct == count, .shape, operation, "\(self.shape) (\(count) elements) does not fit \(Shape(dims: target))"
      )
    else { return nil }
    return target
  }

  /// A view in another shape; unlike `reshape` it is an error where that needs a copy.
  public func view(_ shape: Shape) -> Tensor {
    guard isValid, let target = inferred(shape, "view") else { return .invalid }
    guard
      check(
        data.strides(reshapedTo: target) != nil, .shape, "view",
        "shape \(self.shape) with strides \(strides) cannot be seen as \(shape) without a copy; use reshape")
    else { return .invalid }
    return move(.reshape(target))
  }

  public func view(_ sizes: Int...) -> Tensor { view(Shape(sizes)) }

  /// Axes from `startDim` to `endDim` made one.
  public func flatten(startDim: Int = 0, endDim: Int = -1) -> Tensor {
    guard isValid else { return self }
    if rank == 0 { return reshape([1]) }
    guard let start = resolve(startDim, "flatten"), let end = resolve(endDim, "flatten") else { return .invalid }
    guard check(start <= end, .value, "flatten", "startDim \(startDim) comes after endDim \(endDim)") else { return .invalid }
    var sizes = Array(data.shape)
    sizes.replaceSubrange(start...end, with: [sizes[start...end].reduce(1, *)])
    return reshape(Shape(sizes))
  }

  /// One axis split into several; one of `sizes` may be −1.
  public func unflatten(dim: Int, _ sizes: Shape) -> Tensor {
    guard isValid, let axis = resolve(dim, "unflatten") else { return .invalid }
    var known = 1
    for size in sizes.dims where size != -1 { known *= size }
    let filled = sizes.dims.map { $0 == -1 && known > 0 ? data.shape[axis] / known : $0 }
    guard
      check(
        filled.reduce(1, *) == data.shape[axis], .shape, "unflatten", "axis \(dim) of \(shape) does not split into \(sizes)")
    else { return .invalid }
    var all = Array(data.shape)
    all.replaceSubrange(axis...axis, with: filled)
    return reshape(Shape(all))
  }

  /// Axes in another order: axis i of the result is axis `dims[i]` of `self`.
  public func permute(_ dims: [Int]) -> Tensor {
    guard isValid, let order = resolve(dims, "permute") else { return .invalid }
    guard check(order.count == rank, .shape, "permute", "\(dims) does not name every axis of \(shape)") else { return .invalid }
    return move(.permute(order))
  }

  public func permute(_ dims: Int...) -> Tensor { permute(dims) }

  /// Two axes exchanged.
  public func transpose(_ dim0: Int, _ dim1: Int) -> Tensor {
    guard isValid, let a = resolve(dim0, "transpose"), let b = resolve(dim1, "transpose") else { return .invalid }
    if rank == 0 || a == b { return self }
    var order = Dims(0..<rank)
    order[a] = b
    order[b] = a
    return move(.permute(order))
  }

  /// The transposed matrix (rank 2), or the tensor itself (rank below 2).
  // swift-format-ignore: AlwaysUseLowerCamelCase
  public var T: Tensor {
    guard check(rank <= 2 || !isValid, .shape, "T", "shape \(shape) is not a matrix; use mT or permute") else { return .invalid }
    return rank == 2 ? transpose(0, 1) : self
  }

  /// The last two axes exchanged: a batch of transposed matrices.
  public var mT: Tensor {
    guard check(rank >= 2 || !isValid, .shape, "mT", "shape \(shape) has no two axes to exchange") else { return .invalid }
    return transpose(-2, -1)
  }

  /// Axes moved to new places; the others keep their order.
  public func movedim(_ source: [Int], _ destination: [Int]) -> Tensor {
    guard isValid, let from = resolve(source, "movedim"), let to = resolve(destination, "movedim") else { return .invalid }
    guard check(from.count == to.count, .value, "movedim", "\(source) and \(destination) differ in length") else {
      return .invalid
    }
    if rank == 0 { return self }
    var order = [Int](repeating: -1, count: rank)
    for (f, t) in zip(from, to) { order[t] = f }
    var rest = (0..<rank).filter { !from.contains($0) }.makeIterator()
    return permute(order.map { $0 >= 0 ? $0 : rest.next()! })
  }

  public func movedim(_ source: Int, _ destination: Int) -> Tensor { movedim([source], [destination]) }

  /// Without axes of size 1.
  public func squeeze() -> Tensor {
    guard isValid else { return self }
    return reshape(Shape(data.shape.filter { $0 != 1 }))
  }

  /// Without axis `dim` if it has size 1.
  public func squeeze(dim: Int) -> Tensor {
    guard isValid, let axis = resolve(dim, "squeeze") else { return .invalid }
    return rank > 0 && data.shape[axis] == 1 ? reshape(Shape(dims: data.shape.removing(at: axis))) : self
  }

  /// With a new axis of size 1 before axis `dim` (or at the end).
  public func unsqueeze(dim: Int) -> Tensor {
    guard isValid else { return self }
    guard let axis = resolve(dim, "unsqueeze", extra: 1) else { return .invalid }
    return reshape(Shape(dims: data.shape.inserting(1, at: axis)))
  }

  /// Broadcast to `shape` without copying; −1 keeps a size. Axes may be added in front.
  public func expand(_ shape: Shape) -> Tensor {
    guard isValid else { return self }
    if shape.dims == data.shape { return self }
    var target = shape.dims
    let lead = target.count - rank
    for i in target.indices where target[i] == -1 && i >= lead && lead >= 0 { target[i] = data.shape[i - lead] }
    guard
      check(
        lead >= 0 && target.checkedProduct != nil && Dims.broadcast(data.shape, target) == target, .shape, "expand",
        "\(self.shape) does not broadcast to \(shape)")
    else { return .invalid }
    return move(.expand(target))
  }

  public func expand(_ sizes: Int...) -> Tensor { expand(Shape(sizes)) }

  /// `count` elements along an axis from `start`.
  public func narrow(dim: Int, start: Int, count: Int) -> Tensor {
    guard isValid, let axis = resolve(dim, "narrow") else { return .invalid }
    let size = rank == 0 ? 0 : data.shape[axis]
    let first = start < 0 ? start + size : start
    guard
      check(
        rank > 0 && first >= 0 && count >= 0 && first <= size && count <= size - first, .index, "narrow",
        "\(count) elements from \(start) do not lie in axis \(dim) of \(shape)")
    else { return .invalid }
    if count == size { return self }
    return move(.slice(axis: axis, start: first, step: 1, count: count))
  }

  /// One element of an axis, which the result lacks.
  public func select(dim: Int, index: Int) -> Tensor {
    guard isValid, let axis = resolve(dim, "select") else { return .invalid }
    let size = rank == 0 ? 0 : data.shape[axis]
    let i = index < 0 ? index + size : index
    guard check(i >= 0 && i < size, .index, "select", "index \(index) is not in axis \(dim) of \(shape)") else { return .invalid }
    let slice = move(.slice(axis: axis, start: i, step: 1, count: 1))
    return slice.reshape(Shape(dims: data.shape.removing(at: axis)))
  }

  /// The order of elements along the axes reversed. A view.
  public func flip(_ dims: [Int]) -> Tensor {
    guard isValid, let axes = resolve(dims, "flip") else { return .invalid }
    var y = self
    for axis in axes where rank > 0 && data.shape[axis] > 1 {
      y = y.move(.slice(axis: axis, start: data.shape[axis] - 1, step: -1, count: data.shape[axis]))
    }
    return y
  }

  public func flip(_ dims: Int...) -> Tensor { flip(dims) }

  /// Elements moved along an axis by `shift` places; those that fall off the end come back at the start.
  public func roll(_ shift: Int, dim: Int) -> Tensor {
    guard isValid, let axis = resolve(dim, "roll") else { return .invalid }
    let size = rank == 0 ? 0 : data.shape[axis]
    guard size > 1 else { return self }
    let s = ((shift % size) + size) % size
    guard s != 0 else { return self }
    return cat(
      [narrow(dim: axis, start: size - s, count: s), narrow(dim: axis, start: 0, count: size - s)], dim: axis)
  }

  /// Elements of the flattened tensor moved by `shift` places, in the shape of `self`.
  public func roll(_ shift: Int) -> Tensor { flatten().roll(shift, dim: 0).reshape(shape) }

  /// The tensor laid side by side `counts[i]` times along axis i; axes may be added in front.
  public func `repeat`(_ counts: [Int]) -> Tensor {
    guard isValid else { return self }
    guard
      check(
        counts.count >= rank && counts.allSatisfy { $0 >= 0 }, .shape, "repeat",
        "\(counts) needs one non-negative count for each axis of \(shape)")
    else { return .invalid }
    let lead = counts.count - rank
    // [a, b] × (m, n): [1, a, 1, b] → [m, a, n, b] → [m·a, n·b].
    var (from, to, result) = ([Int](), [Int](), [Int]())
    for (i, n) in counts.enumerated() {
      let size = i < lead ? 1 : data.shape[i - lead]
      from += [1, size]
      to += [n, size]
      let (product, overflow) = n.multipliedReportingOverflow(by: size)
      guard check(!overflow, .outOfMemory, "repeat", "the size of \(shape) repeated \(counts) overflows") else { return .invalid }
      result.append(product)
    }
    return reshape(Shape(from)).expand(Shape(to)).reshape(Shape(result))
  }

  public func `repeat`(_ counts: Int...) -> Tensor { self.repeat(counts) }

  /// Pieces of `size` elements along an axis; the last may be smaller.
  public func split(_ size: Int, dim: Int = 0) -> [Tensor] {
    guard isValid, let axis = resolve(dim, "split") else { return [.invalid] }
    let total = rank == 0 ? 0 : data.shape[axis]
    guard check(rank > 0 && (size > 0 || (size == 0 && total == 0)), .value, "split", "size \(size) for axis \(dim) of \(shape)")
    else {
      return [.invalid]
    }
    if total == 0 { return [self] }
    return stride(from: 0, to: total, by: size).map {
      narrow(dim: axis, start: $0, count: Swift.min(size, total - $0))
    }
  }

  /// Pieces of the given sizes along an axis; they must add up to it.
  public func split(_ sizes: [Int], dim: Int = 0) -> [Tensor] {
    guard isValid, let axis = resolve(dim, "split") else { return sizes.map { _ in .invalid } }
    let total = rank == 0 ? 0 : data.shape[axis]
    guard
      check(
        sizes.allSatisfy { $0 >= 0 } && sizes.reduce(0, +) == total, .shape, "split",
        "\(sizes) does not add up to axis \(dim) of \(shape)")
    else { return sizes.map { _ in .invalid } }
    var start = 0
    return sizes.map { size in
      defer { start += size }
      return narrow(dim: axis, start: start, count: size)
    }
  }

  /// At most `chunks` pieces of equal size along an axis; the last may be smaller.
  public func chunk(_ chunks: Int, dim: Int = 0) -> [Tensor] {
    guard isValid, let axis = resolve(dim, "chunk") else { return [.invalid] }
    guard check(chunks > 0 && rank > 0, .value, "chunk", "\(chunks) chunks of axis \(dim) of \(shape)") else { return [.invalid] }
    let total = data.shape[axis]
    return total == 0 ? [self] : split((total + chunks - 1) / chunks, dim: axis)
  }

  /// The slices along an axis, without it.
  public func unbind(dim: Int = 0) -> [Tensor] {
    guard isValid, let axis = resolve(dim, "unbind") else { return [.invalid] }
    guard check(rank > 0, .shape, "unbind", "a scalar has no axis to take apart") else { return [.invalid] }
    return (0..<data.shape[axis]).map { select(dim: axis, index: $0) }
  }
}

// MARK: - Joining

/// Tensors one after the other along an axis; all other sizes must agree. dtypes are promoted. The axes lie in memory as those of the first do.
public func cat(_ tensors: [Tensor], dim: Int = 0) -> Tensor {
  guard tensors.allSatisfy(\.isValid) else { return .invalid }
  guard check(!tensors.isEmpty, .value, "cat", "no tensors") else { return .invalid }
  let first = tensors[0]
  guard check(first.rank > 0, .shape, "cat", "scalars have no axis to join along; use stack"),
    let axis = first.resolve(dim, "cat")
  else {
    return .invalid
  }
  var dtype = first.dtype
  for (i, x) in tensors.enumerated().dropFirst() {
    let agrees = x.rank == first.rank && x.data.shape.replacing(axis, with: 0) == first.data.shape.replacing(axis, with: 0)
    guard check(agrees, .shape, "cat", "tensor \(i) of shape \(x.shape) does not fit \(first.shape) outside axis \(dim)") else {
      return .invalid
    }
    dtype = DType.promote(dtype, x.dtype)
  }
  if tensors.count == 1 { return first }
  let y = first.device.backend.concatenate(tensors.map { $0.data.cast(dtype) }, axis: axis)
  let sizes = tensors.map { $0.data.shape[axis] }
  return recorded(y, .named("cat"), .linear { dy in dy.split(sizes, dim: axis) }, tensors)
}

/// Tensors of one shape along a new axis before axis `dim`.
public func stack(_ tensors: [Tensor], dim: Int = 0) -> Tensor {
  guard check(!tensors.isEmpty, .value, "stack", "no tensors") else { return .invalid }
  for (i, x) in tensors.enumerated() where x.isValid {
    guard check(x.shape == tensors[0].shape, .shape, "stack", "tensor \(i) has shape \(x.shape), the first \(tensors[0].shape)")
    else {
      return .invalid
    }
  }
  guard let axis = tensors[0].resolve(dim, "stack", extra: 1) else { return .invalid }
  return cat(tensors.map { $0.unsqueeze(dim: axis) }, dim: axis)
}
