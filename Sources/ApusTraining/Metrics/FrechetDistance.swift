import ApusCore

/// How far two clouds of points lie apart, taken as normal distributions: |μ₁ − μ₂|² + tr(Σ₁ + Σ₂ − 2 (Σ₁ Σ₂)^½) (Dowson and Landau, 1982).
///
/// With points that are features of pictures it says how much generated pictures are like true ones, in what they show and in how varied they
/// are (Heusel et al., "GANs trained by a two time-scale update rule converge to a local Nash equilibrium", 2017). Values of different networks, or
/// of very different numbers of points, cannot be compared.
///
/// - Parameters:
///   - a: `[points, features]`, at least two points.
///   - b: `[points, features]`
/// - Returns: 0 for equal clouds; NaN after a reported mistake.
/// - Complexity: features³, some tens of times, in float64.
public func frechetDistance(_ a: Tensor, _ b: Tensor) -> Double {
  guard a.isValid, b.isValid,
    check(
      a.rank == 2 && b.rank == 2 && a.shape[1] == b.shape[1] && a.shape[0] > 1 && b.shape[0] > 1, .shape, "frechetDistance",
      "\(a.shape) and \(b.shape) are not two or more points each with as many features")
  else { return .nan }
  return noGrad {
    let (first, second) = (Cloud(a), Cloud(b))
    // (Σ₁ Σ₂)^½ has the trace of (Σ₁^½ Σ₂ Σ₁^½)^½, which is symmetric.
    let root = first.covariance.symmetricRoot()
    let product = root.matmul(second.covariance).matmul(root)
    let overlap = SymmetricMatrix(product).eigenvalues.reduce(0) { $0 + max($1, 0).squareRoot() }
    let spread = first.covariance.diagonal().sum().item() + second.covariance.diagonal().sum().item()
    return max((first.mean - second.mean).square().sum().item() + spread - 2 * overlap, 0)
  }
}

/// Mean and covariance of points, in float64.
private struct Cloud {
  let mean: Tensor  // [features]
  let covariance: Tensor  // [features, features]

  init(_ points: Tensor) {
    let x = points.to(.float64)
    mean = x.mean(dim: 0)
    let centred = x - mean
    covariance = centred.transpose(0, 1).matmul(centred) / Double(x.shape[0] - 1)
  }
}

extension Tensor {
  /// The matrix S with S S = self, of one that is symmetric without negative eigenvalues.
  fileprivate func symmetricRoot() -> Tensor {
    let matrix = SymmetricMatrix(self)
    let vectors = matrix.eigenvectors
    let roots = Tensor(
      scalars: matrix.eigenvalues.map { Swift.max($0, 0).squareRoot() }, shape: [matrix.eigenvalues.count], dtype: .float64)
    return (vectors * roots).matmul(vectors.transpose(0, 1))
  }
}

/// The eigenvalues and eigenvectors of a symmetric matrix, by Jacobi's rotations: each makes one element off the diagonal zero.
private struct SymmetricMatrix {
  private(set) var eigenvalues: [Double] = []
  /// In columns.
  private(set) var eigenvectors: Tensor
  private var a: [Double]
  private var v: [Double]
  private let n: Int

  init(_ matrix: Tensor) {
    n = matrix.shape[0]
    // Rounding may have made it a little asymmetric.
    a = ((matrix + matrix.transpose(0, 1)) / 2).scalars(as: Double.self)
    v = Tensor.eye(n, dtype: .float64).scalars(as: Double.self)
    eigenvectors = .invalid
    let scale = a.reduce(0) { $0 + $1 * $1 }
    // Each sweep squares what is left; ten are plenty.
    for _ in 0..<30 where offDiagonal > 1e-22 * scale {
      for p in 0..<n {
        for q in (p + 1)..<max(n, p + 1) { rotate(p, q) }
      }
    }
    eigenvalues = (0..<n).map { a[$0 * n + $0] }
    eigenvectors = Tensor(scalars: v, shape: [n, n], dtype: .float64)
  }

  private var offDiagonal: Double {
    (0..<n).reduce(0) { sum, i in (0..<i).reduce(sum) { $0 + a[i * n + $1] * a[i * n + $1] } }
  }

  private mutating func rotate(_ p: Int, _ q: Int) {
    let apq = a[p * n + q]
    if apq == 0 { return }
    let theta = (a[q * n + q] - a[p * n + p]) / (2 * apq)
    let t = (theta < 0 ? -1 : 1) / (theta.magnitude + (theta * theta + 1).squareRoot())
    let c = 1 / (t * t + 1).squareRoot()
    let s = t * c
    let size = n
    a.withUnsafeMutableBufferPointer { a in
      for k in 0..<size { (a[k * size + p], a[k * size + q]) = Self.turned(a[k * size + p], a[k * size + q], c, s) }
      for k in 0..<size { (a[p * size + k], a[q * size + k]) = Self.turned(a[p * size + k], a[q * size + k], c, s) }
    }
    v.withUnsafeMutableBufferPointer { v in
      for k in 0..<size { (v[k * size + p], v[k * size + q]) = Self.turned(v[k * size + p], v[k * size + q], c, s) }
    }
  }

  private static func turned(_ x: Double, _ y: Double, _ c: Double, _ s: Double) -> (Double, Double) {
    (c * x - s * y, s * x + c * y)
  }
}
