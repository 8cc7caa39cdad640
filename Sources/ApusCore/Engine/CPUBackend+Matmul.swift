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
/// Blocking (Goto and van de Geijn 2008): a block of B of `kc` rows is packed once and stays in the cache while panels of A stream past
/// it. Every element of C sums over k in the same order whatever the blocks and threads, so results don't depend on either. Half types
/// are packed as float32 and summed in it; C is rounded once, at the end.
struct MatrixProduct {
  let m, n, k: Int
  let a: (row: Int, column: Int)
  let b: (row: Int, column: Int)
  let ldc: Int
  let dtype: DType

  func run(_ pa: UnsafeRawPointer, _ pb: UnsafeRawPointer, _ pc: UnsafeMutableRawPointer, _ ending: RowEnding) {
    guard isBlocked, let kernels = apus_gemm(Runtime.isa, dtype.kernel)?.pointee else { return small(pa, pb, pc, ending) }
    if dtype.itemSize == 2 {
      throughFloat32(kernels, pa, pb, pc, ending)
    } else if isBetterTurned(kernels) {
      turned.blocked(kernels, pb, pa, pc, ending, dtype.itemSize, isTurned: true)
    } else {
      blocked(kernels, pa, pb, pc, ending, dtype.itemSize)
    }
  }

  /// Whether it is large enough for packing to pay, of floats.
  private var isBlocked: Bool { dtype.isFloatingPoint && m * n * k > 4096 && k > 0 && !readsOnce }

  /// Whether B is used too few times to be worth packing: generating text one token at a time reads each weight once.
  private var readsOnce: Bool { dtype.itemSize >= 4 && (m == 1 || m < 4 && a.column == 1 && b.row == 1) }

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

  private func throughFloat32(
    _ kernels: apus_gemm_kernels, _ pa: UnsafeRawPointer, _ pb: UnsafeRawPointer, _ pc: UnsafeMutableRawPointer,
    _ ending: RowEnding
  ) {
    let size = DType.float32.itemSize
    guard let wide = Storage.allocate(m * n * size, for: "matmul") else { return }
    blocked(kernels, pa, pb, wide.pointer, .none(.float32), size)
    let cast = apus_cast(Runtime.isa, DType.float32.kernel, dtype.kernel)!
    let (sums, c) = (SendablePointer(wide.pointer), SendablePointer(pc))
    ThreadPool.shared.forEachChunk(of: m, grain: max(1, StridedLoop.grain / n)) { rows in
      for row in rows { cast(n, sums.pointer + row * n * size, 1, c.pointer + row * ldc * dtype.itemSize, 1) }
      ending.finish(c.pointer, ldc: ldc, rows: rows, columns: 0..<n, hasBias: false)
    }
  }

  /// Whether the tiles can read the rows of A where they are: packing them would turn each number around for the sake of `n` products.
  private func canReadRowsInPlace(_ kernels: apus_gemm_kernels) -> Bool {
    a.column == 1 && m >= kernels.mr && kernels.rows != nil && a.row >= k
  }

  /// Rows a multiple of a page apart evict each other, and B, from the first-level cache.
  private var hasRowsInOnePlace: Bool { a.row * dtype.itemSize % 4096 == 0 }

  /// The product of the transposed matrices, Cᵀ = Bᵀ Aᵀ, whose rows lie `ldc` apart as columns.
  private var turned: MatrixProduct {
    MatrixProduct(m: n, n: m, k: k, a: (b.column, b.row), b: (a.column, a.row), ldc: ldc, dtype: dtype)
  }

  /// Whether to compute Cᵀ: a layer's weights times a small batch, where packing all weights would cost more than packing the batch and
  /// turning the result. The weights are read where they lie.
  private func isBetterTurned(_ kernels: apus_gemm_kernels) -> Bool {
    m <= 256 && 2 * m * (k + n) < n * k && turned.canReadRowsInPlace(kernels) && turned.depth(kernels, dtype.itemSize).rows >= k
  }

  /// How much of B is packed at a time: columns, rows of a block, and rows of as many blocks as fit a shared cache, since the threads wait for
  /// each other once for all of them.
  private func depth(_ kernels: apus_gemm_kernels, _ size: Int) -> (columns: Int, block: Int, rows: Int) {
    let kc = min(k, kernels.kc)
    let nc = min((n + kernels.nr - 1) / kernels.nr * kernels.nr, kernels.nc)
    return (nc, kc, max(kc, min((k + kc - 1) / kc, Self.mostPacked / (nc * kc * size)) * kc))
  }

  /// - Parameters:
  ///   - size: of an element of C and of the packed operands, in bytes.
  ///   - isTurned: write the transposed result, whose columns are the rows here. Takes all of k at a time.
  private func blocked(
    _ kernels: apus_gemm_kernels, _ pa: UnsafeRawPointer, _ pb: UnsafeRawPointer, _ pc: UnsafeMutableRawPointer,
    _ ending: RowEnding, _ size: Int, isTurned: Bool = false
  ) {
    let itemSize = dtype.itemSize
    let (nc, kc, depth) = depth(kernels, size)
    let direct = canReadRowsInPlace(kernels) && (isTurned || !hasRowsInOnePlace) ? kernels.rows : nil
    let blocks = RowBlocks(m, panel: kernels.mr, most: kernels.mc)
    let pool = ThreadPool.shared
    // What each worker needs: packed rows of A, or its block of a turned result.
    let roomSize = (isTurned ? nc : direct == nil ? kc : 0) * blocks.largest * size
    guard let packedB = Storage.allocate(nc * depth * size, for: "matmul"),
      let rooms = Storage.allocate(roomSize * (blocks.count > 1 ? pool.threadCount : 1), for: "matmul")
    else { return }
    let (blockB, c) = (SendablePointer(packedB.pointer), SendablePointer(pc))
    let turn = apus_copy2d(Runtime.isa, size)!
    for deepStart in stride(from: 0, to: k, by: depth) {
      let layers = (min(depth, k - deepStart) + kc - 1) / kc
      // Rows of B: where they begin, how many, and their packed form.
      let layer = { (i: Int) in
        (start: deepStart + i * kc, count: min(kc, k - deepStart - i * kc), packed: blockB.pointer + i * kc * nc * size)
      }
      for nStart in stride(from: 0, to: n, by: nc) {
        let nCount = min(nc, n - nStart)
        let panels = (nCount + kernels.nr - 1) / kernels.nr
        let share = (panels + 7) / 8
        let shares = (panels + share - 1) / share
        pool.run(chunks: layers * shares) { task in
          let (layer, first) = (layer(task / shares), task % shares * share * kernels.nr)
          kernels.pack_b(
            layer.count, min(share * kernels.nr, nCount - first),
            pb + (layer.start * b.row + (nStart + first) * b.column) * itemSize,
            b.row, b.column, layer.packed + first * layer.count * size)
        }
        pool.runByWorkers(chunks: blocks.count) { block, worker in
          let rows = blocks[block]
          let room = rooms.pointer + worker * roomSize
          let target = isTurned ? room : c.pointer + (rows.lowerBound * ldc + nStart) * size
          let targetRow = isTurned ? nCount : ldc
          for i in 0..<layers {
            let layer = layer(i)
            let source = pa + (rows.lowerBound * a.row + layer.start * a.column) * itemSize
            let bias = layer.start + layer.count == k && !isTurned ? ending.bias.map { $0 + nStart * size } : nil
            if let direct {
              direct(rows.count, nCount, layer.count, source, a.row, layer.packed, target, targetRow, layer.start > 0, bias)
            } else {
              // Packed by who multiplies it, it is still in that core's cache.
              kernels.pack_a(rows.count, layer.count, source, a.row, a.column, room)
              kernels.block(rows.count, nCount, layer.count, room, layer.packed, target, targetRow, layer.start > 0, bias)
            }
          }
          if isTurned {
            turn(rows.count, nCount, room, nCount, 1, c.pointer + (nStart * ldc + rows.lowerBound) * size, 1, ldc)
          }
          guard deepStart + depth >= k else { return }
          let columns = nStart..<nStart + nCount
          ending.finish(
            c.pointer, ldc: ldc, rows: isTurned ? columns : rows, columns: isTurned ? rows : columns, hasBias: !isTurned)
        }
      }
    }
  }

  /// Bytes of B that are packed at a time, more only where a single block needs them.
  private static let mostPacked = 4 << 20
}

/// The rows of a matrix cut into blocks of whole panels, as even as these allow: a multiple of eight blocks where there are enough panels,
/// so that two, four or eight threads end at the same time.
private struct RowBlocks {
  let count: Int
  private let rows, panels, panel: Int

  /// - Parameter most: the rows of a block, at most, which fit the cache.
  init(_ rows: Int, panel: Int, most: Int) {
    panels = (rows + panel - 1) / panel
    count = min(panels, (panels * panel + most * 8 - 1) / (most * 8) * 8)
    (self.rows, self.panel) = (rows, panel)
  }

  /// Of a block, in rows, with the last panel full.
  var largest: Int { (panels + count - 1) / count * panel }

  subscript(block: Int) -> Range<Int> {
    (block * panels / count * panel)..<min((block + 1) * panels / count * panel, rows)
  }
}
