import CKernels

extension CPUBackend {
  /// The tensor reads as [outer, axis, inner] in the order of its memory; a row of `inner` elements is a sum of such rows.
  package func sparseProduct(_ map: SparseMap, _ x: TensorData, axis: Int) -> TensorData {
    if x.dtype.isHalf { return sparseProduct(map, x.cast(.float32), axis: axis).cast(x.dtype) }
    let order = x.axisOrder
    let x = x.arranged(order)
    let y = TensorData.uninitialized(
      x.shape.replacing(axis, with: map.output), x.dtype, axisOrder: order, for: "sparseMap")
    guard x.isValid, y.isValid, y.count > 0 else { return y }
    let width = order.suffix(from: order.firstIndex(of: axis)! + 1).reduce(1) { $0 * x.shape[$1] }
    let kernel = apus_sparse_rows(Runtime.isa, x.dtype.kernel)!
    let (size, rows, rowsIn) = (x.dtype.itemSize, map.output, x.shape[axis])
    let (from, to) = (UnsafeRawPointer(x.base), y.base)
    let grain = max(1, StridedLoop.grain / (width * max(1, map.columns.count / rows)))
    ThreadPool.shared.forEachChunk(of: y.count / width, grain: grain) { range in
      var next = range.lowerBound
      while next < range.upperBound {
        let (slab, row) = (next / rows, next % rows)
        let count = min(rows - row, range.upperBound - next)
        kernel(
          row, count, width, map.starts, map.columns, map.weights, from + slab * rowsIn * width * size, to + next * width * size)
        next += count
      }
    }
    return y
  }
}
