import ApusCore

/// The plain recurrent network over sequences (Elman 1990): h ← tanh(W x + b + U h + b′), or max(…, 0).
///
/// See `RecurrentLayer` for inputs and parameters, `LSTM` for the options.
public final class RNN: RecurrentLayer {
  /// What is applied to the sums.
  public enum Nonlinearity: Sendable {
    /// The hyperbolic tangent.
    case tanh
    /// max(x, 0).
    case relu

    var cell: RecurrentCell {
      switch self {
      case .tanh: .tanh
      case .relu: .relu
      }
    }
  }

  /// Layers with `hiddenSize` units each; the other options are those of `LSTM`.
  public init(
    _ inputSize: Int, _ hiddenSize: Int, numLayers: Int = 1, nonlinearity: Nonlinearity = .tanh, bias: Bool = true,
    batchFirst: Bool = false, dropout: Double = 0, bidirectional: Bool = false, dtype: DType = .float32,
    generator: Generator = .default
  ) {
    super.init(
      nonlinearity.cell, inputSize, hiddenSize,
      RecurrentOptions(
        numLayers: numLayers, bias: bias, batchFirst: batchFirst, dropout: dropout, bidirectional: bidirectional, dtype: dtype,
        generator: generator))
  }

  /// Outputs of the last layer at every step, and the last states of all layers.
  ///
  /// - Parameters:
  ///   - x: the sequences.
  ///   - h: `[layers · directions, batch, hidden]` to start from; zeros where left out. Without the batch axis where `x` has none.
  /// - Returns: `[steps, batch, directions · hidden]` (or in the layout of `x`), and the last h.
  public func callAsFunction(_ x: Tensor, _ h: Tensor? = nil) -> (output: Tensor, h: Tensor) {
    let results = run(x, h.map { [$0] } ?? [])
    return (results[0], results[1])
  }

  /// The same for sequences of several lengths: each ends where it ends, and its last state is that of its own last step.
  public func callAsFunction(_ x: PackedSequence, _ h: Tensor? = nil) -> (output: PackedSequence, h: Tensor) {
    let (y, states) = run(x, h.map { [$0] } ?? [])
    return (y, states[0])
  }

  public override var arguments: String { super.arguments + (cell == .relu ? ", nonlinearity: relu" : "") }
}
