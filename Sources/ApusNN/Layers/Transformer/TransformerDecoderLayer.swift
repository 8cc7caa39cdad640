import ApusCore

/// One layer of a transformer's decoder (Vaswani et al. 2017): self-attention, attention to what the encoder made of the source, and a small
/// network for each token; residual connections and norms as in `TransformerEncoderLayer`.
public final class TransformerDecoderLayer: Module {
  public let selfAttn: MultiheadAttention
  public let multiheadAttn: MultiheadAttention
  public let linear1: Linear
  public let dropout: Dropout
  public let linear2: Linear
  public let norm1: LayerNorm
  public let norm2: LayerNorm
  public let norm3: LayerNorm
  public let dropout1: Dropout
  public let dropout2: Dropout
  public let dropout3: Dropout
  private let options: TransformerOptions

  /// - Parameters:
  ///   - dModel: features of a token.
  ///   - nhead: heads of the attentions.
  ///   - dimFeedforward: features between the two linear maps.
  ///   - dropout: of the attentions' weights, between the linear maps, and at the end of each branch.
  ///   - activation: between the linear maps.
  ///   - layerNormEps: what the layer norms add to the variance.
  ///   - batchFirst: batches before tokens.
  ///   - normFirst: norms at the start of each branch instead of after the sum.
  ///   - bias: of the linear maps, projections and norms.
  ///   - dtype: of the parameters.
  ///   - generator: where they and the dropout come from.
  public init(
    _ dModel: Int, _ nhead: Int, dimFeedforward: Int = 2048, dropout: Double = 0.1,
    activation: TransformerActivation = .relu, layerNormEps: Double = 1e-5, batchFirst: Bool = false,
    normFirst: Bool = false, bias: Bool = true, dtype: DType = .float32, generator: Generator = .default
  ) {
    options = TransformerOptions(
      dModel: dModel, nhead: nhead, dimFeedforward: dimFeedforward, dropout: dropout, activation: activation,
      layerNormEps: layerNormEps, batchFirst: batchFirst, normFirst: normFirst, bias: bias, dtype: dtype,
      generator: generator)
    (selfAttn, multiheadAttn) = (options.attention(), options.attention())
    linear1 = options.linear(dModel, dimFeedforward)
    self.dropout = options.drop()
    linear2 = options.linear(dimFeedforward, dModel)
    (norm1, norm2, norm3) = (options.norm(), options.norm(), options.norm())
    (dropout1, dropout2, dropout3) = (options.drop(), options.drop(), options.drop())
  }

  /// Applies the layer.
  ///
  /// - Parameters:
  ///   - tgt: the tokens so far, `[T, N, dModel]`, or as `batchFirst` says, or without N.
  ///   - memory: the encoder's output, `[S, N, dModel]`, likewise.
  ///   - tgtMask: `[T, T]` or `[N · nhead, T, T]`; true, or −∞, forbids.
  ///   - memoryMask: `[T, S]` or `[N · nhead, T, S]`.
  ///   - tgtKeyPaddingMask: `[N, T]`, true for tokens that nobody may attend to.
  ///   - memoryKeyPaddingMask: `[N, S]`
  ///   - tgtIsCausal: each token attends to those before it and itself only.
  ///   - memoryIsCausal: token i attends to the first i + 1 of the memory only.
  ///   - cache: the self-attention's keys and values of earlier tokens.
  public func callAsFunction(
    _ tgt: Tensor, _ memory: Tensor, tgtMask: Tensor? = nil, memoryMask: Tensor? = nil, tgtKeyPaddingMask: Tensor? = nil,
    memoryKeyPaddingMask: Tensor? = nil, tgtIsCausal: Bool = false, memoryIsCausal: Bool = false,
    cache: KeyValueCache? = nil
  ) -> Tensor {
    hooked([tgt, memory]) { inputs in
      var x = options.branch(inputs[0], norm1) {
        dropout1(selfAttn($0, keyPaddingMask: tgtKeyPaddingMask, attnMask: tgtMask, isCausal: tgtIsCausal, cache: cache))
      }
      x = options.branch(x, norm2) {
        dropout2(
          multiheadAttn(
            $0, inputs[1], inputs[1], keyPaddingMask: memoryKeyPaddingMask, attnMask: memoryMask, isCausal: memoryIsCausal))
      }
      return [options.branch(x, norm3) { dropout3(linear2(dropout(options.activation(linear1($0))))) }]
    }[0]
  }

  public override var arguments: String { options.arguments }
}
