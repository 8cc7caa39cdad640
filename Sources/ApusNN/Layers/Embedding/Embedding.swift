import ApusCore

/// A table of vectors that ids look up (`embedding`): ids of any shape become that shape with `embeddingDim` behind it.
///
/// Rows start normally distributed; that of `paddingIndex` as zeros, and it gets no gradient.
public final class Embedding: Module, Layer {
  @Parameter public var weight: Tensor  // [num, dim]
  public let numEmbeddings: Int
  public let embeddingDim: Int
  public let paddingIndex: Int?
  /// Rows whose norm is greater are scaled to it, in the table, when they are looked up.
  public let maxNorm: Double?
  public let normType: Double
  public let scaleGradByFreq: Bool

  /// - Parameters:
  ///   - numEmbeddings: rows of the table.
  ///   - embeddingDim: their width.
  ///   - paddingIndex: a row that starts and stays as zeros; negative counts from the end.
  ///   - maxNorm: the greatest norm that a row keeps once it is looked up.
  ///   - normType: the p of that norm.
  ///   - scaleGradByFreq: divide the gradient of a row by the number of times that it was looked up.
  ///   - dtype: of the table.
  ///   - generator: where the rows come from.
  public convenience init(
    _ numEmbeddings: Int, _ embeddingDim: Int, paddingIndex: Int? = nil, maxNorm: Double? = nil, normType: Double = 2,
    scaleGradByFreq: Bool = false, dtype: DType = .float32, generator: Generator = .default
  ) {
    let start = startTable(numEmbeddings, embeddingDim, paddingIndex, "Embedding", dtype, generator)
    self.init(
      start: start, paddingIndex: paddingIndex, maxNorm: maxNorm, normType: normType, scaleGradByFreq: scaleGradByFreq)
  }

  /// A table that is there already, `[num, dim]`.
  ///
  /// - Parameters:
  ///   - table: the rows; used as they are.
  ///   - freeze: whether they stay as they are in training.
  ///   - paddingIndex: a row that gets no gradient; negative counts from the end.
  ///   - maxNorm: the greatest norm that a row keeps once it is looked up.
  ///   - normType: the p of that norm.
  ///   - scaleGradByFreq: divide the gradient of a row by the number of times that it was looked up.
  public convenience init(
    fromPretrained table: Tensor, freeze: Bool = true, paddingIndex: Int? = nil, maxNorm: Double? = nil, normType: Double = 2,
    scaleGradByFreq: Bool = false
  ) {
    let fits = check(!table.isInvalidTable, .shape, "Embedding", "a table has the shape [rows, width], not \(table.shape)")
    self.init(
      start: fits ? table.detach() : .invalid, paddingIndex: paddingIndex, maxNorm: maxNorm, normType: normType,
      scaleGradByFreq: scaleGradByFreq)
    if freeze { $weight.requiresGrad = false }
  }

  private init(start: Tensor, paddingIndex: Int?, maxNorm: Double?, normType: Double, scaleGradByFreq: Bool) {
    (numEmbeddings, embeddingDim) = start.rank == 2 ? (start.shape[0], start.shape[1]) : (0, 0)
    self.paddingIndex = row(paddingIndex, of: numEmbeddings, "Embedding")
    (self.maxNorm, self.normType, self.scaleGradByFreq) = (maxNorm, normType, scaleGradByFreq)
    weight = start
  }

  public func forward(_ ids: Tensor) -> Tensor {
    if let maxNorm { $weight.renormalize(rows: ids, maxNorm: maxNorm, normType: normType) }
    return embedding(ids, weight, paddingIndex: paddingIndex, scaleGradByFreq: scaleGradByFreq)
  }

  public override var arguments: String {
    "\(numEmbeddings), \(embeddingDim)" + (paddingIndex.map { ", paddingIndex: \($0)" } ?? "")
      + (maxNorm.map { ", maxNorm: \($0)" } ?? "") + (normType != 2 ? ", normType: \(normType)" : "")
      + (scaleGradByFreq ? ", scaleGradByFreq: true" : "")
  }
}

/// A normally distributed table with zeros for padding.
func startTable(
  _ count: Int, _ width: Int, _ padding: Int?, _ name: String, _ dtype: DType, _ generator: Generator
) -> Tensor {
  guard check(count >= 0 && width >= 0, .value, name, "\(count) rows of \(width) numbers") else { return .invalid }
  var table = Init.normal([count, width], dtype: dtype, generator: generator)
  guard let padding, padding >= -count, padding < count else { return table }
  table[padding] = Tensor.zeros([width], dtype: dtype)
  return table
}

/// A row counted from the start; nil, after a reported mistake, where it is none of the table.
func row(_ index: Int?, of count: Int, _ name: String) -> Int? {
  guard let index else { return nil }
  guard check(index >= -count && index < count, .index, name, "paddingIndex \(index) is not in \(-count)..<\(count)") else {
    return nil
  }
  return index < 0 ? index + count : index
}

extension Tensor {
  var isInvalidTable: Bool { rank != 2 || !dtype.isFloatingPoint }
}

extension ParameterCell {
  /// Scales the rows that `ids` names down to a norm of at most `maxNorm`, in place.
  func renormalize(rows ids: Tensor, maxNorm: Double, normType: Double) {
    guard let table = content else { return }
    noGrad { value.assign(renormalizedTable(table, ids: ids, maxNorm: maxNorm, normType: normType)) }
  }
}
