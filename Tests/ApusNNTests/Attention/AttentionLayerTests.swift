import ApusCore
import ApusNN
import TestSupport

/// Layers of attention and of positions for `LayerTests`.
enum AttentionLayerTests {
  static func all() -> [(layer: any Layer, input: Tensor, text: String)] {
    let images = samples([2, 3, 4], seed: 2)
    let encoderLayer = {
      TransformerEncoderLayer(
        4, 2, dimFeedforward: 3, dropout: 0.25, activation: .gelu, dtype: .float64, generator: Generator(seed: 1))
    }
    return [
      (RotaryEmbedding(4), images, "RotaryEmbedding(4, base: 10000.0, isInterleaved: false)"),
      (
        LearnedPositions(2, 4, dtype: .float64, generator: Generator(seed: 1)), images,
        "LearnedPositions(2, 4, batchFirst: false)"
      ),
      (
        SinusoidalPositions(4), images,
        "SinusoidalPositions(\n  4, base: 10000.0, batchFirst: false\n  (dropout): Dropout(p: 0.0)\n)"
      ),
      (encoderLayer(), images, encoderLayerText),
      (
        TransformerEncoder(numLayers: 1, layer: encoderLayer), images,
        "TransformerEncoder(\n  (layers.0): " + encoderLayerText.replacing("\n", with: "\n  ") + "\n)"
      ),
    ]
  }

  private static let encoderLayerText = """
    TransformerEncoderLayer(
      dModel: 4, nhead: 2, dimFeedforward: 3, dropout: 0.25, activation: gelu, batchFirst: false, normFirst: false
      (self_attn): MultiheadAttention(
        embedDim: 4, numHeads: 2, dropout: 0.25, bias: true, batchFirst: false
        (out_proj): Linear(in: 4, out: 4, bias: true)
      )
      (linear1): Linear(in: 4, out: 3, bias: true)
      (dropout): Dropout(p: 0.25)
      (linear2): Linear(in: 3, out: 4, bias: true)
      (norm1): LayerNorm([4], eps: 1e-05, elementwiseAffine: true, bias: true)
      (norm2): LayerNorm([4], eps: 1e-05, elementwiseAffine: true, bias: true)
      (dropout1): Dropout(p: 0.25)
      (dropout2): Dropout(p: 0.25)
    )
    """
}
