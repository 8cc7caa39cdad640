extension Matrix {
  /// self ← a⁻¹ self for a triangular matrix of which only that triangle is read; with `isUnit` its diagonal counts as ones.
  ///
  /// By blocks of rows: inside a block row after row, and what a block means for all later rows as one matrix product.
  func solve(triangular a: Matrix, isLower: Bool, isUnit: Bool) {
    guard columns > 0 else { return }
    let (n, axpy) = (rows, T.rowKernels.axpy!)
    let starts = Array(stride(from: 0, to: n, by: Self.solvedRows))
    for start in isLower ? starts : starts.reversed() {
      let block = start..<Swift.min(start + Self.solvedRows, n)
      ThreadPool.shared.forEachChunk(of: columns, grain: 512) { chunk in
        let first = chunk.lowerBound
        for step in 0..<block.count {
          let i = isLower ? block.lowerBound + step : block.upperBound - 1 - step
          for j in isLower ? block.lowerBound..<i : i + 1..<block.upperBound {
            axpy(chunk.count, Double(-a[i, j]), row(j, from: first), row(i, from: first))
          }
          guard !isUnit else { continue }
          let (x, pivot) = (row(i, from: first), a[i, i])
          for k in 0..<chunk.count { x[k] /= pivot }
        }
      }
      let rest = isLower ? block.upperBound..<n : 0..<block.lowerBound
      part(rest, 0..<columns).subtractProduct(a.part(rest, block), part(block, 0..<columns))
    }
  }

  private static var solvedRows: Int { 48 }
}
