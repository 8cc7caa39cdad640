import ApusCore
import ApusNN

/// The transformer (Vaswani et al., "Attention is all you need", 2017): an encoder reads a sequence, a decoder writes another one, token by token.
///
/// ```swift
/// let model = Seq2SeqTransformer(sourceVocabulary: 12, targetVocabulary: 12, width: 64, heads: 4, layers: 2)
/// let logits = model(source, target[0..., ..<(-1)])  // [batch, tokens, 12]: what follows each target token
/// let answer = model.translate(source, start: 10, end: 11, count: 20)
/// ```
///
/// Token embeddings times √width, sinusoidal positions, `Transformer`, and a linear head.
public final class Seq2SeqTransformer: Module {
  public let srcEmbedding: Embedding
  public let tgtEmbedding: Embedding
  public let positions: SinusoidalPositions
  public let transformer: Transformer
  public let head: Linear
  /// The token that fills short sequences up: nobody attends to it in a source.
  public let padding: Int?
  private let scale: Double

  /// - Parameters:
  ///   - sourceVocabulary: how many different tokens the encoder reads.
  ///   - targetVocabulary: how many the decoder writes, its start and end among them.
  ///   - width: features of a token.
  ///   - heads: of the attentions; a divisor of `width`.
  ///   - layers: of the encoder, and of the decoder.
  ///   - hidden: features between the linear maps of a layer; four times `width` unless given.
  ///   - dropout: of the embeddings, in the attentions, and in each branch.
  ///   - normFirst: norms at the start of each branch; trains without a warm-up. The paper's are after the sum.
  ///   - padding: the token that fills short sources up.
  ///   - generator: for the parameters and the dropout.
  public init(
    sourceVocabulary: Int, targetVocabulary: Int, width: Int = 128, heads: Int = 4, layers: Int = 2, hidden: Int? = nil,
    dropout: Double = 0.1, normFirst: Bool = true, padding: Int? = nil, generator: Generator = .default
  ) {
    self.padding = padding
    scale = Double(width).squareRoot()
    srcEmbedding = Embedding(sourceVocabulary, width, generator: generator)
    tgtEmbedding = Embedding(targetVocabulary, width, generator: generator)
    for table in [srcEmbedding, tgtEmbedding] {
      // After the scaling as large as the positions.
      table.weight = Init.normal(table.weight.shape, std: 1 / scale, generator: generator)
    }
    positions = SinusoidalPositions(width, dropout: dropout, batchFirst: true, generator: generator)
    transformer = Transformer(
      width, heads, numEncoderLayers: layers, numDecoderLayers: layers, dimFeedforward: hidden ?? 4 * width, dropout: dropout,
      batchFirst: true, normFirst: normFirst, generator: generator)
    head = Linear(width, targetVocabulary, generator: generator)
  }

  /// What may follow each token of `target`, given `source`.
  ///
  /// - Parameters:
  ///   - source: `[batch, S]`, int64.
  ///   - target: `[batch, T]`, int64, with the start in front and without the end.
  /// - Returns: `[batch, T, targetVocabulary]`, unnormalised. No position sees what comes later in `target`.
  public func callAsFunction(_ source: Tensor, _ target: Tensor) -> Tensor {
    hooked([source, target]) { x in
      let memory = encode(x[0])
      return [decode(x[1], memory, source: x[0])]
    }[0]
  }

  /// What the encoder makes of `source`, `[batch, S, width]`.
  public func encode(_ source: Tensor) -> Tensor {
    guard areTokens(source) else { return .invalid }
    let x = positions(srcEmbedding(source) * scale)
    return transformer.encoder(x, srcKeyPaddingMask: paddingMask(source))
  }

  /// What may follow each token of `target`, `[batch, T, targetVocabulary]`.
  ///
  /// - Parameters:
  ///   - target: `[batch, T]`; with caches only the tokens that are not in them.
  ///   - memory: what `encode` made of the source, `[batch, S, width]`.
  ///   - source: the source itself, for its padding; nil where it has none.
  ///   - caches: the self-attentions' keys and values of earlier tokens, one for each layer.
  public func decode(_ target: Tensor, _ memory: Tensor, source: Tensor? = nil, caches: [KeyValueCache]? = nil) -> Tensor {
    guard areTokens(target), memory.isValid else { return .invalid }
    let x = positions(tgtEmbedding(target) * scale, offset: caches?.first?.count ?? 0)
    let y = transformer.decoder(
      x, memory, memoryKeyPaddingMask: source.flatMap(paddingMask), tgtIsCausal: true, caches: caches)
    return head(y)
  }

  /// The most likely next token, again and again: in evaluation mode and without a history.
  ///
  /// - Parameters:
  ///   - source: `[batch, S]`, int64.
  ///   - start: the token that every target begins with.
  ///   - end: the token that it ends with.
  ///   - count: the most tokens of an answer.
  /// - Returns: for each source the tokens between start and end.
  public func translate(_ source: Tensor, start: Int, end: Int, count: Int) -> [[Int]] {
    guard areTokens(source) else { return [] }
    return evaluating {
      let memory = encode(source)
      let caches = transformer.decoder.layers.map { _ in KeyValueCache(capacity: max(count, 1)) }
      let batch = source.shape[0]
      var answers = [[Int]](repeating: [], count: batch)
      var isOpen = [Bool](repeating: true, count: batch)
      var last = [Int](repeating: start, count: batch)
      for _ in 0..<count where isOpen.contains(true) {
        let logits = decode(Tensor(last).reshape(batch, 1), memory, source: source, caches: caches)
        guard logits.isValid else { break }
        last = logits.select(dim: 1, index: 0).argmax(dim: -1).scalars(as: Int.self)
        for (i, token) in last.enumerated() where isOpen[i] {
          if token == end { isOpen[i] = false } else { answers[i].append(token) }
        }
      }
      return answers
    }
  }

  private func areTokens(_ ids: Tensor) -> Bool {
    ids.isValid
      && check(ids.rank == 2, .shape, "Seq2SeqTransformer", "ids of shape \(ids.shape) are not [batch, tokens]")
  }

  /// True for padding, `[batch, S]`.
  private func paddingMask(_ source: Tensor) -> Tensor? { padding.map { source .== $0 } }

  public override var arguments: String {
    "sourceVocabulary: \(srcEmbedding.numEmbeddings), targetVocabulary: \(tgtEmbedding.numEmbeddings), "
      + "width: \(srcEmbedding.embeddingDim)"
  }
}
