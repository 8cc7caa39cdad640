// Norms of differences, and vectors scaled to a norm.

/// Distances between all pairs of rows: `[…, p, m]` and `[…, r, m]` give `[…, p, r]`, the `p`-norms of the differences.
///
/// The axes in front broadcast. Where two rows are equal the gradient is 0.
/// - Complexity: O(p · r · m) time and memory.
public func cdist(_ a: Tensor, _ b: Tensor, p: Double = 2) -> Tensor {
  guard a.isFloating(for: "cdist"), b.isFloating(for: "cdist") else { return .invalid }
  guard
    check(
      a.rank >= 2 && b.rank >= 2 && a.shape[-1] == b.shape[-1], .shape, "cdist",
      "\(a.shape) and \(b.shape) are not matrices with rows of one length"),
    check(p >= 0, .value, "cdist", "p = \(p) is negative")
  else { return .invalid }
  let difference = a.unsqueeze(dim: -2) - b.unsqueeze(dim: -3)
  // The greatest of no coordinates would be an error.
  return a.shape[-1] == 0 ? difference.sum(dim: -1) : difference.norm(p, dim: -1)
}

/// The `p`-norm of a − b + eps along the last axis, with broadcasting.
public func pairwiseDistance(_ a: Tensor, _ b: Tensor, p: Double = 2, eps: Double = 1e-6, keepDim: Bool = false) -> Tensor {
  (a - b + eps).norm(p, dim: -1, keepDim: keepDim)
}

/// Cosine of the angle between vectors along `dim`: Σ a b / (max(‖a‖, eps) · max(‖b‖, eps)), with broadcasting.
public func cosineSimilarity(_ a: Tensor, _ b: Tensor, dim: Int = 1, eps: Double = 1e-8) -> Tensor {
  guard a.isFloating(for: "cosineSimilarity"), b.isFloating(for: "cosineSimilarity") else { return .invalid }
  let pair = broadcastTensors([a, b])
  guard pair.count == 2 else { return .invalid }
  // Each is scaled before they meet: the product of two squared lengths overflows sooner.
  return (normalize(pair[0], dim: dim, eps: eps) * normalize(pair[1], dim: dim, eps: eps)).sum(dim: dim)
}

/// Vectors along `dim` divided by their `p`-norm, or by `eps` where that is smaller.
public func normalize(_ x: Tensor, p: Double = 2, dim: Int = 1, eps: Double = 1e-12) -> Tensor {
  x / x.norm(p, dim: dim, keepDim: true).clamp(min: eps)
}
