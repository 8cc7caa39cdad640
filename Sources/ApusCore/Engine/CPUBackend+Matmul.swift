import CKernels

extension CPUBackend {
  package func matmul(_ a: TensorData, _ b: TensorData, ending: ProductEnding) -> TensorData {
    let rank = a.rank
    let (m, k, n) = (a.shape[rank - 2], a.shape[rank - 1], b.shape[rank - 1])
    let y = TensorData.uninitialized(a.shape.replacing(rank - 1, with: n), a.dtype, for: "matmul")
    guard y.isValid, y.count > 0 else { return y }
    let product = MatrixProduct(
      m: m, n: n, k: k,
      a: (a.strides[rank - 2], a.strides[rank - 1]), b: (b.strides[rank - 2], b.strides[rank - 1]), ldc: n, dtype: a.dtype)
    if y.count == m * n {
      product.run(a.base, b.base, y.base, RowEnding(ending, a.dtype))
      return y
    }
    let batch = { (x: TensorData) in AxisWalk(x, axes: 0..<(rank - 2)) }
    let (batchA, batchB) = (batch(a), batch(b))
    let matrices = y.count / (m * n)
    let size = a.dtype.itemSize
    let (pa, pb, pc) = (UnsafeRawPointer(a.base), UnsafeRawPointer(b.base), SendablePointer(y.base))
    ThreadPool.shared.forEachChunk(of: matrices, grain: max(1, (1 << 16) / max(1, m * n * k))) { range in
      for i in range {
        product.run(
          pa + batchOffset(batchA, i) * size, pb + batchOffset(batchB, i) * size, pc.pointer + i * m * n * size,
          RowEnding(ending, a.dtype, from: i * m * n))
      }
    }
    return y
  }

  private func batchOffset(_ walk: AxisWalk, _ i: Int) -> Int { walk.count == 1 ? 0 : walk.offset(i) }
}

/// One matrix product C = A B on the CPU: small ones at once, larger ones by packed blocks.
///
/// Every element of C sums over k in the same order whatever the blocks and threads, so results don't depend on either.
struct MatrixProduct {
  let m, n, k: Int
  let a: (row: Int, column: Int)
  let b: (row: Int, column: Int)
  let ldc: Int
  let dtype: DType

  func run(_ pa: UnsafeRawPointer, _ pb: UnsafeRawPointer, _ pc: UnsafeMutableRawPointer, _ ending: RowEnding) {
    guard isBlocked, let kernels = apus_gemm(Runtime.isa, dtype.kernel)?.pointee else { return small(pa, pb, pc, ending) }
    if let turned = turnedIfBetter(kernels) {
      turned.run(pb, pa, pc, ending)
    } else {
      BlockedProduct(self, kernels).run(pa, pb, pc, ending)
    }
  }

  /// Whether it is large enough for packing to pay, of floats.
  private var isBlocked: Bool { dtype.isFloatingPoint && m * n * k > 4096 && k > 0 && !readsOnce }

  /// Whether B is used too few times to be worth packing: generating text one token at a time reads each weight once.
  private var readsOnce: Bool { m == 1 || m < 4 && a.column == 1 && b.row == 1 }

  private func small(_ pa: UnsafeRawPointer, _ pb: UnsafeRawPointer, _ pc: UnsafeMutableRawPointer, _ ending: RowEnding) {
    let kernel = apus_small_gemm(Runtime.isa, dtype.kernel)!
    let size = dtype.itemSize
    let c = SendablePointer(pc)
    if m < 4 {
      // Few rows: share the columns. An element doesn't depend on where they are cut.
      let columns = max(64, (1 << 16) / max(1, m * k) / 64 * 64)
      ThreadPool.shared.forEachChunk(of: n, grain: columns) { range in
        let first = range.lowerBound
        kernel(
          m, range.count, k, pa, a.row, a.column, pb + first * b.column * size, b.row, b.column, c.pointer + first * size, ldc)
        ending.finish(c.pointer, ldc: ldc, rows: 0..<m, columns: range, hasBias: false)
      }
      return
    }
    ThreadPool.shared.forEachChunk(of: m, grain: max(1, (1 << 16) / max(1, n * k))) { rows in
      kernel(
        rows.count, n, k, pa + rows.lowerBound * a.row * size, a.row, a.column, pb, b.row, b.column,
        c.pointer + rows.lowerBound * ldc * size, ldc)
      ending.finish(c.pointer, ldc: ldc, rows: rows, columns: 0..<n, hasBias: false)
    }
  }

  /// The product of the transposed matrices, Cᵀ = Bᵀ Aᵀ, whose rows lie `ldc` apart as columns, where that is better: a layer's weights
  /// times a small batch, where packing all weights would cost more than packing the batch and turning the result. The weights are
  /// read where they lie.
  private func turnedIfBetter(_ kernels: apus_gemm_kernels) -> BlockedProduct? {
    guard m <= 256, 2 * m * (k + n) < n * k else { return nil }
    let turned = BlockedProduct(
      MatrixProduct(m: n, n: m, k: k, a: (b.column, b.row), b: (a.column, a.row), ldc: ldc, dtype: dtype), kernels, isTurned: true
    )
    return turned.canReadRowsInPlace && turned.isOfOnePass ? turned : nil
  }
}
