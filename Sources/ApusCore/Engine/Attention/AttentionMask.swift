import CKernels

/// What keeps a query from a key (mask, causal order) or a weight from the output (dropout), brought into the form of a panel of scores.
struct AttentionMask: Sendable {
  private let x: AttentionOperands
  private let lanes: Int
  private let mask: MatrixBatch?
  private let size: Int

  /// Working memory: panels of numbers to add and of random numbers, and lines that become a panel by transposing.
  struct Buffers {
    let bias, draws, lines: UnsafeMutableRawPointer

    init(_ parts: [UnsafeMutableRawPointer]) { (bias, draws, lines) = (parts[0], parts[1], parts[2]) }
  }

  init(_ x: AttentionOperands, lanes: Int) {
    self.x = x
    self.lanes = lanes
    mask = x.mask.map { MatrixBatch($0) }
    size = x.dtype.itemSize
  }

  /// What `Buffers` needs, in numbers.
  var bufferCounts: [Int] {
    let panel = BlockedAttention.keyBlock * lanes
    let (isMasked, drops) = (mask != nil, x.dropout != nil)
    return [isMasked ? panel : 0, drops ? panel : 0, isMasked || drops ? panel : 0]
  }

  /// - Parameter rows: of the panel of scores: the first keys of the block.
  func panel(_ matrix: Int, _ queries: Range<Int>, _ block: Range<Int>, rows: Int, _ buffers: Buffers) -> apus_attention_panel {
    let keys = block.lowerBound..<min(block.lowerBound + rows, block.upperBound)
    if let mask { transposed(mask, matrix, queries, keys, buffers) }
    if let dropout = x.dropout { draw(dropout, matrix, queries, keys, buffers) }
    return apus_attention_panel(
      keys: keys.count, diagonal: x.isCausal ? queries.lowerBound - keys.lowerBound : rows,
      bias: mask == nil ? nil : UnsafeRawPointer(buffers.bias),
      draws: x.dropout == nil ? nil : UnsafePointer(buffers.draws.assumingMemoryBound(to: Float.self)),
      dropped: Float(x.dropout?.p ?? 0), kept_scale: x.dropout?.keptScale ?? 1)
  }

  private func transposed(
    _ mask: MatrixBatch, _ matrix: Int, _ queries: Range<Int>, _ keys: Range<Int>, _ buffers: Buffers
  ) {
    let copy = apus_copy2d(Runtime.isa, size)!
    let first = mask.pointer(matrix, row: queries.lowerBound, column: keys.lowerBound)
    guard x.mask?.dtype == .bool else {
      copy(keys.count, queries.count, first, mask.columnStride, mask.rowStride, buffers.bias, lanes, 1)
      return
    }
    // One line for all queries where the mask is about keys alone.
    let isShared = mask.rowStride == 0
    for (line, q) in (isShared ? queries.prefix(1) : queries).enumerated() {
      LineKernels(dtype: x.dtype).bias(
        mask.pointer(matrix, row: q, column: keys.lowerBound), mask.columnStride, keys.count,
        into: buffers.lines + line * keys.count * size)
    }
    copy(keys.count, queries.count, buffers.lines, 1, isShared ? 0 : keys.count, buffers.bias, lanes, 1)
  }

  private func draw(
    _ dropout: AttentionDropout, _ matrix: Int, _ queries: Range<Int>, _ keys: Range<Int>, _ buffers: Buffers
  ) {
    let lines = buffers.lines.assumingMemoryBound(to: Float.self)
    for (line, q) in queries.enumerated() {
      let first = (matrix * x.queries + q) * x.keys + keys.lowerBound
      apus_random_uniform_f32(dropout.key, dropout.counter, first, keys.count, lines + line * keys.count)
    }
    apus_copy2d(Runtime.isa, 4)!(keys.count, queries.count, lines, 1, keys.count, buffers.draws, lanes, 1)
  }
}
