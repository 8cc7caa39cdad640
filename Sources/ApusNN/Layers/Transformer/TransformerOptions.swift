import ApusCore

/// What the parts of a transformer have in common.
struct TransformerOptions {
  let dModel: Int
  let nhead: Int
  let dimFeedforward: Int
  let dropout: Double
  let activation: TransformerActivation
  let layerNormEps: Double
  let batchFirst: Bool
  let normFirst: Bool
  let bias: Bool
  let dtype: DType
  let generator: Generator

  func attention() -> MultiheadAttention {
    MultiheadAttention(
      dModel, nhead, dropout: dropout, bias: bias, batchFirst: batchFirst, dtype: dtype, generator: generator)
  }

  func linear(_ inFeatures: Int, _ outFeatures: Int) -> Linear {
    Linear(inFeatures, outFeatures, bias: bias, dtype: dtype, generator: generator)
  }

  func norm() -> LayerNorm { LayerNorm(dModel, eps: layerNormEps, bias: bias, dtype: dtype) }

  func drop() -> Dropout { Dropout(dropout, generator: generator) }

  var arguments: String {
    "dModel: \(dModel), nhead: \(nhead), dimFeedforward: \(dimFeedforward), dropout: \(dropout), activation: \(activation), "
      + "batchFirst: \(batchFirst), normFirst: \(normFirst)"
  }
}
