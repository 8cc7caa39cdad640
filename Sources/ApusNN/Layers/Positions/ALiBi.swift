import ApusCore

/// The slopes of ALiBi (Press et al., "Train short, test long", 2022): a geometric sequence, one for each head.
///
/// For n heads, a power of 2, slope h is 2^(−8 (h + 1) / n); for other numbers those of the next smaller power, followed by every other
/// one of twice that power.
///
/// - Returns: `[heads]`
public func alibiSlopes(_ heads: Int, dtype: DType = .float32) -> Tensor {
  guard check(heads > 0, .value, "alibiSlopes", "heads = \(heads) is not positive") else { return .invalid }
  let power = 1 << (Int.bitWidth - 1 - heads.leadingZeroBitCount)
  let slopes = { (n: Int) in Tensor.full([], 2, dtype: .float64).pow((Tensor.arange(n, dtype: .float64) + 1) * (-8 / Double(n))) }
  if power == heads { return slopes(heads).to(dtype) }
  let between = slopes(2 * power)[.slice(0, nil, step: 2)].narrow(dim: 0, start: 0, count: heads - power)
  return cat([slopes(power), between]).to(dtype)
}

/// A mask for `scaledDotProductAttention` that penalizes each key by its distance times the head's slope; to be used with `isCausal`.
///
/// The penalty −slope · (i − j) of key j for query i is written as slope · (j − (keys − 1)): the difference is the same for all keys of a
/// query, so it makes none to the softmax, and no `[L, S]` needs to be stored.
///
/// - Returns: `[heads, 1, keys]`
public func alibiBias(_ heads: Int, keys: Int, dtype: DType = .float32) -> Tensor {
  let slopes = alibiSlopes(heads, dtype: dtype)
  guard slopes.isValid, check(keys >= 0, .value, "alibiBias", "keys = \(keys) is negative") else { return .invalid }
  let distances = Tensor.arange(keys, dtype: dtype) - Double(keys - 1)
  return slopes.reshape(heads, 1, 1) * distances
}
