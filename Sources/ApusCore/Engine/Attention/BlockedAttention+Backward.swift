import CKernels

extension BlockedAttention {
  /// Gradients by query, key and value, with the weights computed again from the scores and each query's `logSum`.
  ///
  /// With p the weights and dp = dO Vᵀ their gradients: dV = pᵀ dO; of the scores ds = p (dp − dO · O); dQ = scale · ds K,
  /// dK = scale · dsᵀ Q. Keys and values collect their gradients over the queries in order inside one task. A matrix is one task; where
  /// there are few, each is cut into groups of keys, whose shares of dQ are added afterwards, again in order.
  func backward(output: TensorData, logSum: TensorData, gradient: TensorData, into gradients: [TensorData]) {
    let groups = keyGroups
    let shares = groups.count == 1 ? gradients[0] : shares(groups.count)
    guard shares.isValid else { return }
    let operands = Gradients(
      output: MatrixBatch(output), logSum: SendablePointer(logSum.base), dOutput: MatrixBatch(gradient),
      dQuery: MatrixBatch(shares), dKey: MatrixBatch(gradients[1]), dValue: MatrixBatch(gradients[2]))
    ThreadPool.shared.run(chunks: matrices * groups.count) { task in
      let (matrix, group) = (task % matrices, task / matrices)
      backward(matrix, groups[group], share: group * matrices + matrix, operands)
    }
    guard groups.count > 1 else { return }
    let sum = CPUBackend.shared.reduce(.sum, shares, axes: [0])
    CPUBackend.shared.copy(sum.view(shape: x.query.shape, strides: x.query.shape.contiguousStrides), into: gradients[0])
  }

  private struct Gradients: Sendable {
    let output: MatrixBatch
    let logSum: SendablePointer
    let dOutput, dQuery, dKey, dValue: MatrixBatch
  }

  /// dQ once for each group of keys.
  private func shares(_ count: Int) -> TensorData {
    .uninitialized(Dims([count] + Array(x.query.shape)), dtype, for: "scaledDotProductAttention")
  }

  /// At least eight tasks, if each has four blocks of keys.
  private var keyGroups: [Range<Int>] {
    let blocks = (x.keys + Self.keyBlock - 1) / Self.keyBlock
    let count = max(1, min((8 + matrices - 1) / matrices, blocks / 4))
    let group = (blocks + count - 1) / count * Self.keyBlock
    return stride(from: 0, to: x.keys, by: group).map { $0..<min($0 + group, x.keys) }
  }

  private func backward(_ matrix: Int, _ keys: Range<Int>, share: Int, _ operands: Gradients) {
    let panels = QueryPanels(queries: 0..<x.queries, lanes: lanes)
    guard let state = BackwardState(self, panels: panels.count) else { return }
    defer { withExtendedLifetime(state) {} }
    for i in 0..<panels.count { pack(panel: i, panels[i], matrix, operands, state) }
    lines.fill(state.dQuery, panels.count * state.dQueryRows * lanes, 0)
    for block in keyBlocks(keys, lastQuery: x.queries - 1) {
      pack(block, matrix, state)
      for i in 0..<panels.count { add(block, panel: i, panels[i], matrix, state) }
      unpack(state.dKey, state.keyColumns, block, into: operands.dKey, matrix)
      unpack(state.dValue, state.valueColumns, block, into: operands.dValue, matrix)
    }
    clearUnseen(keys, matrix, operands)
    lines.scale(state.dQuery, panels.count * state.dQueryRows * lanes, by: x.scale)
    for i in 0..<panels.count {
      unpack(state.dQuery + i * state.dQueryRows * lanes * size, panels[i], into: operands.dQuery, share)
    }
  }

  /// Both forms of a panel's queries and output gradients, and what each query needs besides: `logSum` and dO · O.
  private func pack(panel i: Int, _ queries: Range<Int>, _ matrix: Int, _ operands: Gradients, _ state: BackwardState) {
    let (first, count) = (queries.lowerBound, queries.count)
    let (columns, statistics) = (i * lanes * size, i * lanes * size)
    let q = query.pointer(matrix, row: first)
    gemm.pack_b(x.features, count, q, query.columnStride, query.rowStride, state.query + x.features * columns)
    gemm.pack_b(count, x.features, q, query.rowStride, query.columnStride, state.queryRows + state.keyColumns * columns)
    lines.scale(state.query + x.features * columns, x.features * lanes, by: x.scale)
    lines.scale(state.queryRows + state.keyColumns * columns, state.keyColumns * count, by: x.scale)
    let dy = operands.dOutput
    let d = dy.pointer(matrix, row: first)
    gemm.pack_b(x.valueFeatures, count, d, dy.columnStride, dy.rowStride, state.dOutput + x.valueFeatures * columns)
    gemm.pack_b(
      count, x.valueFeatures, d, dy.rowStride, dy.columnStride, state.dOutputRows + state.valueColumns * columns)
    let y = operands.output
    gemm.pack_b(x.valueFeatures, count, y.pointer(matrix, row: first), y.columnStride, y.rowStride, state.output)
    kernels.dots(x.valueFeatures, state.output, state.dOutput + x.valueFeatures * columns, state.dots + statistics)
    // Lanes without a query get weights of 0.
    lines.fill(state.logSum + statistics, lanes, .infinity)
    (state.logSum + statistics).copyMemory(
      from: operands.logSum.pointer + (matrix * x.queries + first) * size, byteCount: count * size)
  }

  private func pack(_ block: Range<Int>, _ matrix: Int, _ state: BackwardState) {
    let k = key.pointer(matrix, row: block.lowerBound)
    gemm.pack_a(block.count, x.features, k, key.rowStride, key.columnStride, state.key)
    gemm.pack_a(x.features, block.count, k, key.columnStride, key.rowStride, state.keyColumnsPacked)
    gemm.pack_a(
      block.count, x.valueFeatures, value.pointer(matrix, row: block.lowerBound), value.rowStride, value.columnStride,
      state.value)
    lines.fill(state.dKey, Self.keyBlock * state.keyColumns, 0)
    lines.fill(state.dValue, Self.keyBlock * state.valueColumns, 0)
  }

  /// What a panel of queries and a block of keys give each other.
  private func add(_ block: Range<Int>, panel i: Int, _ queries: Range<Int>, _ matrix: Int, _ state: BackwardState) {
    let visible = visibleKeys(block, lastQuery: queries.upperBound - 1)
    guard visible > 0 else { return }
    let rows = roundUp(visible, unit)
    let columns = i * lanes * size
    kernels.product(
      rows, x.features, state.key, unit * x.features, state.query + x.features * columns, state.scores, false)
    kernels.product(
      rows, x.valueFeatures, state.value, unit * x.valueFeatures, state.dOutput + x.valueFeatures * columns,
      state.dWeights, false)
    var panel = mask.panel(matrix, queries, block, rows: rows, state.mask)
    kernels.gradients(rows, state.scores, state.dWeights, &panel, state.logSum + columns, state.dots + columns)
    kernels.outer(
      rows, state.valueColumns, queries.count, state.scores, state.dOutputRows + state.valueColumns * columns, state.dValue)
    kernels.outer(
      rows, state.keyColumns, queries.count, state.dWeights, state.queryRows + state.keyColumns * columns, state.dKey)
    kernels.product(
      state.dQueryRows, min(rows, block.count), state.keyColumnsPacked, unit * block.count, state.dWeights,
      state.dQuery + state.dQueryRows * columns, true)
  }

  /// Writes the row-major gradients of a block of keys.
  private func unpack(
    _ rows: UnsafeMutableRawPointer, _ stride: Int, _ block: Range<Int>, into y: MatrixBatch, _ matrix: Int
  ) {
    apus_copy2d(Runtime.isa, size)!(
      block.count, y.columns, rows, stride, 1, y.pointer(matrix, row: block.lowerBound), y.rowStride, y.columnStride)
  }

  /// Keys after the last query have gradients of 0 in causal order; their blocks were never visited.
  private func clearUnseen(_ keys: Range<Int>, _ matrix: Int, _ operands: Gradients) {
    let seen = keyBlocks(keys, lastQuery: x.queries - 1).last?.upperBound ?? keys.lowerBound
    guard seen < keys.upperBound else { return }
    var zero = 0.0
    for y in [operands.dKey, operands.dValue] {
      apus_copy2d(Runtime.isa, size)!(
        keys.upperBound - seen, y.columns, &zero, 0, 0, y.pointer(matrix, row: seen), y.rowStride, y.columnStride)
    }
  }
}
