import ApusCore

/// The first half along `dim` times the sigmoid of the second: `Tensor.glu`.
public final class GLU: Module, Layer {
  public let dim: Int
  public init(dim: Int = -1) { self.dim = dim }
  public func forward(_ x: Tensor) -> Tensor { x.glu(dim: dim) }
  public override var arguments: String { "dim: \(dim)" }
}

/// A feed-forward network with a gate: w2(silu(w1(x)) · w3(x)), `[…, in]` to `[…, out]`.
///
/// The FFN_SwiGLU of Shazeer 2020, "GLU variants improve Transformer", with the names that LLaMA's state dictionaries have. It has three
/// matrices instead of two; for as many parameters as an ordinary network take ⅔ of its hidden features.
public final class SwiGLU: Module, Layer {
  public let w1: Linear
  public let w2: Linear
  public let w3: Linear

  /// - Parameters:
  ///   - inFeatures: size of the last axis of the input.
  ///   - hiddenFeatures: size of the gate.
  ///   - outFeatures: size of the last axis of the output; `inFeatures` unless given.
  ///   - bias: whether the three maps have one; the paper's have none.
  ///   - dtype: of the parameters.
  ///   - generator: what they are drawn from.
  public init(
    _ inFeatures: Int, _ hiddenFeatures: Int, outFeatures: Int? = nil, bias: Bool = false, dtype: DType = .float32,
    generator: Generator = .default
  ) {
    w1 = Linear(inFeatures, hiddenFeatures, bias: bias, dtype: dtype, generator: generator)
    w2 = Linear(hiddenFeatures, outFeatures ?? inFeatures, bias: bias, dtype: dtype, generator: generator)
    w3 = Linear(inFeatures, hiddenFeatures, bias: bias, dtype: dtype, generator: generator)
  }

  public func forward(_ x: Tensor) -> Tensor { w2(w1(x).silu() * w3(x)) }
}
