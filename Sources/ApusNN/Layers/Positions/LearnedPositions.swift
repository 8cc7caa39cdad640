import ApusCore

/// Adds a learned vector for each position to embeddings: `[L, N, features]`, `[N, L, features]` with `batchFirst`, or `[L, features]`.
///
/// The vectors start normally distributed with a standard deviation of 0.02 (Radford et al., GPT-2, 2019).
public final class LearnedPositions: Module, Layer {
  @Parameter public var weight: Tensor  // [maxLength, features]
  public let maxLength: Int
  public let features: Int
  public let batchFirst: Bool

  /// - Parameters:
  ///   - maxLength: number of positions.
  ///   - features: of an embedding.
  ///   - batchFirst: batches before tokens.
  ///   - dtype: of the parameter.
  ///   - generator: where it comes from.
  public init(
    _ maxLength: Int, _ features: Int, batchFirst: Bool = false, dtype: DType = .float32, generator: Generator = .default
  ) {
    (self.maxLength, self.features, self.batchFirst) = (maxLength, features, batchFirst)
    let fits = check(
      maxLength >= 0 && features >= 0, .value, "LearnedPositions", "\(maxLength) positions of \(features) features")
    weight = fits ? Init.normal([maxLength, features], std: 0.02, dtype: dtype, generator: generator) : .invalid
  }

  /// Adds the positions from 0 on.
  public func forward(_ x: Tensor) -> Tensor { add(x, 0) }

  /// Adds the positions from `offset` on: for tokens that come after others.
  public func callAsFunction(_ x: Tensor, offset: Int) -> Tensor { hooked([x]) { [add($0[0], offset)] }[0] }

  private func add(_ x: Tensor, _ offset: Int) -> Tensor {
    guard let tokens = tokenAxis(x, features, batchFirst, "LearnedPositions") else { return .invalid }
    let end = offset + x.shape[tokens]
    guard
      check(
        offset >= 0 && end <= maxLength, .index, "LearnedPositions",
        "positions \(offset)..<\(end) are not in 0..<\(maxLength)")
    else { return .invalid }
    return x + alignedPositions(weight.narrow(dim: 0, start: offset, count: x.shape[tokens]), to: x, tokens)
  }

  public override var arguments: String { "\(maxLength), \(features), batchFirst: \(batchFirst)" }
}
