import CKernels

extension CPUBackend {
  package func normalizeRows(
    _ x: TensorData, weight: TensorData, bias: TensorData, eps: Double, isCentered: Bool
  ) -> NormalizedData {
    let (x, n) = (x.contiguous(), weight.count)
    let rows = n == 0 ? 0 : x.count / n
    let y = TensorData.uninitialized(x.shape, x.dtype, for: "layerNorm")
    let statistics = (0..<2).map { _ in TensorData.uninitialized(Dims(rows), .float64, for: "layerNorm") }
    guard x.isValid, y.isValid, statistics.allSatisfy(\.isValid) else { return .invalid }
    let kernel = apus_norm(Runtime.isa, x.dtype.kernel)!.pointee.rows!
    let rowBytes = n * x.dtype.itemSize
    let (from, to) = (UnsafeRawPointer(x.base), SendablePointer(y.base))
    let (w, b) = (weight.base, bias.base)
    let (mean, variance) = (statistics[0].doubles, statistics[1].doubles)
    ThreadPool.shared.forEachChunk(of: rows, grain: Self.rowGrain(n)) { range in
      let first = range.lowerBound
      kernel(
        range.count, n, from + first * rowBytes, w, b, eps, isCentered, to.pointer + first * rowBytes,
        mean + first, variance + first)
    }
    return NormalizedData(output: y, mean: statistics[0], variance: statistics[1])
  }

  package func normalizeRowsGradient(
    _ dy: TensorData, _ x: TensorData, _ saved: NormalizedData, weight: TensorData, eps: Double, isCentered: Bool
  ) -> NormalizationGradient {
    let (x, dy, n) = (x.contiguous(), dy.contiguous(), weight.count)
    let rows = saved.mean.count
    let grain = Self.rowGrain(n)
    let dx = TensorData.uninitialized(x.shape, x.dtype, for: "layerNorm")
    // Every chunk of rows adds up a row of its own, and these are added in order.
    let partial = TensorData.filled([(rows + grain - 1) / grain, 2, n], x.dtype, 0)
    guard x.isValid, dy.isValid, dx.isValid, partial.isValid else { return .invalid }
    let kernel = apus_norm(Runtime.isa, x.dtype.kernel)!.pointee.rows_gradient!
    let rowBytes = n * x.dtype.itemSize
    let inputs = (dy: UnsafeRawPointer(dy.base), x: UnsafeRawPointer(x.base), weight: UnsafeRawPointer(weight.base))
    let results = (dx: SendablePointer(dx.base), sums: SendablePointer(partial.base))
    let (mean, variance) = (saved.mean.doubles, saved.variance.doubles)
    ThreadPool.shared.forEachChunk(of: rows, grain: grain) { range in
      let (first, sums) = (range.lowerBound, results.sums.pointer + range.lowerBound / grain * 2 * rowBytes)
      kernel(
        range.count, n, inputs.dy + first * rowBytes, inputs.x + first * rowBytes, inputs.weight, eps, isCentered, mean + first,
        variance + first, results.dx.pointer + first * rowBytes, sums, sums + rowBytes)
    }
    let sums = reduce(.sum, partial, axes: [0])
    return NormalizationGradient(input: dx, weight: sums.row(0, shape: weight.shape), bias: sums.row(1, shape: weight.shape))
  }

  /// Rows that a thread takes at a time; they share a row of sums of the weights' gradients.
  private static func rowGrain(_ n: Int) -> Int { max(1, StridedLoop.grain / max(1, n)) }
}

extension TensorData {
  /// The memory of a float64 tensor.
  var doubles: UnsafeMutablePointer<Double> { base.assumingMemoryBound(to: Double.self) }

  /// The i-th of contiguous rows of the given shape.
  func row(_ i: Int, shape: Dims) -> TensorData {
    isValid ? view(shape: shape, strides: shape.contiguousStrides, offset: offset + i * shape.product) : self
  }
}
