// The float functions of our own (vmath.h): error in units of the last place over all exponents, and the special values.
//
// `APUS_SWEEP_STEP=1` looks at every float there is and takes some minutes for each function:
//   APUS_SWEEP_STEP=1 swift test -c release --filter VectorMathTests

import CKernels
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

@Suite struct VectorMathTests {
  /// The bound promised in Sources/CKernels/README.md.
  static let functions: [(op: apus_unary_op, ulps: Double)] = [
    (APUS_UNARY_exp, 1.1), (APUS_UNARY_expm1, 1.7), (APUS_UNARY_log, 0.9), (APUS_UNARY_log1p, 1.6), (APUS_UNARY_tanh, 1.4),
    (APUS_UNARY_sigmoid, 2), (APUS_UNARY_log_sigmoid, 1.9), (APUS_UNARY_erf, 1.3), (APUS_UNARY_sin, 1.5), (APUS_UNARY_cos, 1.5),
    (APUS_UNARY_erfc, 2), (APUS_UNARY_gelu, 2), (APUS_UNARY_gelu_slope, 2.4),
  ]

  /// Every so many-th float is tried. 4099 is coprime to 2^23: every exponent gets 2046 fractions of either sign, 1,047,811 points in all.
  static let step = getenv("APUS_SWEEP_STEP").flatMap { Int(String(cString: $0)) } ?? 4099

  @Test("errors stay in their bounds over all exponents", arguments: apus_isa.available)
  func sweep(isa: apus_isa) throws {
    let points = ((1 << 32) - 1) / Self.step + 1, block = 1 << 20
    for (op, bound) in Self.functions {
      let kernel = try #require(apus_unary(isa, op, APUS_F32))
      var worst = (ulps: 0.0, at: Float(0))
      for start in stride(from: 0, to: points, by: block) {
        let x = (start..<min(start + block, points)).map { Float(bitPattern: UInt32($0 * Self.step)) }
        var y = [Float](repeating: 0, count: x.count)
        kernel(x.count, x, 1, &y, 1)
        for i in x.indices {
          let error = ulps(y[i], op.reference(Double(x[i])), op.smallest(at: Double(x[i])))
          if error > worst.ulps { worst = (error, x[i]) }
        }
      }
      #expect(worst.ulps <= bound, "\(isa) \(op.name): \(worst.ulps) ulp at \(worst.at)")
      if Self.step < 4099 { print("\(isa) \(op.name): \(worst.ulps) ulp at \(worst.at)") }
    }
  }

  private func ulps(_ got: Float, _ want: Double, _ smallest: Double) -> Double {
    let rounded = Float(want)
    if got == rounded || (got.isNaN && want.isNaN) { return 0 }
    if got.isNaN || want.isNaN { return .infinity }
    if got.isInfinite || rounded.isInfinite { return .infinity }
    return abs(Double(got) - want) / APUS_F32.ulp(max(abs(want), smallest))
  }

  @Test("special values", arguments: apus_isa.available)
  func specials(isa: apus_isa) {
    let inf = Float.infinity, tiny = Float.leastNonzeroMagnitude
    let table: [(apus_unary_op, [(Float, Float)])] = [
      (
        APUS_UNARY_exp,
        [
          (0, 1), (-0.0, 1), (inf, inf), (-inf, 0), (89, inf), (-104, 0), (tiny, 1), (-103.9, 0x1p-149),
          (88.722, Float(exp(Double(Float(88.722))))),
        ]
      ),
      (APUS_UNARY_expm1, [(0, 0), (-0.0, -0.0), (inf, inf), (-inf, -1), (tiny, tiny), (-tiny, -tiny), (89, inf), (-50, -1)]),
      (APUS_UNARY_log, [(0, -inf), (-0.0, -inf), (1, 0), (inf, inf), (-1, .nan), (-inf, .nan), (tiny, -103.278929)]),
      (APUS_UNARY_log1p, [(0, 0), (-0.0, -0.0), (-1, -inf), (inf, inf), (-2, .nan), (-inf, .nan), (tiny, tiny), (-tiny, -tiny)]),
      (APUS_UNARY_tanh, [(0, 0), (-0.0, -0.0), (inf, 1), (-inf, -1), (20, 1), (tiny, tiny)]),
      (APUS_UNARY_sigmoid, [(0, 0.5), (inf, 1), (-inf, 0), (-200, 0), (200, 1)]),
      (APUS_UNARY_log_sigmoid, [(inf, 0), (-inf, -inf), (-200, -200), (200, 0)]),
      (APUS_UNARY_erf, [(0, 0), (-0.0, -0.0), (inf, 1), (-inf, -1), (5, 1)]),
      (APUS_UNARY_erfc, [(0, 1), (-0.0, 1), (inf, 0), (-inf, 2), (10.1, 0), (-5, 2)]),
      (APUS_UNARY_gelu, [(0, 0), (-0.0, -0.0), (inf, inf), (-inf, -0.0), (1e-30, 5e-31), (1e30, 1e30), (-1e30, -0.0)]),
      (APUS_UNARY_gelu_slope, [(0, 0.5), (-0.0, 0.5), (inf, 1), (-inf, -0.0), (20, 1), (tiny, 0.5)]),
      (APUS_UNARY_sin, [(0, 0), (-0.0, -0.0), (inf, .nan), (-inf, .nan), (tiny, tiny), (1e30, Float(sin(Double(Float(1e30)))))]),
      (APUS_UNARY_cos, [(0, 1), (-0.0, 1), (inf, .nan), (-inf, .nan), (3e38, Float(cos(Double(Float(3e38)))))]),
    ]
    for (op, cases) in table {
      for (x, want) in cases + [(.nan, .nan)] {
        // One element, and the middle of a full vector among ordinary numbers.
        for n in [1, 64] {
          var line = [Float](repeating: 0.3, count: n), y = line
          line[n / 2] = x
          apus_unary(isa, op, APUS_F32)!(n, line, 1, &y, 1)
          let got = y[n / 2]
          let isZeroOfRightSign = want != 0 || op == APUS_UNARY_log_sigmoid || got.sign == want.sign
          let isSame = want.isNaN ? got.isNaN : got == want ? isZeroOfRightSign : abs(got - want) <= 2e-5 * abs(want)
          #expect(isSame, "\(isa) \(op.name)(\(x)) = \(got), not \(want)")
        }
      }
    }
  }

  @Test("an element's value does not depend on its place in the line", arguments: apus_isa.available)
  func position(isa: apus_isa) throws {
    let x = (0..<300).map { abs(Float(Samples.real($0 + 50))) }  // positive: a NaN would not equal itself
    for (op, _) in Self.functions {
      let kernel = try #require(apus_unary(isa, op, APUS_F32))
      var whole = [Float](repeating: 0, count: 300), single = whole, strided = [Float](repeating: 0, count: 600)
      kernel(300, x, 1, &whole, 1)
      for i in 0..<300 { kernel(1, [x[i]], 1, &single[i], 1) }
      kernel(300, x, 1, &strided, 2)
      #expect(whole == single && whole == (0..<300).map { strided[2 * $0] }, "\(isa) \(op.name)")
    }
  }
}
