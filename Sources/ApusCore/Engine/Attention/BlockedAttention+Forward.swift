import CKernels

extension BlockedAttention {
  /// Writes the output `[batch…, L, Ev]` and the logarithm of each query's sum of exponentials `[batch…, L]`.
  func forward(output: TensorData, logSum: TensorData) {
    let group = queryGroup
    let groups = (x.queries + group - 1) / group
    let (y, logSum) = (MatrixBatch(output), SendablePointer(logSum.base))
    ThreadPool.shared.run(chunks: matrices * groups) { task in
      // Causal groups at the end have the most to do and come first.
      let (matrix, start) = (task % matrices, (groups - 1 - task / matrices) * group)
      forward(matrix, start..<min(start + group, x.queries), y, logSum.pointer)
    }
  }

  /// Queries in a task: many, so that packing the keys is worth while; fewer where there would be too few tasks.
  private var queryGroup: Int {
    let share = x.queries * matrices / 32
    return min(512, max(4 * lanes, roundUp(share, lanes)))
  }

  private func forward(_ matrix: Int, _ queries: Range<Int>, _ y: MatrixBatch, _ logSum: UnsafeMutableRawPointer) {
    let panels = QueryPanels(queries: queries, lanes: lanes)
    guard let state = ForwardState(self, panels: panels.count) else { return }
    defer { withExtendedLifetime(state) {} }
    gemm.pack_b(
      x.features, queries.count, query.pointer(matrix, row: queries.lowerBound), query.columnStride, query.rowStride,
      state.query)
    lines.scale(state.query, panels.count * lanes * x.features, by: x.scale)
    lines.fill(state.max, panels.count * lanes, -.infinity)
    lines.fill(state.sum, panels.count * lanes, 0)
    for block in keyBlocks(0..<x.keys, lastQuery: queries.upperBound - 1) {
      pack(block, matrix, state)
      for i in 0..<panels.count { add(block, panel: i, of: panels, matrix, state) }
    }
    for i in 0..<panels.count {
      let (out, statistics) = (state.output + i * outputRows * lanes * size, i * lanes * size)
      kernels.finish(outputRows, out, state.max + statistics, state.sum + statistics, state.scores)
      unpack(out, panels[i], into: y, matrix)
      (logSum + (matrix * x.queries + panels[i].lowerBound) * size).copyMemory(
        from: state.scores, byteCount: panels[i].count * size)
    }
  }

  /// Rows of a panel of output: Ev in whole tiles.
  private var outputRows: Int { roundUp(x.valueFeatures, unit) }

  private func pack(_ block: Range<Int>, _ matrix: Int, _ state: ForwardState) {
    gemm.pack_a(
      block.count, x.features, key.pointer(matrix, row: block.lowerBound), key.rowStride, key.columnStride, state.key)
    gemm.pack_a(
      x.valueFeatures, block.count, value.pointer(matrix, row: block.lowerBound), value.columnStride, value.rowStride,
      state.value)
  }

  /// Takes a block of keys into the output of a panel of queries.
  private func add(_ block: Range<Int>, panel i: Int, of panels: QueryPanels, _ matrix: Int, _ state: ForwardState) {
    let queries = panels[i]
    let visible = visibleKeys(block, lastQuery: queries.upperBound - 1)
    guard visible > 0 else { return }
    let rows = roundUp(visible, unit)
    let (out, statistics) = (state.output + i * outputRows * lanes * size, i * lanes * size)
    kernels.product(
      rows, x.features, state.key, unit * x.features, state.query + i * x.features * lanes * size, state.scores, false)
    var panel = mask.panel(matrix, queries, block, rows: rows, state.mask)
    let isFirst = block.lowerBound == 0
    kernels.weights(
      rows, state.scores, &panel, state.max + statistics, state.sum + statistics, isFirst ? 0 : outputRows, out)
    kernels.product(
      outputRows, min(rows, block.count), state.value, unit * block.count, state.scores, out, !isFirst)
  }
}

/// The working memory of a forward task.
private struct ForwardState {
  let query, key, value, scores, output, max, sum: UnsafeMutableRawPointer
  let mask: AttentionMask.Buffers
  private let scratch: AttentionScratch

  init?(_ a: BlockedAttention, panels: Int) {
    let block = BlockedAttention.keyBlock
    let counts = [
      panels * a.x.features * a.lanes, block * a.x.features, a.roundUp(a.x.valueFeatures, a.unit) * block, block * a.lanes,
      panels * a.roundUp(a.x.valueFeatures, a.unit) * a.lanes, panels * a.lanes, panels * a.lanes,
    ]
    let maskCounts = a.mask.bufferCounts
    guard var scratch = AttentionScratch(counts + maskCounts, of: a.dtype) else { return nil }
    let parts = counts.map { scratch.take($0) }
    (query, key, value, scores, output, max, sum) = (
      parts[0], parts[1], parts[2], parts[3], parts[4], parts[5], parts[6]
    )
    mask = AttentionMask.Buffers(maskCounts.map { scratch.take($0) })
    self.scratch = scratch
  }
}
