import ApusCore

/// Encoder and decoder (Vaswani et al., "Attention is all you need", 2017), without embeddings and positions: source tokens become memory,
/// to which the layers of the target attend.
///
/// ```swift
/// let model = Transformer(512, 8, batchFirst: true)
/// let y = model(src, tgt, tgtIsCausal: true)  // [N, S, 512], [N, T, 512] → [N, T, 512]
/// ```
///
/// Both end with a layer norm. All matrices start by Glorot and Bengio's uniform rule.
public final class Transformer: Module {
  public let encoder: TransformerEncoder
  public let decoder: TransformerDecoder
  private let options: TransformerOptions

  /// - Parameters:
  ///   - dModel: features of a token.
  ///   - nhead: heads of the attentions.
  ///   - numEncoderLayers: layers of the encoder.
  ///   - numDecoderLayers: layers of the decoder.
  ///   - dimFeedforward: features between the two linear maps of a layer.
  ///   - dropout: see `TransformerEncoderLayer`.
  ///   - activation: between the linear maps.
  ///   - customEncoder: in place of the encoder described by the other parameters.
  ///   - customDecoder: in place of the decoder.
  ///   - layerNormEps: what the layer norms add to the variance.
  ///   - batchFirst: batches before tokens.
  ///   - normFirst: norms at the start of each branch instead of after the sum.
  ///   - bias: of the linear maps, projections and norms.
  ///   - dtype: of the parameters.
  ///   - generator: where they and the dropout come from.
  public init(
    _ dModel: Int = 512, _ nhead: Int = 8, numEncoderLayers: Int = 6, numDecoderLayers: Int = 6,
    dimFeedforward: Int = 2048, dropout: Double = 0.1, activation: TransformerActivation = .relu,
    customEncoder: TransformerEncoder? = nil, customDecoder: TransformerDecoder? = nil, layerNormEps: Double = 1e-5,
    batchFirst: Bool = false, normFirst: Bool = false, bias: Bool = true, dtype: DType = .float32,
    generator: Generator = .default
  ) {
    let options = TransformerOptions(
      dModel: dModel, nhead: nhead, dimFeedforward: dimFeedforward, dropout: dropout, activation: activation,
      layerNormEps: layerNormEps, batchFirst: batchFirst, normFirst: normFirst, bias: bias, dtype: dtype,
      generator: generator)
    self.options = options
    encoder =
      customEncoder
      ?? TransformerEncoder(numLayers: numEncoderLayers, norm: options.norm()) {
        TransformerEncoderLayer(
          dModel, nhead, dimFeedforward: dimFeedforward, dropout: dropout, activation: activation,
          layerNormEps: layerNormEps, batchFirst: batchFirst, normFirst: normFirst, bias: bias, dtype: dtype,
          generator: generator)
      }
    decoder =
      customDecoder
      ?? TransformerDecoder(numLayers: numDecoderLayers, norm: options.norm()) {
        TransformerDecoderLayer(
          dModel, nhead, dimFeedforward: dimFeedforward, dropout: dropout, activation: activation,
          layerNormEps: layerNormEps, batchFirst: batchFirst, normFirst: normFirst, bias: bias, dtype: dtype,
          generator: generator)
      }
    super.init()
    for cell in parameters() where cell.shape.rank > 1 {
      cell.value = Init.xavierUniform(cell.shape, dtype: cell.dtype, generator: generator)
    }
  }

  /// The decoder's output for `tgt`, given `src`.
  ///
  /// - Parameters:
  ///   - src: `[S, N, dModel]`, `[N, S, dModel]` with `batchFirst`, or `[S, dModel]`.
  ///   - tgt: `[T, N, dModel]`, likewise.
  ///   - srcMask: `[S, S]` or `[N · nhead, S, S]`; true, or −∞, forbids.
  ///   - tgtMask: `[T, T]` or `[N · nhead, T, T]`
  ///   - memoryMask: `[T, S]` or `[N · nhead, T, S]`
  ///   - srcKeyPaddingMask: `[N, S]`, true for tokens that nobody may attend to.
  ///   - tgtKeyPaddingMask: `[N, T]`
  ///   - memoryKeyPaddingMask: `[N, S]`, usually `srcKeyPaddingMask` again.
  ///   - srcIsCausal: each source token attends to those before it and itself only.
  ///   - tgtIsCausal: the same for the target, in place of `generateSquareSubsequentMask`.
  ///   - memoryIsCausal: target token i attends to the first i + 1 of the memory only.
  public func callAsFunction(
    _ src: Tensor, _ tgt: Tensor, srcMask: Tensor? = nil, tgtMask: Tensor? = nil, memoryMask: Tensor? = nil,
    srcKeyPaddingMask: Tensor? = nil, tgtKeyPaddingMask: Tensor? = nil, memoryKeyPaddingMask: Tensor? = nil,
    srcIsCausal: Bool = false, tgtIsCausal: Bool = false, memoryIsCausal: Bool = false
  ) -> Tensor {
    hooked([src, tgt]) { x in
      let memory = encoder(x[0], mask: srcMask, srcKeyPaddingMask: srcKeyPaddingMask, isCausal: srcIsCausal)
      return [
        decoder(
          x[1], memory, tgtMask: tgtMask, memoryMask: memoryMask, tgtKeyPaddingMask: tgtKeyPaddingMask,
          memoryKeyPaddingMask: memoryKeyPaddingMask, tgtIsCausal: tgtIsCausal, memoryIsCausal: memoryIsCausal)
      ]
    }[0]
  }

  /// The mask of a causal sequence, `[size, size]`: 0 up to a token itself, −∞ after it.
  public static func generateSquareSubsequentMask(_ size: Int, dtype: DType = .float32) -> Tensor {
    Tensor.full([size, size], -Double.infinity, dtype: dtype).triu(diagonal: 1)
  }

  public override var arguments: String { options.arguments }
}
