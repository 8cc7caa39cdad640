import CKernels
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// The kernels of recurrent cells against the formulas in Double: forward by value, backward by central differences.
@Suite("recurrent cells")
struct RecurrentTests {
  @Test("forward, backward, and nothing written beside the block", arguments: apus_isa.available)
  func cells(_ isa: apus_isa) {
    for cell in [APUS_CELL_TANH, APUS_CELL_RELU, APUS_CELL_LSTM, APUS_CELL_GRU] {
      let single = CellRun<Float>(isa, APUS_F32, cell)
      single.checkForward(tolerance: 3e-6)
      single.checkBackward(tolerance: 3e-5)
      let double = CellRun<Double>(isa, APUS_F64, cell)
      double.checkForward(tolerance: 1e-14)
      double.checkBackward(tolerance: 1e-7)
    }
  }
}

/// `[rows, lines, hidden]` numbers, none near 0.
private final class Table<F: BinaryFloatingPoint> {
  static var rows: Int { 3 }
  static var hidden: Int { 24 }
  let lines: Int
  let start: [F]
  let memory: UnsafeMutableBufferPointer<F>

  init(lines: Int, seed: Int) {
    self.lines = lines
    start = (0..<Self.rows * lines * Self.hidden).map { i in
      let x = sin(Double(i * 7 + seed * 13) * 0.37)
      return F(x + (x < 0 ? -0.5 : 0.5))
    }
    memory = .allocate(capacity: start.count)
    _ = memory.initialize(from: start)
  }

  deinit { memory.deallocate() }

  var pointer: UnsafeMutableRawPointer { UnsafeMutableRawPointer(memory.baseAddress!) }

  func index(_ row: Int, _ line: Int, _ unit: Int) -> Int { (row * lines + line) * Self.hidden + unit }
  func before(_ row: Int, _ line: Int, _ unit: Int) -> Double { Double(start[index(row, line, unit)]) }
  func now(_ row: Int, _ line: Int, _ unit: Int) -> Double { Double(memory[index(row, line, unit)]) }
}

/// The operands of one cell, after a forward and a backward call for 21 of its 24 units.
private struct CellRun<F: BinaryFloatingPoint> {
  let cell: apus_cell
  let gates: Int
  let comment: Comment
  let units = 21
  let x, s: Table<F>
  let bias = Table<F>(lines: 1, seed: 3)
  let h = Table<F>(lines: 1, seed: 4)
  let c = Table<F>(lines: 1, seed: 5)
  let y = Table<F>(lines: 1, seed: 6)
  let saved = Table<F>(lines: 4, seed: 7)
  let hOld = Table<F>(lines: 1, seed: 8)
  let cOld = Table<F>(lines: 1, seed: 9)
  let dy = Table<F>(lines: 1, seed: 10)
  let dh = Table<F>(lines: 1, seed: 11)
  let dc = Table<F>(lines: 1, seed: 12)
  let dx, ds: Table<F>

  init(_ isa: apus_isa, _ dtype: apus_dtype, _ cell: apus_cell) {
    self.cell = cell
    gates = cell == APUS_CELL_LSTM ? 4 : cell == APUS_CELL_GRU ? 3 : 1
    comment = "\(isa) \(dtype) cell \(cell.rawValue)"
    (x, s) = (Table(lines: gates, seed: 1), Table(lines: gates, seed: 2))
    (dx, ds) = (Table(lines: gates, seed: 13), Table(lines: gates, seed: 14))
    let hasCell = cell == APUS_CELL_LSTM
    var forward = apus_cell_forward_block()
    (forward.rows, forward.units, forward.hidden) = (Table<F>.rows, units, Table<F>.hidden)
    (forward.x, forward.s) = (UnsafeRawPointer(x.pointer), UnsafeRawPointer(s.pointer))
    forward.bias = cell == APUS_CELL_GRU ? UnsafeRawPointer(bias.pointer) : nil
    (forward.h, forward.c, forward.y, forward.saved) = (h.pointer, hasCell ? c.pointer : nil, y.pointer, saved.pointer)
    (forward.h_old, forward.c_old) = (hOld.pointer, hasCell ? cOld.pointer : nil)
    apus_cell_forward(isa, dtype, cell, &forward)
    var backward = apus_cell_backward_block()
    (backward.rows, backward.units, backward.hidden) = (Table<F>.rows, units, Table<F>.hidden)
    (backward.dy, backward.y) = (UnsafeRawPointer(dy.pointer), UnsafeRawPointer(y.pointer))
    (backward.dh, backward.dc, backward.dx, backward.ds) = (dh.pointer, dc.pointer, dx.pointer, ds.pointer)
    (backward.saved, backward.h_old) = (UnsafeRawPointer(saved.pointer), UnsafeRawPointer(hOld.pointer))
    backward.c_old = UnsafeRawPointer(cOld.pointer)
    apus_cell_backward(isa, dtype, cell, &backward)
  }

  /// What goes into one unit.
  struct Unit {
    var x, s: [Double]
    var bias, h, c: Double
  }

  /// The formulas.
  func step(_ u: Unit) -> (h: Double, c: Double) {
    func sigmoid(_ x: Double) -> Double { 1 / (1 + exp(-x)) }
    switch cell {
    case APUS_CELL_TANH: return (tanh(u.x[0] + u.s[0]), 0)
    case APUS_CELL_RELU: return (max(u.x[0] + u.s[0], 0), 0)
    case APUS_CELL_LSTM:
      let c = sigmoid(u.x[1] + u.s[1]) * u.c + sigmoid(u.x[0] + u.s[0]) * tanh(u.x[2] + u.s[2])
      return (sigmoid(u.x[3] + u.s[3]) * tanh(c), c)
    default:
      let z = sigmoid(u.x[1] + u.s[1])
      let n = tanh(u.x[2] + sigmoid(u.x[0] + u.s[0]) * (u.s[2] + u.bias))
      return ((1 - z) * n + z * u.h, 0)
    }
  }

  func unit(_ row: Int, _ i: Int) -> Unit {
    Unit(
      x: (0..<gates).map { x.before(row, $0, i) }, s: (0..<gates).map { s.before(row, $0, i) }, bias: bias.before(0, 0, i),
      h: h.before(row, 0, i), c: c.before(row, 0, i))
  }

  func checkForward(tolerance: Double) {
    for row in 0..<Table<F>.rows {
      for i in 0..<units {
        let expected = step(unit(row, i))
        #expect(abs(y.now(row, 0, i) - expected.h) <= tolerance && h.now(row, 0, i) == y.now(row, 0, i), comment)
        #expect(hOld.now(row, 0, i) == h.before(row, 0, i), comment)
        guard cell == APUS_CELL_LSTM else { continue }
        #expect(abs(c.now(row, 0, i) - expected.c) <= tolerance && cOld.now(row, 0, i) == c.before(row, 0, i), comment)
      }
      for table in [h, c, y, saved, hOld, cOld, dh, dc, dx, ds] {
        for line in 0..<table.lines {
          for i in units..<Table<F>.hidden { #expect(table.now(row, line, i) == table.before(row, line, i), comment) }
        }
      }
    }
  }

  func checkBackward(tolerance: Double) {
    for row in 0..<Table<F>.rows {
      for i in 0..<units {
        func expect(_ x: Double, _ change: (inout Unit, Double) -> Void) {
          #expect(abs(x - slope(row, i, change)) <= tolerance, comment)
        }
        for gate in 0..<gates {
          expect(dx.now(row, gate, i)) { $0.x[gate] += $1 }
          if cell == APUS_CELL_GRU { expect(ds.now(row, gate, i)) { $0.s[gate] += $1 } }
        }
        if cell == APUS_CELL_GRU { expect(dh.now(row, 0, i)) { $0.h += $1 } }
        if cell == APUS_CELL_LSTM { expect(dc.now(row, 0, i)) { $0.c += $1 } }
      }
    }
  }

  /// How the weighted outputs of a unit change with one of its numbers.
  private func slope(_ row: Int, _ i: Int, _ change: (inout Unit, Double) -> Void) -> Double {
    let outputs = [1e-6, -1e-6].map { distance in
      var changed = unit(row, i)
      change(&changed, distance)
      return step(changed)
    }
    let dc = cell == APUS_CELL_LSTM ? dc.before(row, 0, i) : 0
    let dh = dy.before(row, 0, i) + dh.before(row, 0, i)
    return (dh * (outputs[0].h - outputs[1].h) + dc * (outputs[0].c - outputs[1].c)) / 2e-6
  }
}
