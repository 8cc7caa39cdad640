/// Plane rotations of pairs of rows that wait to be applied together.
///
/// The iterations for eigenvalues and singular values look at two diagonals only; the vectors follow. Applied one by one, the rotations would
/// read the vectors from memory a thousand times. Here some ten thousand rotations go over a few columns after the other, which stay in the
/// cache, and the threads share the columns.
struct Rotations<T: MatrixScalar> {
  /// The rows to rotate; nil where nobody wants the vectors.
  let target: Matrix<T>?
  private var waiting: [(i: Int32, j: Int32, cosine: Double, sine: Double)] = []

  init(of target: Matrix<T>?) { self.target = target }

  /// Row i becomes c · row i + s · row j, and row j becomes c · row j − s · row i.
  mutating func rotate(_ i: Int, _ j: Int, cosine: Double, sine: Double) {
    guard target != nil else { return }
    waiting.append((Int32(i), Int32(j), cosine, sine))
    if waiting.count == 1 << 15 { apply() }
  }

  /// Applies what is waiting.
  mutating func apply() {
    guard let target else { return }
    let (kernel, waiting) = (T.rowKernels.rotate!, waiting)
    ThreadPool.shared.forEachChunk(of: target.columns, grain: 128) { range in
      for r in waiting {
        let (x, y) = (target.row(Int(r.i), from: range.lowerBound), target.row(Int(r.j), from: range.lowerBound))
        kernel(range.count, r.cosine, -r.sine, x, y)
      }
    }
    self.waiting.removeAll(keepingCapacity: true)
  }
}

/// A rotation (c, s) with c x + s y = length and c y − s x = 0.
func givens(_ x: Double, _ y: Double) -> (cosine: Double, sine: Double, length: Double) {
  let length = (x * x + y * y).squareRoot()
  // Far from 1 the squares lose digits or overflow.
  if length > 1e-140 && length < 1e140 { return (x / length, y / length, length) }
  let scale = max(abs(x), abs(y))
  guard scale > 0, scale.isFinite else { return (1, 0, scale) }
  let inner = givens(x / scale, y / scale)
  return (inner.cosine, inner.sine, inner.length * scale)
}
