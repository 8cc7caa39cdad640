import CKernels

extension CPUBackend {
  package func concatenate(_ xs: [TensorData], axis: Int) -> TensorData {
    let total = xs.reduce(0) { $0 + $1.shape[axis] }
    // Laid out as the first is: pictures that have their channels last keep them so.
    let (first, shape) = (xs[0], xs[0].shape.replacing(axis, with: total))
    let y =
      first.isContiguous
      ? TensorData.uninitialized(shape, first.dtype, for: "cat")
      : TensorData.uninitialized(shape, first.dtype, axisOrder: first.axisOrder, for: "cat")
    guard y.isValid else { return y }
    var start = 0
    for x in xs {
      if x.count > 0 { copy(x, into: Movement.slice(axis: axis, start: start, step: 1, count: x.shape[axis]).apply(y)) }
      start += x.shape[axis]
    }
    return y
  }

  package func gather(_ x: TensorData, axis: Int, index: TensorData) -> TensorData {
    guard indicesAreIn(x.rank == 0 ? 1 : x.shape[axis], index, "gather") else { return .invalid }
    let y = TensorData.uninitialized(index.shape, x.dtype, for: "gather")
    guard y.isValid else { return y }
    if x.rank == 0 {
      copy(x, into: y)
      return y
    }
    // The source of an element: its own position in all axes but `axis`, where the index decides.
    let frame = x.view(shape: index.shape, strides: x.strides.replacing(axis, with: 0))
    let loop = StridedLoop(index.shape, [frame.strides, index.strides, y.strides])
    let s = loop.rowStride
    let along = x.strides[axis]
    func move<Element>(_: Element.Type) {
      let (from, to) = (x.base.assumingMemoryBound(to: Element.self), SendablePointer(y.base))
      let indices = index.base.assumingMemoryBound(to: Int64.self)
      loop.forEachRow { n, o in
        let to = to.pointer.assumingMemoryBound(to: Element.self)
        for i in 0..<n { to[o[2] + i * s[2]] = from[o[0] + i * s[0] + Int(indices[o[1] + i * s[1]]) * along] }
      }
    }
    switch x.dtype.itemSize {
    case 8: move(UInt64.self)
    case 4: move(UInt32.self)
    case 2: move(UInt16.self)
    default: move(UInt8.self)
    }
    return y
  }

  package func scatter(_ x: TensorData, axis: Int, index: TensorData, source: TensorData, combine: Scatter) -> TensorData {
    guard indicesAreIn(x.rank == 0 ? 1 : x.shape[axis], index, combine == .set ? "scatter" : "scatterAdd") else {
      return .invalid
    }
    let y = copy(x, to: x.dtype)
    guard y.isValid, index.count > 0 else { return y }
    // In row-major order: the last write wins and sums have a fixed order.
    let size = x.dtype.itemSize
    let kernel = combine == .add ? apus_binary(Runtime.isa, APUS_BINARY_add, x.dtype.kernel)! : nil
    let frameStrides = x.rank == 0 ? Dims() : y.strides.replacing(axis, with: 0)
    let along = x.rank == 0 ? 0 : y.strides[axis]
    // The last axis is walked by its strides, the others by their number.
    let inner = index.rank == 0 ? 1 : index.shape[index.rank - 1]
    let outer = { (strides: Dims) in AxisWalk(zip(index.shape, strides).dropLast()) }
    let step = { (strides: Dims) in index.rank == 0 ? 0 : strides[index.rank - 1] }
    let walk = (target: outer(frameStrides), index: outer(index.strides), source: outer(source.strides))
    let steps = (target: step(frameStrides), index: step(index.strides), source: step(source.strides))
    let indices = index.base.assumingMemoryBound(to: Int64.self)
    let (base, sourceBase) = (SendablePointer(y.base), UnsafeRawPointer(source.base))
    // Lines along the axis itself write apart from each other; in any other direction two may meet, so one thread walks them in order.
    let lines = index.count / inner
    ThreadPool.shared.forEachChunk(of: lines, grain: axis == x.rank - 1 ? max(1, (1 << 13) / inner) : lines) { range in
      for line in range {
        let (target, index, source) = (walk.target.offset(line), walk.index.offset(line), walk.source.offset(line))
        for i in 0..<inner {
          let place = base.pointer + (target + i * steps.target + Int(indices[index + i * steps.index]) * along) * size
          let element = sourceBase + (source + i * steps.source) * size
          if let kernel { kernel(1, place, 1, element, 1, place, 1) } else { place.copyMemory(from: element, byteCount: size) }
        }
      }
    }
    return y
  }

  package func indexSelect(_ x: TensorData, axis: Int, index: TensorData) -> TensorData {
    guard indicesAreIn(x.shape[axis], index, "indexSelect") else { return .invalid }
    let y = TensorData.uninitialized(x.shape.replacing(axis, with: index.count), x.dtype, for: "indexSelect")
    guard y.isValid, y.count > 0 else { return y }
    let x = x.contiguous()
    guard x.isValid else { return x }
    let size = x.dtype.itemSize
    let inner = x.shape.dropFirst(axis + 1).reduce(1, *)
    let outer = x.shape.prefix(axis).reduce(1, *)
    let rows = index.count
    let (from, to) = (UnsafeRawPointer(x.base), SendablePointer(y.base))
    let indices = index.base.assumingMemoryBound(to: Int64.self)
    let (stride, extent) = (index.strides[0], x.shape[axis])
    ThreadPool.shared.forEachChunk(of: outer * rows, grain: max(1, StridedLoop.grain / inner)) { range in
      for i in range {
        let row = Int(indices[i % rows * stride])
        (to.pointer + i * inner * size).copyMemory(from: from + (i / rows * extent + row) * inner * size, byteCount: inner * size)
      }
    }
    return y
  }

  package func indexWrite(_ x: TensorData, axis: Int, index: TensorData, source: TensorData, combine: Scatter) -> TensorData {
    guard indicesAreIn(x.shape[axis], index, combine == .set ? "indexCopy" : "indexAdd") else { return .invalid }
    let y = copy(x, to: x.dtype)
    guard y.isValid, source.count > 0 else { return y }
    let source = source.contiguous()
    let size = x.dtype.itemSize
    let inner = x.shape.dropFirst(axis + 1).reduce(1, *)
    let outer = x.shape.prefix(axis).reduce(1, *)
    let (rows, extent) = (index.count, x.shape[axis])
    let kernel = combine == .add ? apus_binary(Runtime.isa, APUS_BINARY_add, x.dtype.kernel)! : nil
    let indices = index.base.assumingMemoryBound(to: Int64.self)
    let from = UnsafeRawPointer(source.base)
    let to = SendablePointer(y.base)
    // Threads share out columns, never rows: a row that is named twice is added to in a fixed order.
    let band = max(1, min(inner, max(64, StridedLoop.grain / max(1, rows))))
    let bands = (inner + band - 1) / band
    ThreadPool.shared.forEachChunk(of: outer * bands, grain: max(1, StridedLoop.grain / max(1, rows * band))) { range in
      for task in range {
        let (o, first) = (task / bands, task % bands * band)
        let n = min(band, inner - first)
        for r in 0..<rows {
          let place = to.pointer + ((o * extent + Int(indices[r * index.strides[0]])) * inner + first) * size
          let slice = from + ((o * rows + r) * inner + first) * size
          if let kernel { kernel(n, place, 1, slice, 1, place, 1) } else { place.copyMemory(from: slice, byteCount: n * size) }
        }
      }
    }
    return y
  }

  package func argSort(_ x: TensorData, axis: Int, isDescending: Bool) -> TensorData {
    let y = TensorData.uninitialized(x.shape, .int64, for: "sort")
    guard y.isValid, y.count > 0 else { return y }
    let (from, to) = (Lines(x, axis: axis), Lines(y, axis: axis))
    let results = SendablePointer(y.base)
    func sort<T: TensorScalar>(_: T.Type) {
      let elements = x.base.assumingMemoryBound(to: T.self)
      ThreadPool.shared.forEachChunk(of: from.kept.count, grain: max(1, 4096 / from.count)) { range in
        let indices = results.pointer.assumingMemoryBound(to: Int64.self)
        for line in range {
          let (start, end) = (from.kept.offset(line), to.kept.offset(line))
          var order = (0..<from.count).map { (value: elements[start + $0 * from.stride], index: $0) }
          // Ties by index: stable, whatever the algorithm.
          if isDescending {
            order.sort { T.precedes($1.value, $0.value) || (!T.precedes($0.value, $1.value) && $0.index < $1.index) }
          } else {
            order.sort { T.precedes($0.value, $1.value) || (!T.precedes($1.value, $0.value) && $0.index < $1.index) }
          }
          for (i, entry) in order.enumerated() { indices[end + i * to.stride] = Int64(entry.index) }
        }
      }
    }
    sort(x.dtype.scalarType)
    return y
  }

  /// Whether every entry is in `0 ..< size`; reports the first that isn't.
  private func indicesAreIn(_ size: Int, _ index: TensorData, _ name: String) -> Bool {
    let index = index.contiguous()
    guard index.isValid else { return false }
    let entries = UnsafeBufferPointer(start: index.base.assumingMemoryBound(to: Int64.self), count: index.count)
    guard let wrong = entries.first(where: { $0 < 0 || $0 >= size }) else { return true }
    return check(false, .index, name, "index \(wrong) is not in 0..<\(size)")
  }
}
