import CKernels

extension CPUBackend {
  package func matmul(_ a: TensorData, _ b: TensorData, bias: TensorData?) -> TensorData {
    let rank = a.rank
    let (m, k, n) = (a.shape[rank - 2], a.shape[rank - 1], b.shape[rank - 1])
    let y = TensorData.uninitialized(a.shape.replacing(rank - 1, with: n), a.dtype, for: "matmul")
    guard y.isValid, y.count > 0 else { return y }
    let product = MatrixProduct(
      m: m, n: n, k: k,
      a: (a.strides[rank - 2], a.strides[rank - 1]), b: (b.strides[rank - 2], b.strides[rank - 1]), ldc: n, dtype: a.dtype)
    let isBiasLeft = bias != nil && !product.takesBias
    defer { if isBiasLeft, let bias { _ = binary(.add, y, bias, shape: y.shape, into: y) } }
    let pBias = isBiasLeft ? nil : bias.map { UnsafeRawPointer($0.base) }
    if y.count == m * n {
      product.run(a.base, b.base, y.base, bias: pBias)
      return y
    }
    let batch = { (x: TensorData) in AxisWalk((0..<(rank - 2)).map { (x.shape[$0], x.strides[$0]) }) }
    let (batchA, batchB) = (batch(a), batch(b))
    let matrices = y.count / (m * n)
    let size = a.dtype.itemSize
    let (pa, pb, pc) = (UnsafeRawPointer(a.base), UnsafeRawPointer(b.base), SendablePointer(y.base))
    ThreadPool.shared.forEachChunk(of: matrices, grain: max(1, (1 << 16) / max(1, m * n * k))) { range in
      for i in range {
        product.run(
          pa + batchOffset(batchA, i) * size, pb + batchOffset(batchB, i) * size, pc.pointer + i * m * n * size, bias: pBias)
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

  /// - Parameter bias: nil where the product doesn't take one.
  func run(
    _ pa: UnsafeRawPointer, _ pb: UnsafeRawPointer, _ pc: UnsafeMutableRawPointer, bias: UnsafeRawPointer? = nil
  ) {
    guard isBlocked, let kernels = apus_gemm(Runtime.isa, dtype.kernel)?.pointee else { return small(pa, pb, pc) }
    if dtype.itemSize == 2 {
      throughFloat32(kernels, pa, pb, pc)
    } else {
      blocked(kernels, pa, pb, pc, bias: bias, dtype.itemSize)
    }
  }

  /// Whether it is large enough for packing to pay, of floats.
  private var isBlocked: Bool { dtype.isFloatingPoint && m * n * k > 4096 && k > 0 && !readsOnce }

  /// Whether a bias is added on the way to memory.
  var takesBias: Bool { isBlocked && dtype.itemSize >= 4 }

  /// Whether B is used too few times to be worth packing: generating text one token at a time reads each weight once.
  private var readsOnce: Bool { dtype.itemSize >= 4 && (m == 1 || m < 4 && a.column == 1 && b.row == 1) }

  private func small(_ pa: UnsafeRawPointer, _ pb: UnsafeRawPointer, _ pc: UnsafeMutableRawPointer) {
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
      }
      return
    }
    ThreadPool.shared.forEachChunk(of: m, grain: max(1, (1 << 16) / max(1, n * k))) { rows in
      kernel(
        rows.count, n, k, pa + rows.lowerBound * a.row * size, a.row, a.column, pb, b.row, b.column,
        c.pointer + rows.lowerBound * ldc * size, ldc)
    }
  }

  private func throughFloat32(
    _ kernels: apus_gemm_kernels, _ pa: UnsafeRawPointer, _ pb: UnsafeRawPointer, _ pc: UnsafeMutableRawPointer
  ) {
    let size = DType.float32.itemSize
    guard let wide = Storage.allocate(m * n * size, for: "matmul") else { return }
    blocked(kernels, pa, pb, wide.pointer, bias: nil, size)
    let cast = apus_cast(Runtime.isa, DType.float32.kernel, dtype.kernel)!
    let (sums, c) = (SendablePointer(wide.pointer), SendablePointer(pc))
    ThreadPool.shared.forEachChunk(of: m * n, grain: StridedLoop.grain) { range in
      cast(
        range.count, sums.pointer + range.lowerBound * size, 1, c.pointer + range.lowerBound * dtype.itemSize, 1)
    }
  }

  /// Whether the tiles read the rows of A where they are: packing them would turn each number around for the sake of `n` products. Rows a
  /// multiple of a page apart would evict each other from the first-level cache.
  private func readsRowsInPlace(_ kernels: apus_gemm_kernels) -> Bool {
    a.column == 1 && m >= kernels.mr && kernels.rows != nil && a.row >= k && a.row * dtype.itemSize % 4096 != 0
  }

  /// - Parameter size: of an element of C and of the packed operands, in bytes.
  private func blocked(
    _ kernels: apus_gemm_kernels, _ pa: UnsafeRawPointer, _ pb: UnsafeRawPointer, _ pc: UnsafeMutableRawPointer,
    bias: UnsafeRawPointer?,
    _ size: Int
  ) {
    let itemSize = dtype.itemSize
    let kc = min(k, kernels.kc)
    let nc = min((n + kernels.nr - 1) / kernels.nr * kernels.nr, kernels.nc)
    // As many blocks of B at a time as fit a shared cache: the threads wait for each other once for all of them.
    let depth = max(kc, min((k + kc - 1) / kc, Self.mostPacked / (nc * kc * size)) * kc)
    let direct = readsRowsInPlace(kernels) ? kernels.rows : nil
    let blocks = RowBlocks(m, panel: kernels.mr, most: kernels.mc)
    let pool = ThreadPool.shared
    let packedSize = blocks.largest * kc * size
    guard let packedB = Storage.allocate(nc * depth * size, for: "matmul"),
      let packedA = Storage.allocate(direct == nil ? packedSize * (blocks.count > 1 ? pool.threadCount : 1) : 0, for: "matmul")
    else { return }
    let (blockA, blockB, c) = (SendablePointer(packedA.pointer), SendablePointer(packedB.pointer), SendablePointer(pc))
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
          let target = c.pointer + (rows.lowerBound * ldc + nStart) * size
          for i in 0..<layers {
            let layer = layer(i)
            let source = pa + (rows.lowerBound * a.row + layer.start * a.column) * itemSize
            let ending = layer.start + layer.count == k ? bias.map { $0 + nStart * size } : nil
            if let direct {
              direct(rows.count, nCount, layer.count, source, a.row, layer.packed, target, ldc, layer.start > 0, ending)
            } else {
              // Packed by who multiplies it, it is still in that core's cache.
              let packed = blockA.pointer + worker * packedSize
              kernels.pack_a(rows.count, layer.count, source, a.row, a.column, packed)
              kernels.block(rows.count, nCount, layer.count, packed, layer.packed, target, ldc, layer.start > 0, ending)
            }
          }
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
