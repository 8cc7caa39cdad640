import ApusCore

/// Rotary positions (Su et al., "RoFormer", 2021): turns pairs of a query's or key's features by angles that grow with its position, so
/// that their product depends on the distance of the two tokens only.
///
/// ```swift
/// let rotary = RotaryEmbedding(64)
/// let (q, k) = (rotary(q, offset: cache.count), rotary(k, offset: cache.count))
/// let (keys, values) = cache.append(k, v)
/// ```
///
/// Pair i turns by position · base^(−2i / features). Pairs are (i, i + features / 2), as in GPT-NeoX and Llama, or with `isInterleaved`
/// neighbours (2i, 2i + 1), as in the paper and GPT-J. Features after the first `features` stay as they are.
///
/// `[…, tokens, D]` to the same, in the input's dtype; half types turn in float32.
public final class RotaryEmbedding: Module, Layer {
  public let features: Int
  public let base: Double
  public let isInterleaved: Bool
  private var table: (cos: Tensor, sin: Tensor)?  // [positions so far, features / 2]

  /// - Parameters:
  ///   - features: how many are turned; even.
  ///   - base: the slowest pair turns about once in 2π · base tokens.
  ///   - isInterleaved: which features make a pair.
  public init(_ features: Int, base: Double = 10000, isInterleaved: Bool = false) {
    let fits = check(
      features > 0 && features % 2 == 0 && base > 0, .value, "RotaryEmbedding",
      "features = \(features) is not positive and even, or base = \(base) not positive")
    (self.features, self.base, self.isInterleaved) = (fits ? features : 2, base, isInterleaved)
  }

  /// Turns by the positions from 0 on.
  public func forward(_ x: Tensor) -> Tensor { rotate(x, 0) }

  /// Turns by the positions from `offset` on: for tokens that come after others.
  public func callAsFunction(_ x: Tensor, offset: Int) -> Tensor { hooked([x]) { [rotate($0[0], offset)] }[0] }

  private func rotate(_ x: Tensor, _ offset: Int) -> Tensor {
    guard x.isValid,
      check(
        x.rank >= 2 && x.shape[-1] >= features, .shape, "RotaryEmbedding",
        "input \(x.shape) is not [tokens, features] with at least \(features) features"),
      check(x.dtype.isFloatingPoint, .dtype, "RotaryEmbedding", "\(x.dtype) is not floating-point"),
      check(offset >= 0, .value, "RotaryEmbedding", "offset = \(offset) is negative")
    else { return .invalid }
    let tokens = x.shape[-2]
    extendTable(to: offset + tokens)
    let dtype: DType = x.dtype == .float64 ? .float64 : .float32
    let rows = { (table: Tensor) in table.narrow(dim: 0, start: offset, count: tokens).to(dtype) }
    return Rotation(cos: rows(table!.cos), sin: rows(table!.sin), features: features, isInterleaved: isInterleaved)(x)
  }

  private func extendTable(to end: Int) {
    let old = table?.cos.shape[0] ?? 0
    if old >= end && table != nil { return }
    let angles = positionAngles(max(2 * old, end), features / 2, of: features, base, 0)
    table = (angles.cos(), angles.sin())
  }

  public override var arguments: String { "\(features), base: \(base), isInterleaved: \(isInterleaved)" }
}

/// A turn of each pair; its gradient is the turn back.
private struct Rotation: DifferentiableFunction {
  let cos: Tensor  // [tokens, features / 2]
  let sin: Tensor
  let features: Int
  let isInterleaved: Bool

  var name: String { "rotary" }

  func forward(_ x: [Tensor]) -> Tensor {
    let x = x[0]
    let turned = turn(x.narrow(dim: -1, start: 0, count: features)).to(x.dtype)
    let rest = x.shape[-1] - features
    return rest == 0 ? turned : cat([turned, x.narrow(dim: -1, start: features, count: rest)], dim: -1)
  }

  private func turn(_ x: Tensor) -> Tensor {
    let half = features / 2
    let pairs = x.unflatten(dim: -1, isInterleaved ? [half, 2] : [2, half])
    let axis = isInterleaved ? -1 : -2
    let (a, b) = (pairs.select(dim: axis, index: 0), pairs.select(dim: axis, index: 1))
    return stack([a * cos - b * sin, b * cos + a * sin], dim: axis).flatten(startDim: -2)
  }

  var rule: Rule {
    let back = Rotation(cos: cos, sin: -sin, features: features, isInterleaved: isInterleaved)
    return .linear { dy in [back(dy)] }
  }
}
