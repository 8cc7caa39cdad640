import ApusCore
import ApusNN

/// A generative pre-trained transformer (Radford et al., "Language models are unsupervised multitask learners", 2019): it reads tokens and
/// says for each position what may come next.
///
/// ```swift
/// let model = GPT(vocabulary: 65, context: 64, layers: 4, heads: 4, width: 128)
/// let logits = model(ids)  // [batch, tokens, 65]
/// ```
///
/// Learned positions, layer normalization before attention and before the perceptron, GELU, and a head that shares the token embedding's weight.
/// The parameters have nanoGPT's names.
public final class GPT: Module, LanguageModel {
  /// The size of a model and its options.
  public struct Configuration: Sendable, Hashable {
    public var vocabulary: Int
    /// The most tokens that the model can look at.
    public var context: Int
    public var layers: Int
    public var heads: Int
    public var width: Int
    /// Whether linear layers and normalizations have one.
    public var bias = true
    public var dropout = 0.0
    /// `.tanh` is GPT-2's.
    public var gelu = Tensor.GELUApproximation.none
  }

  public let transformer: GPTBody
  public let lmHead: Linear
  public let configuration: Configuration

  /// - Parameters:
  ///   - vocabulary: how many different tokens there are.
  ///   - context: the most tokens that the model can look at.
  ///   - layers: blocks of attention and perceptron.
  ///   - heads: of the attention; a divisor of `width`.
  ///   - width: features of a token.
  ///   - bias: whether linear layers and normalizations have one.
  ///   - dropout: after the embeddings, in the attention, and at the end of each branch.
  ///   - gelu: `.tanh` for GPT-2's approximation.
  ///   - generator: for the parameters: a normal distribution with standard deviation 0.02, at the end of the branches 0.02/√(2 · layers).
  public convenience init(
    vocabulary: Int, context: Int, layers: Int, heads: Int, width: Int, bias: Bool = true, dropout: Double = 0,
    gelu: Tensor.GELUApproximation = .none, generator: Generator = .default
  ) {
    self.init(
      Configuration(
        vocabulary: vocabulary, context: context, layers: layers, heads: heads, width: width, bias: bias, dropout: dropout,
        gelu: gelu), generator: generator)
  }

  public init(_ configuration: Configuration, generator: Generator = .default) {
    let c = configuration
    let isFine = check(
      c.vocabulary > 0 && c.context > 0 && c.layers >= 0 && c.heads > 0 && c.width > 0 && c.width % c.heads == 0, .value, "GPT",
      "\(c.vocabulary) tokens, context \(c.context), \(c.layers) layers, \(c.heads) heads of width \(c.width): all above 0, the width "
        + "a multiple of the heads")
    var fixed = c
    if !isFine { (fixed.vocabulary, fixed.context, fixed.layers, fixed.heads, fixed.width) = (1, 1, 0, 1, 1) }
    self.configuration = fixed
    transformer = GPTBody(fixed, generator)
    lmHead = Linear(fixed.width, fixed.vocabulary, bias: false, generator: generator)
    super.init()
    lmHead.$weight = transformer.wte.$weight
  }

  /// - Parameter ids: `[batch, tokens]`, int64; at most `context` tokens.
  /// - Returns: `[batch, tokens, vocabulary]`, unnormalised.
  public func forward(_ ids: Tensor) -> Tensor { lmHead(transformer(ids)) }

  /// The logits of what follows the last of `ids`, `[batch, vocabulary]`, for tokens that come after those in `caches`.
  ///
  /// - Parameters:
  ///   - ids: `[batch, new tokens]`.
  ///   - caches: one for each layer (`makeCaches()`); they take the new tokens in.
  public func next(_ ids: Tensor, caches: [KeyValueCache]) -> Tensor {
    let y = transformer(ids, caches: caches)
    return y.isValid ? lmHead(y.select(dim: 1, index: -1)) : y
  }

  /// Empty caches for a generation.
  public func makeCaches() -> [KeyValueCache] {
    (0..<configuration.layers).map { _ in KeyValueCache(capacity: configuration.context) }
  }

  public var vocabulary: Int { configuration.vocabulary }

  public var context: Int? { configuration.context }

  public func makeMemory() -> [KeyValueCache] { makeCaches() }

  public func next(_ ids: Tensor, memory: inout [KeyValueCache]) -> Tensor { next(ids, caches: memory) }

  public override var arguments: String {
    let c = configuration
    return "vocabulary: \(c.vocabulary), context: \(c.context), layers: \(c.layers), heads: \(c.heads), width: \(c.width)"
  }
}

/// The blocks of a `GPT` between the tokens and the head.
public final class GPTBody: Module, Layer {
  public let wte: Embedding
  public let wpe: Embedding
  public let drop: Dropout
  public let h: [GPTBlock]
  public let lnF: LayerNorm

  init(_ c: GPT.Configuration, _ generator: Generator) {
    wte = Embedding(c.vocabulary, c.width, generator: generator)
    wpe = Embedding(c.context, c.width, generator: generator)
    wte.weight = Init.normal(wte.weight.shape, std: 0.02, generator: generator)
    wpe.weight = Init.normal(wpe.weight.shape, std: 0.02, generator: generator)
    drop = Dropout(c.dropout)
    h = (0..<c.layers).map { _ in GPTBlock(c, generator) }
    lnF = LayerNorm([c.width], bias: c.bias)
  }

  public func forward(_ ids: Tensor) -> Tensor { hidden(ids, []) }

  /// The same for tokens that come after those in `caches`.
  public func callAsFunction(_ ids: Tensor, caches: [KeyValueCache]) -> Tensor { hooked([ids]) { [hidden($0[0], caches)] }[0] }

  private func hidden(_ ids: Tensor, _ caches: [KeyValueCache]) -> Tensor {
    guard ids.isValid, check(ids.rank == 2, .shape, "GPT", "ids of shape \(ids.shape) are not [batch, tokens]"),
      check(caches.isEmpty || caches.count == h.count, .value, "GPT", "\(caches.count) caches for \(h.count) layers")
    else { return .invalid }
    let (start, context) = (caches.first?.count ?? 0, wpe.numEmbeddings)
    let end = start + ids.shape[1]
    guard check(end <= context, .shape, "GPT", "\(end) tokens are more than the context of \(context)") else { return .invalid }
    var x = drop(wte(ids) + wpe(Tensor.arange(start, end)))
    for (i, block) in h.enumerated() { x = block(x, cache: caches.isEmpty ? nil : caches[i]) }
    return lnF(x)
  }
}

/// x + attention, then x + perceptron, each of the normalized x.
public final class GPTBlock: Module {
  public let ln1: LayerNorm
  public let attn: GPTAttention
  public let ln2: LayerNorm
  public let mlp: GPTPerceptron

  init(_ c: GPT.Configuration, _ generator: Generator) {
    ln1 = LayerNorm([c.width], bias: c.bias)
    attn = GPTAttention(c, generator)
    ln2 = LayerNorm([c.width], bias: c.bias)
    mlp = GPTPerceptron(c, generator)
  }

  public func callAsFunction(_ x: Tensor, cache: KeyValueCache? = nil) -> Tensor {
    hooked([x]) { inputs in
      let x = attn(ln1(inputs[0]), cache: cache, addedTo: inputs[0])
      return [mlp(ln2(x), addedTo: x)]
    }[0]
  }

  public override var parts: [(name: String, value: Any)] {
    [("ln_1", ln1), ("attn", attn), ("ln_2", ln2), ("mlp", mlp)]
  }
}

/// A linear layer with GPT's initial weights.
private func linear(_ inputs: Int, _ outputs: Int, _ c: GPT.Configuration, _ generator: Generator, endsBranch: Bool = false)
  -> Linear
{
  let layer = Linear(inputs, outputs, bias: c.bias, generator: generator)
  let deviation = endsBranch ? 0.02 / Double(2 * c.layers).squareRoot() : 0.02
  layer.weight = Init.normal(layer.weight.shape, std: deviation, generator: generator)
  if c.bias { layer.bias = Tensor.zeros([outputs]) }
  return layer
}

/// Causal self-attention with queries, keys and values from one linear layer.
public final class GPTAttention: Module {
  public let cAttn: Linear
  public let cProj: Linear
  public let residDropout: Dropout
  private let heads: Int
  private let dropout: Double

  init(_ c: GPT.Configuration, _ generator: Generator) {
    cAttn = linear(c.width, 3 * c.width, c, generator)
    cProj = linear(c.width, c.width, c, generator, endsBranch: true)
    residDropout = Dropout(c.dropout)
    (heads, dropout) = (c.heads, c.dropout)
  }

  /// - Parameter x: `[batch, tokens, width]`
  public func callAsFunction(_ x: Tensor, cache: KeyValueCache? = nil) -> Tensor {
    hooked([x]) { [residDropout(cProj(attended($0[0], cache)))] }[0]
  }

  /// residual + self(x), by one op less where nothing comes between.
  func callAsFunction(_ x: Tensor, cache: KeyValueCache?, addedTo residual: Tensor) -> Tensor {
    guard !isIntercepted, !residDropout.isActive else { return residual + self(x, cache: cache) }
    return cProj(attended(x, cache), adding: residual)
  }

  /// What the heads have gathered, `[batch, tokens, width]`.
  private func attended(_ x: Tensor, _ cache: KeyValueCache?) -> Tensor {
    guard x.isValid else { return x }
    let (batch, tokens, width) = (x.shape[0], x.shape[1], x.shape[2])
    let projected = cAttn(x).reshape(batch, tokens, 3, heads, width / heads)
    let y: Tensor
    if let cache {
      y = attend(projected, cache)
    } else {
      y = packedAttention(projected, batchFirst: true, dropout: isTraining ? dropout : 0, isCausal: true)
    }
    return y.transpose(1, 2).reshape(batch, tokens, width)
  }

  /// Attention of new tokens to themselves and those in the cache.
  private func attend(_ projected: Tensor, _ cache: KeyValueCache) -> Tensor {
    let parts = projected.permute(2, 0, 3, 1, 4).unbind()
    let before = cache.count
    let (key, value) = cache.append(parts[1], parts[2])
    let mask = causalMask(projected.shape[1], after: before)
    return scaledDotProductAttention(parts[0], key, value, mask: mask, isCausal: before == 0)
  }
}

/// What new tokens may see of those in a cache and of themselves, `[tokens, before + tokens]`: each one more than the token before it. nil where
/// the attention's own causal order does (nothing is in the cache), or where one token sees all.
func causalMask(_ tokens: Int, after before: Int) -> Tensor? {
  before == 0 || tokens == 1 ? nil : Tensor.ones([tokens, before + tokens], dtype: .bool).tril(diagonal: before)
}

/// Width to four times the width and back, with GELU between.
public final class GPTPerceptron: Module, Layer {
  public let cFc: Linear
  public let gelu: GELU
  public let cProj: Linear
  public let dropout: Dropout

  init(_ c: GPT.Configuration, _ generator: Generator) {
    cFc = linear(c.width, 4 * c.width, c, generator)
    gelu = GELU(approximate: c.gelu)
    cProj = linear(4 * c.width, c.width, c, generator, endsBranch: true)
    dropout = Dropout(c.dropout)
  }

  public func forward(_ x: Tensor) -> Tensor { dropout(cProj(gelu(cFc(x)))) }

  /// residual + self(x), by one op less where nothing comes between.
  func callAsFunction(_ x: Tensor, addedTo residual: Tensor) -> Tensor {
    guard !isIntercepted, !dropout.isActive else { return residual + self(x) }
    return cProj(gelu(cFc(x)), adding: residual)
  }
}
