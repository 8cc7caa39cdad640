import CKernels

extension CPUBackend {
  package func crossEntropy(_ x: TensorData, axis: Int, labels: TensorData, smoothing: Double) -> (
    losses: TensorData, statistics: TensorData
  ) {
    let losses = TensorData.uninitialized(labels.shape, x.dtype, for: "crossEntropy")
    let statistics = TensorData.uninitialized(
      Dims([labels.count, 2]), x.dtype == .float64 ? .float64 : .float32, for: "crossEntropy")
    guard losses.isValid, statistics.isValid else { return (.invalid, .invalid) }
    let kernel = apus_cross_entropy(Runtime.isa, x.dtype.kernel)!
    let (results, kept) = (SendablePointer(losses.base), SendablePointer(statistics.base))
    let (size, keptSize) = (x.dtype.itemSize, 2 * statistics.dtype.itemSize)
    forEachLabel(x, axis, labels) { i, label, n, line, stride in
      kernel(n, line, stride, label, smoothing, results.pointer + i * size, kept.pointer + i * keptSize)
    }
    return (losses, statistics)
  }

  package func crossEntropyGradient(
    _ x: TensorData, axis: Int, labels: TensorData, smoothing: Double, statistics: TensorData, dy: TensorData
  ) -> TensorData {
    let y = TensorData.uninitialized(x.shape, x.dtype, for: "crossEntropy")
    guard y.isValid else { return y }
    let kernel = apus_cross_entropy_gradient(Runtime.isa, x.dtype.kernel)!
    let scales = dy.cast(.float64).contiguous()
    let (to, size, keptSize) = (Lines(y, axis: axis), y.dtype.itemSize, 2 * statistics.dtype.itemSize)
    let (results, kept) = (SendablePointer(y.base), UnsafeRawPointer(statistics.base))
    forEachLabel(x, axis, labels) { i, label, n, line, stride in
      let (result, scale) = (results.pointer + to.kept.offset(i) * size, scales.element(Double.self, at: i))
      if scale == 0 {
        zero(n, result, stride: to.stride, x.dtype)
      } else {
        kernel(n, line, stride, label, smoothing, kept + i * keptSize, scale, result, to.stride)
      }
    }
    return y
  }

  /// Calls `body` for every line along `axis`: its number, its label, its length, the line and its stride.
  private func forEachLabel(
    _ x: TensorData, _ axis: Int, _ labels: TensorData, _ body: (Int, Int, Int, UnsafeRawPointer, Int) -> Void
  ) {
    let (lines, labels, size) = (Lines(x, axis: axis), labels.contiguous(), x.dtype.itemSize)
    let source = UnsafeRawPointer(x.base)
    ThreadPool.shared.forEachChunk(of: labels.count, grain: max(1, StridedLoop.grain / max(1, lines.count))) { range in
      for i in range {
        body(i, labels.element(Int.self, at: i), lines.count, source + lines.kept.offset(i) * size, lines.stride)
      }
    }
  }

  /// Writes `n` zeros.
  private func zero(_ n: Int, _ y: UnsafeMutableRawPointer, stride: Int, _ dtype: DType) {
    var zero = 0.0  // all floating-point zeros are zero bits
    apus_cast(Runtime.isa, dtype.kernel, dtype.kernel)!(n, &zero, 0, y, stride)
  }
}
