// The blocked product with its packing, and the unpacked small product, against three nested loops.

import CKernels
import Testing

/// A matrix of doubles or floats with small values, and the caller's loop over blocks.
private struct Product {
  let kernels: apus_gemm_kernels, dtype: apus_dtype

  /// C = A B (+ C) (+ bias) as the engine would call it, with the given cuts of m and n.
  func run(
    _ m: Int, _ n: Int, _ k: Int, a: Line, aStrides: (Int, Int), b: Line, bStrides: (Int, Int), c: Line, ldc: Int, bias: Line?,
    cuts: (m: Int, n: Int), depth: Int
  ) {
    let size = dtype.size
    for k0 in stride(from: 0, to: max(k, 1), by: depth) {
      let kc = min(depth, k - k0)
      for j0 in stride(from: 0, to: n, by: cuts.n) {
        let nc = min(cuts.n, n - j0)
        let packedB = Line(dtype, count: (nc + kernels.nr - 1) / kernels.nr * kernels.nr * kc)
        kernels.pack_b(kc, nc, b.pointer + (k0 * bStrides.0 + j0 * bStrides.1) * size, bStrides.0, bStrides.1, packedB.pointer)
        #expect(packedB.gapsAreUntouched)
        for i0 in stride(from: 0, to: m, by: cuts.m) {
          let mc = min(cuts.m, m - i0)
          let packedA = Line(dtype, count: (mc + kernels.mr - 1) / kernels.mr * kernels.mr * kc)
          kernels.pack_a(mc, kc, a.pointer + (i0 * aStrides.0 + k0 * aStrides.1) * size, aStrides.0, aStrides.1, packedA.pointer)
          #expect(packedA.gapsAreUntouched)
          kernels.block(
            mc, nc, kc, packedA.pointer, packedB.pointer, c.pointer + (i0 * ldc + j0) * size, ldc, k0 > 0,
            k0 + kc == k ? bias.map { UnsafeRawPointer($0.pointer + j0 * size) } : nil)
        }
      }
    }
  }
}

private func small(_ line: Line) -> Line {
  for i in 0..<line.count {
    if line.dtype.isFloat {
      line.set(i, Samples.real(i + 300).truncatingRemainder(dividingBy: 2))
    } else {
      line.set(i, Samples.int(i + 9, line.dtype))
    }
  }
  return line
}

@Suite struct GemmTests {
  static let sizes = [
    (1, 1, 1), (4, 3, 2), (5, 7, 9), (12, 32, 8), (13, 33, 17), (64, 64, 64), (1, 100, 30), (100, 1, 30), (97, 65, 130),
    (24, 64, 0),
  ]

  /// Row and column strides of A and B: both row-major, both transposed, one of each, and every second element.
  static func layouts(_ m: Int, _ n: Int, _ k: Int) -> [(a: (Int, Int), b: (Int, Int))] {
    [((k, 1), (n, 1)), ((1, m), (1, k)), ((k, 1), (1, k)), ((1, m), (n, 1)), ((2 * k, 2), (2 * n, 2))]
  }

  @Test("blocked products of all edge sizes agree with three loops", arguments: apus_isa.available)
  func blocked(isa: apus_isa) throws {
    for dtype in [APUS_F32, APUS_F64] {
      let kernels = try #require(apus_gemm(isa, dtype)).pointee
      #expect(kernels.mc % kernels.mr == 0 && kernels.nc % kernels.nr == 0)
      for (m, n, k) in Self.sizes {
        for (aStrides, bStrides) in Self.layouts(m, n, k) {
          let a = small(Line(dtype, count: 2 * m * k + 1)), b = small(Line(dtype, count: 2 * k * n + 1))
          let bias = small(Line(dtype, count: n)), ldc = n + 3, c = small(Line(dtype, count: m * ldc))
          let product = Product(kernels: kernels, dtype: dtype)
          product.run(
            m, n, k, a: a, aStrides: aStrides, b: b, bStrides: bStrides, c: c, ldc: ldc, bias: bias,
            cuts: (kernels.mc, kernels.nc), depth: kernels.kc)
          let untouched = small(Line(dtype, count: m * ldc))
          var worst = 0.0
          for i in 0..<m {
            for j in 0..<ldc {
              let got = c.real(i * ldc + j)
              guard j < n else { worst = got == untouched.real(i * ldc + j) ? worst : .infinity; continue }
              var want = bias.real(j), magnitude = abs(want)
              for p in 0..<k {
                let term = a.real(i * aStrides.0 + p * aStrides.1) * b.real(p * bStrides.0 + j * bStrides.1)
                want += term
                magnitude += abs(term)
              }
              worst = max(worst, abs(got - want) / (dtype.ulp(1) * magnitude * (Double(k).squareRoot() + 1)))
            }
          }
          #expect(worst <= 1 && c.gapsAreUntouched, "\(isa) \(dtype) \(m)x\(n)x\(k) strides \(aStrides) \(bStrides)")
        }
      }
    }
  }

  @Test("results do not depend on how m and n are cut", arguments: apus_isa.available)
  func cuts(isa: apus_isa) throws {
    for dtype in [APUS_F32, APUS_F64] {
      let product = Product(kernels: try #require(apus_gemm(isa, dtype)).pointee, dtype: dtype)
      let (m, n, k) = (61, 75, 90)
      let a = small(Line(dtype, count: m * k)), b = small(Line(dtype, count: k * n)), bias = small(Line(dtype, count: n))
      let results = [(m, n), (7, 5), (12, 32), (1, n), (m, 1)].map { cuts in
        let c = Line(dtype, count: m * n)
        product.run(m, n, k, a: a, aStrides: (k, 1), b: b, bStrides: (n, 1), c: c, ldc: n, bias: bias, cuts: cuts, depth: 40)
        return (0..<m * n).map(c.real)
      }
      #expect(results.allSatisfy { $0 == results[0] }, "\(isa) \(dtype)")
    }
  }

  @Test("rows in place give the same bits as packed ones, at every edge", arguments: apus_isa.available)
  func rowsInPlace(isa: apus_isa) throws {
    for dtype in [APUS_F32, APUS_F64] {
      let kernels = try #require(apus_gemm(isa, dtype)).pointee
      let rows = try #require(kernels.rows)
      let (n, k) = (kernels.nr + 5, 37)
      for m in kernels.mr...3 * kernels.mr {
        for accumulate in [false, true] {
          let a = small(Line(dtype, count: m * (k + 3))), b = small(Line(dtype, count: k * n)),
            bias = small(Line(dtype, count: n))
          let packedA = Line(dtype, count: (m + kernels.mr - 1) / kernels.mr * kernels.mr * k)
          let packedB = Line(dtype, count: (n + kernels.nr - 1) / kernels.nr * kernels.nr * k)
          kernels.pack_a(m, k, a.pointer, k + 3, 1, packedA.pointer)
          kernels.pack_b(k, n, b.pointer, n, 1, packedB.pointer)
          let want = small(Line(dtype, count: m * n)), got = small(Line(dtype, count: m * n))
          kernels.block(m, n, k, packedA.pointer, packedB.pointer, want.pointer, n, accumulate, bias.pointer)
          rows(m, n, k, a.pointer, k + 3, packedB.pointer, got.pointer, n, accumulate, bias.pointer)
          let isSame = (0..<m * n).allSatisfy { got.real($0) == want.real($0) }
          #expect(isSame && got.gapsAreUntouched, "\(isa) \(dtype) \(m) rows, accumulate \(accumulate)")
          withExtendedLifetime((a, b, bias, packedA, packedB)) {}  // a pointer keeps nobody alive
        }
      }
    }
  }

  @Test("half types are packed as float32, but where pairs of them are multiplied", arguments: apus_isa.available)
  func halves(isa: apus_isa) throws {
    let wide = try #require(apus_gemm(isa, APUS_F32)).pointee
    for dtype in [APUS_F16, APUS_BF16] {
      let kernels = try #require(apus_gemm(isa, dtype)).pointee
      let isInPairs = isa == APUS_ISA_AVX512_BF16 && dtype == APUS_BF16
      #expect(kernels.mr == wide.mr && kernels.nr == wide.nr && kernels.unit_size == 4 && kernels.unit == (isInPairs ? 2 : 1))
      if isInPairs { continue }
      #expect(kernels.kc == wide.kc)
      for (m, n, k) in Self.sizes {
        for (aStrides, bStrides) in Self.layouts(m, n, k) {
          let a = small(Line(dtype, count: 2 * m * k + 1)), b = small(Line(dtype, count: 2 * k * n + 1))
          let widened = [a, b].map { line in
            let copy = Line(APUS_F32, count: line.count)
            for i in 0..<line.count { copy.set(i, line.real(i)) }
            return copy
          }
          let sizeA = (m + wide.mr - 1) / wide.mr * wide.mr * k, sizeB = (n + wide.nr - 1) / wide.nr * wide.nr * k
          let packed = [sizeA, sizeA, sizeB, sizeB].map { Line(APUS_F32, count: $0) }
          kernels.pack_a(m, k, a.pointer, aStrides.0, aStrides.1, packed[0].pointer)
          wide.pack_a(m, k, widened[0].pointer, aStrides.0, aStrides.1, packed[1].pointer)
          kernels.pack_b(k, n, b.pointer, bStrides.0, bStrides.1, packed[2].pointer)
          wide.pack_b(k, n, widened[1].pointer, bStrides.0, bStrides.1, packed[3].pointer)
          withExtendedLifetime((a, b, widened)) {}  // a pointer keeps nobody alive
          let numbers = packed.map { line in (0..<line.count).map(line.real) }
          let comment: Comment = "\(isa) \(dtype) \(m)x\(n)x\(k) strides \(aStrides) \(bStrides)"
          #expect(numbers[0] == numbers[1] && numbers[2] == numbers[3] && packed.allSatisfy(\.gapsAreUntouched), comment)
          withExtendedLifetime((a, b, widened)) {}  // the kernels had their addresses
        }
      }
    }
  }

  @Test(
    "pairs of bfloat16: every sum is a chain of fused additions, the second of a pair first, packed or in place",
    .enabled(if: apus_isa_is_available(APUS_ISA_AVX512_BF16), "needs AVX512_BF16"))
  func pairs() throws {
    let kernels = try #require(apus_gemm(APUS_ISA_AVX512_BF16, APUS_BF16)).pointee
    for (m, n, k) in Self.sizes + [(40, 70, 131), (37, 33, 1), (30, 40, 300)] where k > 0 {
      for (aStrides, bStrides) in Self.layouts(m, n, k) + [((k + 1, 1), (n + 1, 1))] {
        let a = small(Line(APUS_BF16, count: 2 * (m + 1) * (k + 1))), b = small(Line(APUS_BF16, count: 2 * (k + 1) * (n + 1)))
        let bias = small(Line(APUS_F32, count: n)), units = (k + 1) / 2
        let packedA = Line(APUS_I32, count: (m + kernels.mr - 1) / kernels.mr * kernels.mr * units)
        let packedB = Line(APUS_I32, count: (n + kernels.nr - 1) / kernels.nr * kernels.nr * units)
        kernels.pack_a(m, k, a.pointer, aStrides.0, aStrides.1, packedA.pointer)
        kernels.pack_b(k, n, b.pointer, bStrides.0, bStrides.1, packedB.pointer)
        #expect(packedA.gapsAreUntouched && packedB.gapsAreUntouched)
        for accumulate in [false, true] {
          let before = small(Line(APUS_F32, count: m * n)), c = small(Line(APUS_F32, count: m * n))
          kernels.block(m, n, k, packedA.pointer, packedB.pointer, c.pointer, n, accumulate, bias.pointer)
          let inPlace = small(Line(APUS_F32, count: m * n))
          let isInPlace = aStrides.1 == 1 && m >= kernels.mr && k % 2 == 0 && aStrides.0 % 2 == 0
          if isInPlace {
            kernels.rows!(m, n, k, a.pointer, aStrides.0, packedB.pointer, inPlace.pointer, n, accumulate, bias.pointer)
          }
          var isRight = c.gapsAreUntouched && inPlace.gapsAreUntouched
          for i in 0..<m {
            for j in 0..<n {
              var sum: Float = 0
              for pair in 0..<units {
                for p in [2 * pair + 1, 2 * pair] where p < k {
                  sum.addProduct(
                    Float(a.real(i * aStrides.0 + p * aStrides.1)), Float(b.real(p * bStrides.0 + j * bStrides.1)))
                }
              }
              if accumulate { sum = Float(before.real(i * n + j)) + sum }
              sum += Float(bias.real(j))
              isRight = isRight && Float(c.real(i * n + j)) == sum
              if isInPlace { isRight = isRight && Float(inPlace.real(i * n + j)) == sum }
            }
          }
          #expect(isRight, "\(m)x\(n)x\(k) strides \(aStrides) \(bStrides), accumulate \(accumulate)")
        }
        withExtendedLifetime((a, b, bias, packedA, packedB)) {}  // a pointer keeps nobody alive
      }
    }
  }

  @Test("small products of every dtype and layout", arguments: apus_isa.available)
  func smallProducts(isa: apus_isa) throws {
    for dtype in apus_dtype.all {
      let kernel = try #require(apus_small_gemm(isa, dtype))
      for (m, n, k) in Self.sizes + [(3, 300, 4)] {
        for (aStrides, bStrides) in Self.layouts(m, n, k) {
          let a = small(Line(dtype, count: 2 * m * k + 1)), b = small(Line(dtype, count: 2 * k * n + 1))
          let ldc = n + 2, c = Line(dtype, count: m * ldc)
          kernel(m, n, k, a.pointer, aStrides.0, aStrides.1, b.pointer, bStrides.0, bStrides.1, c.pointer, ldc)
          var isRight = c.gapsAreUntouched
          for i in 0..<m {
            for j in 0..<n {
              var real = 0.0, magnitude = 0.0, int: Int64 = 0
              for p in 0..<k {
                let ia = i * aStrides.0 + p * aStrides.1, ib = p * bStrides.0 + j * bStrides.1
                if dtype.isFloat {
                  real += a.real(ia) * b.real(ib)
                  magnitude += abs(a.real(ia) * b.real(ib))
                } else {
                  int = dtype == APUS_BOOL ? int | a.int(ia) & b.int(ib) : int &+ a.int(ia) &* b.int(ib)
                }
              }
              let unit = dtype == APUS_F64 ? 0x1p-52 : 0x1p-23, isHalf = dtype.isFloat && dtype.size == 2
              let bound = unit * magnitude * (Double(k).squareRoot() + 1) + (isHalf ? 0.51 * dtype.ulp(real) : 0)
              let at = i * ldc + j
              let matches = dtype.isFloat ? abs(c.real(at) - real) <= bound : c.int(at) == dtype.wrapped(int)
              isRight = isRight && matches
            }
          }
          #expect(isRight, "\(isa) \(dtype) \(m)x\(n)x\(k) strides \(aStrides) \(bStrides)")
        }
      }
    }
  }
}
