#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// Makes a reflection I − tau v vᵀ, with v[0] = 1, that takes x to (beta, 0, …, 0), and puts v in the place of x.
///
/// The signs are LAPACK's: beta has the opposite sign of x[0], and where nothing has to be done tau is 0.
func reflect<T: MatrixScalar>(_ x: UnsafeMutablePointer<T>, _ count: Int) -> (beta: T, tau: T) {
  let first = Double(x[0])
  x[0] = 1
  var greatest = 0.0
  for i in 1..<max(count, 1) { greatest = max(greatest, abs(Double(x[i]))) }
  guard greatest > 0 else { return (T(first), 0) }
  let scale = max(greatest, abs(first))
  var sum = (first / scale) * (first / scale)
  for i in 1..<count {
    let y = Double(x[i]) / scale
    sum += y * y
  }
  let beta = -copysign(scale * sum.squareRoot(), first)
  let pivot = first - beta
  for i in 1..<count { x[i] = T(Double(x[i]) / pivot) }
  return (T(beta), T((beta - first) / beta))
}

/// Q = H₀ H₁ …, a product of reflections, of which the i-th leaves the first i + `offset` coordinates alone.
struct Reflections<T: MatrixScalar> {
  /// Row i from column i + `offset` on is the i-th reflection's vector, whose first element counts as 1; what is left of it counts as 0.
  let vectors: Matrix<T>
  let taus: UnsafeMutablePointer<T>
  let offset: Int
  let count: Int

  static var blockSize: Int { 32 }

  /// Rows of x ← rows of x times the reflections of `block` in their order, or in the opposite order.
  ///
  /// A block is I − Yᵀ T Y with the vectors as rows of Y and a triangular T (Schreiber and Van Loan, 1989), so that most of it is matrix
  /// products.
  func apply(_ block: Range<Int>, to x: Matrix<T>, isReversed: Bool) {
    let (first, size) = (block.lowerBound + offset, block.count)
    guard size > 0, x.rows > 0 else { return }
    let width = vectors.columns - first
    _ = Matrix<T>.withScratch(size, width) { y in
      for i in 0..<size {
        y.row(i).update(repeating: 0, count: i)
        y[i, i] = 1
        (y.row(i) + i + 1).update(from: vectors.row(block.lowerBound + i, from: first + i + 1), count: width - i - 1)
      }
      _ = Matrix<T>.withScratch(2 * size, size) { squares in
        let (gram, t) = (squares.part(0..<size, 0..<size), squares.part(size..<2 * size, 0..<size))
        gram.setProduct(y, y.transposed)
        t.fill(0)
        for j in 0..<size {
          let tau = taus[block.lowerBound + j]
          t[j, j] = tau
          for i in 0..<j {
            var sum: T = 0
            for k in i..<j { sum += t[i, k] * gram[k, j] }
            t[i, j] = -tau * sum
          }
        }
        _ = Matrix<T>.withScratch(2 * x.rows, size) { products in
          let (a, b) = (products.part(0..<x.rows, 0..<size), products.part(x.rows..<2 * x.rows, 0..<size))
          let touched = x.part(0..<x.rows, first..<vectors.columns)
          a.setProduct(touched, y.transposed)
          b.setProduct(a, isReversed ? t.transposed : t)
          touched.subtractProduct(b, y)
        }
      }
    }
  }

  /// Fills x with the first rows of Qᵀ.
  func formTransposed(_ x: Matrix<T>) {
    x.setIdentity()
    for start in stride(from: 0, to: count, by: Self.blockSize).reversed() {
      // The rows above are still those of the identity, where these reflections change nothing.
      let rows = Swift.min(start + offset, x.rows)..<x.rows
      apply(start..<Swift.min(start + Self.blockSize, count), to: x.part(rows, 0..<x.columns), isReversed: true)
    }
  }
}

extension Matrix {
  /// Q R = selfᵀ: row i of self becomes column i of R, up to the diagonal, and beyond it the vector of the i-th reflection of Q.
  func factorizeQR(taus: UnsafeMutablePointer<T>) -> Reflections<T> {
    let (steps, kernels) = (Swift.min(rows, columns), T.rowKernels)
    let reflections = Reflections(vectors: self, taus: taus, offset: 0, count: steps)
    for start in stride(from: 0, to: steps, by: Reflections<T>.blockSize) {
      let block = start..<Swift.min(start + Reflections<T>.blockSize, steps)
      for j in block {
        let (x, length) = (row(j, from: j), columns - j)
        let (beta, tau) = reflect(x, length)
        taus[j] = tau
        for i in j + 1..<block.upperBound {
          kernels.axpy(length, -Double(tau) * kernels.dot(length, x, row(i, from: j)), x, row(i, from: j))
        }
        self[j, j] = beta
      }
      reflections.apply(block, to: part(block.upperBound..<rows, 0..<columns), isReversed: false)
    }
    return reflections
  }
}
