import ApusCore

/// Gated recurrent units over sequences (Cho et al. 2014), in PyTorch's form:
///
/// r, z = σ(W x + b + U h + b′), n = tanh(W x + b + r (U h + b′)), h ← (1 − z) n + z h.
///
/// See `RecurrentLayer` for inputs and parameters, `LSTM` for the options.
public final class GRU: RecurrentLayer {
  /// Layers with `hiddenSize` units each; the options are those of `LSTM`.
  public init(
    _ inputSize: Int, _ hiddenSize: Int, numLayers: Int = 1, bias: Bool = true, batchFirst: Bool = false, dropout: Double = 0,
    bidirectional: Bool = false, dtype: DType = .float32, generator: Generator = .default
  ) {
    super.init(
      .gru, inputSize, hiddenSize,
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
}
