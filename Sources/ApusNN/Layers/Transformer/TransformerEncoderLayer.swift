import ApusCore

/// One layer of a transformer's encoder (Vaswani et al. 2017): self-attention, then a small network for each token, each with a residual
/// connection around it and a layer norm, after the sum or, with `normFirst`, before the branch (Xiong et al. 2020).
///
/// `[L, N, dModel]` to the same; `[N, L, dModel]` with `batchFirst`; or `[L, dModel]`.
public final class TransformerEncoderLayer: Module, Layer {
  public let selfAttn: MultiheadAttention
  public let linear1: Linear
  public let dropout: Dropout
  public let linear2: Linear
  public let norm1: LayerNorm
  public let norm2: LayerNorm
  public let dropout1: Dropout
  public let dropout2: Dropout
  private let options: TransformerOptions

  /// - Parameters:
  ///   - dModel: features of a token.
  ///   - nhead: heads of the attention.
  ///   - dimFeedforward: features between the two linear maps.
  ///   - dropout: of the attention's weights, between the linear maps, and at the end of each branch.
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
    selfAttn = options.attention()
    linear1 = options.linear(dModel, dimFeedforward)
    self.dropout = options.drop()
    linear2 = options.linear(dimFeedforward, dModel)
    (norm1, norm2) = (options.norm(), options.norm())
    (dropout1, dropout2) = (options.drop(), options.drop())
  }

  /// The layer without masks.
  public func forward(_ src: Tensor) -> Tensor { encode(src, nil, nil, false, nil) }

  /// Applies the layer.
  ///
  /// - Parameters:
  ///   - src: the tokens.
  ///   - srcMask: as `attnMask` of `MultiheadAttention`: true, or −∞, forbids.
  ///   - srcKeyPaddingMask: `[N, L]`, true for tokens that nobody may attend to.
  ///   - isCausal: each token attends to those before it and itself only.
  ///   - cache: the keys and values of earlier tokens; with `isCausal` the layer is a language model's, decoding.
  public func callAsFunction(
    _ src: Tensor, srcMask: Tensor? = nil, srcKeyPaddingMask: Tensor? = nil, isCausal: Bool = false,
    cache: KeyValueCache? = nil
  ) -> Tensor {
    hooked([src]) { [encode($0[0], srcMask, srcKeyPaddingMask, isCausal, cache)] }[0]
  }

  private func encode(
    _ src: Tensor, _ mask: Tensor?, _ padding: Tensor?, _ isCausal: Bool, _ cache: KeyValueCache?
  ) -> Tensor {
    let attend = { [self] (x: Tensor) in
      dropout1(selfAttn(x, keyPaddingMask: padding, attnMask: mask, isCausal: isCausal, cache: cache))
    }
    let x = options.branch(src, norm1, attend)
    return options.branch(x, norm2) { dropout2(linear2(dropout(options.activation(linear1($0))))) }
  }

  public override var arguments: String { options.arguments }
}

extension TransformerOptions {
  /// A residual connection around `body`, with its norm.
  func branch(_ x: Tensor, _ norm: LayerNorm, _ body: (Tensor) -> Tensor) -> Tensor {
    normFirst ? x + body(norm(x)) : norm(x + body(x))
  }
}
