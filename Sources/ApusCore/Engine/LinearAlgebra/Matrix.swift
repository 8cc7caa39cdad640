import CKernels

/// An element of a matrix that can be factorized.
protocol MatrixScalar: TensorScalar, BinaryFloatingPoint {
  init(_ double: Double)
}

extension Float: MatrixScalar {}
extension Double: MatrixScalar {}

extension MatrixScalar {
  /// The loops over rows of such elements.
  static var rowKernels: apus_row_kernels { apus_rows(Runtime.isa, dtype.kernel)!.pointee }
}

/// A matrix in memory that somebody else holds.
struct Matrix<T: MatrixScalar>: @unchecked Sendable {
  let base: UnsafeMutablePointer<T>
  let rows: Int
  let columns: Int
  let rowStride: Int
  let columnStride: Int

  init(_ base: UnsafeMutablePointer<T>, rows: Int, columns: Int, rowStride: Int? = nil, columnStride: Int = 1) {
    self.base = base
    self.rows = rows
    self.columns = columns
    self.rowStride = rowStride ?? columns
    self.columnStride = columnStride
  }

  subscript(i: Int, j: Int) -> T {
    @inline(__always) get { base[i &* rowStride &+ j &* columnStride] }
    nonmutating set { base[i &* rowStride &+ j &* columnStride] = newValue }
  }

  /// The elements of a row from column `start` on; for matrices whose rows have no gaps.
  @inline(__always)
  func row(_ i: Int, from start: Int = 0) -> UnsafeMutablePointer<T> { base + (i &* rowStride &+ start) }

  func part(_ rowRange: Range<Int>, _ columnRange: Range<Int>) -> Matrix {
    Matrix(
      base + rowRange.lowerBound * rowStride + columnRange.lowerBound * columnStride, rows: rowRange.count,
      columns: columnRange.count, rowStride: rowStride, columnStride: columnStride)
  }

  var transposed: Matrix {
    Matrix(base, rows: columns, columns: rows, rowStride: columnStride, columnStride: rowStride)
  }

  /// Runs `body` with a row-major matrix of working memory, arbitrary in content; nil after a reported error.
  static func withScratch<R>(_ rows: Int, _ columns: Int, _ body: (Matrix) -> R) -> R? {
    let work = TensorData.uninitialized(Dims(rows, columns), T.dtype, for: "linear algebra")
    guard work.isValid else { return nil }
    return withExtendedLifetime(work) {
      body(Matrix(work.base.assumingMemoryBound(to: T.self), rows: rows, columns: columns))
    }
  }
}

// MARK: - Filling

extension Matrix {
  func copy(from source: Matrix) {
    for i in 0..<rows {
      for j in 0..<columns { self[i, j] = source[i, j] }
    }
  }

  func fill(_ value: T) {
    for i in 0..<rows { row(i).update(repeating: value, count: columns) }
  }

  func setIdentity() {
    fill(0)
    for i in 0..<Swift.min(rows, columns) { self[i, i] = 1 }
  }

  func swapRows(_ i: Int, _ j: Int) {
    let (x, y) = (row(i), row(j))
    for k in 0..<columns { swap(&x[k], &y[k]) }
  }

  /// The greatest magnitude; NaN where there is one.
  var greatestMagnitude: T {
    var greatest: T = 0
    for i in 0..<rows {
      for j in 0..<columns {
        let x = Swift.abs(self[i, j])
        if !(x <= greatest) { greatest = x }
        if x.isNaN { return x }
      }
    }
    return greatest
  }

  func scale(by factor: T) {
    for i in 0..<rows {
      for j in 0..<columns { self[i, j] *= factor }
    }
  }
}

// MARK: - Products, where most of the work of large matrices is done

extension Matrix {
  /// self ← a b
  func setProduct(_ a: Matrix, _ b: Matrix) {
    guard rows > 0, columns > 0 else { return }
    MatrixProduct(
      m: rows, n: columns, k: a.columns, a: (a.rowStride, a.columnStride), b: (b.rowStride, b.columnStride), ldc: rowStride,
      dtype: T.dtype
    ).run(a.base, b.base, base, .none(T.dtype))
  }

  /// self ← self − a b
  func subtractProduct(_ a: Matrix, _ b: Matrix) {
    guard rows > 0, columns > 0, a.columns > 0 else { return }
    _ = Matrix.withScratch(rows, columns) { product in
      product.setProduct(a, b)
      let axpy = T.rowKernels.axpy!
      ThreadPool.shared.forEachChunk(of: rows, grain: Swift.max(1, StridedLoop.grain / columns)) { range in
        for i in range { axpy(columns, -1, product.row(i), row(i)) }
      }
    }
  }
}
