import ApusCore

// Dropout of whole channels: neighbours in one are too much alike for the loss of a single element to matter (Tompson et al. 2015).

/// `dropout` of whole channels of sequences.
///
/// - Parameters:
///   - x: `[N, C, L]`, or `[C, L]` for one sequence.
///   - p: probability of a channel to become 0, 0 … 1.
///   - isTraining: false for `x` itself.
///   - generator: where the choice comes from.
/// - Returns: shape and dtype of `x`.
public func dropout1d(_ x: Tensor, p: Double = 0.5, isTraining: Bool = true, generator: Generator = .default) -> Tensor {
  channelDropout(x, p, isTraining, generator, "dropout1d", "[N, C, L] or [C, L]", ranks: [3, 2])
}

/// `dropout` of whole channels of images.
///
/// - Parameters:
///   - x: `[N, C, H, W]`. PyTorch takes three axes for `[N, C, L]` with a warning; that is `dropout1d`.
///   - p: probability of a channel to become 0, 0 … 1.
///   - isTraining: false for `x` itself.
///   - generator: where the choice comes from.
/// - Returns: shape and dtype of `x`.
public func dropout2d(_ x: Tensor, p: Double = 0.5, isTraining: Bool = true, generator: Generator = .default) -> Tensor {
  channelDropout(x, p, isTraining, generator, "dropout2d", "[N, C, H, W]", ranks: [4])
}

/// `dropout` of whole channels of volumes.
///
/// - Parameters:
///   - x: `[N, C, D, H, W]`, or `[C, D, H, W]` for one volume.
///   - p: probability of a channel to become 0, 0 … 1.
///   - isTraining: false for `x` itself.
///   - generator: where the choice comes from.
/// - Returns: shape and dtype of `x`.
public func dropout3d(_ x: Tensor, p: Double = 0.5, isTraining: Bool = true, generator: Generator = .default) -> Tensor {
  channelDropout(x, p, isTraining, generator, "dropout3d", "[N, C, D, H, W] or [C, D, H, W]", ranks: [5, 4])
}

/// - Parameter ranks: number of axes with a batch, and without one where that can be told apart.
private func channelDropout(
  _ x: Tensor, _ p: Double, _ isTraining: Bool, _ generator: Generator, _ operation: String, _ shapes: String, ranks: [Int]
) -> Tensor {
  guard isFloating(x, operation), isProbability(p, operation),
    check(ranks.contains(x.rank), .shape, operation, "takes \(shapes), not \(x.shape)")
  else { return .invalid }
  guard isTraining, p > 0 else { return x }
  return dropped(x, p: p, choices: x.channelShape(hasBatch: x.rank == ranks[0]), generator)
}

extension Tensor {
  /// One element for each channel: the first two axes, or the first one without a batch, and 1 for the others.
  func channelShape(hasBatch: Bool) -> Shape {
    let kept = hasBatch ? 2 : 1
    return Shape(shape.prefix(kept) + [Int](repeating: 1, count: rank - kept))
  }
}

/// `dropout1d` while the module is training, its input otherwise.
public final class Dropout1d: Module, Layer {
  public let p: Double
  private let generator: Generator

  public init(_ p: Double = 0.5, generator: Generator = .default) {
    self.p = isProbability(p, "Dropout1d") ? p : 0
    self.generator = generator
  }
  public func forward(_ x: Tensor) -> Tensor { dropout1d(x, p: p, isTraining: isTraining, generator: generator) }
  public override var arguments: String { "p: \(p)" }
}

/// `dropout2d` while the module is training, its input otherwise.
public final class Dropout2d: Module, Layer {
  public let p: Double
  private let generator: Generator

  public init(_ p: Double = 0.5, generator: Generator = .default) {
    self.p = isProbability(p, "Dropout2d") ? p : 0
    self.generator = generator
  }
  public func forward(_ x: Tensor) -> Tensor { dropout2d(x, p: p, isTraining: isTraining, generator: generator) }
  public override var arguments: String { "p: \(p)" }
}

/// `dropout3d` while the module is training, its input otherwise.
public final class Dropout3d: Module, Layer {
  public let p: Double
  private let generator: Generator

  public init(_ p: Double = 0.5, generator: Generator = .default) {
    self.p = isProbability(p, "Dropout3d") ? p : 0
    self.generator = generator
  }
  public func forward(_ x: Tensor) -> Tensor { dropout3d(x, p: p, isTraining: isTraining, generator: generator) }
  public override var arguments: String { "p: \(p)" }
}
