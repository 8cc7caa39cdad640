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

// MARK: - Element-wise

extension CPUBackend {
  package func unary(_ op: Unary, _ x: TensorData) -> TensorData {
    let kernel = apus_unary(Runtime.isa, op.kernel, x.dtype.kernel)!
    let resultType: DType = op.isPredicate ? .bool : x.dtype
    let (from, size, resultSize) = (UnsafeRawPointer(x.base), x.dtype.itemSize, resultType.itemSize)
    if x.isDense {
      let y = x.uninitializedLike(resultType, for: op.name)
      guard y.isValid else { return y }
      let to = y.base
      ThreadPool.shared.forEachChunk(of: x.count, grain: StridedLoop.grain) { range in
        kernel(range.count, from + range.lowerBound * size, 1, to + range.lowerBound * resultSize, 1)
      }
      return y
    }
    let y = TensorData.uninitialized(x.shape, resultType, for: op.name)
    guard y.isValid else { return y }
    let to = y.base
    let loop = StridedLoop(x.shape, [x.strides, y.strides])
    let stride = loop.rowStride
    loop.forEachRow { n, offset in
      kernel(n, from + offset[0] * size, stride[0], to + offset[1] * resultSize, stride[1])
    }
    return y
  }

  package func binary(_ op: Binary, _ a: TensorData, _ b: TensorData, shape: Dims, into target: TensorData?) -> TensorData {
    let kernel = apus_binary(Runtime.isa, op.kernel, a.dtype.kernel)!
    let resultType: DType = op.isComparison ? .bool : a.dtype
    let (size, resultSize) = (a.dtype.itemSize, resultType.itemSize)
    let (pa, pb) = (UnsafeRawPointer(a.base), UnsafeRawPointer(b.base))
    let aIsScalar = a.count == 1
    let bIsScalar = b.count == 1
    // One row: equal dense layouts, or a dense tensor and a scalar.
    let layout = aIsScalar ? b : a
    if layout.shape == shape, target.map({ $0.strides == layout.strides }) ?? true,
      aIsScalar || bIsScalar || (a.strides == b.strides && a.shape == b.shape), layout.isDense
    {
      let y = target ?? layout.uninitializedLike(resultType, for: op.name)
      guard y.isValid else { return y }
      let (sa, sb) = (aIsScalar ? 0 : 1, bIsScalar ? 0 : 1)
      let to = y.base
      ThreadPool.shared.forEachChunk(of: layout.count, grain: StridedLoop.grain) { range in
        let i = range.lowerBound
        kernel(range.count, pa + i * sa * size, sa, pb + i * sb * size, sb, to + i * resultSize, 1)
      }
      return y
    }
    let y = target ?? TensorData.uninitialized(shape, resultType, for: op.name)
    guard y.isValid else { return y }
    let to = y.base
    let loop = StridedLoop(shape, [a.expanded(to: shape).strides, b.expanded(to: shape).strides, y.strides])
    let s = loop.rowStride
    loop.forEachRow { n, offset in
      kernel(n, pa + offset[0] * size, s[0], pb + offset[1] * size, s[1], to + offset[2] * resultSize, s[2])
    }
    return y
  }

  package func select(_ condition: TensorData, _ a: TensorData, _ b: TensorData, shape: Dims) -> TensorData {
    let y = TensorData.uninitialized(shape, a.dtype, for: "where")
    guard y.isValid else { return y }
    let size = a.dtype.itemSize
    let kernel = apus_select(Runtime.isa, size)!
    let (pc, pa, pb) = (UnsafeRawPointer(condition.base), UnsafeRawPointer(a.base), UnsafeRawPointer(b.base))
    let to = y.base
    let operands = [condition, a, b].map { $0.expanded(to: shape).strides }
    let loop = StridedLoop(shape, operands + [y.strides])
    let s = loop.rowStride
    loop.forEachRow { n, o in
      kernel(n, pc + o[0], s[0], pa + o[1] * size, s[1], pb + o[2] * size, s[2], to + o[3] * size, s[3])
    }
    return y
  }
}
