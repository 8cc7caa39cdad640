import CKernels

/// Attention of a few queries, as in decoding: matrix times vector, reading keys and values once where they lie instead of packing them.
///
/// The weights of a matrix are stored, a line of S for each query. No gradient goes through here.
struct AttentionRows: Sendable {
  /// Up to so many queries this is quicker than blocks.
  static let most = 4

  private let x: AttentionOperands
  private let query, key, value, output: MatrixBatch
  private let mask: MatrixBatch?
  private let lines: LineKernels
  private let dtype: DType
  private let size: Int

  init(_ x: AttentionOperands, output: TensorData) {
    self.x = x
    (query, key, value) = (MatrixBatch(x.query), MatrixBatch(x.key), MatrixBatch(x.value))
    self.output = MatrixBatch(output)
    mask = x.mask.map { MatrixBatch($0) }
    dtype = x.dtype
    lines = LineKernels(dtype: dtype)
    size = dtype.itemSize
  }

  func run() {
    let work = x.keys * (x.features + x.valueFeatures) * x.queries
    ThreadPool.shared.forEachChunk(of: x.batch.product, grain: max(1, (1 << 15) / max(1, work))) { matrices in
      guard var scratch = AttentionScratch([x.queries * x.keys, x.keys, x.queries * x.valueFeatures], of: dtype) else { return }
      let (weights, line, result) = (
        scratch.take(x.queries * x.keys), scratch.take(x.keys), scratch.take(x.queries * x.valueFeatures)
      )
      for i in matrices { run(i, weights, line, result) }
      withExtendedLifetime(scratch) {}
    }
  }

  private func run(
    _ i: Int, _ weights: UnsafeMutableRawPointer, _ line: UnsafeMutableRawPointer, _ result: UnsafeMutableRawPointer
  ) {
    let product = apus_small_gemm(Runtime.isa, dtype.kernel)!
    product(
      x.queries, x.keys, x.features, query.pointer(i), query.rowStride, query.columnStride, key.pointer(i),
      key.columnStride, key.rowStride, weights, x.keys)
    for q in 0..<x.queries { normalize(i, q, weights + q * x.keys * size, line) }
    product(
      x.queries, x.valueFeatures, x.keys, weights, x.keys, 1, value.pointer(i), value.rowStride, value.columnStride,
      result, x.valueFeatures)
    apus_copy2d(Runtime.isa, size)!(
      x.queries, x.valueFeatures, result, x.valueFeatures, 1, output.pointer(i), output.rowStride, output.columnStride)
  }

  /// Makes a line of scores into weights.
  private func normalize(_ i: Int, _ q: Int, _ scores: UnsafeMutableRawPointer, _ line: UnsafeMutableRawPointer) {
    let seen = x.isCausal ? min(q + 1, x.keys) : x.keys
    lines.scale(scores, seen, by: x.scale)
    if let mask {
      let (m, stride) = (mask.pointer(i, row: q), mask.columnStride)
      if x.mask?.dtype == .bool {
        lines.bias(m, stride, seen, into: line)
        lines.add(line, 1, to: scores, seen)
      } else {
        lines.add(m, stride, to: scores, seen)
      }
    }
    if mask != nil && lines.isAllHidden(scores, seen) {
      lines.fill(scores, seen, 0)
    } else {
      apus_softmax(Runtime.isa, dtype.kernel)!(seen, scores, 1, scores, 1)
    }
    lines.fill(scores + seen * size, x.keys - seen, 0)
  }
}
