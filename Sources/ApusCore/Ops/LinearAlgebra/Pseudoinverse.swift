extension Tensor {
  /// The Moore-Penrose inverse `[…, n, m]` of matrices `[…, m, n]`: singular values up to max(atol, rtol · the greatest) count as 0.
  ///
  /// - Parameters:
  ///   - atol: 0 unless given.
  ///   - rtol: max(m, n) times the dtype's epsilon unless given, and 0 where only `atol` is.
  ///   - hermitian: whether the matrices are symmetric: then the lower triangle is read, and eigenvalues serve.
  /// - Returns: the gradient is exact where the rank does not change (Golub and Pereyra, 1973).
  public func pinv(atol: Double? = nil, rtol: Double? = nil, hermitian: Bool = false) -> Tensor {
    guard let a = hermitian ? squareMatrices(for: "pinv") : matrices(for: "pinv") else { return .invalid }
    let y = noGrad {
      inFullPrecision {
        let (u, s, vh) = hermitian ? a.detach().symmetricSVD() : a.detach().svd(fullMatrices: false)
        guard s.isValid else { return s }
        let isZero = s.abs() .<= a.tolerance(s, atol, rtol)
        let reciprocals = (1 / s.maskedFill(isZero, 1)).maskedFill(isZero, 0)
        return vh.mT.matmul(reciprocals.unsqueeze(dim: -1) * u.mT)
      }
    }
    guard y.isValid else { return y }
    return recorded(
      y.data, .named("pinv"),
      .fromBoth { dy, y, x in
        let a = x[0]
        let k = dy.mT.matmul(y)
        let ky = k.matmul(y.mT)
        let inside = ky - y.matmul(k).mT - a.matmul(y.matmul(ky))
        return [inside + y.mT.matmul(y.matmul(dy.mT - k.matmul(a)))]
      }, a)
  }

  /// U, S and Vᵀ of symmetric matrices with the eigenvalues, which have signs, for S.
  private func symmetricSVD() -> (U: Tensor, S: Tensor, Vh: Tensor) {
    let (values, vectors) = eigh()
    return values.isValid ? (vectors, values, vectors.mT) : (.invalid, .invalid, .invalid)
  }

  /// What counts as 0 among the singular values `s` of these matrices: `[…, 1]`.
  private func tolerance(_ s: Tensor, _ atol: Double?, _ rtol: Double?) -> Tensor {
    guard s.shape[-1] > 0 else { return Tensor.zeros([], dtype: dtype) }
    let relative = rtol ?? (atol ?? 0 > 0 ? 0 : Double(Swift.max(shape[-2], shape[-1])) * (dtype.epsilon ?? 0))
    return (s.abs().amax(dims: [-1], keepDim: true) * relative).clamp(min: atol ?? 0)
  }

  /// The number (int64, `[…]`) of singular values above a tolerance; see `pinv` for the parameters.
  public func matrixRank(atol: Double? = nil, rtol: Double? = nil, hermitian: Bool = false) -> Tensor {
    guard let a = hermitian ? squareMatrices(for: "matrixRank") : matrices(for: "matrixRank") else { return .invalid }
    let s = noGrad { hermitian ? a.detach().eigvalsh().abs() : a.detach().svdvals() }
    return s.isValid ? (s .> a.tolerance(s, atol, rtol)).sum(dim: -1) : .invalid
  }
}

/// How `lstsq` solves.
public enum LeastSquaresMethod: Sendable {
  /// By singular values, for matrices of any rank.
  case svd
  /// By QR factorization, for matrices whose rank is min(m, n): a few times faster.
  case qr
}

extension Tensor {
  /// X with the least sum of squares ‖A X − B‖², and of those the least ‖X‖²: self is A, `[…, m, n]`.
  ///
  /// - Parameters:
  ///   - b: `[…, m, k]`, whose batch broadcasts with that of A; or a batch of vectors of exactly the batch of A.
  ///   - rcond: singular values up to `rcond` times the greatest count as 0; max(m, n) times the dtype's epsilon unless given. Of no account to `.qr`.
  ///   - method: `.qr` where the rank is known to be full.
  /// - Returns: the solution `[…, n, k]`; the sums of squares `[…, k]`, where m > n and the rank is n everywhere, else an empty vector; with `.svd` the rank
  ///   (int64, `[…]`) and the singular values `[…, min(m, n)]`, else empty vectors. Solution and residuals have gradients.
  public func lstsq(_ b: Tensor, rcond: Double? = nil, method: LeastSquaresMethod = .svd) -> (
    solution: Tensor, residuals: Tensor, rank: Tensor, singularValues: Tensor
  ) {
    let name = "lstsq"
    let nothing = (Tensor.invalid, Tensor.invalid, Tensor.invalid, Tensor.invalid)
    guard let a = matrices(for: name), let b = b.precise(for: name) else { return nothing }
    if a.takesAsVectors(b) {
      let found = a.lstsq(b.unsqueeze(dim: -1), rcond: rcond, method: method)
      guard found.solution.isValid else { return nothing }
      return (
        found.solution.squeeze(dim: -1), found.residuals, found.rank, found.singularValues
      )
    }
    let (m, n) = (a.shape[-2], a.shape[-1])
    guard let b = b.matrices(for: name), a.fits(b, name),
      check(m == b.shape[-2], .shape, name, "\(a.shape) and \(b.shape): sizes \(m) and \(b.shape[-2]) differ")
    else { return nothing }
    return inFullPrecision {
      let empty = Tensor.zeros([0], dtype: a.dtype)
      var (x, rank, s) = (Tensor.invalid, Tensor.zeros([0], dtype: .int64), empty)
      switch method {
      case .qr where m >= n:
        let (q, r) = a.qr()
        x = r.solveTriangular(q.mT.matmul(b), upper: true)
      case .qr:
        let (q, r) = a.mT.qr()
        x = q.matmul(r.mT.solveTriangular(b, upper: false))
      case .svd:
        s = a.detach().svdvals()
        guard s.isValid else { return nothing }
        let relative = rcond ?? Double(Swift.max(m, n)) * (a.dtype.epsilon ?? 0)
        rank = (s .> a.tolerance(s, nil, relative)).sum(dim: -1)
        x = a.pinv(rtol: relative).matmul(b)
      }
      let hasResiduals = m > n && (rank .== n).all().item(as: Bool.self)
      return (x, hasResiduals ? (a.matmul(x) - b).square().sum(dim: -2) : empty, rank, s)
    }
  }
}
