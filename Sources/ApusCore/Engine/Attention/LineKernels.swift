import CKernels

/// Small jobs on lines of float32 or float64 numbers in working memory.
struct LineKernels: Sendable {
  let dtype: DType

  func fill(_ x: UnsafeMutableRawPointer, _ count: Int, _ value: Double) {
    func run<T>(_ value: T) {
      withUnsafePointer(to: value) { apus_cast(Runtime.isa, dtype.kernel, dtype.kernel)!(count, $0, 0, x, 1) }
    }
    if dtype == .float64 { run(value) } else { run(Float(value)) }
  }

  /// x *= factor
  func scale(_ x: UnsafeMutableRawPointer, _ count: Int, by factor: Double) {
    let multiply = apus_binary(Runtime.isa, APUS_BINARY_mul, dtype.kernel)!
    func run<T>(_ factor: T) { withUnsafePointer(to: factor) { multiply(count, x, 1, $0, 0, x, 1) } }
    if dtype == .float64 { run(factor) } else { run(Float(factor)) }
  }

  /// x += y
  func add(_ y: UnsafeRawPointer, _ stride: Int, to x: UnsafeMutableRawPointer, _ count: Int) {
    apus_binary(Runtime.isa, APUS_BINARY_add, dtype.kernel)!(count, x, 1, y, stride, x, 1)
  }

  /// 0 where `allowed` (bool) is true and −∞ where it is false.
  func bias(_ allowed: UnsafeRawPointer, _ stride: Int, _ count: Int, into y: UnsafeMutableRawPointer) {
    func select<T: BinaryFloatingPoint>(_ numbers: [T]) {
      numbers.withUnsafeBufferPointer {
        apus_select(Runtime.isa, MemoryLayout<T>.size)!(count, allowed, stride, $0.baseAddress, 0, $0.baseAddress! + 1, 0, y, 1)
      }
    }
    if dtype == .float64 { select([0, -Double.infinity]) } else { select([0, -Float.infinity]) }
  }

  /// Whether all numbers are −∞.
  func isAllHidden(_ x: UnsafeRawPointer, _ count: Int) -> Bool {
    let max = apus_reduce_inner(Runtime.isa, APUS_REDUCE_max, dtype.kernel)!
    func run<T: BinaryFloatingPoint & BitwiseCopyable>(_ start: T) -> Bool {
      var greatest = start
      max(count, x, 1, &greatest)
      return greatest == -T.infinity
    }
    return dtype == .float64 ? run(-Double.infinity) : run(-Float.infinity)
  }
}
