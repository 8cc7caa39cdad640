import CKernels

extension CPUBackend {
  package func recurrent(
    _ cell: RecurrentCell, _ steps: RecurrentSteps, _ operands: RecurrentOperands, savesTrace: Bool
  ) -> (states: TensorData, trace: RecurrentTrace?) {
    RecurrentLoop(cell, steps, hidden: operands.h.shape[1], operands.x.dtype).forward(operands, savesTrace: savesTrace)
      ?? (.invalid, nil)
  }

  package func recurrentGradient(
    _ cell: RecurrentCell, _ steps: RecurrentSteps, _ trace: RecurrentTrace, dy: TensorData, y: TensorData, weight: TensorData
  ) -> (dx: TensorData, ds: TensorData, dh: TensorData, dc: TensorData?) {
    RecurrentLoop(cell, steps, hidden: weight.shape[1], dy.dtype).backward(trace, dy: dy, y: y, weight: weight)
      ?? (.invalid, .invalid, .invalid, nil)
  }
}

/// The steps of a recurrent layer, one after the other; within a step, blocks of units (and rows) at the same time.
///
/// The weight is packed once for all steps. A block multiplies the state, which is packed too, by its units' columns, computes their
/// gates, and packs its part of the next state into the other of two buffers; so a step is one parallel loop.
private struct RecurrentLoop {
  let cell: RecurrentCell
  let steps: RecurrentSteps
  let hidden: Int
  let dtype: DType
  let kernels: apus_gemm_kernels
  /// Most units and rows of a block: whole panels of the product, the same whatever the number of threads.
  let blockUnits, blockRows: Int

  init(_ cell: RecurrentCell, _ steps: RecurrentSteps, hidden: Int, _ dtype: DType) {
    self.cell = cell
    self.steps = steps
    self.hidden = hidden
    self.dtype = dtype
    kernels = apus_gemm(Runtime.isa, dtype.kernel)!.pointee
    // The further a row's piece of the gates reaches, the better memory is read; but there are to be some blocks for the threads.
    blockUnits = kernels.nr * max(1, (hidden < 256 ? 32 : 64) / kernels.nr)
    blockRows = kernels.mr * max(1, 96 / kernels.mr)
  }

  var gates: Int { cell.gateCount }
  var batch: Int { steps.batch }
  var size: Int { dtype.itemSize }
  /// The batch in whole panels.
  var paddedBatch: Int { (batch + kernels.mr - 1) / kernels.mr * kernels.mr }
  var unitBlocks: Int { (hidden + blockUnits - 1) / blockUnits }
  var kernel: apus_cell { apus_cell(rawValue: UInt32(RecurrentCell.allCases.firstIndex(of: cell)!)) }

  /// A part of a step: some rows, some units.
  struct Block {
    let rows, units: Range<Int>
    let index: Int  // of the block of units
  }

  func forEachBlock(rows: Int, _ body: (Block) -> Void) {
    let rowBlocks = (rows + blockRows - 1) / blockRows
    // Too little for a thread of its own: one after the other.
    let work = rows * hidden * hidden * gates
    ThreadPool.shared.forEachChunk(of: rowBlocks * unitBlocks, grain: max(1, rowBlocks * unitBlocks * 65_536 / max(work, 1))) {
      for i in $0 {
        let (row, unit) = (i / unitBlocks * blockRows, i % unitBlocks * blockUnits)
        body(
          Block(rows: row..<min(row + blockRows, rows), units: unit..<min(unit + blockUnits, hidden), index: i % unitBlocks))
      }
    }
  }
}

// MARK: - Forward

extension RecurrentLoop {
  func forward(_ operands: RecurrentOperands, savesTrace: Bool) -> (TensorData, RecurrentTrace?)? {
    let cellRows = cell == .lstm ? batch : 0
    guard let y = table(steps.rows + cellRows), let h = table(batch), let sums = table(batch * gates),
      let weight = packedWeight(operands.weight), let first = packed(columns: hidden), let second = packed(columns: hidden),
      let trace = trace(savesTrace)
    else { return nil }
    h.base.copyMemory(from: operands.h.base, byteCount: h.byteCount)
    let c = y.base + steps.rows * hidden * size
    if let start = operands.c { c.copyMemory(from: start.base, byteCount: start.byteCount) }
    for buffer in [first, second] { pack(h.base, rows: 0..<batch, columns: 0..<hidden, of: hidden, into: buffer) }
    var (current, next) = (first, second)
    for (count, row) in steps.order {
      let line = row * hidden * size
      let whole = apus_cell_forward_block(
        rows: 0, units: 0, hidden: hidden, x: operands.x.base + line * gates, s: sums.base, bias: operands.bias?.base, h: h.base,
        c: cell == .lstm ? c : nil, y: y.base + line, saved: trace.gates.map { $0.base + 4 * line },
        h_old: savesTrace ? trace.h.base + line : nil, c_old: trace.c.map { $0.base + line })
      forEachBlock(rows: count) { block in
        for gate in 0..<gates { multiply(current, weight, gate, block, into: sums.base) }
        var part = self.part(whole, block)
        apus_cell_forward(Runtime.isa, dtype.kernel, kernel, &part)
        // Rows that share a panel with these go along; they hold a state as well.
        let end = min((block.rows.upperBound + kernels.mr - 1) / kernels.mr * kernels.mr, batch)
        pack(h.base, rows: block.rows.lowerBound..<end, columns: block.units, of: hidden, into: next)
      }
      swap(&current, &next)
    }
    return (y, savesTrace ? trace : nil)
  }

  private func multiply(
    _ state: Storage, _ weight: Storage, _ gate: Int, _ block: Block, into sums: UnsafeMutableRawPointer
  ) {
    let panel = (gate * unitBlocks + block.index) * blockUnits * hidden
    let place = (block.rows.lowerBound * gates + gate) * hidden + block.units.lowerBound
    kernels.block(
      block.rows.count, block.units.count, hidden, state.pointer + block.rows.lowerBound * hidden * size,
      weight.pointer + panel * size, sums + place * size, gates * hidden, false, nil)
  }

  private func part(_ whole: apus_cell_forward_block, _ block: Block) -> apus_cell_forward_block {
    var part = whole
    let line = (block.rows.lowerBound * hidden + block.units.lowerBound) * size
    let gateLine = (block.rows.lowerBound * gates * hidden + block.units.lowerBound) * size
    part.rows = block.rows.count
    part.units = block.units.count
    part.x += gateLine
    part.s += gateLine
    part.bias = whole.bias.map { $0 + block.units.lowerBound * size }
    part.h += line
    part.c = whole.c.map { $0 + line }
    part.y += line
    part.saved = whole.saved.map { $0 + (block.rows.lowerBound * 4 * hidden + block.units.lowerBound) * size }
    part.h_old = whole.h_old.map { $0 + line }
    part.c_old = whole.c_old.map { $0 + line }
    return part
  }

  /// The weight as the right operand of state · weightᵀ: for each gate and block of units its panels.
  private func packedWeight(_ weight: TensorData) -> Storage? {
    guard let memory = scratch(gates * unitBlocks * blockUnits * hidden) else { return nil }
    let from = UnsafeRawPointer(weight.base)
    ThreadPool.shared.forEachChunk(of: gates * unitBlocks, grain: max(1, (1 << 15) / max(1, blockUnits * hidden))) {
      for i in $0 {
        let unit = i % unitBlocks * blockUnits
        kernels.pack_b(
          hidden, min(blockUnits, hidden - unit), from + (i / unitBlocks * hidden + unit) * hidden * size, 1, hidden,
          memory.pointer + i * blockUnits * hidden * size)
      }
    }
    return memory
  }

  private func trace(_ isNeeded: Bool) -> RecurrentTrace? {
    guard isNeeded else { return RecurrentTrace(h: .invalid, c: nil, gates: nil) }
    let hasGates = cell == .lstm || cell == .gru
    guard let h = table(steps.rows) else { return nil }
    let c = cell == .lstm ? table(steps.rows) : nil
    let gates = hasGates ? table(steps.rows * 4) : nil
    return (c == nil) == (cell != .lstm) && (gates == nil) == !hasGates ? RecurrentTrace(h: h, c: c, gates: gates) : nil
  }
}

// MARK: - Backward

extension RecurrentLoop {
  func backward(_ trace: RecurrentTrace, dy: TensorData, y: TensorData, weight: TensorData)
    -> (dx: TensorData, ds: TensorData, dh: TensorData, dc: TensorData?)?
  {
    let width = gates * hidden
    guard let dx = table(steps.rows * gates), let dh = table(batch), let packedWeight = packedColumns(weight),
      let first = packed(columns: width), let second = packed(columns: width)
    else { return nil }
    let ds = cell == .gru ? table(steps.rows * gates) : dx
    let dc = cell == .lstm ? table(batch) : nil
    guard let ds, (dc == nil) == (cell != .lstm) else { return nil }
    dh.base.initializeMemory(as: UInt8.self, repeating: 0, count: dh.byteCount)
    if let dc { dc.base.copyMemory(from: dy.base + steps.rows * hidden * size, byteCount: dc.byteCount) }
    var (current, next) = (first, second)
    var later = 0
    for (count, row) in steps.order.reversed() {
      let line = row * hidden * size
      let whole = apus_cell_backward_block(
        rows: 0, units: 0, hidden: hidden, dy: dy.base + line, y: y.base + line, dh: dh.base, dc: dc?.base,
        saved: trace.gates.map { $0.base + 4 * line }, h_old: trace.h.base + line, c_old: trace.c.map { $0.base + line },
        dx: dx.base + line * gates, ds: ds.base + line * gates)
      forEachBlock(rows: max(count, later)) { block in
        passBack(current, packedWeight, rows: later, block, into: dh.base)
        guard var part = self.part(whole, block, rows: count) else { return }
        apus_cell_backward(Runtime.isa, dtype.kernel, kernel, &part)
        let rows = block.rows.lowerBound..<min(block.rows.upperBound, count)
        for gate in 0..<gates {
          let columns = gate * hidden + block.units.lowerBound..<gate * hidden + block.units.upperBound
          pack(ds.base + line * gates, rows: rows, columns: columns, of: width, into: next)
        }
      }
      later = count
      swap(&current, &next)
    }
    forEachBlock(rows: later) { passBack(current, packedWeight, rows: later, $0, into: dh.base) }
    return (flat(dx), flat(ds), dh.view(shape: Dims(batch, hidden), strides: Dims(hidden, 1)), dc)
  }

  /// dh = ds · weight for the block's units, of the step that was just dealt with.
  private func passBack(
    _ ds: Storage, _ weight: Storage, rows: Int, _ block: Block, into dh: UnsafeMutableRawPointer
  ) {
    let count = min(block.rows.upperBound, rows) - block.rows.lowerBound
    guard count > 0 else { return }
    let width = gates * hidden
    kernels.block(
      count, block.units.count, width, ds.pointer + block.rows.lowerBound * width * size,
      weight.pointer + block.index * blockUnits * width * size,
      dh + (block.rows.lowerBound * hidden + block.units.lowerBound) * size, hidden, cell == .gru, nil)
  }

  private func part(_ whole: apus_cell_backward_block, _ block: Block, rows: Int) -> apus_cell_backward_block? {
    let count = min(block.rows.upperBound, rows) - block.rows.lowerBound
    guard count > 0 else { return nil }
    var part = whole
    let line = (block.rows.lowerBound * hidden + block.units.lowerBound) * size
    let gateLine = (block.rows.lowerBound * gates * hidden + block.units.lowerBound) * size
    part.rows = count
    part.units = block.units.count
    part.dy += line
    part.y += line
    part.dh += line
    part.dc = whole.dc.map { $0 + line }
    part.saved = whole.saved.map { $0 + (block.rows.lowerBound * 4 * hidden + block.units.lowerBound) * size }
    part.h_old = whole.h_old.map { $0 + line }
    part.c_old = whole.c_old.map { $0 + line }
    part.dx += gateLine
    part.ds += gateLine
    return part
  }

  /// The weight as the right operand of ds · weight: for each block of units its panels.
  private func packedColumns(_ weight: TensorData) -> Storage? {
    let width = gates * hidden
    guard let memory = scratch(unitBlocks * blockUnits * width) else { return nil }
    let from = UnsafeRawPointer(weight.base)
    ThreadPool.shared.forEachChunk(of: unitBlocks, grain: max(1, (1 << 15) / max(1, blockUnits * width))) {
      for i in $0 {
        let unit = i * blockUnits
        kernels.pack_b(
          width, min(blockUnits, hidden - unit), from + unit * size, hidden, 1,
          memory.pointer + unit * width * size)
      }
    }
    return memory
  }

  private func flat(_ x: TensorData) -> TensorData {
    x.view(shape: Dims(steps.rows, gates * hidden), strides: Dims(gates * hidden, 1))
  }
}

// MARK: - Memory

extension RecurrentLoop {
  /// `[rows, hidden]`.
  private func table(_ rows: Int) -> TensorData? {
    let data = TensorData.uninitialized(Dims(rows, hidden), dtype, for: "recurrent")
    return data.isValid ? data : nil
  }

  private func scratch(_ count: Int) -> Storage? { Storage.allocate(count * size, for: "recurrent") }

  /// Room for a left operand of the product: a row for each sequence.
  private func packed(columns: Int) -> Storage? { scratch(paddedBatch * columns) }

  /// Packs some rows (from the start of a panel) and columns of `[…, width]` into their place among the panels of all columns.
  private func pack(
    _ from: UnsafeMutableRawPointer, rows: Range<Int>, columns: Range<Int>, of width: Int, into buffer: Storage
  ) {
    for row in stride(from: rows.lowerBound, to: rows.upperBound, by: kernels.mr) {
      kernels.pack_a(
        min(kernels.mr, rows.upperBound - row), columns.count, from + (row * width + columns.lowerBound) * size, width, 1,
        buffer.pointer + (row * width + columns.lowerBound * kernels.mr) * size)
    }
  }
}
