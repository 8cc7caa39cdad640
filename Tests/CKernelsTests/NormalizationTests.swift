// Normalization against the formulas in double: z = (x − mean) rstd, y = z w + b, dx = rstd (g − mean g − z mean(g z)) with g = dy w.

import CKernels
import Testing

@Suite struct NormalizationTests {
  /// A group of numbers that share statistics, with the weight and bias of each, in double.
  private struct Reference {
    var mean = 0.0, variance = 0.0, rstd = 0.0
    var y: [Double] = [], dx: [Double] = [], z: [Double] = []

    init(_ x: [Double], _ w: [Double], _ b: [Double], _ dy: [Double], eps: Double, isCentered: Bool = true) {
      let n = Double(x.count)
      mean = isCentered ? x.reduce(0, +) / n : 0
      variance = x.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / n
      rstd = 1 / (variance + eps).squareRoot()
      for i in x.indices { z.append((x[i] - mean) * rstd) }
      for i in x.indices { y.append(z[i] * w[i] + b[i]) }
      let g = x.indices.map { dy[$0] * w[$0] }
      let gMean = isCentered ? g.reduce(0, +) / n : 0
      let gzMean = x.indices.reduce(0) { $0 + g[$1] * z[$1] } / n
      for i in x.indices { dx.append(rstd * (g[i] - gMean - z[i] * gzMean)) }
    }
  }

  private let eps = 1e-3

  /// Numbers around 50: a mean far from 0 beside the spread.
  private func line(_ dtype: apus_dtype, _ n: Int, seed: Int, around center: Double = 0) -> Line {
    let line = Line(dtype, count: n)
    for i in 0..<n { line.set(i, center + Samples.real((i + seed) * 13 + 25).truncatingRemainder(dividingBy: 2)) }
    return line
  }

  private func values(_ line: Line, _ places: [Int]) -> [Double] { places.map { line.real($0) } }

  private func agree(_ got: [Double], _ want: [Double], _ dtype: apus_dtype, _ what: String) {
    let tolerance = dtype == APUS_F64 ? 1e-11 : 2e-4
    let wrong = want.indices.first { !(abs(got[$0] - want[$0]) <= tolerance * max(1, abs(want[$0]))) }
    #expect(got.count == want.count && wrong == nil, "\(what) at \(wrong ?? -1)")
  }

  private func forEachDType(_ body: (apus_dtype) -> Void) { for dtype in [APUS_F32, APUS_F64] { body(dtype) } }

  @Test("rows and their gradients", arguments: apus_isa.available)
  func rows(isa: apus_isa) {
    forEachDType { dtype in
      let kernels = apus_norm(isa, dtype)!.pointee
      for n in [1, 7, 40, 600] {
        for isCentered in [true, false] {
          let (rows, what) = (3, "\(isa) \(dtype) rows of \(n), centered \(isCentered)")
          let x = line(dtype, rows * n, seed: 1, around: 50), dy = line(dtype, rows * n, seed: 2)
          let w = line(dtype, n, seed: 3), b = line(dtype, n, seed: 4)
          let y = Line(dtype, count: rows * n), dx = Line(dtype, count: rows * n)
          let dw = line(dtype, n, seed: 5), db = line(dtype, n, seed: 6)
          var (wantW, wantB) = (values(dw, Array(0..<n)), values(db, Array(0..<n)))
          var (mean, variance) = ([Double](repeating: 0, count: rows), [Double](repeating: 0, count: rows))
          kernels.rows(rows, n, x.pointer, w.pointer, b.pointer, eps, isCentered, y.pointer, &mean, &variance)
          kernels.rows_gradient(
            rows, n, dy.pointer, x.pointer, w.pointer, eps, isCentered, mean, variance, dx.pointer, dw.pointer, db.pointer)
          for r in 0..<rows {
            let places = Array(r * n..<(r + 1) * n)
            let want = Reference(
              values(x, places), values(w, Array(0..<n)), values(b, Array(0..<n)), values(dy, places), eps: eps,
              isCentered: isCentered)
            agree([mean[r], variance[r]], [want.mean, want.variance], dtype, what)
            agree(values(y, places), want.y, dtype, what)
            agree(values(dx, places), want.dx, dtype, "dx of \(what)")
            for i in 0..<n {
              wantW[i] += dy.real(places[i]) * want.z[i]
              if isCentered { wantB[i] += dy.real(places[i]) }
            }
          }
          agree(values(dw, Array(0..<n)), wantW, dtype, "dw of \(what)")
          agree(values(db, Array(0..<n)), wantB, dtype, "db of \(what)")
          #expect(y.gapsAreUntouched && dx.gapsAreUntouched && dw.gapsAreUntouched && db.gapsAreUntouched)
        }
      }
    }
  }

  @Test("planes and their gradients", arguments: apus_isa.available)
  func planes(isa: apus_isa) {
    forEachDType { dtype in
      let kernels = apus_norm(isa, dtype)!.pointee
      for (n, stride) in [(1, 1), (9, 9), (9, 20), (5000, 5000), (300, 700)] {
        for step in [0, 1] {
          let (planes, what) = (3, "\(isa) \(dtype) planes of \(n), \(stride) apart, step \(step)")
          let count = (planes - 1) * stride + n
          let x = line(dtype, count, seed: 7, around: 50), dy = line(dtype, count, seed: 8)
          let w = line(dtype, planes, seed: 9), b = line(dtype, planes, seed: 10)
          let y = Line(dtype, count: count), dx = Line(dtype, count: count)
          var mean = 0.0, variance = 0.0
          var (dw, db) = ([Double](repeating: 0, count: planes), [Double](repeating: 0, count: planes))
          kernels.planes(planes, stride, n, x.pointer, w.pointer, b.pointer, step, eps, y.pointer, &mean, &variance)
          kernels.planes_gradient(
            planes, stride, n, dy.pointer, x.pointer, w.pointer, step, eps, mean, variance, dx.pointer, &dw, &db)
          let places = (0..<planes).flatMap { p in (0..<n).map { p * stride + $0 } }
          let spread = { (line: Line) in (0..<planes * n).map { line.real($0 / n * step) } }
          let want = Reference(values(x, places), spread(w), spread(b), values(dy, places), eps: eps)
          agree([mean, variance], [want.mean, want.variance], dtype, what)
          agree(values(y, places), want.y, dtype, what)
          agree(values(dx, places), want.dx, dtype, "dx of \(what)")
          let sums = (0..<planes).map { p in (p * n..<(p + 1) * n).reduce(0) { $0 + dy.real(places[$1]) * want.z[$1] } }
          agree(dw, sums, dtype, "dw of \(what)")
          agree(db, (0..<planes).map { p in places[p * n..<(p + 1) * n].reduce(0) { $0 + dy.real($1) } }, dtype, "db of \(what)")
        }
      }
    }
  }

  @Test("columns in two pieces, and their gradients", arguments: apus_isa.available)
  func columns(isa: apus_isa) {
    forEachDType { dtype in
      let kernels = apus_norm(isa, dtype)!.pointee
      for columns in [1, 5, 300] {
        let (first, second, what) = (11, 4, "\(isa) \(dtype) \(columns) columns")
        let (rows, size) = (first + second, dtype.size)
        let x = line(dtype, rows * columns, seed: 11, around: 50), dy = line(dtype, rows * columns, seed: 12)
        let y = Line(dtype, count: rows * columns), dx = Line(dtype, count: rows * columns)
        let zeros = [Double](repeating: 0, count: columns)
        var (mean, m2, otherMean, otherM2, g, gd) = (zeros, zeros, zeros, zeros, zeros, zeros)
        kernels.columns_moments(first, columns, x.pointer, &mean, &m2)
        kernels.columns_moments(second, columns, x.pointer + first * columns * size, &otherMean, &otherM2)
        kernels.join_columns(columns, Double(first), &mean, &m2, Double(second), otherMean, otherM2)
        kernels.columns_sums(rows, columns, dy.pointer, x.pointer, mean, &g, &gd)
        let rstd = m2.map { 1 / ($0 / Double(rows) + eps).squareRoot() }
        kernels.columns(rows, columns, x.pointer, mean, rstd, zeros.map { _ in 0.5 }, y.pointer)
        let slopes = (0..<columns).map { -rstd[$0] * rstd[$0] * rstd[$0] * gd[$0] / Double(rows) }
        let offsets = (0..<columns).map { -rstd[$0] * g[$0] / Double(rows) }
        kernels.columns_gradient(rows, columns, dy.pointer, x.pointer, mean, rstd, slopes, offsets, dx.pointer)
        for c in 0..<columns {
          let places = (0..<rows).map { $0 * columns + c }
          let ones = places.map { _ in 1.0 }
          let want = Reference(values(x, places), ones, places.map { _ in 0.5 }, values(dy, places), eps: eps)
          agree([mean[c], m2[c]], [want.mean, want.variance * Double(rows)], dtype, what)
          agree([g[c]], [places.reduce(0) { $0 + dy.real($1) }], dtype, what)
          agree([gd[c]], [places.reduce(0) { $0 + dy.real($1) * (x.real($1) - want.mean) }], dtype, what)
          agree(values(y, places), want.y, dtype, what)
          agree(values(dx, places), want.dx, dtype, "dx of \(what)")
        }
        #expect(y.gapsAreUntouched && dx.gapsAreUntouched)
      }
    }
  }

  @Test("a line by given constants, and no kernels for other dtypes", arguments: apus_isa.available)
  func line(isa: apus_isa) {
    forEachDType { dtype in
      let x = line(dtype, 37, seed: 13, around: 50), y = Line(dtype, count: 37)
      apus_norm(isa, dtype)!.pointee.line(37, x.pointer, 49.9, 3, 0.25, y.pointer)
      agree(values(y, Array(0..<37)), (0..<37).map { (x.real($0) - 49.9) * 3 + 0.25 }, dtype, "\(isa) \(dtype)")
    }
    for dtype in apus_dtype.all where dtype != APUS_F32 && dtype != APUS_F64 { #expect(apus_norm(isa, dtype) == nil) }
  }
}
