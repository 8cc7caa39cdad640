extension Matrix {
  /// P L U = self by rows that are exchanged for the sake of the greatest pivot: U on and above the diagonal, L, whose diagonal is 1, below
  /// (Golub and Van Loan, "Matrix Computations", 3.4.6, by blocks of columns).
  ///
  /// - Parameter pivots: for each step the row, counted from 1, that changed places with the row of the step.
  /// - Returns: 0, or the first step, counted from 1, whose pivot is 0.
  func factorizeLU(pivots: UnsafeMutablePointer<Int32>) -> Int {
    let (steps, axpy) = (Swift.min(rows, columns), T.rowKernels.axpy!)
    var firstZero = 0
    for start in stride(from: 0, to: steps, by: 48) {
      let panel = start..<Swift.min(start + 48, steps)
      for j in panel {
        var (best, greatest) = (j, Swift.abs(self[j, j]))
        for i in j + 1..<rows where Swift.abs(self[i, j]) > greatest {
          (best, greatest) = (i, Swift.abs(self[i, j]))
        }
        pivots[j] = Int32(best + 1)
        if best != j { swapRows(best, j) }
        let pivot = self[j, j]
        if pivot == 0 {
          if firstZero == 0 { firstZero = j + 1 }
          continue
        }
        let count = panel.upperBound - j - 1
        for i in j + 1..<rows {
          let factor = self[i, j] / pivot
          self[i, j] = factor
          if count > 0, factor != 0 { axpy(count, Double(-factor), row(j, from: j + 1), row(i, from: j + 1)) }
        }
      }
      let (below, right) = (panel.upperBound..<rows, panel.upperBound..<columns)
      let top = part(panel, right)
      top.solve(triangular: part(panel, panel), isLower: true, isUnit: true)
      part(below, right).subtractProduct(part(below, panel), top)
    }
    return firstZero
  }
}
