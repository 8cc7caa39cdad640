// Casts between all pairs of dtypes, selection, two-dimensional copies.

import CKernels
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

@Suite struct CastTests {
  @Test("every pair of dtypes in every layout agrees with its reference", arguments: apus_isa.available)
  func values(isa: apus_isa) throws {
    for from in apus_dtype.all {
      for to in apus_dtype.all {
        let kernel = try #require(apus_cast(isa, from, to))
        for n in lengths {
          for (sx, sy) in [(1, 1), (3, 1), (1, -2), (-1, 2), (0, 1), (0, 3)] {
            let x = Line(from, count: n, stride: sx).fill(), y = Line(to, count: n, stride: sy)
            kernel(n, x.pointer, sx, y.pointer, sy)
            let wrong = (0..<n).first { !agrees(x, y, $0) }
            if let i = wrong { Issue.record("\(isa) \(from) -> \(to) n \(n) strides \(sx) \(sy): \(x.real(i)) -> \(y.real(i))") }
            if !y.gapsAreUntouched { Issue.record("\(isa) \(from) -> \(to): wrote outside") }
          }
        }
      }
    }
  }

  private func agrees(_ x: Line, _ y: Line, _ i: Int) -> Bool {
    let to = y.dtype
    if to == APUS_BOOL { return y.int(i) == (x.real(i) != 0 ? 1 : 0) }
    if to.isFloat {
      // An int64 need not fit a double; split it so that only the last step rounds.
      let want = x.dtype == APUS_I64 ? roundedOnce(x.int(i), to) : to.rounded(x.real(i))
      return want.isNaN ? y.real(i).isNaN : y.real(i) == want && (want != 0 || y.real(i).sign == want.sign)
    }
    return y.int(i) == (x.dtype.isFloat ? truncated(x.real(i), to) : to.wrapped(x.int(i)))
  }

  private func truncated(_ x: Double, _ to: apus_dtype) -> Int64 {
    if x.isNaN { return 0 }
    if x >= Double(to.range.upperBound) { return to.range.upperBound }
    return x <= Double(to.range.lowerBound) ? to.range.lowerBound : Int64(x)
  }

  private func roundedOnce(_ x: Int64, _ to: apus_dtype) -> Double {
    guard to != APUS_F64, to != APUS_F32 else { return to == APUS_F32 ? Double(Float(x)) : Double(x) }
    // Round to odd at 53 bits, then to the format.
    let exact = x.magnitude < 1 << 53
    return to.rounded(exact ? Double(x) : Double(x & ~0x7ff | (x & 0x7ff != 0 ? 0x800 : 0)))
  }

  @Test("all 65,536 half patterns survive the way through float and double", arguments: apus_isa.available)
  func roundTrip(isa: apus_isa) throws {
    let patterns = (0...UInt16.max).map { $0 }
    for half in [APUS_F16, APUS_BF16] {
      for wide in [APUS_F32, APUS_F64] {
        let widen = try #require(apus_cast(isa, half, wide)), narrow = try #require(apus_cast(isa, wide, half))
        let values = Line(wide, count: patterns.count)
        var back = [UInt16](repeating: 0, count: patterns.count)
        widen(patterns.count, patterns, 1, values.pointer, 1)
        narrow(patterns.count, values.pointer, 1, &back, 1)
        for i in 0..<patterns.count {
          let value = decodeHalf(patterns[i], half)
          let survives = value.isNaN ? values.real(i).isNaN && decodeHalf(back[i], half).isNaN : back[i] == patterns[i]
          if !survives || !value.isNaN && values.real(i) != value {
            Issue.record("\(isa) \(half) via \(wide): \(patterns[i]) -> \(values.real(i)) -> \(back[i])")
            return
          }
        }
      }
    }
  }

  @Test("double to half rounds once: just above a tie goes up", arguments: apus_isa.available)
  func noDoubleRounding(isa: apus_isa) throws {
    for half in [APUS_F16, APUS_BF16] {
      let narrow = try #require(apus_cast(isa, APUS_F64, half))
      let unit = half.ulp(1)
      // 1 + unit / 2 is a tie (to even: down); the float next to it is the tie itself, so rounding twice would lose the rest.
      let cases = [
        (1 + unit / 2, 1), (1 + unit / 2 + 0x1p-40, 1 + unit), (1 + unit * 1.5 - 0x1p-40, 1 + unit),
        (-1 - unit / 2 - 0x1p-50, -1 - unit),
      ]
      for (x, want) in cases {
        var bits: UInt16 = 0
        var input = x
        narrow(1, &input, 1, &bits, 1)
        #expect(decodeHalf(bits, half) == want, "\(half) of \(x)")
      }
    }
  }
}

@Suite struct SelectTests {
  @Test("selection picks by condition in every layout", arguments: apus_isa.available)
  func select(isa: apus_isa) throws {
    for dtype in [APUS_U8, APUS_BF16, APUS_F32, APUS_I64] {
      let kernel = try #require(apus_select(isa, dtype.size))
      for n in lengths {
        for (sc, sa, sb, sy) in [(1, 1, 1, 1), (1, 0, 1, 1), (1, 1, 0, 1), (1, 0, 0, 1), (0, 1, 1, 1), (2, -1, 3, -2)] {
          let c = Line(APUS_BOOL, count: n, stride: sc).fill(from: 9)
          let a = Line(dtype, count: n, stride: sa).fill(from: 30), b = Line(dtype, count: n, stride: sb).fill(from: 77)
          let y = Line(dtype, count: n, stride: sy)
          kernel(n, c.pointer, sc, a.pointer, sa, b.pointer, sb, y.pointer, sy)
          let wrong = (0..<n).first { y.real($0) != (c.int($0) != 0 ? a.real($0) : b.real($0)) }
          #expect(wrong == nil && y.gapsAreUntouched, "\(isa) \(dtype) n \(n) strides \(sc) \(sa) \(sb) \(sy)")
        }
      }
    }
    #expect(apus_select(isa, 3) == nil)
  }
}

@Suite struct CopyTests {
  @Test("a matrix copy moves every element, whatever the strides", arguments: apus_isa.available)
  func copy(isa: apus_isa) throws {
    for dtype in [APUS_U8, APUS_I16, APUS_I32, APUS_I64] {
      let kernel = try #require(apus_copy2d(isa, dtype.size))
      for (m, n) in [(0, 3), (1, 1), (7, 5), (8, 8), (33, 70), (100, 41), (64, 64)] {
        // x row-major, column-major, padded; y row-major or column-major.
        for (sx0, sx1) in [(n, 1), (1, m), (n + 3, 1), (2 * n, 2), (0, 1), (1, 0)] {
          for (sy0, sy1) in [(n, 1), (1, m), (n + 1, 1)] {
            let x = Line(dtype, count: m * n * 2 + 4 * m + n).fill(), y = Line(dtype, count: m * n + m)
            kernel(m, n, x.pointer, sx0, sx1, y.pointer, sy0, sy1)
            var isRight = y.gapsAreUntouched
            for i in 0..<m { for j in 0..<n where y.int(i * sy0 + j * sy1) != x.int(i * sx0 + j * sx1) { isRight = false } }
            #expect(isRight, "\(isa) \(dtype) \(m)x\(n) strides \(sx0) \(sx1) to \(sy0) \(sy1)")
          }
        }
      }
    }
  }
}

@Suite struct StreamTests {
  @Test("bytes and zeros go past the caches to any place, and nowhere else", arguments: apus_isa.available)
  func stream(isa: apus_isa) throws {
    let kernel = try #require(apus_stream(isa))
    let source = (0..<500).map { UInt8(truncatingIfNeeded: $0 * 7 + 1) }
    for n in [0, 1, 15, 64, 65, 200, 333] {
      for start in [0, 1, 32, 63] {
        for isZero in [false, true] {
          var target = [UInt8](repeating: 99, count: 500)
          target.withUnsafeMutableBytes { y in
            source.withUnsafeBytes { x in kernel(n, isZero ? nil : x.baseAddress! + 3, y.baseAddress! + start) }
          }
          apus_stream_end()
          let want = (0..<500).map { i -> UInt8 in
            if i < start || i >= start + n { return 99 }
            return isZero ? 0 : source[i - start + 3]
          }
          #expect(target == want, "\(isa) \(n) bytes at \(start)")
        }
      }
    }
  }
}
