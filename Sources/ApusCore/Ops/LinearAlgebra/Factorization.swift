/// Factorizations of a matrix `[m, n]` that a backend computes; all else in this folder is made of them.
package enum Factorization: Sendable {
  /// L with L Lᵀ = A, of the lower triangle: `[n, n]`.
  case cholesky
  /// L and U with P L U = A in one matrix: `[m, n]`, and the exchanges of rows.
  case lu
  /// Qᵀ and Rᵀ with Q R = A, one after the other: `[k · m + n · k]` with k = min(m, n), or m where Q is to be square.
  case qr(isComplete: Bool)
  /// Eigenvalues in ascending order, and the eigenvectors as rows, of the lower triangle: `[n + n · n]`, or `[n]` without vectors.
  case eigh(wantsVectors: Bool)
  /// Singular values in descending order, the left and the right singular vectors as rows, of A with m ≥ n: `[n + n · m + n · n]`, or `[n]`
  /// without vectors.
  case svd(wantsVectors: Bool)

  package var name: StaticString {
    switch self {
    case .cholesky: "cholesky"
    case .lu: "lu"
    case .qr: "qr"
    case .eigh: "eigh"
    case .svd: "svd"
    }
  }

  var hasPivots: Bool {
    if case .lu = self { return true }
    return false
  }

  /// The result's shape without the batch.
  func shape(_ m: Int, _ n: Int) -> [Int] {
    switch self {
    case .cholesky, .lu: [m, n]
    case .qr, .eigh, .svd:
      // Where a size overflows, memory will be refused.
      [
        parts(m, n).map { Dims($0).checkedProduct ?? Int.max }.reduce(0) {
          $0.addingReportingOverflow($1).overflow ? .max : $0 + $1
        }
      ]
    }
  }

  /// The shapes of what stands in the result one after the other.
  func parts(_ m: Int, _ n: Int) -> [[Int]] {
    switch self {
    case .cholesky, .lu: return [[m, n]]
    case .qr(let isComplete):
      let k = isComplete ? m : Swift.min(m, n)
      return [[k, m], [n, k]]
    case .eigh(let wantsVectors): return wantsVectors ? [[n], [n, n]] : [[n]]
    case .svd(let wantsVectors): return wantsVectors ? [[n], [n, m], [n, n]] : [[n]]
    }
  }

  /// What stands in a result of matrices `[m, n]`, as views.
  func split(_ y: Tensor, _ m: Int, _ n: Int) -> [Tensor] {
    let batch = Array(y.shape.dropLast())
    var start = 0
    return parts(m, n).map { part in
      defer { start += part.reduce(1, *) }
      return y.narrow(dim: -1, start: start, count: part.reduce(1, *)).reshape(Shape(batch + part))
    }
  }
}

/// What a backend gives for a factorization.
package struct Factorized {
  package let result: TensorData
  /// Of `.lu`, int32: for each step the row, counted from 1, that changed places with the row of the step.
  package let pivots: TensorData
  /// For each matrix 0, or what went wrong: of `.cholesky` the order of the first leading minor that is not positive, of `.lu` the first step,
  /// counted from 1, without a pivot, of `.eigh` and `.svd` that there was no convergence.
  package let failures: [Int]
}

extension Tensor {
  /// The factorization of every matrix. The result has no place in the graph.
  func factorized(_ kind: Factorization) -> Factorized { device.backend.factorize(data, kind) }

  /// Whether the iteration for eigenvalues or singular values has come to its end for every matrix; a mistake of `operation` otherwise.
  func hasConverged(_ found: Factorized, _ operation: String) -> Bool {
    guard let batch = found.failures.firstIndex(where: { $0 != 0 }) else { return true }
    let isFinite = self.detach().isFinite().all().item(as: Bool.self)
    return check(
      false, .value, operation,
      "(batch element \(batch)) the iteration did not converge\(isFinite ? "" : ": the matrix has elements that are not finite")")
  }
}
