import CKernels

/// A matrix product by packed blocks (Goto and van de Geijn 2008): a block of B of `kc` rows is packed once and stays in the cache while
/// panels of A stream past it.
///
/// Half types are summed in float32, and a block of sums is rounded while it is in a core's cache.
struct BlockedProduct {
  private let product: MatrixProduct
  private let kernels: apus_gemm_kernels
  private let isTurned: Bool
  /// How much of B is packed at a time: columns, rows of a block, and rows of as many blocks as fit a shared cache, since the threads wait for
  /// each other once for all of them.
  private let nc, kc, depth: Int
  private let blocks: RowBlocks

  /// - Parameter isTurned: write the transposed result, whose columns are the rows of `product`. Only for products of one pass.
  init(_ product: MatrixProduct, _ kernels: apus_gemm_kernels, isTurned: Bool = false) {
    (self.product, self.kernels, self.isTurned) = (product, kernels, isTurned)
    let (n, k) = (product.n, product.k)
    kc = min(k, kernels.kc)
    nc = min((n + kernels.nr - 1) / kernels.nr * kernels.nr, kernels.nc)
    depth = max(kc, min((k + kc - 1) / kc, Self.mostPacked / (nc * kc * kernels.unit_size / kernels.unit)) * kc)
    blocks = RowBlocks(product.m, panel: kernels.mr, most: kernels.mc)
  }

  /// Bytes of B that are packed at a time, more only where a single block needs them.
  private static let mostPacked = 4 << 20
  /// Tasks of a product, about, that two to eight threads can share evenly.
  private static let goodTasks = 32

  /// Whether all of k is packed at a time, so that a block of sums is complete when it is left.
  var isOfOnePass: Bool { depth >= product.k }

  /// Whether the tiles can read the rows of A where they are: packing them would turn each number around for the sake of `n` products.
  var canReadRowsInPlace: Bool {
    let (k, row) = (product.k, product.a.row)
    return product.a.column == 1 && product.m >= kernels.mr && kernels.rows != nil && row >= k
      && k % kernels.unit == 0 && row % kernels.unit == 0
  }

  /// Rows a multiple of a page apart evict each other, and B, from the first-level cache.
  private var hasRowsInOnePlace: Bool { product.a.row * product.dtype.itemSize % 4096 == 0 }

  /// Bytes of a packed block of `count` rows of B, or columns of A.
  private func packedSize(_ count: Int, _ width: Int) -> Int {
    (count + kernels.unit - 1) / kernels.unit * width * kernels.unit_size
  }

  func run(_ pa: UnsafeRawPointer, _ pb: UnsafeRawPointer, _ pc: UnsafeMutableRawPointer, _ ending: RowEnding) {
    let (m, n, k, a, b, dtype) = (product.m, product.n, product.k, product.a, product.b, product.dtype)
    let (itemSize, sumSize) = (dtype.itemSize, sumType.itemSize)
    let direct = canReadRowsInPlace && (isTurned || !hasRowsInOnePlace) ? kernels.rows : nil
    let pool = ThreadPool.shared
    // What each worker needs: its block of sums that are yet to be turned or rounded, the same turned, and packed rows of A.
    let sumsHaveRoom = isTurned || isRounded && isOfOnePass
    let sumRoom = sumsHaveRoom ? nc * blocks.largest * sumSize : 0
    let turnedRoom = isTurned && isRounded ? sumRoom : 0
    let room = sumRoom + turnedRoom + (direct == nil ? packedSize(kc, blocks.largest) : 0)
    let roomOfAll = room * (blocks.count > 1 ? pool.threadCount : 1)
    let sumsOfAll = isRounded && !sumsHaveRoom ? m * n * sumSize : 0
    guard let memory = Storage.allocate(packedSize(depth, nc) + roomOfAll + sumsOfAll, for: "matmul") else { return }
    let blockB = SendablePointer(memory.pointer)
    let rooms = SendablePointer(blockB.pointer + packedSize(depth, nc))
    let c = SendablePointer(pc)
    let (sums, sumsRow) = isRounded ? (SendablePointer(rooms.pointer + roomOfAll), n) : (c, product.ldc)
    for deepStart in stride(from: 0, to: k, by: depth) {
      let layers = (min(depth, k - deepStart) + kc - 1) / kc
      // Rows of B: where they begin, how many, and their packed form.
      let layer = { (i: Int) in
        (start: deepStart + i * kc, count: min(kc, k - deepStart - i * kc), packed: blockB.pointer + i * packedSize(kc, nc))
      }
      for nStart in stride(from: 0, to: n, by: nc) {
        let columns = nStart..<min(nStart + nc, n)
        let panels = (columns.count + kernels.nr - 1) / kernels.nr
        let share = (panels + 7) / 8
        let shares = (panels + share - 1) / share
        pool.run(chunks: layers * shares) { task in
          let (layer, first) = (layer(task / shares), task % shares * share * kernels.nr)
          kernels.pack_b(
            layer.count, min(share * kernels.nr, columns.count - first),
            pb + (layer.start * b.row + (nStart + first) * b.column) * itemSize,
            b.row, b.column, layer.packed + packedSize(layer.count, first))
        }
        // Few blocks of rows are cut by columns too, so that the threads end at the same time, unless each part would pack the rows again.
        let parts = direct == nil ? 1 : max(1, min(panels, Self.goodTasks / blocks.count))
        pool.runByWorkers(chunks: blocks.count * parts) { task, worker in
          let (rows, part) = (blocks[task / parts], task % parts)
          let first = part * panels / parts * kernels.nr
          let columns = nStart + first..<min(nStart + (part + 1) * panels / parts * kernels.nr, columns.upperBound)
          let room = rooms.pointer + worker * room
          let packedA = room + sumRoom + turnedRoom
          let target = sumsHaveRoom ? room : sums.pointer + (rows.lowerBound * sumsRow + columns.lowerBound) * sumSize
          let targetRow = sumsHaveRoom ? columns.count : sumsRow
          for i in 0..<layers {
            let layer = layer(i)
            let source = pa + (rows.lowerBound * a.row + layer.start * a.column) * itemSize
            let packedB = layer.packed + packedSize(layer.count, first)
            let isLast = layer.start + layer.count == k
            let bias = isLast && hasBias ? ending.bias.map { $0 + columns.lowerBound * sumSize } : nil
            if let direct {
              direct(rows.count, columns.count, layer.count, source, a.row, packedB, target, targetRow, layer.start > 0, bias)
            } else {
              // Packed by who multiplies it, it is still in that core's cache.
              kernels.pack_a(rows.count, layer.count, source, a.row, a.column, packedA)
              kernels.block(rows.count, columns.count, layer.count, packedA, packedB, target, targetRow, layer.start > 0, bias)
            }
          }
          guard deepStart + depth >= k else { return }
          finish(Sums(pointer: target, row: targetRow, turned: room + sumRoom), rows, columns, c.pointer, ending)
        }
      }
    }
  }

  private var isRounded: Bool { product.dtype.isHalf }
  private var sumType: DType { isRounded ? .float32 : product.dtype }
  /// Whether the tiles add the bias: to the sums as they are in C.
  private var hasBias: Bool { !isTurned && !isRounded }

  /// A block of sums, `row` apart, and room for the same turned.
  private struct Sums {
    let pointer: UnsafeMutableRawPointer
    let row: Int
    let turned: UnsafeMutableRawPointer
  }

  /// Brings a block of sums to its place in C: turned, rounded, and with what else the product ends in.
  private func finish(
    _ sums: Sums, _ rows: Range<Int>, _ columns: Range<Int>, _ c: UnsafeMutableRawPointer, _ ending: RowEnding
  ) {
    let (ldc, dtype) = (product.ldc, product.dtype)
    let (linesOfC, columnsOfC) = isTurned ? (columns, rows) : (rows, columns)
    let place = c + (linesOfC.lowerBound * ldc + columnsOfC.lowerBound) * dtype.itemSize
    var lines = (pointer: sums.pointer, row: sums.row)
    if isTurned {
      lines = isRounded ? (sums.turned, rows.count) : (place, ldc)
      apus_copy2d(Runtime.isa, sumType.itemSize)!(
        rows.count, columns.count, sums.pointer, sums.row, 1, lines.pointer, 1, lines.row)
    }
    if isRounded {
      let round = apus_cast(Runtime.isa, sumType.kernel, dtype.kernel)!
      for i in 0..<linesOfC.count {
        round(columnsOfC.count, lines.pointer + i * lines.row * sumType.itemSize, 1, place + i * ldc * dtype.itemSize, 1)
      }
    }
    ending.finish(c, ldc: ldc, rows: linesOfC, columns: columnsOfC, hasBias: hasBias)
  }
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
