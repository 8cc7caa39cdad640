extension Matrix {
  /// L with L Lᵀ = self, of which the lower triangle is read, in its place; the upper triangle becomes 0 (by blocks of columns).
  ///
  /// - Returns: 0, or the order of the first leading minor that is not positive.
  func factorizeCholesky() -> Int {
    let (n, dot) = (rows, T.rowKernels.dot!)
    for start in stride(from: 0, to: n, by: 48) {
      let block = start..<Swift.min(start + 48, n)
      // Of row i, the element in column j of the block, whose diagonal is known left of j.
      let remainder = { (i: Int, j: Int) in self[i, j] - T(dot(j - start, row(i, from: start), row(j, from: start))) }
      for i in block {
        for j in start..<i { self[i, j] = remainder(i, j) / self[j, j] }
        let square = remainder(i, i)
        guard square > 0 else { return i + 1 }
        self[i, i] = square.squareRoot()
      }
      let below = block.upperBound..<n
      ThreadPool.shared.forEachChunk(of: below.count, grain: 32) { range in
        for i in range.lowerBound + block.upperBound..<range.upperBound + block.upperBound {
          for j in block { self[i, j] = remainder(i, j) / self[j, j] }
        }
      }
      // Strips of rows, each up to its diagonal.
      for first in stride(from: below.lowerBound, to: n, by: 256) {
        let (strip, left) = (first..<Swift.min(first + 256, n), below.lowerBound..<Swift.min(first + 256, n))
        part(strip, left).subtractProduct(part(strip, block), part(left, block).transposed)
      }
    }
    for i in 0..<n { row(i, from: i + 1).update(repeating: 0, count: n - i - 1) }
    return 0
  }
}
