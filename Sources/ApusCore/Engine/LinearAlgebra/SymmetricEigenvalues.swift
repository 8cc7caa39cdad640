#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

extension Matrix {
  /// Eigenvalues of self, a symmetric matrix with all its elements, in ascending order, and eigenvectors as the rows of `vectors`, where those
  /// are wanted. Destroys self.
  ///
  /// Householder's reduction to three diagonals, then the QL method with implicit shifts (Golub and Van Loan, "Matrix Computations", 8.3): errors
  /// are a small multiple of the greatest eigenvalue's last digit.
  ///
  /// - Returns: whether the iteration converged.
  func eigenvalues(into values: UnsafeMutablePointer<T>, vectors: Matrix?) -> Bool {
    let n = rows
    guard n > 0 else { return true }
    // By a power of 2, so that squares neither overflow nor vanish.
    let magnitude = greatestMagnitude
    guard magnitude.isFinite else { return false }
    let exponent = Swift.max(magnitude, .leastNormalMagnitude).exponent
    scale(by: T(sign: .plus, exponent: -exponent, significand: 1))
    let converged = Matrix.withScratch(n, n + 3) { work -> Bool in
      let reflectors = Matrix(work.base, rows: n, columns: n)
      let taus = work.base + n * n
      var (diagonal, beside) = tridiagonalize(reflectors, taus, taus + n, taus + 2 * n)
      guard let vectors else {
        var rotations = Rotations<T>(of: nil)
        guard tridiagonalQL(&diagonal, &beside, Double(T.ulpOfOne), &rotations) else { return false }
        for (i, value) in diagonal.sorted().enumerated() { values[i] = T(value) }
        return true
      }
      return Matrix.withScratch(n, n) { found in
        Reflections(vectors: reflectors, taus: taus, offset: 1, count: n - 1).formTransposed(found)
        var rotations = Rotations<T>(of: found)
        guard tridiagonalQL(&diagonal, &beside, Double(T.ulpOfOne), &rotations) else { return false }
        rotations.apply()
        for (i, k) in diagonal.indices.sorted(by: { (diagonal[$0], $0) < (diagonal[$1], $1) }).enumerated() {
          values[i] = T(diagonal[k])
          vectors.row(i).update(from: found.row(k), count: n)
        }
        return true
      } ?? false
    }
    for i in 0..<n { values[i] *= T(sign: .plus, exponent: exponent, significand: 1) }
    return converged ?? false
  }

  /// Qᵀ self Q with three diagonals, of which the main one and the one beside it are returned; the vectors of Q's reflections go to the rows of
  /// `reflectors`.
  ///
  /// Each step's change of the matrix, of rank two, waits for the next step, whose product of matrix and vector goes over the same rows. So each
  /// step reads and writes the rest of the matrix once.
  private func tridiagonalize(
    _ reflectors: Matrix, _ taus: UnsafeMutablePointer<T>, _ first: UnsafeMutablePointer<T>, _ second: UnsafeMutablePointer<T>
  ) -> (diagonal: [Double], beside: [Double]) {
    let (n, kernels) = (rows, T.rowKernels)
    var (diagonal, beside) = ([Double](repeating: 0, count: n), [Double](repeating: 0, count: n))
    // What waits: self − v wᵀ − w vᵀ.
    var (w, next) = (first, second)
    w.update(repeating: 0, count: n)
    reflectors.row(0).update(repeating: 0, count: n)
    for k in 0..<n {
      let v = reflectors.row(max(k - 1, 0))
      let x = row(k)
      for j in k..<n { x[j] -= v[k] * w[j] + w[k] * v[j] }
      diagonal[k] = Double(x[k])
      guard k + 1 < n else { break }
      let (start, count) = (k + 1, n - k - 1)
      let (beta, tau) = reflect(x + start, count)
      (beside[k], taus[k]) = (Double(beta), tau)
      let sums = next
      ThreadPool.shared.forEachChunk(of: count, grain: Swift.max(1, StridedLoop.grain / count)) { range in
        for i in range.lowerBound + start..<range.upperBound + start {
          sums[i] =
            tau
            * T(
              kernels.update(count, -Double(v[i]), w + start, -Double(w[i]), v + start, x + start, row(i, from: start)))
        }
      }
      let u = reflectors.row(k)
      u.update(repeating: 0, count: start)
      (u + start).update(from: x + start, count: count)
      kernels.axpy(count, -0.5 * Double(tau) * kernels.dot(count, sums + start, u + start), u + start, sums + start)
      (w, next) = (sums, w)
    }
    return (diagonal, beside)
  }
}

/// The QL method with implicit shifts on a symmetric matrix of three diagonals, of which the second stands from index 0 in `beside`.
///
/// - Parameters:
///   - epsilon: what an element beside the diagonal may be, relative to its neighbours on it, to count as 0.
///   - rotations: takes those of the vectors.
/// - Returns: whether it converged.
private func tridiagonalQL<T>(
  _ diagonal: inout [Double], _ beside: inout [Double], _ epsilon: Double, _ rotations: inout Rotations<T>
) -> Bool {
  let n = diagonal.count
  for l in 0..<n {
    var iterations = 0
    while true {
      var m = l
      while m < n - 1, !(abs(beside[m]) <= epsilon * (abs(diagonal[m]) + abs(diagonal[m + 1]))) { m += 1 }
      if m == l { break }
      iterations += 1
      guard iterations <= 100 else { return false }
      // Wilkinson's shift: the eigenvalue of the corner that is nearer to its first element.
      var g = (diagonal[l + 1] - diagonal[l]) / (2 * beside[l])
      g = diagonal[m] - diagonal[l] + beside[l] / (g + copysign(hypot(g, 1), g))
      var (sine, cosine, shift) = (1.0, 1.0, 0.0)
      var i = m - 1
      while i >= l {
        let (f, b) = (sine * beside[i], cosine * beside[i])
        let rotation = givens(g, f)
        beside[i + 1] = rotation.length
        if rotation.length == 0 {
          diagonal[i + 1] -= shift
          beside[m] = 0
          break
        }
        (cosine, sine) = (rotation.cosine, rotation.sine)
        g = diagonal[i + 1] - shift
        let r = (diagonal[i] - g) * sine + 2 * cosine * b
        shift = sine * r
        diagonal[i + 1] = g + shift
        g = cosine * r - b
        rotations.rotate(i, i + 1, cosine: cosine, sine: -sine)
        i -= 1
      }
      if i >= l { continue }
      diagonal[l] -= shift
      beside[l] = g
      beside[m] = 0
    }
  }
  return true
}
