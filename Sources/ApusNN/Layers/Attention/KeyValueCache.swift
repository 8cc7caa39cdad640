import ApusCore

/// The keys and values of the tokens so far, so that generating one more token computes those of that token only.
///
/// ```swift
/// let cache = KeyValueCache()
/// noGrad {
///   var y = attention(prompt, isCausal: true, cache: cache)
///   while … { y = attention(nextToken, isCausal: true, cache: cache) }
/// }
/// ```
///
/// Memory is taken ahead of need and doubled when it is full, so appending a token writes that token and copies nothing (as long as
/// nobody holds on to what an earlier `append` returned, which stays as it was). Rotary positions are put in before appending, with
/// `count` as the offset of the new tokens. One cache serves one attention layer and one generation; it is for inference and keeps no
/// history.
public final class KeyValueCache {
  /// Tokens in the cache.
  public private(set) var count = 0
  /// Tokens that there is room for.
  public private(set) var capacity: Int
  private var keys: Tensor?  // [batch…, capacity, E]
  private var values: Tensor?  // [batch…, capacity, Ev]

  /// - Parameter capacity: tokens to take memory for at first.
  public init(capacity: Int = 64) {
    self.capacity = check(capacity > 0, .value, "KeyValueCache", "capacity = \(capacity) is not positive") ? capacity : 64
  }

  /// Adds the keys and values of new tokens.
  ///
  /// - Parameters:
  ///   - key: `[batch…, new tokens, E]`, the batch axes as at the first time.
  ///   - value: `[batch…, new tokens, Ev]`
  /// - Returns: keys and values of all tokens, `[batch…, count, E]` and `[batch…, count, Ev]`: views of the cache.
  public func append(_ key: Tensor, _ value: Tensor) -> (key: Tensor, value: Tensor) {
    guard key.isValid, value.isValid, fits(key, value) else { return (.invalid, .invalid) }
    return noGrad {
      let (key, value) = (key.detach(), value.detach())
      reserve(count + key.shape[-2], key, value)
      let tokens = count..<(count + key.shape[-2])
      keys![.ellipsis, tokens, .all] = key
      values![.ellipsis, tokens, .all] = value
      count = tokens.upperBound
      return (used(keys!), used(values!))
    }
  }

  /// Forgets the tokens from number `count` on; by default all of them. The memory stays.
  public func removeTokens(from count: Int = 0) {
    guard check((0...self.count).contains(count), .index, "KeyValueCache", "token \(count) is not in 0...\(self.count)") else {
      return
    }
    self.count = count
    if count == 0 { (keys, values) = (nil, nil) }
  }

  /// Keeps the sequences of the first batch axis that `index` (int64) names, in its order: for beam search.
  public func selectSequences(_ index: Tensor) {
    guard let keys, let values else { return }
    noGrad {
      self.keys = keys.indexSelect(dim: 0, index: index)
      self.values = values.indexSelect(dim: 0, index: index)
    }
  }

  private func used(_ x: Tensor) -> Tensor { x.narrow(dim: -2, start: 0, count: count) }

  private func fits(_ key: Tensor, _ value: Tensor) -> Bool {
    let name = "KeyValueCache"
    guard
      check(
        !isGradEnabled || !(key.requiresGrad || value.requiresGrad), .autograd, name,
        "keys or values require a gradient, and a cache keeps no history; decode inside noGrad { }"),
      check(
        key.rank >= 2 && value.rank == key.rank && key.shape[-2] == value.shape[-2], .shape, name,
        "keys \(key.shape) and values \(value.shape) are not [batch…, tokens, features] of the same tokens")
    else { return false }
    return Self.continues(key, keys, name) && Self.continues(value, values, name)
  }

  private static func continues(_ new: Tensor, _ old: Tensor?, _ name: String) -> Bool {
    guard let old else { return true }
    let isAlike = new.rank == old.rank && (0..<new.rank).allSatisfy { $0 == new.rank - 2 || new.shape[$0] == old.shape[$0] }
    return check(
      isAlike && new.dtype == old.dtype, .shape, name,
      "\(new.dtype) tokens \(new.shape) after those of a \(old.dtype) cache \(old.shape)")
  }

  private func reserve(_ tokens: Int, _ key: Tensor, _ value: Tensor) {
    if keys != nil && tokens <= capacity { return }
    while capacity < tokens { capacity *= 2 }
    keys = enlarged(keys, key)
    values = enlarged(values, value)
  }

  private func enlarged(_ old: Tensor?, _ model: Tensor) -> Tensor {
    var new = Tensor.zeros(Shape(model.shape.dropLast(2) + [capacity, model.shape[-1]]), dtype: model.dtype)
    if let old { new[.ellipsis, 0..<count, .all] = used(old) }
    return new
  }
}
