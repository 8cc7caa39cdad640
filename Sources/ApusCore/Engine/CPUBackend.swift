import CKernels

/// The CPU: every family of primitives by the C kernels, shared out among the pool's threads.
package struct CPUBackend: Backend {
  package static let shared = CPUBackend()
}

// MARK: - Copies

extension CPUBackend {
  package func copy(_ x: TensorData, to dtype: DType) -> TensorData {
    let y = TensorData.uninitialized(x.shape, dtype, for: "copy")
    if y.isValid { copy(x, into: y) }
    return y
  }

  package func copy(_ x: TensorData, into target: TensorData) {
    let x = x.expanded(to: target.shape)
    let kernel = apus_cast(Runtime.isa, x.dtype.kernel, target.dtype.kernel)!
    let (from, to) = (UnsafeRawPointer(x.base), target.base)
    let (fromSize, toSize) = (x.dtype.itemSize, target.dtype.itemSize)
    if x.isContiguous && target.isContiguous {
      ThreadPool.shared.forEachChunk(of: x.count, grain: StridedLoop.grain) { range in
        kernel(range.count, from + range.lowerBound * fromSize, 1, to + range.lowerBound * toSize, 1)
      }
      return
    }
    if x.dtype == target.dtype, transposingCopy(x, into: target) { return }
    let loop = StridedLoop(target.shape, [x.strides, target.strides])
    let stride = loop.rowStride
    loop.forEachRow { n, offset in
      kernel(n, from + offset[0] * fromSize, stride[0], to + offset[1] * toSize, stride[1])
    }
  }

  /// Copies in which the axis that is contiguous in `x` is not the one that is contiguous in `target`, by blocks of both.
  ///
  /// - Returns: false where the copy is not of this kind.
  private func transposingCopy(_ x: TensorData, into target: TensorData) -> Bool {
    let axes = target.shape.indices.filter { target.shape[$0] > 1 }
    guard axes.count >= 2,
      let inner = axes.first(where: { target.strides[$0] == 1 }), let outer = axes.first(where: { x.strides[$0] == 1 }),
      inner != outer, target.shape[inner] >= 8, target.shape[outer] >= 8
    else { return false }
    let kernel = apus_copy2d(Runtime.isa, x.dtype.itemSize)!
    let size = x.dtype.itemSize
    let (from, to) = (UnsafeRawPointer(x.base), target.base)
    // The matrix is (outer, inner); every combination of the other axes is one matrix, cut into bands of rows.
    var rest = target.shape
    rest[inner] = 1
    let rows = target.shape[outer]
    let band = max(16, min(rows, (StridedLoop.grain / target.shape[inner] + 15) / 16 * 16))
    let bands = (rows + band - 1) / band
    rest[outer] = bands
    var (fromStrides, toStrides) = (x.strides, target.strides)
    let (rowFrom, rowTo) = (x.strides[outer], target.strides[outer])
    fromStrides[outer] = rowFrom * band
    toStrides[outer] = rowTo * band
    let (columnFrom, columnTo) = (x.strides[inner], target.strides[inner])
    let columns = target.shape[inner]
    // Which band a row of the loop is follows from an operand whose only stride is along `outer`.
    var bandStrides = Dims(repeating: 0, count: rest.count)
    bandStrides[outer] = 1
    let matrices = rest.product
    ThreadPool.shared.run(chunks: matrices) { matrix in
      var (index, fromOffset, toOffset, bandIndex) = (matrix, 0, 0, 0)
      var axis = rest.count - 1
      while axis >= 0 {
        let i = index % rest[axis]
        index /= rest[axis]
        fromOffset += i * fromStrides[axis]
        toOffset += i * toStrides[axis]
        bandIndex += i * bandStrides[axis]
        axis -= 1
      }
      let count = min(band, rows - bandIndex * band)
      kernel(
        count, columns, from + fromOffset * size, rowFrom, columnFrom, to + toOffset * size, rowTo, columnTo)
    }
    return true
  }
}

// MARK: - Element-wise: noted down where the result is large (`DeferredOp`), else computed at once

extension CPUBackend {
  package func cast(_ x: TensorData, to dtype: DType) -> TensorData {
    if x.count >= DeferredOp.threshold { return DeferredOp.note(.cast, x, dtype: dtype) }
    let y = TensorData.uninitialized(x.shape, dtype, like: x, for: "to")
    if y.isValid { copy(x, into: y) }
    return y
  }

  package func unary(_ op: Unary, _ x: TensorData) -> TensorData {
    let resultType: DType = op.isPredicate ? .bool : x.dtype
    if x.count >= DeferredOp.threshold { return DeferredOp.note(.unary(op), x, dtype: resultType) }
    let y = TensorData.uninitialized(x.shape, resultType, like: x, for: op.name)
    guard y.isValid else { return y }
    let kernel = apus_unary(Runtime.isa, op.kernel, x.dtype.kernel)!
    let (from, size, to, resultSize) = (UnsafeRawPointer(x.base), x.dtype.itemSize, y.base, resultType.itemSize)
    if x.isDense {
      kernel(x.count, from, 1, to, 1)
      return y
    }
    let loop = StridedLoop(x.shape, [x.strides, y.strides])
    let stride = loop.rowStride
    loop.forEachRow { n, offset in
      kernel(n, from + offset[0] * size, stride[0], to + offset[1] * resultSize, stride[1])
    }
    return y
  }

  package func binary(_ op: Binary, _ a: TensorData, _ b: TensorData, shape: Dims, into target: TensorData?) -> TensorData {
    if let target {
      binary(op, a, b, into: target)
      return target
    }
    let resultType: DType = op.isComparison ? .bool : a.dtype
    if shape.product >= DeferredOp.threshold {
      return DeferredOp.note(.binary(op), [a, b], dtype: resultType, shape: shape, strides: TensorData.layout(shape, a, b))
    }
    let y = TensorData.uninitialized(shape, resultType, like: a.count >= b.count ? a : b, for: op.name)
    if y.isValid { binary(op, a, b, into: y) }
    return y
  }

  private func binary(_ op: Binary, _ a: TensorData, _ b: TensorData, into y: TensorData) {
    let kernel = apus_binary(Runtime.isa, op.kernel, a.dtype.kernel)!
    let (size, resultSize) = (a.dtype.itemSize, y.dtype.itemSize)
    let (pa, pb, to) = (UnsafeRawPointer(a.base), UnsafeRawPointer(b.base), y.base)
    // One row: layouts as the result's, which has no gaps, or scalars.
    let (aIsScalar, bIsScalar) = (a.isUniform, b.isUniform)
    if aIsScalar || a.lies(y.shape, y.strides), bIsScalar || b.lies(y.shape, y.strides), y.isDense {
      let (sa, sb) = (aIsScalar ? 0 : 1, bIsScalar ? 0 : 1)
      ThreadPool.shared.forEachChunk(of: y.count, grain: StridedLoop.grain) { range in
        let i = range.lowerBound
        kernel(range.count, pa + i * sa * size, sa, pb + i * sb * size, sb, to + i * resultSize, 1)
      }
      return
    }
    let loop = StridedLoop(y.shape, [a.expanded(to: y.shape).strides, b.expanded(to: y.shape).strides, y.strides])
    let s = loop.rowStride
    loop.forEachRow { n, offset in
      kernel(n, pa + offset[0] * size, s[0], pb + offset[1] * size, s[1], to + offset[2] * resultSize, s[2])
    }
  }

  package func select(_ condition: TensorData, _ a: TensorData, _ b: TensorData, shape: Dims) -> TensorData {
    if shape.product >= DeferredOp.threshold {
      let strides = TensorData.layout(shape, a, b, condition)
      return DeferredOp.note(.select, [condition, a, b], dtype: a.dtype, shape: shape, strides: strides)
    }
    let y = TensorData.uninitialized(shape, a.dtype, like: a, for: "where")
    guard y.isValid else { return y }
    let size = a.dtype.itemSize
    let kernel = apus_select(Runtime.isa, size)!
    let (pc, pa, pb) = (UnsafeRawPointer(condition.base), UnsafeRawPointer(a.base), UnsafeRawPointer(b.base))
    let to = y.base
    let loop = StridedLoop(shape, [condition, a, b].map { $0.expanded(to: shape).strides } + [y.strides])
    let s = loop.rowStride
    loop.forEachRow { n, o in
      kernel(n, pc + o[0], s[0], pa + o[1] * size, s[1], pb + o[2] * size, s[2], to + o[3] * size, s[3])
    }
    return y
  }

  package func random(_ distribution: Distribution, key: UInt64, counter: UInt64, shape: Dims, strides: Dims, dtype: DType)
    -> TensorData
  {
    let drawn = distribution.drawnType(for: dtype)
    if shape.product >= DeferredOp.threshold {
      let kind = DeferredOp.Kind.random(distribution, key: key, counter: counter)
      return DeferredOp.note(kind, [], dtype: drawn, shape: shape, strides: strides).cast(dtype)
    }
    let y = TensorData.uninitialized(shape, drawn, for: "random")
    if y.isValid { distribution.fill(drawn, key: key, counter: counter, first: 0, y.count, y.base) }
    return y.view(shape: shape, strides: strides).cast(dtype)
  }
}
