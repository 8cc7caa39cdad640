import ApusCore

/// Decoder layers one after the other, and a norm at the end. Each layer is made by itself, as in `TransformerEncoder`.
public final class TransformerDecoder: Module {
  public let layers: [TransformerDecoderLayer]
  public let norm: LayerNorm?

  /// - Parameters:
  ///   - numLayers: how often `layer` is called.
  ///   - norm: applied to the last layer's output.
  ///   - layer: makes a layer.
  public init(numLayers: Int, norm: LayerNorm? = nil, layer: () -> TransformerDecoderLayer) {
    let fits = check(numLayers >= 0, .value, "TransformerDecoder", "numLayers = \(numLayers) is negative")
    layers = (0..<(fits ? numLayers : 0)).map { _ in layer() }
    self.norm = norm
  }

  /// Applies the layers in order; all of them attend to `memory`. The parameters are those of a layer.
  ///
  /// - Parameters:
  ///   - tgt: the tokens so far.
  ///   - memory: the encoder's output.
  ///   - tgtMask: see `TransformerDecoderLayer`, as for the others up to `memoryIsCausal`.
  ///   - memoryMask: see there.
  ///   - tgtKeyPaddingMask: see there.
  ///   - memoryKeyPaddingMask: see there.
  ///   - tgtIsCausal: see there.
  ///   - memoryIsCausal: see there.
  ///   - caches: one for each layer.
  public func callAsFunction(
    _ tgt: Tensor, _ memory: Tensor, tgtMask: Tensor? = nil, memoryMask: Tensor? = nil, tgtKeyPaddingMask: Tensor? = nil,
    memoryKeyPaddingMask: Tensor? = nil, tgtIsCausal: Bool = false, memoryIsCausal: Bool = false,
    caches: [KeyValueCache]? = nil
  ) -> Tensor {
    hooked([tgt, memory]) { inputs in
      guard areEnough(caches, layers.count, "TransformerDecoder") else { return [.invalid] }
      var x = inputs[0]
      for (i, layer) in layers.enumerated() {
        x = layer(
          x, inputs[1], tgtMask: tgtMask, memoryMask: memoryMask, tgtKeyPaddingMask: tgtKeyPaddingMask,
          memoryKeyPaddingMask: memoryKeyPaddingMask, tgtIsCausal: tgtIsCausal, memoryIsCausal: memoryIsCausal,
          cache: caches?[i])
      }
      return [norm.map { $0(x) } ?? x]
    }[0]
  }
}
