import ApusCore

/// The masks of a multi-head attention, in PyTorch's convention: true forbids, numbers are added to the scores.
struct AttentionMasks {
  var keyPadding: Tensor?  // [N, S] or [S]
  var attention: Tensor?  // [L, S] or [N · heads, L, S]
  var isCausal = false

  /// Sizes that masks must fit.
  struct Sizes {
    let batch, heads, queries, keys: Int
    /// Keys beyond S that every query may see.
    let extraKeys: Int
    /// The position of the first query among the keys.
    let offset: Int
  }

  /// Both masks as one for `scaledDotProductAttention`, and whether it shall see to the causal order; nil after a reported mistake.
  func merged(_ sizes: Sizes, _ dtype: DType) -> (mask: Tensor?, isCausal: Bool)? {
    guard let padding = self.padding(sizes), let attention = self.pairs(sizes) else { return nil }
    var masks = [padding, attention].flatMap { $0 }
    // The op's own causal order is the cheapest, but knows neither an offset nor extra keys.
    let isPlain = sizes.offset == 0 && sizes.extraKeys == 0
    if isCausal && !isPlain && sizes.queries + sizes.offset > 1 { masks.append(later(sizes)) }
    let (forbids, adds) = (masks.filter { $0.dtype == .bool }, masks.filter { $0.dtype != .bool })
    let forbidden = forbids.dropFirst().reduce(forbids.first) { $0!.logicalOr($1) }
    let added = adds.dropFirst().reduce(adds.first) { $0! + $1 }.map { widened($0.to(dtype), by: sizes.extraKeys) }
    let allowed = forbidden.map { widened($0.logicalNot(), by: sizes.extraKeys) }
    return (Self.joined(allowed, added), isCausal && isPlain)
  }

  /// `[N, 1, 1, S]`, in a list that may be empty.
  private func padding(_ sizes: Sizes) -> [Tensor]? {
    guard let keyPadding else { return [] }
    let expected: Shape = keyPadding.rank == 1 && sizes.batch == 1 ? [sizes.keys] : [sizes.batch, sizes.keys]
    guard Self.isMask(keyPadding, "keyPaddingMask"),
      check(
        keyPadding.shape == expected, .shape, "MultiheadAttention",
        "keyPaddingMask \(keyPadding.shape) where \(expected) is needed")
    else { return nil }
    return [keyPadding.reshape(sizes.batch, 1, 1, sizes.keys)]
  }

  /// `[L, S]` or `[N, heads, L, S]`, in a list that may be empty.
  private func pairs(_ sizes: Sizes) -> [Tensor]? {
    guard let attention else { return [] }
    let plain: Shape = [sizes.queries, sizes.keys]
    let full: Shape = [sizes.batch * sizes.heads, sizes.queries, sizes.keys]
    guard Self.isMask(attention, "attnMask"),
      check(
        attention.shape == plain || attention.shape == full, .shape, "MultiheadAttention",
        "attnMask \(attention.shape) where \(plain) or \(full) is needed")
    else { return nil }
    return [attention.rank == 2 ? attention : attention.unflatten(dim: 0, [sizes.batch, sizes.heads])]
  }

  private static func isMask(_ mask: Tensor, _ name: String) -> Bool {
    check(
      mask.dtype == .bool || mask.dtype.isFloatingPoint, .dtype, "MultiheadAttention",
      "\(name) is \(mask.dtype); it must be bool or floating-point")
  }

  /// True where a key comes after its query.
  private func later(_ sizes: Sizes) -> Tensor {
    Tensor.ones([sizes.queries, sizes.keys], dtype: .bool).triu(diagonal: sizes.offset + 1)
  }

  /// With columns of "allowed" or 0 for the extra keys.
  private func widened(_ mask: Tensor, by extra: Int) -> Tensor {
    if extra == 0 { return mask }
    let columns = Tensor.full(Shape(mask.shape.dropLast() + [extra]), mask.dtype == .bool ? 1 : 0, dtype: mask.dtype)
    return cat([mask, columns], dim: -1)
  }

  private static func joined(_ allowed: Tensor?, _ added: Tensor?) -> Tensor? {
    guard let allowed, let added else { return allowed ?? added }
    return `where`(allowed, added, Tensor.full([], -Double.infinity, dtype: added.dtype))
  }
}
