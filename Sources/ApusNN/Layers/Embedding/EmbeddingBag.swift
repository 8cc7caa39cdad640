import ApusCore

/// Sums, means or greatest elements of bags of rows of a table: `embeddingBag`.
///
/// Rows start normally distributed; that of `paddingIndex` as zeros, and it is left out of every bag.
public final class EmbeddingBag: Module {
  @Parameter public var weight: Tensor  // [num, dim]
  public let numEmbeddings: Int
  public let embeddingDim: Int
  public let mode: EmbeddingBagMode
  public let includeLastOffset: Bool
  public let paddingIndex: Int?
  /// Rows whose norm is greater are scaled to it, in the table, when they are looked up.
  public let maxNorm: Double?
  public let normType: Double
  public let scaleGradByFreq: Bool

  /// - Parameters:
  ///   - numEmbeddings: rows of the table.
  ///   - embeddingDim: their width.
  ///   - mode: what is made of a bag.
  ///   - includeLastOffset: whether offsets end with the number of ids.
  ///   - paddingIndex: a row that is left out; negative counts from the end.
  ///   - maxNorm: the greatest norm that a row keeps once it is looked up.
  ///   - normType: the p of that norm.
  ///   - scaleGradByFreq: divide the gradient of a row by the number of times that it was looked up; not with `.max`.
  ///   - dtype: of the table.
  ///   - generator: where the rows come from.
  public init(
    _ numEmbeddings: Int, _ embeddingDim: Int, mode: EmbeddingBagMode = .mean, includeLastOffset: Bool = false,
    paddingIndex: Int? = nil, maxNorm: Double? = nil, normType: Double = 2, scaleGradByFreq: Bool = false,
    dtype: DType = .float32, generator: Generator = .default
  ) {
    (self.numEmbeddings, self.embeddingDim, self.mode) = (numEmbeddings, embeddingDim, mode)
    (self.includeLastOffset, self.paddingIndex) = (includeLastOffset, row(paddingIndex, of: numEmbeddings, "EmbeddingBag"))
    (self.maxNorm, self.normType, self.scaleGradByFreq) = (maxNorm, normType, scaleGradByFreq)
    weight = startTable(numEmbeddings, embeddingDim, paddingIndex, "EmbeddingBag", dtype, generator)
  }

  /// One row for each bag: see `embeddingBag`.
  public func callAsFunction(_ ids: Tensor, offsets: Tensor? = nil, perSampleWeights: Tensor? = nil) -> Tensor {
    hooked([ids]) { [bags(of: $0[0], offsets, perSampleWeights)] }[0]
  }

  private func bags(of ids: Tensor, _ offsets: Tensor?, _ perSampleWeights: Tensor?) -> Tensor {
    if let maxNorm { $weight.renormalize(rows: ids, maxNorm: maxNorm, normType: normType) }
    return embeddingBag(
      ids, weight, offsets: offsets, mode: mode, perSampleWeights: perSampleWeights, includeLastOffset: includeLastOffset,
      paddingIndex: paddingIndex, scaleGradByFreq: scaleGradByFreq)
  }

  public override var arguments: String {
    "\(numEmbeddings), \(embeddingDim), mode: \(mode)" + (includeLastOffset ? ", includeLastOffset: true" : "")
      + (paddingIndex.map { ", paddingIndex: \($0)" } ?? "") + (maxNorm.map { ", maxNorm: \($0)" } ?? "")
      + (scaleGradByFreq ? ", scaleGradByFreq: true" : "")
  }
}
