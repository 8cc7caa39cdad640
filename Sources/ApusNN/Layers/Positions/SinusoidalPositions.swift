import ApusCore

/// The fixed positions of Vaswani et al. 2017: features 2i and 2i + 1 of position t are sin and cos of t / base^(2i / features).
///
/// - Parameters:
///   - length: number of positions.
///   - features: of each.
///   - base: the longest wave is 2π times as long.
///   - offset: the first position.
///   - dtype: of the result.
/// - Returns: `[length, features]`
public func sinusoidalPositions(
  _ length: Int, _ features: Int, base: Double = 10000, offset: Int = 0, dtype: DType = .float32
) -> Tensor {
  guard
    check(
      length >= 0 && features > 0 && base > 0, .value, "sinusoidalPositions",
      "length = \(length), features = \(features), base = \(base)")
  else { return .invalid }
  let angles = positionAngles(length, (features + 1) / 2, of: features, base, offset)
  let waves = stack([angles.sin(), angles.cos()], dim: -1).flatten(startDim: -2)
  return waves.narrow(dim: 1, start: 0, count: features).to(dtype)
}

/// Position × base^(−2i / features) for i in `0 ..< count`, in float64: `[length, count]`.
func positionAngles(_ length: Int, _ count: Int, of features: Int, _ base: Double, _ offset: Int) -> Tensor {
  let exponents = Tensor.arange(count, dtype: .float64) * (-2 / Double(features))
  let rates = Tensor.full([], base, dtype: .float64).pow(exponents)
  return (Tensor.arange(length, dtype: .float64) + Double(offset)).unsqueeze(dim: 1) * rates
}

/// Adds `sinusoidalPositions` to embeddings, followed by dropout: `[L, N, features]`, `[N, L, features]` with `batchFirst`, or
/// `[L, features]`.
public final class SinusoidalPositions: Module, Layer {
  public let features: Int
  public let base: Double
  public let batchFirst: Bool
  public let dropout: Dropout
  private var table: Tensor?  // [positions so far, features]

  /// - Parameters:
  ///   - features: of an embedding.
  ///   - base: see `sinusoidalPositions`.
  ///   - dropout: of the sum.
  ///   - batchFirst: batches before tokens.
  ///   - generator: for the dropout.
  public init(
    _ features: Int, base: Double = 10000, dropout: Double = 0, batchFirst: Bool = false, generator: Generator = .default
  ) {
    (self.features, self.base, self.batchFirst) = (features, base, batchFirst)
    self.dropout = Dropout(dropout, generator: generator)
  }

  /// Adds the positions from 0 on.
  public func forward(_ x: Tensor) -> Tensor { add(x, 0) }

  /// Adds the positions from `offset` on: for tokens that come after others.
  public func callAsFunction(_ x: Tensor, offset: Int) -> Tensor { hooked([x]) { [add($0[0], offset)] }[0] }

  private func add(_ x: Tensor, _ offset: Int) -> Tensor {
    guard let tokens = tokenAxis(x, features, batchFirst, "SinusoidalPositions") else { return .invalid }
    let end = offset + x.shape[tokens]
    if (table?.shape[0] ?? 0) < end {
      table = sinusoidalPositions(max(2 * (table?.shape[0] ?? 0), end), features, base: base, dtype: .float64)
    }
    let positions = table!.narrow(dim: 0, start: offset, count: x.shape[tokens]).to(x.dtype)
    return dropout(x + alignedPositions(positions, to: x, tokens))
  }

  public override var arguments: String { "\(features), base: \(base), batchFirst: \(batchFirst)" }
}

/// The axis of the tokens in embeddings; nil after a reported mistake.
func tokenAxis(_ x: Tensor, _ features: Int, _ batchFirst: Bool, _ name: String) -> Int? {
  guard x.isValid,
    check(
      (2...3).contains(x.rank) && x.shape[-1] == features, .shape, name,
      "input \(x.shape) is not \(batchFirst ? "[N, tokens, \(features)]" : "[tokens, N, \(features)]") or [tokens, \(features)]")
  else { return nil }
  return x.rank == 3 && batchFirst ? 1 : 0
}

/// `[tokens, features]` so that it broadcasts to embeddings.
func alignedPositions(_ positions: Tensor, to x: Tensor, _ tokens: Int) -> Tensor {
  x.rank == 3 && tokens == 0 ? positions.unsqueeze(dim: 1) : positions
}
