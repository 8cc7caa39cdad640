// The convolution kernels against sums over taps written out, on lists of pointers with pixels outside.

import CKernels
import Testing

/// Pixels in one line of memory, the last of them zeros, and the tables that the kernels take.
private struct Pixels {
  let kernels: apus_conv_kernels
  let dtype: apus_dtype
  let count: Int
  let taps: Int
  let depth: Int
  let x: Line  // [pixel][depth]
  /// Which pixel each target reads for each tap; `count` where it is outside.
  let source: [[Int]]  // [target][tap]

  init(_ kernels: apus_conv_kernels, _ dtype: apus_dtype, count: Int, taps: Int, depth: Int) {
    (self.kernels, self.dtype, self.count, self.taps, self.depth) = (kernels, dtype, count, taps, depth)
    x = Line(dtype, count: (count + 1) * depth)
    for i in 0..<(count * depth) { x.set(i, Samples.real(i + 300).truncatingRemainder(dividingBy: 2)) }
    for i in (count * depth)..<((count + 1) * depth) { x.set(i, 0.0) }
    source = (0..<count).map { p in (0..<taps).map { (p * 7 + $0 * 3) % (count + 1) } }
  }

  func value(_ target: Int, _ tap: Int, _ k: Int) -> Double { x.real(source[target][tap] * depth + k) }

  /// x[panel][tap][pixel]
  func panels(of width: Int) -> [UnsafeRawPointer?] {
    stride(from: 0, to: count, by: width).flatMap { first in
      (0..<taps).flatMap { tap in
        (first..<(first + width)).map { p in
          UnsafeRawPointer(x.pointer + (p < count ? source[p][tap] : count) * depth * dtype.size)
        }
      }
    }
  }
}

@Suite struct ConvolutionTests {
  static let sizes = [
    (1, 1, 1, 1), (5, 9, 3, 2), (13, 4, 17, 33), (30, 9, 16, 4), (12, 2, 40, 3), (25, 3, 33, 1), (7, 1, 64, 70), (4, 0, 8, 5),
    (3, 2, 5, 48),
  ]

  private func line(_ dtype: apus_dtype, _ count: Int, from: Int) -> Line {
    let line = Line(dtype, count: count)
    for i in 0..<count { line.set(i, Samples.real(i + from).truncatingRemainder(dividingBy: 2)) }
    return line
  }

  private func pointers(_ line: Line, _ count: Int, step: Int) -> [UnsafeMutableRawPointer?] {
    (0..<count).map { line.pointer + $0 * step * line.dtype.size }
  }

  private func each(_ isa: apus_isa, _ body: (apus_conv_kernels, apus_dtype) throws -> Void) throws {
    for dtype in [APUS_F32, APUS_F64] { try body(try #require(apus_conv(isa, dtype)).pointee, dtype) }
    #expect(apus_conv(isa, APUS_F16) == nil)
  }

  @Test("pixels times packed weights", arguments: apus_isa.available)
  func multiply(isa: apus_isa) throws {
    try each(isa) { kernels, dtype in
      for (count, taps, depth, n) in Self.sizes {
        let pixels = Pixels(kernels, dtype, count: count, taps: taps, depth: depth)
        // Weights as [n][depth][tap].
        let (w, bias) = (line(dtype, max(1, n * depth * taps), from: 500), line(dtype, n, from: 900))
        let (scale, residual) = (line(dtype, n, from: 1000), line(dtype, count * n, from: 1100))
        let (x, order) = (pixels.panels(of: kernels.rows), Array(0..<taps))
        for isNarrow in n <= kernels.narrow ? [false, true] : [false] {
          let packed = Line(dtype, count: max(1, taps * depth * (n + kernels.columns)))
          kernels.pack(isNarrow, taps, depth, n, w.pointer, order, taps, depth * taps, packed.pointer)
          #expect(packed.gapsAreUntouched)
          let sums = (0..<(count * n)).map { i in
            (0..<(taps * depth)).reduce(0) { sum, k in
              sum + pixels.value(i / n, k / depth, k % depth) * w.real((i % n * depth + k % depth) * taps + k / depth)
            }
          }
          for parts in 0..<16 {
            let y = Line(dtype, count: count * n)
            var ending = apus_conv_ending(
              scale: parts & 1 == 0 ? nil : UnsafeRawPointer(scale.pointer),
              bias: parts & 2 == 0 ? nil : UnsafeRawPointer(bias.pointer),
              residual: parts & 4 == 0 ? nil : UnsafeRawPointer(residual.pointer), target: UnsafeRawPointer(y.pointer),
              is_rectified: parts & 8 != 0)
            kernels.multiply(isNarrow, count, n, taps, depth, x, packed.pointer, pointers(y, count, step: n), &ending)
            #expect(y.gapsAreUntouched)
            for i in 0..<(count * n) {
              var z = sums[i] * (parts & 1 == 0 ? 1 : scale.real(i % n))
              z += (parts & 2 == 0 ? 0 : bias.real(i % n)) + (parts & 4 == 0 ? 0 : residual.real(i))
              if parts & 8 != 0 { z = max(z, 0) }
              let comment: Comment = "\(dtype) \((count, taps, depth, n)) \(isNarrow) \(parts)"
              #expect(abs(y.real(i) - z) <= (dtype == APUS_F32 ? 2e-4 : 1e-12), comment)
            }
          }
        }
      }
    }
  }

  @Test("sums of pixels times pixels", arguments: apus_isa.available)
  func accumulate(isa: apus_isa) throws {
    try each(isa) { kernels, dtype in
      for (count, _, m, n) in Self.sizes {
        let pixels = Pixels(kernels, dtype, count: count, taps: 1, depth: m)
        let (other, packed) = (line(dtype, count * n, from: 700), Line(dtype, count: count * (n + kernels.columns)))
        kernels.pack_lines(count, n, pointers(other, count, step: n), packed.pointer)
        #expect(packed.gapsAreUntouched)
        let (c, lines) = (line(dtype, m * n, from: 40), (0..<count).map { Int32((count - 1 - $0) / 2) })
        let before = (0..<(m * n)).map(c.real)
        kernels.accumulate(count, count, m, n, pixels.panels(of: count), lines, packed.pointer, c.pointer, n)
        #expect(c.gapsAreUntouched)
        for i in 0..<(m * n) {
          var sum = before[i]
          for p in 0..<count { sum += pixels.value(p, 0, i / n) * other.real(Int(lines[p]) * n + i % n) }
          #expect(abs(c.real(i) - sum) <= (dtype == APUS_F32 ? 1e-4 : 1e-12), "\(dtype) \((count, m, n))")
        }
      }
    }
  }

  @Test("channels by themselves", arguments: apus_isa.available)
  func depthwise(isa: apus_isa) throws {
    try each(isa) { kernels, dtype in
      for (count, taps, channels, _) in Self.sizes {
        let pixels = Pixels(kernels, dtype, count: count, taps: taps, depth: channels)
        let (w, bias) = (line(dtype, max(1, taps * channels), from: 500), line(dtype, channels, from: 900))
        let y = Line(dtype, count: count * channels)
        kernels.depthwise(
          count, channels, taps, pixels.panels(of: kernels.together), w.pointer, pointers(y, count, step: channels), bias.pointer)
        #expect(y.gapsAreUntouched)
        for i in 0..<(count * channels) {
          let (p, c) = (i / channels, i % channels)
          let sum = (0..<taps).reduce(bias.real(c)) { $0 + pixels.value(p, $1, c) * w.real($1 * channels + c) }
          #expect(abs(y.real(i) - sum) <= (dtype == APUS_F32 ? 1e-4 : 1e-12), "\(dtype) \((count, taps, channels))")
        }
        guard taps > 0 else { continue }
        let total = line(dtype, channels, from: 40)
        let before = (0..<channels).map(total.real)
        let targets = pointers(y, count, step: channels).map { UnsafeRawPointer($0) }
        kernels.depthwise_sum(count, channels, pixels.panels(of: count), targets, total.pointer)
        for c in 0..<channels {
          let sum = (0..<count).reduce(before[c]) { $0 + pixels.value($1, 0, c) * y.real($1 * channels + c) }
          #expect(abs(total.real(c) - sum) <= (dtype == APUS_F32 ? 1e-2 : 1e-11), "\(dtype) \((count, channels))")
        }
      }
    }
  }

  @Test("sources of a strided, dilated grid, in panels; those outside are zeros", arguments: apus_isa.available)
  func sources(isa: apus_isa) throws {
    let kernels = try #require(apus_conv(isa, APUS_F32)).pointee
    var grid = apus_conv_grid(
      count: (2, 1, 4, 5), step: (1, 2, 3), size: (1, 7, 11), source: (10_000, 0, 400, 16), target: (1000, 0, 100, 8))
    let offsets = [0, -1, -2, 0, 1, 4]
    let memory = UnsafeMutableRawPointer.allocate(byteCount: 20_000, alignment: 64)
    let zeros = UnsafeMutableRawPointer.allocate(byteCount: 64, alignment: 64)
    defer {
      memory.deallocate()
      zeros.deallocate()
    }
    for panel in [kernels.rows, kernels.together, 37] {
      let (first, count) = (3, 37)
      let panels = (count + panel - 1) / panel
      var x = [UnsafeRawPointer?](repeating: nil, count: panels * panel * 2)
      kernels.sources(&grid, first, count, panel, 2, offsets, memory, zeros, &x)
      var y = [UnsafeMutableRawPointer?](repeating: nil, count: count)
      kernels.targets(&grid, first, count, memory, &y)
      for p in 0..<(panels * panel) {
        let (n, h, w) = ((first + p) / 20, (first + p) / 5 % 4, (first + p) % 5)
        if p < count { #expect(y[p] == memory + n * 1000 + h * 100 + w * 8) }
        for t in 0..<2 {
          let (row, column) = (h * 2 + offsets[3 * t + 1], w * 3 + offsets[3 * t + 2])
          let isInside = p < count && (0..<7).contains(row) && (0..<11).contains(column)
          let expected = isInside ? UnsafeRawPointer(memory + n * 10_000 + row * 400 + column * 16) : UnsafeRawPointer(zeros)
          #expect(x[(p / panel * 2 + t) * panel + p % panel] == expected, "panel \(panel), pixel \(p), tap \(t)")
        }
      }
    }
  }
}
