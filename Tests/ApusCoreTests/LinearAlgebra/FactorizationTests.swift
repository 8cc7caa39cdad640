import ApusCore
import TestSupport
import Testing

/// What factorizations promise, over sizes on both sides of their blocks, dtypes, batches and layouts.
@Suite("factorizations")
struct FactorizationTests {
  static let sizes = [0, 1, 2, 3, 5, 8, 33, 100]
  static let dtypes: [DType] = [.float32, .float64]

  /// Numbers of size 1, and how far products of them may be from what they should be.
  static func matrices(_ shape: Shape, _ dtype: DType, seed: UInt64 = 1) -> Tensor { samples(shape, seed: seed).to(dtype) }

  static func tolerance(_ dtype: DType, _ size: Int) -> Double { (dtype.epsilon ?? 0) * Double(20 + 10 * size) }

  func expectEqual(_ x: Tensor, _ y: Tensor, _ size: Int, _ comment: String, sourceLocation: SourceLocation = #_sourceLocation) {
    let scale = y.count == 0 ? 1 : max(y.abs().amax().item(), 1)
    expectClose(
      x, y, relative: 0, absolute: Self.tolerance(y.dtype, size) * scale, comment, sourceLocation: sourceLocation)
  }

  func expectOrthonormal(_ columns: Tensor, _ comment: String, sourceLocation: SourceLocation = #_sourceLocation) {
    let n = columns.shape[-1]
    let identity = Tensor.eye(n, dtype: columns.dtype).expand(Shape(columns.shape.dropLast(2) + [n, n]))
    expectEqual(columns.mT.matmul(columns), identity, columns.shape[-2], comment, sourceLocation: sourceLocation)
  }

  /// Batches, an empty batch, and every layout.
  static func variants(_ m: Int, _ n: Int, _ dtype: DType) -> [Tensor] {
    let x = matrices([2, 3, m, n], dtype)
    return [x[0, 0], x, x[0, 0].flip(0), x.mT.contiguous().mT, x[.all, 0..<1].expand(2, 5, m, n), x[0..<0]]
  }

  @Test("cholesky: L Lᵀ = A and Uᵀ U = A, of the triangle that is asked for", arguments: sizes, dtypes)
  func cholesky(n: Int, dtype: DType) {
    for x in Self.variants(n, n, dtype) {
      let a = x.matmul(x.mT) + Tensor.eye(n, dtype: dtype)
      let l = a.tril().cholesky()
      expectEqual(l.matmul(l.mT), a, n, "\(x.shape)")
      expectClose(l, l.tril(), relative: 0, absolute: 0)
      expectClose(a.triu().cholesky(upper: true), l.mT, relative: 1e-3, absolute: 1e-4)
      expectEqual(a.matmul(l.choleskyInverse()), Tensor.eye(n, dtype: dtype).expand(a.shape), 100 * n, "inverse")
    }
  }

  @Test("lu: P L U = A, and det, inv and solve by it", arguments: sizes, dtypes)
  func lu(n: Int, dtype: DType) {
    for (m, k) in [(n, n), (n, n / 2 + 1), (n / 2 + 1, n)] {
      for x in Self.variants(m, k, dtype) {
        let (p, l, u) = x.lu()
        expectEqual(p.matmul(l.matmul(u)), x, n, "\(x.shape)")
        #expect(l.count == 0 || l.abs().amax().item() <= 1)
        expectClose(u, u.triu(), relative: 0, absolute: 0)
      }
    }
    for x in Self.variants(n, n, dtype) {
      // Far from singular.
      let a = x + 4 * Double(n + 1).squareRoot() * Tensor.eye(n, dtype: dtype)
      let identity = Tensor.eye(n, dtype: dtype).expand(a.shape)
      expectEqual(a.inv().matmul(a), identity, 10 * n, "inv")
      let b = Self.matrices([n, 3], dtype, seed: 2)
      expectEqual(a.matmul(a.solve(b)), b.expand(Shape(a.shape.dropLast() + [3])), 10 * n, "solve")
      expectEqual(b.mT.contiguous().matmul(a.inv()), a.solve(b.mT, left: false), 10 * n, "solve from the right")
      let (factors, pivots) = a.luFactor()
      expectEqual(
        a.mT.matmul(factors.luSolve(pivots, b, adjoint: true)), b.expand(Shape(a.shape.dropLast() + [3])), 10 * n, "adjoint")
      let (sign, logarithm) = a.slogdet()
      if n <= 8 {
        expectClose(sign * logarithm.exp(), a.det(), relative: 1e-4, absolute: 0)
      }
      expectClose((a.matmul(a)).slogdet().logabsdet, logarithm * 2, relative: 1e-4, absolute: 1e-4)
    }
  }

  @Test("solveTriangular: either triangle, from either side, with and without the diagonal", arguments: sizes, dtypes)
  func triangular(n: Int, dtype: DType) {
    for x in Self.variants(n, n, dtype) {
      let a = x / Double(4 * n + 1) + 2 * Tensor.eye(n, dtype: dtype)
      let b = Self.matrices([n, 2], dtype, seed: 3)
      let full = b.expand(Shape(a.shape.dropLast() + [2]))
      for upper in [true, false] {
        for unit in [true, false] {
          let identity = Tensor.eye(n, dtype: dtype)
          let triangle = upper ? a.triu(diagonal: unit ? 1 : 0) : a.tril(diagonal: unit ? -1 : 0)
          let t = unit ? triangle + identity : triangle
          expectEqual(t.matmul(a.solveTriangular(b, upper: upper, unitriangular: unit)), full, n, "\(upper) \(unit)")
          expectEqual(
            a.solveTriangular(b.mT, upper: upper, left: false, unitriangular: unit).matmul(t), full.mT, n,
            "\(upper) \(unit) right")
        }
      }
    }
  }

  @Test("qr: Q R = A with orthonormal columns, in every mode and form", arguments: sizes, dtypes)
  func qr(n: Int, dtype: DType) {
    for (m, k) in [(n, n), (2 * n + 1, n), (n, 2 * n + 1)] {
      for x in Self.variants(m, k, dtype) {
        for mode in [QRMode.reduced, .complete] {
          let (q, r) = x.qr(mode)
          expectEqual(q.matmul(r), x, m + k, "\(x.shape) \(mode)")
          expectOrthonormal(q, "\(x.shape) \(mode)")
          expectClose(r, r.triu(), relative: 0, absolute: 0)
        }
        let (nothing, r) = x.qr(.r)
        #expect(nothing.shape == [0])
        expectClose(r, x.qr().R, relative: 0, absolute: 0)
      }
    }
  }

  @Test("eigh: A V = V diag(λ), λ in order, of the triangle that is asked for", arguments: sizes, dtypes)
  func eigh(n: Int, dtype: DType) {
    for x in Self.variants(n, n, dtype) {
      let a = x + x.mT
      let (values, vectors) = a.tril().eigh()
      expectEqual(a.matmul(vectors), vectors * values.unsqueeze(dim: -2), n, "\(x.shape)")
      expectOrthonormal(vectors, "\(x.shape)")
      expectClose(values.sort().values, values, relative: 0, absolute: 0)
      expectEqual(a.triu().eigvalsh(.upper), values, n, "values alone")
    }
  }

  @Test("svd: U diag(S) Vᵀ = A, S in order and not negative", arguments: sizes, dtypes)
  func svd(n: Int, dtype: DType) {
    for (m, k) in [(n, n), (2 * n + 1, n), (n, 2 * n + 1)] {
      for x in Self.variants(m, k, dtype) {
        for full in [true, false] {
          let (u, s, vh) = x.svd(fullMatrices: full)
          let count = min(m, k)
          let product = (u.narrow(dim: -1, start: 0, count: count) * s.unsqueeze(dim: -2))
            .matmul(vh.narrow(dim: -2, start: 0, count: count))
          expectEqual(product, x, m + k, "\(x.shape) \(full)")
          expectOrthonormal(u, "U \(x.shape) \(full)")
          expectOrthonormal(vh.mT, "V \(x.shape) \(full)")
          #expect(u.shape[-1] == (full ? m : count) && vh.shape[-2] == (full ? k : count))
          #expect((s .>= 0).all().item(as: Bool.self))
          expectClose(s.sort(descending: true).values, s, relative: 0, absolute: 0)
          expectEqual(x.svdvals(), s, m + k, "values alone")
        }
      }
    }
  }

  @Test("singular values and eigenvalues that are equal, zero, huge or tiny")
  func degenerate() {
    let n = 12
    let x = Self.matrices([n, 3], .float64)
    let low = x.matmul(x.mT)  // rank 3
    let graded = Tensor.linspace(0, -30, n, dtype: .float64).map10()
    let cases: [(String, Tensor)] = [
      ("zeros", Tensor.zeros([n, n], dtype: .float64)), ("identity", Tensor.eye(n, dtype: .float64)), ("low rank", low),
      ("ones", Tensor.ones([n, n], dtype: .float64)), ("huge", low * 1e300), ("tiny", low * 1e-300), ("graded", graded.diag()),
      ("zero row", Tensor.eye(n, dtype: .float64).maskedFill(Tensor.arange(n) .== 4, 0)),
      ("shift", Tensor.eye(n, dtype: .float64).roll(1, dim: 0)),
      ("bidiagonal with zeros", Tensor.ones([n - 1], dtype: .float64).diagEmbed(offset: 1)),
    ]
    for (name, a) in cases {
      let scale = max(a.abs().amax().item(), 1e-305)
      let (u, s, vh) = a.svd()
      expectClose((u * s).matmul(vh) / scale, a / scale, relative: 0, absolute: 1e-13, name)
      expectOrthonormal(u, name)
      expectOrthonormal(vh, name)
      let symmetric = a / 2 + a.mT / 2
      let (values, vectors) = symmetric.eigh()
      expectClose((vectors * values).matmul(vectors.mT) / scale, symmetric / scale, relative: 0, absolute: 1e-13, name)
      expectOrthonormal(vectors, name)
    }
    #expect(low.matrixRank().item(as: Int.self) == 3)
    #expect(low.matrixRank(hermitian: true).item(as: Int.self) == 3)
    let single = Tensor([[3e38, 1e38], [1e38, 3e38]], dtype: .float32)
    expectClose(
      single.svdvals() / 1e38, Tensor([4.0, 2.0]) * Tensor([0.0, 1.0]) + Tensor([Double.infinity, 0]), relative: 1e-5)
    expectClose((single / 4).eigvalsh() / 1e38, Tensor([0.5, 1.0]), relative: 1e-5)
    let small = Tensor([[3e-40, 1e-40], [1e-40, 3e-40]], dtype: .float32)
    expectClose(small.eigvalsh() * 1e38, Tensor([0.02, 0.04]), relative: 1e-3)
  }

  @Test("the same bits on one thread and on all")
  func threads() {
    let x = Self.matrices([260, 200], .float32)
    let batch = Self.matrices([9, 20, 20], .float64)
    let functions: [@Sendable (Tensor) -> Tensor] = [
      { ($0.mT.matmul($0)).cholesky() }, { $0.luFactor().LU }, { $0.qr().Q }, { ($0.mT.matmul($0)).eigh().eigenvectors },
      { $0.svd(fullMatrices: false).U }, { $0.svdvals() }, { $0.pinv() }, { ($0.mT.matmul($0) / 100).matrixExp() },
    ]
    for f in functions {
      for input in [x, batch] { expectClose(onOneThread { f(input) }, f(input), relative: 0, absolute: 0) }
    }
  }
}

extension Tensor {
  /// 10 to the power of each element.
  fileprivate func map10() -> Tensor { (self * 2.302585092994046).exp() }
}
