import ApusCore

/// Attention in several subspaces at once (Vaswani et al., "Attention is all you need", 2017): queries, keys and values are projected to
/// `numHeads` heads of `embedDim / numHeads` features, each head attends by itself (`scaledDotProductAttention`), and the heads'
/// results, side by side, are projected once more.
///
/// ```swift
/// let attention = MultiheadAttention(512, 8, batchFirst: true)
/// let y = attention(x)  // [N, L, 512] to itself
/// let z = attention(y, memory, memory, keyPaddingMask: isPadding)
/// ```
///
/// Inputs are `[L, N, embedDim]`, with `batchFirst` `[N, L, embedDim]`, or without a batch `[L, embedDim]`. Masks are PyTorch's, and the
/// other way round than those of `scaledDotProductAttention`: **true forbids**; numbers are added to the scores. A query to which
/// everything is forbidden gets what attention to nothing gives: zeros before the last projection.
///
/// In-projections start by Glorot and Bengio's uniform rule, biases at 0, `biasK` and `biasV` by their normal rule.
public final class MultiheadAttention: Module {
  @Parameter public var inProjWeight: Tensor?  // [3 embedDim, embedDim], where key and value have the query's size
  @Parameter public var qProjWeight: Tensor?  // [embedDim, embedDim], where they have not
  @Parameter public var kProjWeight: Tensor?  // [embedDim, kdim]
  @Parameter public var vProjWeight: Tensor?  // [embedDim, vdim]
  @Parameter public var inProjBias: Tensor?  // [3 embedDim]
  @Parameter public var biasK: Tensor?  // [1, 1, embedDim]
  @Parameter public var biasV: Tensor?  // [1, 1, embedDim]
  public let outProj: Linear
  public let embedDim: Int
  public let numHeads: Int
  public let kdim: Int
  public let vdim: Int
  /// Probability with which a weight becomes 0 in training.
  public let dropout: Double
  /// Whether every query may attend to a key and value of zeros as well.
  public let addZeroAttn: Bool
  public let batchFirst: Bool
  let generator: Generator

  /// - Parameters:
  ///   - embedDim: features of queries and results; a multiple of `numHeads`.
  ///   - numHeads: number of heads.
  ///   - dropout: of the weights.
  ///   - bias: whether the projections have one.
  ///   - addBiasKV: a learned key and value more, which every query may attend to.
  ///   - addZeroAttn: a key and value of zeros more.
  ///   - kdim: features of keys; `embedDim` where nil.
  ///   - vdim: features of values; `embedDim` where nil.
  ///   - batchFirst: batches before tokens.
  ///   - dtype: of the parameters.
  ///   - generator: where they and the dropout come from.
  public init(
    _ embedDim: Int, _ numHeads: Int, dropout: Double = 0, bias: Bool = true, addBiasKV: Bool = false,
    addZeroAttn: Bool = false, kdim: Int? = nil, vdim: Int? = nil, batchFirst: Bool = false, dtype: DType = .float32,
    generator: Generator = .default
  ) {
    let fits =
      check(
        embedDim > 0 && numHeads > 0 && embedDim % numHeads == 0, .value, "MultiheadAttention",
        "embedDim = \(embedDim) is not a multiple of numHeads = \(numHeads)")
      && check((0...1).contains(dropout), .value, "MultiheadAttention", "dropout = \(dropout) is not in 0...1")
    (self.embedDim, self.numHeads) = fits ? (embedDim, numHeads) : (1, 1)
    (self.kdim, self.vdim) = (kdim ?? embedDim, vdim ?? embedDim)
    self.dropout = fits ? dropout : 0
    (self.addZeroAttn, self.batchFirst, self.generator) = (addZeroAttn, batchFirst, generator)
    let drawn = { (shape: Shape) in
      fits ? Init.xavierUniform(shape, dtype: dtype, generator: generator) : .invalid
    }
    let isUniform = self.kdim == embedDim && self.vdim == embedDim
    inProjWeight = isUniform ? drawn([3 * embedDim, embedDim]) : nil
    qProjWeight = isUniform ? nil : drawn([embedDim, embedDim])
    kProjWeight = isUniform ? nil : drawn([embedDim, self.kdim])
    vProjWeight = isUniform ? nil : drawn([embedDim, self.vdim])
    inProjBias = bias && fits ? Tensor.zeros([3 * embedDim], dtype: dtype) : nil
    outProj = Linear(self.embedDim, self.embedDim, bias: bias, dtype: dtype, generator: generator)
    if bias { outProj.bias = Tensor.zeros([self.embedDim], dtype: dtype) }
    let extra = { Init.xavierNormal([1, 1, embedDim], dtype: dtype, generator: generator) }
    biasK = addBiasKV && fits ? extra() : nil
    biasV = addBiasKV && fits ? extra() : nil
  }

  /// What the queries find in the values.
  ///
  /// - Parameters:
  ///   - query: `[L, N, embedDim]`, or as `batchFirst` says, or without N.
  ///   - key: `[S, N, kdim]`, likewise.
  ///   - value: `[S, N, vdim]`, likewise.
  ///   - keyPaddingMask: `[N, S]` (`[S]` without a batch): true, or −∞, for keys that nobody may attend to.
  ///   - attnMask: `[L, S]`, or `[N · numHeads, L, S]`: true, or −∞, where a query may not attend to a key.
  ///   - isCausal: query i attends to the keys 0 … i only, without a mask of L × S. Other than in PyTorch it is no hint about `attnMask` but
  ///     does it.
  ///   - cache: keys and values of earlier tokens, which these tokens join; S then counts all of them, and the queries are the last L.
  /// - Returns: the shape of `query`.
  public func callAsFunction(
    _ query: Tensor, _ key: Tensor, _ value: Tensor, keyPaddingMask: Tensor? = nil, attnMask: Tensor? = nil,
    isCausal: Bool = false, cache: KeyValueCache? = nil
  ) -> Tensor {
    let masks = AttentionMasks(keyPadding: keyPaddingMask, attention: attnMask, isCausal: isCausal)
    return hooked([query, key, value]) { x in
      [
        attend(x, masks, cache) { heads, mask, isCausal in
          let dropout = isTraining ? dropout : 0
          if let packed = heads.packed {
            return packedAttention(
              packed, batchFirst: batchFirst, mask: mask, dropout: dropout, isCausal: isCausal, generator: generator)
          }
          return scaledDotProductAttention(
            heads.query, heads.key, heads.value, mask: mask, dropout: dropout, isCausal: isCausal, generator: generator)
        }
      ]
    }[0]
  }

  /// Attention of a sequence to itself.
  public func callAsFunction(
    _ x: Tensor, keyPaddingMask: Tensor? = nil, attnMask: Tensor? = nil, isCausal: Bool = false,
    cache: KeyValueCache? = nil
  ) -> Tensor {
    self(x, x, x, keyPaddingMask: keyPaddingMask, attnMask: attnMask, isCausal: isCausal, cache: cache)
  }

  /// The result together with the weights of the attention (after dropout): PyTorch's `need_weights`.
  ///
  /// - Parameters:
  ///   - query: as in a call, and so are the parameters up to `isCausal`.
  ///   - key: see there.
  ///   - value: see there.
  ///   - keyPaddingMask: see there.
  ///   - attnMask: see there.
  ///   - isCausal: see there.
  ///   - averageWeights: the mean over the heads, `[N, L, S]`, or each head's, `[N, numHeads, L, S]`; without a batch N is left out.
  /// - Complexity: the weights are stored, L · S for each head.
  public func withWeights(
    _ query: Tensor, _ key: Tensor, _ value: Tensor, keyPaddingMask: Tensor? = nil, attnMask: Tensor? = nil,
    isCausal: Bool = false, averageWeights: Bool = true
  ) -> (output: Tensor, weights: Tensor) {
    let masks = AttentionMasks(keyPadding: keyPaddingMask, attention: attnMask, isCausal: isCausal)
    let both = hooked([query, key, value]) { x in
      var weights = Tensor.invalid
      let y = attend(x, masks, nil) { heads, mask, isCausal in
        let p = attentionWeights(heads.query, heads.key, mask: mask, isCausal: isCausal)
        weights = ApusNN.dropout(p, p: dropout, isTraining: isTraining, generator: generator)
        return weights.matmul(heads.value)
      }
      if averageWeights && weights.isValid { weights = weights.mean(dim: 1) }
      return [y, x[0].rank == 2 && weights.isValid ? weights.squeeze(dim: 0) : weights]
    }
    return (both[0], both[1])
  }

  public override func multiplyAdds(inputs: [Shape], outputs: [Shape]) -> Int {
    guard inputs.count == 3, inputs[0].elementCount > 0, let sequence = inputs[1].dropLast().first else { return 0 }
    let keys = batchFirst && inputs[1].rank == 3 ? inputs[1][1] : sequence
    return inputs[0].elementCount * (embedDim + 2 * keys) + (inputs[1].elementCount + inputs[2].elementCount) * embedDim
  }

  public override var arguments: String {
    var parts = ["embedDim: \(embedDim)", "numHeads: \(numHeads)"]
    if dropout > 0 { parts.append("dropout: \(dropout)") }
    parts.append("bias: \(inProjBias != nil)")
    if biasK != nil { parts.append("addBiasKV: true") }
    if addZeroAttn { parts.append("addZeroAttn: true") }
    if kdim != embedDim { parts.append("kdim: \(kdim)") }
    if vdim != embedDim { parts.append("vdim: \(vdim)") }
    return (parts + ["batchFirst: \(batchFirst)"]).joined(separator: ", ")
  }
}
