import ApusCore
import ApusNN

/// A language model like Llama (Touvron et al., "LLaMA: open and efficient foundation language models", 2023): a `GPT` with what has proved itself
/// since.
///
/// ```swift
/// let model = Llama(vocabulary: 65, context: 256, layers: 4, heads: 8, keyValueHeads: 2, width: 256)
/// let logits = model(ids)  // [batch, tokens, 65]
/// ```
///
/// Root mean square normalization instead of layer normalization (Zhang and Sennrich, 2019), positions that turn queries and keys instead
/// of learned ones that are added (Su et al., "RoFormer", 2021), a gated perceptron (Shazeer, "GLU variants improve Transformer", 2020), heads of the
/// attention that share keys and values (Ainslie et al., "GQA", 2023), and no biases. The parameters have the names of Meta's files.
public final class Llama: Module, LanguageModel {
  /// The size of a model and its options.
  public struct Configuration: Sendable, Hashable {
    public var vocabulary: Int
    /// The most tokens that the model can look at.
    public var context: Int
    public var layers: Int
    public var heads: Int
    /// How many keys and values there are for the heads.
    public var keyValueHeads: Int
    public var width: Int
    /// Features of the perceptrons.
    public var hidden: Int
    /// See `RotaryEmbedding`.
    public var base = 10000.0
    /// What the normalizations add to the mean square.
    public var eps = 1e-5

    var headWidth: Int { width / heads }
  }

  public let tokEmbeddings: Embedding
  public let layers: [LlamaBlock]
  public let norm: RMSNorm
  public let output: Linear
  public let configuration: Configuration

  public var vocabulary: Int { configuration.vocabulary }
  public var context: Int? { configuration.context }

  /// - Parameters:
  ///   - vocabulary: how many different tokens there are.
  ///   - context: the most tokens that the model can look at.
  ///   - layers: blocks of attention and perceptron.
  ///   - heads: of the attention; a divisor of `width`, which leaves an even number.
  ///   - keyValueHeads: keys and values that the heads share; a divisor of `heads`, and as many unless given.
  ///   - width: features of a token.
  ///   - hidden: features of the perceptrons; unless given ⅔ · 4 · `width`, rounded up to a multiple of 32, which makes as many parameters as
  ///     GPT's.
  ///   - base: see `RotaryEmbedding`.
  ///   - generator: for the parameters: a normal distribution with standard deviation 0.02, at the end of the branches 0.02/√(2 · layers).
  public convenience init(
    vocabulary: Int, context: Int, layers: Int, heads: Int, keyValueHeads: Int? = nil, width: Int, hidden: Int? = nil,
    base: Double = 10000, generator: Generator = .default
  ) {
    self.init(
      Configuration(
        vocabulary: vocabulary, context: context, layers: layers, heads: heads, keyValueHeads: keyValueHeads ?? heads,
        width: width,
        hidden: hidden ?? (8 * width / 3 + 31) / 32 * 32, base: base), generator: generator)
  }

  public init(_ configuration: Configuration, generator: Generator = .default) {
    let c = configuration
    let isFine =
      check(
        c.vocabulary > 0 && c.context > 0 && c.layers >= 0 && c.heads > 0 && c.keyValueHeads > 0 && c.width > 0 && c.hidden > 0,
        .value,
        "Llama",
        "\(c.vocabulary) tokens, context \(c.context), \(c.layers) layers, width \(c.width), hidden \(c.hidden): all above 0")
      && check(
        c.width % (2 * c.heads) == 0 && c.heads % c.keyValueHeads == 0, .value, "Llama",
        "\(c.heads) heads of width \(c.width) with \(c.keyValueHeads) keys: heads take an even number of features each, and share keys evenly"
      )
    var fixed = c
    if !isFine {
      (fixed.vocabulary, fixed.context, fixed.layers, fixed.heads, fixed.keyValueHeads) = (1, 1, 0, 1, 1)
      (fixed.width, fixed.hidden) = (2, 1)
    }
    self.configuration = fixed
    tokEmbeddings = Embedding(fixed.vocabulary, fixed.width, generator: generator)
    let rotary = RotaryEmbedding(fixed.headWidth, base: fixed.base, isInterleaved: true)
    layers = (0..<fixed.layers).map { _ in LlamaBlock(fixed, rotary, generator) }
    norm = RMSNorm(fixed.width, eps: fixed.eps)
    output = Linear(fixed.width, fixed.vocabulary, bias: false, generator: generator)
    super.init()
    for (name, cell) in namedParameters() where cell.shape.rank == 2 {
      let endsBranch = name.hasSuffix("wo.weight") || name.hasSuffix("w2.weight")
      let deviation = endsBranch ? 0.02 / Double(2 * fixed.layers).squareRoot() : 0.02
      cell.value = Init.normal(cell.shape, std: deviation, generator: generator)
    }
  }

  /// - Parameter ids: `[batch, tokens]`, int64; at most `context` tokens.
  /// - Returns: `[batch, tokens, vocabulary]`, unnormalised.
  public func forward(_ ids: Tensor) -> Tensor { output(hidden(ids, [])) }

  /// The logits of what follows the last of `ids`, `[batch, vocabulary]`, for tokens that come after those in `caches`.
  ///
  /// - Parameters:
  ///   - ids: `[batch, new tokens]`.
  ///   - caches: one for each layer (`makeCaches()`); they take the new tokens in.
  public func next(_ ids: Tensor, caches: [KeyValueCache]) -> Tensor {
    hooked([ids]) { inputs in
      let y = hidden(inputs[0], caches)
      return [y.isValid ? output(y.select(dim: 1, index: -1)) : y]
    }[0]
  }

  /// Empty caches for a generation.
  public func makeCaches() -> [KeyValueCache] { layers.map { _ in KeyValueCache(capacity: configuration.context) } }

  public func makeMemory() -> [KeyValueCache] { makeCaches() }

  public func next(_ ids: Tensor, memory: inout [KeyValueCache]) -> Tensor { next(ids, caches: memory) }

  private func hidden(_ ids: Tensor, _ caches: [KeyValueCache]) -> Tensor {
    guard ids.isValid, check(ids.rank == 2, .shape, "Llama", "ids of shape \(ids.shape) are not [batch, tokens]"),
      check(caches.isEmpty || caches.count == layers.count, .value, "Llama", "\(caches.count) caches for \(layers.count) layers")
    else { return .invalid }
    let end = (caches.first?.count ?? 0) + ids.shape[1]
    guard
      check(end <= configuration.context, .shape, "Llama", "\(end) tokens are more than the context of \(configuration.context)")
    else { return .invalid }
    var x = tokEmbeddings(ids)
    for (i, block) in layers.enumerated() { x = block(x, cache: caches.isEmpty ? nil : caches[i]) }
    return norm(x)
  }

  public override var arguments: String {
    let c = configuration
    return "vocabulary: \(c.vocabulary), context: \(c.context), layers: \(c.layers), heads: \(c.heads), "
      + "keyValueHeads: \(c.keyValueHeads), width: \(c.width), hidden: \(c.hidden)"
  }
}

/// x + attention, then x + gated perceptron, each of the normalized x.
public final class LlamaBlock: Module {
  public let attention: LlamaAttention
  public let feedForward: SwiGLU
  public let attentionNorm: RMSNorm
  public let ffnNorm: RMSNorm

  init(_ c: Llama.Configuration, _ rotary: RotaryEmbedding, _ generator: Generator) {
    attention = LlamaAttention(c, rotary, generator)
    feedForward = SwiGLU(c.width, c.hidden, generator: generator)
    attentionNorm = RMSNorm(c.width, eps: c.eps)
    ffnNorm = RMSNorm(c.width, eps: c.eps)
  }

  public func callAsFunction(_ x: Tensor, cache: KeyValueCache? = nil) -> Tensor {
    hooked([x]) { inputs in
      let x = inputs[0] + attention(attentionNorm(inputs[0]), cache: cache)
      return [x + feedForward(ffnNorm(x))]
    }[0]
  }
}

/// Causal self-attention of turned queries and keys, in which several heads share a key and a value.
public final class LlamaAttention: Module {
  public let wq: Linear
  public let wk: Linear
  public let wv: Linear
  public let wo: Linear
  private let rotary: RotaryEmbedding
  private let headWidth: Int

  /// - Parameter rotary: all layers share one: its table is the same for all.
  init(_ c: Llama.Configuration, _ rotary: RotaryEmbedding, _ generator: Generator) {
    (self.rotary, headWidth) = (rotary, c.headWidth)
    let shared = c.keyValueHeads * c.headWidth
    wq = Linear(c.width, c.width, bias: false, generator: generator)
    wk = Linear(c.width, shared, bias: false, generator: generator)
    wv = Linear(c.width, shared, bias: false, generator: generator)
    wo = Linear(c.width, c.width, bias: false, generator: generator)
  }

  /// - Parameter x: `[batch, tokens, width]`
  public func callAsFunction(_ x: Tensor, cache: KeyValueCache? = nil) -> Tensor {
    hooked([x]) { inputs in
      let x = inputs[0]
      guard x.isValid else { return [x] }
      let before = cache?.count ?? 0
      let query = rotary(heads(wq(x)), offset: before)
      var (key, value) = (rotary(heads(wk(x)), offset: before), heads(wv(x)))
      if let cache { (key, value) = cache.append(key, value) }
      let mask = causalMask(x.shape[1], after: before)
      let y = scaledDotProductAttention(query, key, value, mask: mask, isCausal: before == 0, enableGQA: true)
      return [wo(y.transpose(1, 2).flatten(startDim: 2))]
    }[0]
  }

  /// `[batch, tokens, heads · n]` as `[batch, heads, tokens, n]`.
  private func heads(_ x: Tensor) -> Tensor { x.unflatten(dim: -1, [-1, headWidth]).transpose(1, 2) }
}
