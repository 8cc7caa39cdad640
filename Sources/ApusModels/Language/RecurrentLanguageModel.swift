import ApusCore
import ApusNN

/// A language model with a memory of fixed size (Mikolov et al., "Recurrent neural network based language model", 2010): it reads one token after
/// the other, and all that it knows of earlier ones is in its state.
///
/// ```swift
/// let model = RecurrentLanguageModel(.lstm, vocabulary: 65, hidden: 256, layers: 2)
/// let (logits, state) = model(ids, nil)  // [batch, tokens, 65]
/// ```
///
/// The parameters have the names of PyTorch's example `word_language_model`.
public final class RecurrentLanguageModel: Module, LanguageModel {
  /// The kind of recurrent layer.
  public enum Cell: String, CaseIterable, Sendable {
    /// One state, tanh.
    case rnn
    /// Long short-term memory.
    case lstm
    /// Gated recurrent units.
    case gru
  }

  public let encoder: Embedding
  public let drop: Dropout
  public let rnn: RecurrentLayer
  public let decoder: Linear
  public let cell: Cell
  private let run: (Tensor, RecurrentState?) -> (Tensor, RecurrentState)

  public var vocabulary: Int { encoder.numEmbeddings }
  public var context: Int? { nil }

  /// - Parameters:
  ///   - cell: the kind of recurrent layer.
  ///   - vocabulary: how many different tokens there are.
  ///   - width: features of a token; as many as `hidden` unless given.
  ///   - hidden: units of a layer.
  ///   - layers: one above the other.
  ///   - dropout: of the embeddings, between the layers and before the head.
  ///   - tiesWeights: whether the head's weight is the embedding's, which takes as many features as units (Press and Wolf, "Using the output
  ///     embedding to improve language models", 2017).
  ///   - generator: for the parameters and the dropout.
  public init(
    _ cell: Cell, vocabulary: Int, width: Int? = nil, hidden: Int, layers: Int = 1, dropout: Double = 0,
    tiesWeights: Bool = false,
    generator: Generator = .default
  ) {
    self.cell = cell
    let width = width ?? hidden
    encoder = Embedding(vocabulary, width, generator: generator)
    drop = Dropout(dropout, generator: generator)
    // Between the layers, so with one layer nowhere.
    let between = layers > 1 ? dropout : 0
    (rnn, run) = cell.layer(width, hidden, layers: layers, dropout: between, generator: generator)
    decoder = Linear(hidden, vocabulary, generator: generator)
    super.init()
    if tiesWeights,
      check(
        width == hidden, .value, "RecurrentLanguageModel", "tied weights need as many features (\(width)) as units (\(hidden))")
    {
      encoder.weight = Init.uniform(encoder.weight.shape, low: -0.1, high: 0.1, generator: generator)
      decoder.$weight = encoder.$weight
    }
  }

  /// - Parameter ids: `[batch, tokens]`, int64.
  /// - Returns: `[batch, tokens, vocabulary]`, unnormalised.
  public func forward(_ ids: Tensor) -> Tensor { step(ids, nil).logits }

  /// The same from a state on, with the state after it.
  ///
  /// - Parameters:
  ///   - ids: `[batch, tokens]`, int64.
  ///   - state: what the tokens before left; nil for none. Truncated back-propagation passes one on with `detached()`.
  public func callAsFunction(_ ids: Tensor, _ state: RecurrentState?) -> (logits: Tensor, state: RecurrentState) {
    var after = RecurrentState(h: .invalid)
    let logits = hooked([ids]) { inputs in
      let (logits, state) = step(inputs[0], state)
      after = state
      return [logits]
    }[0]
    return (logits, after)
  }

  private func step(_ ids: Tensor, _ state: RecurrentState?) -> (logits: Tensor, state: RecurrentState) {
    guard ids.isValid,
      check(ids.rank == 2, .shape, "RecurrentLanguageModel", "ids of shape \(ids.shape) are not [batch, tokens]")
    else { return (.invalid, RecurrentState(h: .invalid)) }
    let (y, after) = run(drop(encoder(ids)), state)
    return (decoder(drop(y)), after)
  }

  public func makeMemory() -> RecurrentState? { nil }

  public func next(_ ids: Tensor, memory: inout RecurrentState?) -> Tensor {
    let (logits, state) = self(ids, memory)
    memory = state
    return logits.isValid ? logits.select(dim: 1, index: -1) : logits
  }

  public override var arguments: String {
    "\(cell), vocabulary: \(vocabulary), width: \(encoder.embeddingDim), hidden: \(rnn.hiddenSize), layers: \(rnn.numLayers)"
  }
}

extension RecurrentLanguageModel.Cell {
  /// Layers of this kind over `[batch, steps, inputs]`, and how they go on from a state.
  package func layer(
    _ inputs: Int, _ hidden: Int, layers: Int = 1, dropout: Double = 0, generator: Generator = .default
  ) -> (layer: RecurrentLayer, run: (Tensor, RecurrentState?) -> (Tensor, RecurrentState)) {
    switch self {
    case .rnn:
      let layer = RNN(inputs, hidden, numLayers: layers, batchFirst: true, dropout: dropout, generator: generator)
      return (layer, { x, state in Self.withState(layer(x, state?.h)) })
    case .lstm:
      let layer = LSTM(inputs, hidden, numLayers: layers, batchFirst: true, dropout: dropout, generator: generator)
      let run = { (x: Tensor, state: RecurrentState?) in
        let (y, (h, c)) = layer(x, state.flatMap { state in state.c.map { (state.h, $0) } })
        return (y, RecurrentState(h: h, c: c))
      }
      return (layer, run)
    case .gru:
      let layer = GRU(inputs, hidden, numLayers: layers, batchFirst: true, dropout: dropout, generator: generator)
      return (layer, { x, state in Self.withState(layer(x, state?.h)) })
    }
  }

  private static func withState(_ result: (Tensor, Tensor)) -> (Tensor, RecurrentState) {
    (result.0, RecurrentState(h: result.1))
  }
}

/// What a recurrent network knows of the tokens that it has read.
public struct RecurrentState: Sendable {
  public var h: Tensor  // [layers, batch, hidden]
  /// The cells of an LSTM.
  public var c: Tensor?  // [layers, batch, hidden]

  public init(h: Tensor, c: Tensor? = nil) {
    self.h = h
    self.c = c
  }

  /// The same numbers without their history: gradients stop here.
  public func detached() -> RecurrentState { RecurrentState(h: h.detach(), c: c?.detach()) }

  /// The state of one or two tensors; nil for none.
  package init?(_ tensors: [Tensor]) {
    guard let h = tensors.first else { return nil }
    self.init(h: h, c: tensors.count > 1 ? tensors[1] : nil)
  }

  package var tensors: [Tensor] { [h] + (c.map { [$0] } ?? []) }
}
