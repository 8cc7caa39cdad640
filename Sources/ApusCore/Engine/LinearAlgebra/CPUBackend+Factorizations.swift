extension CPUBackend {
  package func factorize(_ x: TensorData, _ kind: Factorization) -> Factorized {
    x.dtype == .float64 ? factorize(x, kind, Double.self) : factorize(x, kind, Float.self)
  }

  private func factorize<T: MatrixScalar>(_ x: TensorData, _ kind: Factorization, _: T.Type) -> Factorized {
    let source = MatrixStack<T>(x)
    let (m, n) = (source.rows, source.columns)
    let batch = Array(x.shape.dropLast(2))
    let y = TensorData.uninitialized(Dims(batch + kind.shape(m, n)), x.dtype, for: "linear algebra")
    let pivots = TensorData.uninitialized(Dims(batch + [kind.hasPivots ? min(m, n) : 0]), .int32, for: "linear algebra")
    guard y.isValid, pivots.isValid else { return Factorized(result: .invalid, pivots: .invalid, failures: []) }
    guard y.count > 0 else { return Factorized(result: y, pivots: pivots, failures: []) }
    let size = kind.shape(m, n).reduce(1, *)
    let steps = pivots.shape.last ?? 0
    let results = y.base.assumingMemoryBound(to: T.self)
    let exchanges = pivots.base.assumingMemoryBound(to: Int32.self)
    let failures = [Int](unsafeUninitializedCapacity: source.count) { failures, count in
      let failure = failures.baseAddress!
      source.forEach(cost: m * n * min(m, n)) { i, a in
        failure[i] = kind.run(a, results + i * size, exchanges + i * steps)
      }
      count = source.count
    }
    return Factorized(result: y, pivots: pivots, failures: failures)
  }

  package func solveTriangular(_ a: TensorData, _ b: TensorData, isLower: Bool, isUnit: Bool) -> TensorData {
    let y = copy(b, to: b.dtype)
    guard y.isValid, y.count > 0 else { return y }
    func run<T: MatrixScalar>(_: T.Type) {
      let (n, p) = (b.shape[b.rank - 2], b.shape[b.rank - 1])
      let to = SendablePointer(y.base)
      MatrixStack<T>(a).forEach(cost: n * n * p) { i, a in
        Matrix(to.pointer.assumingMemoryBound(to: T.self) + i * n * p, rows: n, columns: p)
          .solve(triangular: a, isLower: isLower, isUnit: isUnit)
      }
    }
    if b.dtype == .float64 { run(Double.self) } else { run(Float.self) }
    return y
  }
}

/// The matrices of the last two axes of a tensor.
private struct MatrixStack<T: MatrixScalar> {
  let first: Matrix<T>
  let walk: AxisWalk
  let count: Int

  var rows: Int { first.rows }
  var columns: Int { first.columns }

  init(_ x: TensorData) {
    let rank = x.rank
    first = Matrix(
      x.base.assumingMemoryBound(to: T.self), rows: x.shape[rank - 2], columns: x.shape[rank - 1],
      rowStride: x.strides[rank - 2], columnStride: x.strides[rank - 1])
    walk = AxisWalk(x, axes: 0..<rank - 2)
    count = walk.count
  }

  private subscript(i: Int) -> Matrix<T> {
    Matrix(
      first.base + (count == 1 ? 0 : walk.offset(i)), rows: rows, columns: columns, rowStride: first.rowStride,
      columnStride: first.columnStride)
  }

  /// Calls `body` with each matrix and its number; many small ones are shared among the threads, few are left to the threads inside.
  func forEach(cost: Int, _ body: (Int, Matrix<T>) -> Void) {
    if count < 4 {
      for i in 0..<count { body(i, self[i]) }
    } else {
      ThreadPool.shared.forEachChunk(of: count, grain: max(1, (1 << 14) / max(1, cost))) { range in
        for i in range { body(i, self[i]) }
      }
    }
  }
}

// MARK: - One matrix

extension Factorization {
  /// Writes the factorization of `a` to `y` as `shape` says.
  ///
  /// - Returns: 0, or what went wrong.
  fileprivate func run<T: MatrixScalar>(
    _ a: Matrix<T>, _ y: UnsafeMutablePointer<T>, _ pivots: UnsafeMutablePointer<Int32>
  ) -> Int {
    let (m, n) = (a.rows, a.columns)
    switch self {
    case .cholesky:
      let factor = Matrix(y, rows: n, columns: n)
      factor.copy(from: a)
      return factor.factorizeCholesky()
    case .lu:
      let factor = Matrix(y, rows: m, columns: n)
      factor.copy(from: a)
      return factor.factorizeLU(pivots: pivots)
    case .qr(let isComplete):
      return Matrix<T>.withScratch(n, m + 1) { work in
        let columns = Matrix(work.base, rows: n, columns: m)
        columns.copy(from: a.transposed)
        let count = isComplete ? m : min(m, n)
        let reflections = columns.factorizeQR(taus: work.base + n * m)
        reflections.formTransposed(Matrix(y, rows: count, columns: m))
        let r = Matrix(y + count * m, rows: n, columns: count)
        r.fill(0)
        for j in 0..<n { r.row(j).update(from: columns.row(j), count: min(j + 1, count)) }
        return 0
      } ?? 0
    case .eigh(let wantsVectors):
      return Matrix<T>.withScratch(n, n) { work in
        // The lower triangle stands for both.
        for i in 0..<n {
          for j in 0...i {
            work[i, j] = a[i, j]
            work[j, i] = a[i, j]
          }
        }
        return work.eigenvalues(into: y, vectors: wantsVectors ? Matrix(y + n, rows: n, columns: n) : nil) ? 0 : 1
      } ?? 0
    case .svd(let wantsVectors):
      return Matrix<T>.withScratch(m, n) { work in
        work.copy(from: a)
        return work.singularValues(
          into: y, left: wantsVectors ? Matrix(y + n, rows: n, columns: m) : nil,
          right: wantsVectors ? Matrix(y + n + n * m, rows: n, columns: n) : nil) ? 0 : 1
      } ?? 0
    }
  }
}
