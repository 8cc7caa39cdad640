import CKernels

extension TensorData {
  /// Fresh memory full of one value.
  package static func filled(_ shape: Dims, _ dtype: DType, _ value: Double, for operation: @autoclosure () -> String = "full")
    -> TensorData
  {
    let y = uninitialized(shape, dtype, for: operation())
    guard y.isValid, y.count > 0 else { return y }
    let stream = value.bitPattern == 0 ? Streaming.kernel(forResultOf: y.byteCount) : nil
    func fill<T: TensorScalar>(_: T.Type) {
      let (spread, size) = (apus_cast(Runtime.isa, dtype.kernel, dtype.kernel)!, dtype.itemSize)
      withUnsafePointer(to: T(fromDouble: value)) {
        let (one, to) = (UnsafeRawPointer($0), y.base)
        ThreadPool.shared.forEachChunk(of: y.count, grain: StridedLoop.grain) { range in
          let target = to + range.lowerBound * size
          if let stream {
            stream(range.count * size, nil, target)
            apus_stream_end()
          } else {
            spread(range.count, one, 0, target, 1)
          }
        }
      }
    }
    fill(dtype.scalarType)
    return y
  }
}

extension Tensor {
  private static func made(_ data: TensorData, _ requiresGrad: Bool) -> Tensor {
    var tensor = Tensor(data)
    if requiresGrad { tensor.requiresGrad = true }
    return tensor
  }

  /// A tensor of zeros.
  public static func zeros(_ shape: Shape, dtype: DType = .float32, requiresGrad: Bool = false) -> Tensor {
    full(shape, 0.0, dtype: dtype, requiresGrad: requiresGrad)
  }

  /// A tensor of ones.
  public static func ones(_ shape: Shape, dtype: DType = .float32, requiresGrad: Bool = false) -> Tensor {
    full(shape, 1.0, dtype: dtype, requiresGrad: requiresGrad)
  }

  /// A tensor full of one value; its dtype is that of a tensor made of the value alone, unless given.
  public static func full(_ shape: Shape, _ value: some Scalar, dtype: DType? = nil, requiresGrad: Bool = false) -> Tensor {
    let scalar = value.asWeakTensor
    guard check(shape.dims.allSatisfy { $0 >= 0 }, .shape, "full", "\(shape) has a negative size") else { return .invalid }
    if scalar.dtype == .int64, scalar.data.element(Int64.self).magnitude > 1 << 53 {
      return scalar.to(dtype ?? .int64).expand(shape).contiguous()
    }
    return made(.filled(shape.dims, dtype ?? scalar.dtype, scalar.data.cast(.float64).firstAsDouble), requiresGrad)
  }

  public static func zerosLike(_ x: Tensor, dtype: DType? = nil) -> Tensor {
    x.isValid ? zeros(x.shape, dtype: dtype ?? x.dtype) : x
  }
  public static func onesLike(_ x: Tensor, dtype: DType? = nil) -> Tensor {
    x.isValid ? ones(x.shape, dtype: dtype ?? x.dtype) : x
  }
  public static func fullLike(_ x: Tensor, _ value: some Scalar, dtype: DType? = nil) -> Tensor {
    x.isValid ? full(x.shape, value, dtype: dtype ?? x.dtype) : x
  }

  /// 0, 1, …, `end` − 1 (int64 unless a dtype is given).
  public static func arange(_ end: Int, dtype: DType = .int64) -> Tensor { arange(0, end, dtype: dtype) }

  /// `start`, `start` + `step`, … up to but not including `end` (int64 unless a dtype is given).
  public static func arange(_ start: Int, _ end: Int, step: Int = 1, dtype: DType = .int64) -> Tensor {
    guard check(step != 0, .value, "arange", "step is 0") else { return .invalid }
    guard check(step > 0 ? end >= start : end <= start, .value, "arange", "no way from \(start) to \(end) by \(step)") else {
      return .invalid
    }
    return Tensor(scalars: Array(stride(from: start, to: end, by: step)), shape: nil, dtype: dtype)
  }

  /// `start`, `start` + `step`, … up to but not including `end` (float32 unless a dtype is given).
  ///
  /// The number of elements is ⌈(end − start) / step⌉; rounding may add or drop the last one: `linspace` says how many.
  public static func arange(_ start: Double, _ end: Double, step: Double = 1, dtype: DType = .float32) -> Tensor {
    let count = ((end - start) / step).rounded(.up)
    guard
      check(
        step != 0 && count.isFinite && count >= 0 && count < 0x1p53, .value, "arange", "no way from \(start) to \(end) by \(step)"
      )
    else { return .invalid }
    return Tensor(scalars: (0..<Int(count)).map { start + Double($0) * step }, shape: nil, dtype: dtype)
  }

  /// `count` numbers from `start` to `end`, both included, evenly spaced.
  public static func linspace(_ start: Double, _ end: Double, _ count: Int, dtype: DType = .float32) -> Tensor {
    guard check(count >= 0, .value, "linspace", "\(count) numbers") else { return .invalid }
    let step = (end - start) / Double(Swift.max(count - 1, 1))
    // From the nearer end, so that both ends are exact.
    let values = (0..<count).map { i in
      i < (count + 1) / 2 ? start + Double(i) * step : end - Double(count - 1 - i) * step
    }
    return Tensor(scalars: values, shape: nil, dtype: dtype)
  }

  /// A matrix with ones on the diagonal: `[rows, columns]`, square unless `columns` is given.
  public static func eye(_ rows: Int, _ columns: Int? = nil, dtype: DType = .float32) -> Tensor {
    let columns = columns ?? rows
    guard check(rows >= 0 && columns >= 0, .value, "eye", "\(rows) rows, \(columns) columns") else { return .invalid }
    return (arange(rows).unsqueeze(dim: 1) .== arange(columns)).to(dtype)
  }
}
