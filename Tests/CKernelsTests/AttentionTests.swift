// The pieces of blocked attention, put together as the engine does, against sums over all keys in double.

import CKernels
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

@Suite struct AttentionTests {
  /// A panel of scores with everything that can happen to it; reference values are functions of block, key and lane.
  private struct Panel {
    let dtype: apus_dtype, lanes: Int, rows: Int
    let block: Int
    var keys: Int { rows - 1 }
    var diagonal: Int { block == 0 ? 2 : rows }
    let dropped: Float = 0.25, kept = 4.0 / 3

    func score(_ k: Int, _ c: Int) -> Double { 4 * sin(Double(31 * block + 7 * k + 3 * c)) * Double(block + 1) }
    /// Lane 1 sees nothing.
    func bias(_ k: Int, _ c: Int) -> Double { c == 1 || (k + c) % 5 == 3 ? -.infinity : Double(c % 3) / 4 }
    func draw(_ k: Int, _ c: Int) -> Double { Double((5 * k + 3 * c + block) % 8) / 8 }
    func value(_ r: Int, _ k: Int) -> Double { cos(Double(r + 2 * k + block)) }
    func slope(_ k: Int, _ c: Int) -> Double { sin(Double(2 * k + 5 * c + block)) }

    func total(_ k: Int, _ c: Int) -> Double { k > c + diagonal ? -.infinity : dtype.rounded(score(k, c)) + bias(k, c) }
    func factor(_ k: Int, _ c: Int) -> Double { draw(k, c) < Double(dropped) ? 0 : kept }

    func line(_ f: (Int, Int) -> Double) -> Line {
      let line = Line(dtype, count: rows * lanes)
      for k in 0..<rows { for c in 0..<lanes { line.set(k * lanes + c, f(k, c)) } }
      return line
    }

    /// Calls `body` with what the kernels take.
    func with(_ body: (UnsafePointer<apus_attention_panel>) -> Void) {
      let bias = line(bias), draws = Line(APUS_F32, count: rows * lanes)
      for k in 0..<rows { for c in 0..<lanes { draws.set(k * lanes + c, draw(k, c)) } }
      var panel = apus_attention_panel(
        keys: keys, diagonal: diagonal, bias: UnsafeRawPointer(bias.pointer),
        draws: UnsafeRawPointer(draws.pointer).assumingMemoryBound(to: Float.self), dropped: dropped, kept_scale: kept)
      withExtendedLifetime((bias, draws)) { withUnsafePointer(to: &panel, body) }
    }
  }

  static let types: [(apus_isa, apus_dtype)] = apus_isa.available.flatMap { [($0, APUS_F32), ($0, APUS_F64)] }

  private func setUp(_ isa: apus_isa, _ dtype: apus_dtype) throws -> (apus_gemm_kernels, apus_attention_kernels, [Panel]) {
    let gemm = try #require(apus_gemm(isa, dtype)).pointee, kernels = try #require(apus_attention(isa, dtype)).pointee
    return (gemm, kernels, [0, 1].map { Panel(dtype: dtype, lanes: gemm.nr, rows: 2 * gemm.mr, block: $0) })
  }

  @Test("two blocks of keys give the softmax over both", arguments: types)
  func forward(isa: apus_isa, dtype: apus_dtype) throws {
    let (gemm, kernels, panels) = try setUp(isa, dtype)
    let (lanes, outRows) = (gemm.nr, gemm.mr)
    let (largest, sum, logSum) = (Line(dtype, count: lanes), Line(dtype, count: lanes), Line(dtype, count: lanes))
    let out = Line(dtype, count: outRows * lanes)
    for c in 0..<lanes {
      largest.set(c, -.infinity)
      sum.set(c, 0.0)
    }
    for panel in panels {
      let scores = panel.line(panel.score), values = Line(dtype, count: outRows * panel.rows)
      for r in 0..<outRows { for k in 0..<panel.rows { values.set(k * outRows + r, panel.value(r, k)) } }
      let isFirst = panel.block == 0
      panel.with {
        kernels.weights(
          panel.rows, scores.pointer, $0, largest.pointer, sum.pointer, isFirst ? 0 : outRows, out.pointer)
      }
      kernels.product(
        outRows, panel.keys, values.pointer, outRows * panel.rows, scores.pointer, out.pointer, !isFirst)
    }
    kernels.finish(outRows, out.pointer, largest.pointer, sum.pointer, logSum.pointer)
    let tolerance = dtype == APUS_F64 ? 1e-13 : 2e-6
    for c in 0..<lanes {
      let terms = panels.flatMap { p in (0..<p.keys).map { (p, $0) } }
      let total = terms.reduce(0) { $0 + exp($1.0.total($1.1, c)) }
      #expect(total == 0 ? logSum.real(c) == .infinity : abs(logSum.real(c) - log(total)) < 8 * tolerance)
      for r in 0..<outRows {
        let expected = terms.reduce(0) { $0 + exp($1.0.total($1.1, c)) * $1.0.factor($1.1, c) * $1.0.value(r, $1.1) }
        #expect(abs(out.real(r * lanes + c) - (total == 0 ? 0 : expected / total)) < 8 * tolerance, "row \(r) lane \(c)")
      }
    }
  }

  @Test("weights and their gradients from what was kept", arguments: types)
  func backward(isa: apus_isa, dtype: apus_dtype) throws {
    let (gemm, kernels, panels) = try setUp(isa, dtype)
    let lanes = gemm.nr, panel = panels[1]
    let (logSum, dots) = (Line(dtype, count: lanes), Line(dtype, count: lanes))
    let scores = panel.line(panel.score), slopes = panel.line(panel.slope)
    kernels.dots(panel.rows, scores.pointer, slopes.pointer, dots.pointer)
    let tolerance = dtype == APUS_F64 ? 1e-12 : 1e-4
    for c in 0..<lanes {
      let expected = (0..<panel.rows).reduce(0) { $0 + panel.score($1, c) * panel.slope($1, c) }
      #expect(abs(dots.real(c) - expected) < tolerance)
      logSum.set(c, c == 1 ? .infinity : 9)
      dots.set(c, Double(c) / 8)
    }
    panel.with { kernels.gradients(panel.rows, scores.pointer, slopes.pointer, $0, logSum.pointer, dots.pointer) }
    for k in 0..<panel.rows {
      for c in 0..<lanes {
        let p = k < panel.keys && c != 1 ? exp(panel.total(k, c) - 9) : 0
        #expect(abs(scores.real(k * lanes + c) - p * (k < panel.keys ? panel.factor(k, c) : 1)) < tolerance)
        let slope = k < panel.keys ? panel.slope(k, c) * panel.factor(k, c) : 0
        #expect(abs(slopes.real(k * lanes + c) - p * (slope - Double(c) / 8)) < tolerance)
      }
    }
  }

  @Test("the product of a panel with packed rows", arguments: types)
  func outer(isa: apus_isa, dtype: apus_dtype) throws {
    let (gemm, kernels, panels) = try setUp(isa, dtype)
    let (lanes, columns, panel) = (gemm.nr, 2 * gemm.nr, panels[0])
    for used in [1, lanes - 1, lanes] {
      let weights = panel.line(panel.slope), b = Line(dtype, count: used * columns), c = Line(dtype, count: panel.rows * columns)
      for k in 0..<used { for j in 0..<columns { b.set((j / lanes * used + k) * lanes + j % lanes, panel.value(j, k)) } }
      for i in 0..<(panel.rows * columns) { c.set(i, Double(i % 3)) }
      kernels.outer(panel.rows, columns, used, weights.pointer, b.pointer, c.pointer)
      for r in 0..<panel.rows {
        for j in 0..<columns {
          let expected = (0..<used).reduce(Double((r * columns + j) % 3)) { $0 + panel.slope(r, $1) * panel.value(j, $1) }
          #expect(abs(c.real(r * columns + j) - expected) < (dtype == APUS_F64 ? 1e-12 : 1e-4))
        }
      }
    }
  }

  @Test("only float32 and float64 have these kernels")
  func dtypes() {
    for dtype in apus_dtype.all {
      #expect((apus_attention(APUS_ISA_BASELINE, dtype) != nil) == (dtype == APUS_F32 || dtype == APUS_F64))
    }
  }
}
