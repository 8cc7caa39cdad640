import CKernels

/// Attention without a matrix of all weights: block by block, after Dao, Fu, Ermon, Rudra and Ré, "FlashAttention", 2022.
///
/// A task takes a group of queries of one matrix and goes through the keys in blocks. For each block and each panel (as many queries as
/// the product's tile is wide) it computes the scores, turns them into weights relative to the greatest score so far, and adds their
/// product with the values to the output, which is scaled down whenever a greater score turns up. Nothing grows with L · S.
///
/// Scores are kept transposed, keys by queries: see `families/attention.h` for why. A query's result is the same chain of operations
/// whatever the group, so it does not depend on threads.
struct BlockedAttention: Sendable {
  let x: AttentionOperands
  let query, key, value: MatrixBatch
  let mask: AttentionMask
  let gemm: apus_gemm_kernels
  let kernels: apus_attention_kernels
  let lines: LineKernels
  let dtype: DType
  let size: Int
  /// Queries in a panel, and what row counts are multiples of.
  let lanes: Int
  let unit: Int

  /// Keys at a time: a panel of scores takes 24 KB of L1 at most. A multiple of every tile's rows.
  static let keyBlock = 192

  init(_ x: AttentionOperands) {
    self.x = x
    (query, key, value) = (MatrixBatch(x.query), MatrixBatch(x.key), MatrixBatch(x.value))
    dtype = x.dtype
    size = dtype.itemSize
    lines = LineKernels(dtype: dtype)
    gemm = apus_gemm(Runtime.isa, dtype.kernel)!.pointee
    kernels = apus_attention(Runtime.isa, dtype.kernel)!.pointee
    (lanes, unit) = (gemm.nr, gemm.mr)
    mask = AttentionMask(x, lanes: gemm.nr)
  }

  var matrices: Int { x.batch.product }

  func roundUp(_ n: Int, _ unit: Int) -> Int { (n + unit - 1) / unit * unit }

  /// Keys of the block at `start` that some query of a panel sees: none, or those up to the panel's last query.
  func visibleKeys(_ block: Range<Int>, lastQuery: Int) -> Int {
    x.isCausal ? min(block.count, lastQuery + 1 - block.lowerBound) : block.count
  }

  /// Blocks of keys that cover what the queries up to `lastQuery` see.
  func keyBlocks(_ keys: Range<Int>, lastQuery: Int) -> [Range<Int>] {
    let end = x.isCausal ? min(keys.upperBound, lastQuery + 1) : keys.upperBound
    return stride(from: keys.lowerBound, to: max(end, keys.lowerBound), by: Self.keyBlock).map {
      $0..<min($0 + Self.keyBlock, keys.upperBound)
    }
  }

  /// Writes a panel `[columns, lanes]` to rows of a result.
  func unpack(_ panel: UnsafeMutableRawPointer, _ queries: Range<Int>, into y: MatrixBatch, _ matrix: Int) {
    apus_copy2d(Runtime.isa, size)!(
      queries.count, y.columns, panel, 1, lanes, y.pointer(matrix, row: queries.lowerBound), y.rowStride, y.columnStride)
  }
}

/// The panels of a group of queries: `lanes` each, the last one perhaps fewer.
struct QueryPanels {
  let queries: Range<Int>
  let lanes: Int

  var count: Int { (queries.count + lanes - 1) / lanes }

  subscript(i: Int) -> Range<Int> {
    let start = queries.lowerBound + i * lanes
    return start..<min(start + lanes, queries.upperBound)
  }
}
