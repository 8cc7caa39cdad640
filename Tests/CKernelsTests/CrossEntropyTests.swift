// Cross-entropy of a line and its gradient.

import CKernels
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

@Suite struct CrossEntropyKernelTests {
  /// The loss and softmax − target, by the definition.
  static func reference(_ x: [Double], label: Int, smoothing: Double) -> (loss: Double, gradient: [Double]) {
    let top = x.max()!
    let total = x.reduce(0) { $0 + exp($1 - top) }
    let target = x.indices.map { smoothing / Double(x.count) + ($0 == label ? 1 - smoothing : 0) }
    let loss = zip(x, target).reduce(0) { $0 - $1.1 * ($1.0 - top - log(total)) }
    return (loss, zip(x, target).map { exp($0 - top) / total - $1 })
  }

  @Test("values and gradients of every length and layout", arguments: apus_isa.available)
  func values(isa: apus_isa) throws {
    for dtype in apus_dtype.floats {
      let loss = try #require(apus_cross_entropy(isa, dtype)), gradient = try #require(apus_cross_entropy_gradient(isa, dtype))
      for n in [1, 2, 7, 10, 16, 64, 511, 512, 513, 2000] {
        for (sx, sy) in [(1, 1), (2, 1), (-1, -3), (1, 2)] {
          for (label, smoothing) in [(0, 0.0), (n / 2, 0.3), (n - 1, 0), (n - 1, 1)] {
            let x = Line(dtype, count: n, stride: sx)
            for i in 0..<n { x.set(i, sin(Double(i * i) + Double(n)) * 5) }
            let y = Line(dtype, count: n, stride: sy), result = Line(dtype, count: 1)
            var statistics = [0.0, 0.0]
            loss(n, x.pointer, sx, label, smoothing, result.pointer, &statistics)
            gradient(n, x.pointer, sx, label, smoothing, &statistics, 0.75, y.pointer, sy)
            let want = Self.reference((0..<n).map(x.real), label: label, smoothing: smoothing)
            let comment = "\(isa) \(dtype) n \(n) strides \(sx) \(sy) label \(label) smoothing \(smoothing)"
            func bound(_ value: Double) -> Double {
              (dtype == APUS_F64 ? 1e-14 : 2e-6) * max(1, abs(value)) + 0.51 * (dtype.size == 2 ? dtype.ulp(value) : 0)
            }
            #expect(abs(result.real(0) - want.loss) <= bound(want.loss), "\(comment)")
            let worst = (0..<n).max { abs(y.real($0) - 0.75 * want.gradient[$0]) < abs(y.real($1) - 0.75 * want.gradient[$1]) }!
            #expect(abs(y.real(worst) - 0.75 * want.gradient[worst]) <= bound(0.75 * want.gradient[worst]), "\(comment)")
            #expect(y.gapsAreUntouched && result.gapsAreUntouched)
          }
        }
      }
    }
  }

  @Test("large logits do not overflow; impossible classes stay impossible", arguments: apus_isa.available)
  func edges(isa: apus_isa) {
    var loss: Float = 0, statistics: [Float] = [0, 0], y: [Float] = [0, 0, 0]
    let x: [Float] = [1000, -1000, -.infinity]
    apus_cross_entropy(isa, APUS_F32)!(3, x, 1, 1, 0, &loss, &statistics)
    apus_cross_entropy_gradient(isa, APUS_F32)!(3, x, 1, 1, 0, &statistics, 1, &y, 1)
    #expect(loss == 2000 && y == [1, -1, 0])
    apus_cross_entropy(isa, APUS_F32)!(3, x, 1, 2, 0, &loss, &statistics)
    #expect(loss == .infinity)
    apus_cross_entropy(isa, APUS_F32)!(3, [0, .nan, 1] as [Float], 1, 0, 0, &loss, &statistics)
    #expect(loss.isNaN)
  }

  @Test("the same digits whatever the stride")
  func strides() {
    for isa in apus_isa.available {
      let x = Line(APUS_F32, count: 1000), wide = Line(APUS_F32, count: 1000, stride: 3)
      for i in 0..<1000 {
        x.set(i, sin(Double(i)))
        wide.set(i, sin(Double(i)))
      }
      let results = [x, wide].map { line in
        var loss: Float = 0, statistics: [Float] = [0, 0]
        apus_cross_entropy(isa, APUS_F32)!(1000, line.pointer, line.stride, 5, 0.1, &loss, &statistics)
        return loss
      }
      #expect(results[0] == results[1])
    }
  }
}
