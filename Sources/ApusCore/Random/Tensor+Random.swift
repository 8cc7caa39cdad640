import CKernels

/// What a fill draws from.
package enum Distribution: BitwiseCopyable {
  /// 0 ..< 1
  case uniform
  /// Mean 0, variance 1.
  case normal
  /// All 64 bits.
  case bits
}

extension Distribution {
  /// What is drawn for numbers of `dtype`: half types are drawn as float32.
  func drawnType(for dtype: DType) -> DType {
    switch self {
    case .bits: .int64
    case .uniform, .normal: dtype == .float64 ? .float64 : .float32
    }
  }

  /// Writes elements `first ..< first + n` of a fill: the i-th is a function of (key, counter, i) alone.
  func fill(_ dtype: DType, key: UInt64, counter: UInt64, first: Int, _ n: Int, _ y: UnsafeMutableRawPointer) {
    switch (self, dtype) {
    case (.bits, _): apus_random_bits64(key, counter, first, n, y.assumingMemoryBound(to: UInt64.self))
    case (.uniform, .float64): apus_random_uniform_f64(key, counter, first, n, y.assumingMemoryBound(to: Double.self))
    case (.uniform, _): apus_random_uniform_f32(key, counter, first, n, y.assumingMemoryBound(to: Float.self))
    case (.normal, .float64): apus_random_normal_f64(key, counter, first, n, y.assumingMemoryBound(to: Double.self))
    case (.normal, _): apus_random_normal_f32(key, counter, first, n, y.assumingMemoryBound(to: Float.self))
    }
  }
}

extension Tensor {
  private static func drawn(
    _ distribution: Distribution, _ shape: Shape, _ dtype: DType, _ generator: Generator, _ name: String, strides: Dims? = nil
  ) -> Tensor {
    guard check(distribution == .bits || dtype.isFloatingPoint, .dtype, name, "draws floating-point numbers, not \(dtype)"),
      check(shape.dims.allSatisfy { $0 >= 0 }, .shape, name, "\(shape) has a negative size")
    else { return .invalid }
    let count = shape.dims.checkedProduct ?? 0
    let wordsPerBlock = distribution == .bits || dtype == .float64 ? 2 : 4
    let (key, counter) = generator.take(blocks: (count + wordsPerBlock - 1) / wordsPerBlock)
    return Tensor(
      Device.cpu.backend.random(
        distribution, key: key, counter: counter, shape: shape.dims, strides: strides ?? shape.dims.contiguousStrides,
        dtype: dtype))
  }

  /// Independent float32 numbers, evenly distributed over 0 ..< 1, drawn in the order of memory of `model` where that has the same shape:
  /// what is to be combined with its elements.
  package static func rand(_ shape: Shape, beside model: Tensor, generator: Generator) -> Tensor {
    drawn(.uniform, shape, .float32, generator, "rand", strides: TensorData.layout(shape.dims, model.data))
  }

  /// Independent numbers, evenly distributed over 0 ..< 1.
  public static func rand(_ shape: Shape, dtype: DType = .float32, requiresGrad: Bool = false, generator: Generator = .default)
    -> Tensor
  {
    var y = drawn(.uniform, shape, dtype, generator, "rand")
    // Rounding to a half type may give 1, which is outside.
    if dtype == .float16 || dtype == .bfloat16 { y = `where`(y .>= 1, 0, y) }
    if requiresGrad { y.requiresGrad = true }
    return y
  }

  /// Independent numbers from the normal distribution with mean 0 and variance 1.
  public static func randn(_ shape: Shape, dtype: DType = .float32, requiresGrad: Bool = false, generator: Generator = .default)
    -> Tensor
  {
    var y = drawn(.normal, shape, dtype, generator, "randn")
    if requiresGrad { y.requiresGrad = true }
    return y
  }

  /// Independent integers from `low ..< high` (int64 unless a dtype is given), each as likely as the others within 2⁻³² of its share.
  public static func randint(_ low: Int, _ high: Int, _ shape: Shape, dtype: DType = .int64, generator: Generator = .default)
    -> Tensor
  {
    guard
      check(
        low < high && high.subtractingReportingOverflow(low).overflow == false, .value, "randint",
        "no integer in \(low)..<\(high)")
    else { return .invalid }
    let y = drawn(.bits, shape, .int64, generator, "randint")
    guard y.isValid else { return y }
    let (base, range) = (y.data.base.assumingMemoryBound(to: UInt64.self), UInt64(high - low))
    // The upper half of a 128-bit product: the range's share of 2⁶⁴.
    for i in 0..<y.count {
      let scaled = base[i].multipliedFullWidth(by: range).high
      base[i] = UInt64(bitPattern: Int64(low) &+ Int64(scaled))
    }
    return y.to(dtype)
  }

  /// The integers 0 ..< n (int64) in random order.
  public static func randperm(_ n: Int, generator: Generator = .default) -> Tensor {
    guard check(n >= 0, .value, "randperm", "n = \(n)") else { return .invalid }
    let bits = drawn(.bits, [n], .int64, generator, "randperm").scalars(as: Int64.self)
    var order = Array(0..<n)
    // Fisher and Yates, from the end.
    for i in stride(from: n - 1, to: 0, by: -1) {
      let j = Int(UInt64(bitPattern: bits[i]).multipliedFullWidth(by: UInt64(i + 1)).high)
      order.swapAt(i, j)
    }
    return Tensor(scalars: order)
  }

  public static func randLike(_ x: Tensor, generator: Generator = .default) -> Tensor {
    x.isValid ? rand(x.shape, dtype: x.dtype, generator: generator) : x
  }
  public static func randnLike(_ x: Tensor, generator: Generator = .default) -> Tensor {
    x.isValid ? randn(x.shape, dtype: x.dtype, generator: generator) : x
  }
}
