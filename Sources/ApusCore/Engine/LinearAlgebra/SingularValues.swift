#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

extension Matrix {
  /// Singular values of self, which has no fewer rows than columns, in descending order; where the vectors are wanted, those on the left as the
  /// rows of `left` and those on the right as the rows of `right`. Destroys self.
  ///
  /// Reduction to two diagonals, then the QR method with implicit shifts (Golub and Kahan, 1965; Golub and Van Loan, "Matrix Computations", 8.6):
  /// errors are a small multiple of the greatest singular value's last digit.
  ///
  /// - Returns: whether the iteration converged.
  func singularValues(into values: UnsafeMutablePointer<T>, left: Matrix?, right: Matrix?) -> Bool {
    let (m, n) = (rows, columns)
    guard n > 0 else { return true }
    let magnitude = greatestMagnitude
    guard magnitude.isFinite else { return false }
    let exponent = Swift.max(magnitude, .leastNormalMagnitude).exponent
    scale(by: T(sign: .plus, exponent: -exponent, significand: 1))
    let converged = Matrix.withScratch(n, m + n + 2) { work -> Bool in
      let reflectors = (Matrix(work.base, rows: n, columns: m), Matrix(work.base + n * m, rows: n, columns: n))
      let taus = (work.base + n * (m + n), work.base + n * (m + n + 1))
      var (diagonal, above) = bidiagonalize(reflectors.0, taus.0, reflectors.1, taus.1)
      guard let left, let right else {
        var (none, nothing) = (Rotations<T>(of: nil), Rotations<T>(of: nil))
        guard bidiagonalQR(&diagonal, &above, Double(T.ulpOfOne), &none, &nothing) else { return false }
        for (i, value) in diagonal.map({ Swift.abs($0) }).sorted(by: >).enumerated() { values[i] = T(value) }
        return true
      }
      return Matrix.withScratch(n, m + n) { found in
        let (us, vs) = (Matrix(found.base, rows: n, columns: m), Matrix(found.base + n * m, rows: n, columns: n))
        Reflections(vectors: reflectors.0, taus: taus.0, offset: 0, count: n).formTransposed(us)
        Reflections(vectors: reflectors.1, taus: taus.1, offset: 1, count: n - 1).formTransposed(vs)
        var (ofLeft, ofRight) = (Rotations<T>(of: us), Rotations<T>(of: vs))
        guard bidiagonalQR(&diagonal, &above, Double(T.ulpOfOne), &ofLeft, &ofRight) else { return false }
        ofLeft.apply()
        ofRight.apply()
        let order = diagonal.indices.sorted { (-Swift.abs(diagonal[$0]), $0) < (-Swift.abs(diagonal[$1]), $1) }
        for (i, k) in order.enumerated() {
          values[i] = T(Swift.abs(diagonal[k]))
          left.row(i).update(from: us.row(k), count: m)
          right.row(i).update(from: vs.row(k), count: n)
          if diagonal[k] < 0 { right.part(i..<i + 1, 0..<n).scale(by: -1) }
        }
        return true
      } ?? false
    }
    for i in 0..<n { values[i] *= T(sign: .plus, exponent: exponent, significand: 1) }
    return converged ?? false
  }

  /// Pᵀ self Q with two diagonals, which are returned; the vectors of the reflections of P and Q go to the rows of `left` and `right`.
  private func bidiagonalize(
    _ left: Matrix, _ leftTaus: UnsafeMutablePointer<T>, _ right: Matrix, _ rightTaus: UnsafeMutablePointer<T>
  ) -> (diagonal: [Double], above: [Double]) {
    let (m, n, kernels) = (rows, columns, T.rowKernels)
    var (diagonal, above) = ([Double](repeating: 0, count: n), [Double](repeating: 0, count: n))
    _ = Matrix.withScratch(1, n) { products in
      for k in 0..<n {
        let v = left.row(k)
        for i in k..<m { v[i] = self[i, k] }
        let (beta, tau) = reflect(v + k, m - k)
        (diagonal[k], leftTaus[k]) = (Double(beta), tau)
        let (start, count) = (k + 1, n - k - 1)
        guard count > 0 else { break }
        // w = tau · vᵀ self, which the reflection takes off times v.
        let w = products.part(0..<1, start..<n)
        w.setProduct(left.part(k..<start, k..<m), part(k..<m, start..<n))
        w.scale(by: tau)
        kernels.axpy(count, -1, w.base, row(k, from: start))
        let u = right.row(k, from: start)
        u.update(from: row(k, from: start), count: count)
        let (beside, rightTau) = reflect(u, count)
        (above[k], rightTaus[k]) = (Double(beside), rightTau)
        // Both reflections on the rows below, in one pass.
        let below = start..<m
        ThreadPool.shared.forEachChunk(of: below.count, grain: Swift.max(1, StridedLoop.grain / count)) { range in
          for i in range.lowerBound + start..<range.upperBound + start {
            let x = row(i, from: start)
            let product = kernels.update(count, -Double(v[i]), w.base, 0, w.base, u, x)
            kernels.axpy(count, -Double(rightTau) * product, u, x)
          }
        }
      }
    }
    return (diagonal, above)
  }
}

/// The QR method with implicit shifts on a matrix of two diagonals, `above[k]` being right of `diagonal[k]`.
///
/// - Parameters:
///   - epsilon: what an element above the diagonal may be, relative to its neighbours on it, to count as 0.
///   - left: takes the rotations of the vectors on the left.
///   - right: takes those on the right.
/// - Returns: whether it converged; `diagonal` then holds the singular values, with signs and in no order.
private func bidiagonalQR<T>(
  _ diagonal: inout [Double], _ above: inout [Double], _ epsilon: Double, _ left: inout Rotations<T>, _ right: inout Rotations<T>
) -> Bool {
  var last = diagonal.count - 1
  var iterations = 0
  let norm = zip(diagonal, above).reduce(0.0) { Swift.max($0, Swift.max(abs($1.0), abs($1.1))) }
  let vanishing = norm * epsilon * Double.ulpOfOne
  while last > 0 {
    // The block from `first` to `last` has no zero above its diagonal.
    var first = last
    while first > 0, !(abs(above[first - 1]) <= epsilon * (abs(diagonal[first - 1]) + abs(diagonal[first]))) { first -= 1 }
    if first > 0 { above[first - 1] = 0 }
    if first == last {
      last -= 1
      iterations = 0
      continue
    }
    iterations += 1
    guard iterations <= 100 else { return false }
    if let zero = (first...last).first(where: { abs(diagonal[$0]) <= vanishing }) {
      diagonal[zero] = 0
      if zero < last {
        chaseRow(zero, last, &diagonal, &above, &left)
      } else {
        chaseColumn(first, last, &diagonal, &above, &right)
      }
      continue
    }
    var y = diagonal[first] - shift(first, last, diagonal, above) / diagonal[first]
    var z = above[first]
    for k in first..<last {
      var rotation = givens(y, z)
      var (c, s) = (rotation.cosine, rotation.sine)
      if k > first { above[k - 1] = rotation.length }
      y = c * diagonal[k] + s * above[k]
      above[k] = c * above[k] - s * diagonal[k]
      z = s * diagonal[k + 1]
      diagonal[k + 1] *= c
      right.rotate(k, k + 1, cosine: c, sine: s)
      rotation = givens(y, z)
      (c, s) = (rotation.cosine, rotation.sine)
      diagonal[k] = rotation.length
      y = c * above[k] + s * diagonal[k + 1]
      diagonal[k + 1] = c * diagonal[k + 1] - s * above[k]
      if k + 1 < last {
        z = s * above[k + 1]
        above[k + 1] *= c
      }
      left.rotate(k, k + 1, cosine: c, sine: s)
    }
    above[last - 1] = y
  }
  return true
}

/// Wilkinson's shift: of the last two rows and columns of BᵀB, the eigenvalue nearer to the last element.
private func shift(_ first: Int, _ last: Int, _ diagonal: [Double], _ above: [Double]) -> Double {
  let (f, g, h) = (diagonal[last - 1], above[last - 1], diagonal[last])
  let before = last - 1 > first ? above[last - 2] : 0
  let (corner, beside, end) = (f * f + before * before, f * g, h * h + g * g)
  let half = (corner - end) / 2
  let divisor = half + copysign(hypot(half, beside), half)
  return divisor == 0 ? end : end - beside * beside / divisor
}

/// Takes the element right of a zero on the diagonal out of row `zero`, through all columns up to `last`.
private func chaseRow<T>(
  _ zero: Int, _ last: Int, _ diagonal: inout [Double], _ above: inout [Double], _ left: inout Rotations<T>
) {
  var moving = above[zero]
  above[zero] = 0
  for k in zero + 1...last {
    let (c, s, length) = givens(diagonal[k], moving)
    diagonal[k] = length
    left.rotate(k, zero, cosine: c, sine: s)
    guard k < last else { break }
    moving = -s * above[k]
    above[k] *= c
  }
}

/// Takes the element above a zero at the end of the diagonal out of column `last`, through all rows up to `first`.
private func chaseColumn<T>(
  _ first: Int, _ last: Int, _ diagonal: inout [Double], _ above: inout [Double], _ right: inout Rotations<T>
) {
  var moving = above[last - 1]
  above[last - 1] = 0
  for k in (first..<last).reversed() {
    let (c, s, length) = givens(diagonal[k], moving)
    diagonal[k] = length
    right.rotate(k, last, cosine: c, sine: s)
    guard k > first else { break }
    moving = -s * above[k - 1]
    above[k - 1] *= c
  }
}
