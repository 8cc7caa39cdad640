/// What `qr` makes of a matrix `[m, n]`.
public enum QRMode: Sendable, CaseIterable {
  /// Q `[m, k]` and R `[k, n]` with k = min(m, n).
  case reduced
  /// A square Q `[m, m]`, and R `[m, n]`.
  case complete
  /// R `[k, n]` alone; Q is an empty vector.
  case r
}

extension Tensor {
  /// Q R = A for matrices `[…, m, n]`: Q with orthonormal columns, R an upper triangle, whose diagonal may have either sign.
  ///
  /// - Returns: see `QRMode`. Gradients exist where the first min(m, n) columns are independent. A complete Q of a matrix with more rows than
  ///   columns has none: its last columns could be others.
  /// - Complexity: O(m n min(m, n)) by Householder's reflections, most of it in matrix products. The gradient: Roberts and Roberts, "QR and
  ///   LQ decomposition matrix backpropagation algorithms", 2020.
  public func qr(_ mode: QRMode = .reduced) -> (Q: Tensor, R: Tensor) {
    guard let a = matrices(for: "qr") else { return (.invalid, .invalid) }
    let (m, n) = (a.shape[-2], a.shape[-1])
    if m < n, a.requiresGrad, isGradEnabled {
      // The columns beyond the square corner decide about nothing.
      let (q, corner) = a.narrow(dim: -1, start: 0, count: m).qr()
      let rest = inFullPrecision { q.mT.matmul(a.narrow(dim: -1, start: m, count: n - m)) }
      return (mode == .r ? Tensor.zeros([0], dtype: a.dtype) : q, cat([corner, rest], dim: -1))
    }
    let kind = Factorization.qr(isComplete: mode == .complete)
    let y = recorded(
      a.factorized(kind).result, .named("qr"),
      .fromOutput { dy, y in
        guard check(mode != .complete || m <= n, .autograd, "qr", "a complete Q of \(m) rows and \(n) columns has no gradient")
        else {
          return [.invalid]
        }
        let (q, r) = (kind.split(y, m, n)[0].mT, kind.split(y, m, n)[1].mT)
        let (dq, dr) = (kind.split(dy, m, n)[0].mT, kind.split(dy, m, n)[1].mT)
        let inner = dr.matmul(r.mT) - q.mT.matmul(dq)
        let symmetric = inner.triu() + inner.triu(diagonal: 1).mT
        return [r.mT.solveTriangular(q.matmul(symmetric) + dq, upper: false, left: false)]
      }, a)
    guard y.isValid else { return (.invalid, .invalid) }
    let parts = kind.split(y, m, n)
    return (mode == .r ? Tensor.zeros([0], dtype: a.dtype) : parts[0].mT, parts[1].mT)
  }
}
