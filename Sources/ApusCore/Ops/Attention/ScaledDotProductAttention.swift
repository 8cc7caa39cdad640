/// Attention (Vaswani et al. 2017): each query takes the mean of the values, weighted by how well their keys match it:
/// softmax(q kᵀ · scale + mask) v.
///
/// ```swift
/// let y = scaledDotProductAttention(q, k, v, isCausal: true)  // a language model's: nobody sees what comes later
/// ```
///
/// - Parameters:
///   - query: `[…, H, L, E]`, at least two axes.
///   - key: `[…, H, S, E]`
///   - value: `[…, H, S, Ev]`. The axes before the last two are batches and broadcast.
///   - mask: broadcast to `[…, H, L, S]`. Either bool, true where a query may attend to a key, or of the query's dtype, added to the
///     scores (−∞ forbids).
///   - dropout: probability with which a weight becomes 0; the others grow by 1 / (1 − dropout). It is for the caller to leave it out of
///     evaluation.
///   - isCausal: query i sees the keys 0 … i only, also where L and S differ; together with a mask both hold.
///   - scale: of the scores; 1/√E where it is nil.
///   - enableGQA: the axis H of key and value may have fewer heads, of which each serves H / heads neighbouring heads of the query (Ainslie et
///     al., "GQA", 2023).
///   - generator: for the dropout.
/// - Returns: `[…, H, L, Ev]` in the dtype of the operands, which must be the same. A query that may attend to no key gives zeros, as in
///   PyTorch. float16 and bfloat16 are computed in float32.
/// - Complexity: O(L · S · (E + Ev)) operations, half of it with `isCausal`. The L × S weights are never stored, in either direction: a pass
///   computes them block by block (Dao et al., "FlashAttention", 2022), and the gradient keeps one number for each query besides operands
///   and result. Only a mask that requires a gradient, and a second derivative, take the long way of `attentionTwin`.
public func scaledDotProductAttention(
  _ query: Tensor, _ key: Tensor, _ value: Tensor, mask: Tensor? = nil, dropout: Double = 0, isCausal: Bool = false,
  scale: Double? = nil, enableGQA: Bool = false, generator: Generator = .default
) -> Tensor {
  let inputs = AttentionInputs(query: query, key: key, value: value, mask: mask)
  return attend(inputs, dropout, isCausal, scale, enableGQA, generator) { attention, x in
    x.mask?.requiresGrad == true && isGradEnabled ? attention.twin(x) : attention.blocked(x)
  }
}

/// The readable twin of `scaledDotProductAttention`, of ordinary ops: it stores the weights.
package func attentionTwin(
  _ query: Tensor, _ key: Tensor, _ value: Tensor, mask: Tensor? = nil, dropout: Double = 0, isCausal: Bool = false,
  scale: Double? = nil, enableGQA: Bool = false, generator: Generator = .default
) -> Tensor {
  let inputs = AttentionInputs(query: query, key: key, value: value, mask: mask)
  return attend(inputs, dropout, isCausal, scale, enableGQA, generator) { $0.twin($1) }
}

/// What `body` computes of operands that were checked, made float32 or float64, and had their heads grouped.
func attend(
  _ x: AttentionInputs, _ dropout: Double, _ isCausal: Bool, _ scale: Double?, _ isGrouped: Bool, _ generator: Generator,
  _ body: (Attention, AttentionInputs) -> Tensor
) -> Tensor {
  let x = Context.hasOpenScopes ? x.map(autocasted) : x
  guard x.all.allSatisfy(\.isValid), let shapes = AttentionShapes(x, isGrouped: isGrouped),
    check((0...1).contains(dropout), .value, AttentionShapes.name, "dropout = \(dropout) is not in 0...1")
  else { return .invalid }
  let dtype = x.query.dtype
  let heads = shapes.groupedHeads
  let inputs = (dtype.itemSize < 4 ? x.converted(to: .float32) : x).grouped(heads)
  let features = x.query.shape[-1]
  let attention = Attention(
    scale: scale ?? (features > 0 ? 1 / Double(features).squareRoot() : 1), isCausal: isCausal,
    dropout: dropout > 0 ? shapes.draw(dropout, generator) : nil, weights: shapes.weights(grouped: heads))
  let y = body(attention, inputs).to(dtype)
  return heads == nil || !y.isValid ? y : y.flatten(startDim: -4, endDim: -3)
}

/// softmax(q kᵀ · scale + mask), `[…, H, L, S]`: the weights of `scaledDotProductAttention`, which does not store them, with its parameters.
package func attentionWeights(
  _ query: Tensor, _ key: Tensor, mask: Tensor? = nil, isCausal: Bool = false, scale: Double? = nil
) -> Tensor {
  let inputs = AttentionInputs(query: query, key: key, value: key, mask: mask)
  return attend(inputs, 0, isCausal, scale, false, .default) { $0.probabilities($1) }
}
