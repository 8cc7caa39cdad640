import ApusCore

/// Long short-term memory over sequences (Hochreiter and Schmidhuber 1997):
///
/// i, f, o = σ(W x + b + U h + b′), g = tanh(…), c ← f c + i g, h ← o tanh(c); with `projSize`, h is then made that size by a matrix.
///
/// ```swift
/// let lstm = LSTM(28, 128, numLayers: 2, batchFirst: true)
/// let (y, (h, c)) = lstm(x)  // [batch, steps, 128], and the last states, [2, batch, 128]
/// ```
///
/// See `RecurrentLayer` for inputs and parameters.
public final class LSTM: RecurrentLayer {
  /// - Parameters:
  ///   - inputSize: features of an input.
  ///   - hiddenSize: units of a layer.
  ///   - numLayers: layers one above the other.
  ///   - bias: whether there are the biases b and b′.
  ///   - batchFirst: whether the batch is the first axis of inputs and outputs (never of states).
  ///   - dropout: probability of dropout after each layer but the last.
  ///   - bidirectional: whether a second direction goes from the end to the start; outputs hold both, the forward one first.
  ///   - projSize: size that h is projected to; 0 for none. Such layers run step by step in ordinary ops.
  ///   - dtype: of the parameters.
  ///   - generator: where the parameters and the dropout are drawn from.
  public init(
    _ inputSize: Int, _ hiddenSize: Int, numLayers: Int = 1, bias: Bool = true, batchFirst: Bool = false, dropout: Double = 0,
    bidirectional: Bool = false, projSize: Int = 0, dtype: DType = .float32, generator: Generator = .default
  ) {
    super.init(
      .lstm, inputSize, hiddenSize,
      RecurrentOptions(
        numLayers: numLayers, bias: bias, batchFirst: batchFirst, dropout: dropout, bidirectional: bidirectional,
        projSize: projSize, dtype: dtype, generator: generator))
  }

  /// Outputs of the last layer at every step, and the last states of all layers.
  ///
  /// - Parameters:
  ///   - x: the sequences.
  ///   - state: h, `[layers · directions, batch, out]`, and c, `[layers · directions, batch, hidden]`, to start from; zeros where left out.
  ///     Neither has the batch axis where `x` has none.
  /// - Returns: `[steps, batch, directions · out]` (or in the layout of `x`), and the states.
  public func callAsFunction(_ x: Tensor, _ state: (h: Tensor, c: Tensor)? = nil) -> (
    output: Tensor, state: (h: Tensor, c: Tensor)
  ) {
    let results = run(x, state.map { [$0.h, $0.c] } ?? [])
    return (results[0], (results[1], results[2]))
  }

  /// The same for sequences of several lengths: each ends where it ends, and its last state is that of its own last step.
  public func callAsFunction(_ x: PackedSequence, _ state: (h: Tensor, c: Tensor)? = nil) -> (
    output: PackedSequence, state: (h: Tensor, c: Tensor)
  ) {
    let (y, states) = run(x, state.map { [$0.h, $0.c] } ?? [])
    return (y, (states[0], states[1]))
  }
}
