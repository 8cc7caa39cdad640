// The family around `matmul`: the same products with one rank each, and products made of them.

extension Tensor {
  /// Product of two matrices: `[n, m] · [m, p]` is `[n, p]`. See `matmul` for the dtype.
  public func mm(_ other: Tensor) -> Tensor {
    guard hasRank(2, for: "mm"), other.hasRank(2, for: "mm") else { return .invalid }
    return product(other, "mm", inner: (shape[1], other.shape[0]))
  }

  /// Product of a matrix and a vector: `[n, m] · [m]` is `[n]`.
  public func mv(_ vector: Tensor) -> Tensor {
    guard hasRank(2, for: "mv"), vector.hasRank(1, for: "mv") else { return .invalid }
    return product(vector, "mv", inner: (shape[1], vector.shape[0]))
  }

  /// Inner product of two vectors of one length, a scalar.
  public func dot(_ other: Tensor) -> Tensor {
    guard hasRank(1, for: "dot"), other.hasRank(1, for: "dot") else { return .invalid }
    return product(other, "dot", inner: (shape[0], other.shape[0]))
  }

  /// Products of two batches of matrices: `[b, n, m] · [b, m, p]` is `[b, n, p]`. The batch does not broadcast; that of `matmul` does.
  public func bmm(_ other: Tensor) -> Tensor {
    guard hasRank(3, for: "bmm"), other.hasRank(3, for: "bmm"),
      check(shape[0] == other.shape[0], .shape, "bmm", "\(shape) × \(other.shape): the batches differ")
    else { return .invalid }
    return product(other, "bmm", inner: (shape[2], other.shape[1]))
  }

  private func product(_ other: Tensor, _ name: String, inner: (Int, Int)) -> Tensor {
    guard check(inner.0 == inner.1, .shape, name, "\(shape) × \(other.shape): inner sizes \(inner.0) and \(inner.1) differ")
    else { return .invalid }
    return matmul(other)
  }

  /// All products of an element of one vector with one of the other: `[n]` and `[m]` give `[n, m]`.
  public func outer(_ other: Tensor) -> Tensor {
    guard hasRank(1, for: "outer"), other.hasRank(1, for: "outer") else { return .invalid }
    return unsqueeze(dim: 1) * other
  }

  /// Sums of products over the last axis of both: `[…, k]` and `[…, k]` give the other axes of both. With a scalar, the product.
  public func inner(_ other: Tensor) -> Tensor {
    guard isValid, other.isValid else { return .invalid }
    if rank == 0 || other.rank == 0 { return self * other }
    guard
      check(
        shape[-1] == other.shape[-1], .shape, "inner", "the last sizes of \(shape) and \(other.shape) differ")
    else { return .invalid }
    return tensordot(self, other, dims: ([-1], [-1]))
  }

  /// beta · self + alpha · a · b for matrices: self broadcasts to `[n, p]`. With beta 0 self is not looked at.
  public func addmm(_ a: Tensor, _ b: Tensor, beta: some Scalar = 1, alpha: some Scalar = 1) -> Tensor {
    added(a.mm(b), "addmm", beta.asWeakTensor, alpha.asWeakTensor)
  }

  /// beta · self + alpha · a · b for batches of matrices: self broadcasts to `[b, n, p]`. With beta 0 self is not looked at.
  public func baddbmm(_ a: Tensor, _ b: Tensor, beta: some Scalar = 1, alpha: some Scalar = 1) -> Tensor {
    added(a.bmm(b), "baddbmm", beta.asWeakTensor, alpha.asWeakTensor)
  }

  private func added(_ product: Tensor, _ name: String, _ beta: Tensor, _ alpha: Tensor) -> Tensor {
    guard isValid, product.isValid else { return .invalid }
    guard
      check(
        Dims.broadcast(data.shape, product.data.shape) == product.data.shape, .shape, name,
        "\(shape) does not broadcast to the product's shape, \(product.shape)")
    else { return .invalid }
    if Context.hasOpenScopes, case let low = autocasted(self), low.dtype != dtype { return low.added(product, name, beta, alpha) }
    let scaled = alpha.isOne ? product : alpha * product
    if beta.data.firstAsDouble == 0 { return scaled.to(Tensor.resultType(self, product)) }
    return (beta.isOne ? self : beta * self) + scaled
  }

  private var isOne: Bool { data.firstAsDouble == 1 }

  /// Kronecker product: every element of self times the whole of `other`, sizes multiplied axis by axis: `[a, b]` and `[c, d]` give
  /// `[a·c, b·d]`. The tensor of lower rank gets axes of size 1 in front.
  public func kron(_ other: Tensor) -> Tensor {
    guard isValid, other.isValid else { return .invalid }
    let n = Swift.max(rank, other.rank)
    let a = [Int](repeating: 1, count: n - rank) + Array(shape)
    let b = [Int](repeating: 1, count: n - other.rank) + Array(other.shape)
    // [a₀, 1, a₁, 1, …] · [1, b₀, 1, b₁, …]
    let x = reshape(Shape(a.flatMap { [$0, 1] }))
    let y = other.reshape(Shape(b.flatMap { [1, $0] }))
    return (x * y).reshape(Shape(zip(a, b).map { $0 * $1 }))
  }
}

/// Sums of products over pairs of axes: axis `dims.0[i]` of `a` with axis `dims.1[i]` of `b`, for all i.
///
/// A pair's sizes are equal, or one is 1 and stands for each element of the other.
/// - Returns: the other axes of `a`, then those of `b`.
public func tensordot(_ a: Tensor, _ b: Tensor, dims: ([Int], [Int])) -> Tensor {
  guard a.isValid, b.isValid, let first = a.resolve(dims.0, "tensordot"), let second = b.resolve(dims.1, "tensordot") else {
    return .invalid
  }
  guard check(first.count == second.count, .value, "tensordot", "\(dims.0) and \(dims.1) differ in length") else {
    return .invalid
  }
  var (x, y) = (a, b)
  for (i, j) in zip(first, second) {
    let (m, n) = (a.shape[i], b.shape[j])
    guard
      check(
        m == n || m == 1 || n == 1, .shape, "tensordot",
        "axis \(i) of \(a.shape) and axis \(j) of \(b.shape) have sizes \(m) and \(n)")
    else { return .invalid }
    if m == 1, n != 1 { y = y.sum(dim: j, keepDim: true).to(b.dtype) }
    if n == 1, m != 1 { x = x.sum(dim: i, keepDim: true).to(a.dtype) }
  }
  let free = ((0..<a.rank).filter { !first.contains($0) }, (0..<b.rank).filter { !second.contains($0) })
  let sizes = (free.0.map { a.shape[$0] }, free.1.map { b.shape[$0] })
  let inner = first.reduce(1) { $0 * x.shape[$1] }
  let left = x.permute(free.0 + first).reshape(Shape([sizes.0.reduce(1, *), inner]))
  let right = y.permute(second + free.1).reshape(Shape([inner, sizes.1.reduce(1, *)]))
  return left.matmul(right).reshape(Shape(sizes.0 + sizes.1))
}

/// Sums of products over the last `dims` axes of `a` and the first `dims` of `b`; with 0 all products.
public func tensordot(_ a: Tensor, _ b: Tensor, dims: Int = 2) -> Tensor {
  guard a.isValid, b.isValid else { return .invalid }
  guard
    check(
      dims >= 0 && dims <= a.rank && dims <= b.rank, .value, "tensordot",
      "dims = \(dims) for tensors of shapes \(a.shape) and \(b.shape)")
  else { return .invalid }
  return tensordot(a, b, dims: (Array((a.rank - dims)..<a.rank), Array(0..<dims)))
}
