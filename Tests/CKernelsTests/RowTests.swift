import CKernels
import Testing

/// The rows of factorizations against the formulas in Double.
@Suite("rows of factorizations")
struct RowTests {
  @Test("every kernel, at lengths on both sides of the lanes", arguments: apus_isa.available, [0, 1, 7, 16, 31, 32, 33, 100])
  func kernels(_ isa: apus_isa, _ n: Int) {
    check(isa, APUS_F32, n, Float.self, tolerance: 2e-5)
    check(isa, APUS_F64, n, Double.self, tolerance: 1e-13)
    #expect(apus_rows(isa, APUS_F16) == nil)
  }

  private func check<F: BinaryFloatingPoint & BitwiseCopyable>(
    _ isa: apus_isa, _ dtype: apus_dtype, _ n: Int, _: F.Type, tolerance: Double
  ) {
    let kernels = apus_rows(isa, dtype)!.pointee
    let row = { (seed: Int) in (0..<n).map { F(Double(($0 * 37 + seed * 11) % 29) / 14 - 1) } }
    func expect(_ found: [F], _ f: (Int) -> Double) {
      #expect(found.indices.allSatisfy { abs(Double(found[$0]) - f($0)) <= tolerance }, "\(isa) \(dtype) \(n)")
    }
    let (x, y, z) = (row(1).map { Double($0) }, row(2).map { Double($0) }, row(3).map { Double($0) })
    var sum = 0.0
    for i in 0..<n { sum += x[i] * y[i] }
    #expect(abs(kernels.dot(n, row(1), row(2)) - sum) <= tolerance * 10)
    var (a, b) = (row(1), row(2))
    kernels.axpy(n, 0.3, a, &b)
    expect(b) { y[$0] + 0.3 * x[$0] }
    b = row(2)
    kernels.rotate(n, 0.6, 0.8, &a, &b)
    expect(a) { 0.6 * x[$0] - 0.8 * y[$0] }
    expect(b) { 0.8 * x[$0] + 0.6 * y[$0] }
    var r = row(3)
    let total = kernels.update(n, 0.5, row(1), -0.25, row(2), row(1), &r)
    expect(r) { z[$0] + 0.5 * x[$0] - 0.25 * y[$0] }
    var expected = 0.0
    for i in 0..<n {
      let updated: Double = z[i] + 0.5 * x[i] - 0.25 * y[i]
      expected += updated * x[i]
    }
    #expect(abs(total - expected) <= tolerance * 10)
  }
}
