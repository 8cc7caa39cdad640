import ApusCore

/// Encoder layers one after the other, and a norm at the end.
///
/// ```swift
/// let encoder = TransformerEncoder(numLayers: 6) { TransformerEncoderLayer(512, 8, batchFirst: true) }
/// ```
///
/// Each layer is made by itself and so starts from parameters of its own; PyTorch copies one layer with its numbers.
public final class TransformerEncoder: Module, Layer {
  public let layers: [TransformerEncoderLayer]
  public let norm: LayerNorm?

  /// - Parameters:
  ///   - numLayers: how often `layer` is called.
  ///   - norm: applied to the last layer's output.
  ///   - layer: makes a layer.
  public init(numLayers: Int, norm: LayerNorm? = nil, layer: () -> TransformerEncoderLayer) {
    let fits = check(numLayers >= 0, .value, "TransformerEncoder", "numLayers = \(numLayers) is negative")
    layers = (0..<(fits ? numLayers : 0)).map { _ in layer() }
    self.norm = norm
  }

  /// The encoder without masks.
  public func forward(_ src: Tensor) -> Tensor { encode(src, nil, nil, false, nil) }

  /// Applies the layers in order.
  ///
  /// - Parameters:
  ///   - src: the tokens, as for a layer.
  ///   - mask: `srcMask` of the layers.
  ///   - srcKeyPaddingMask: see there.
  ///   - isCausal: see there.
  ///   - caches: one for each layer.
  public func callAsFunction(
    _ src: Tensor, mask: Tensor? = nil, srcKeyPaddingMask: Tensor? = nil, isCausal: Bool = false,
    caches: [KeyValueCache]? = nil
  ) -> Tensor {
    hooked([src]) { [encode($0[0], mask, srcKeyPaddingMask, isCausal, caches)] }[0]
  }

  private func encode(
    _ src: Tensor, _ mask: Tensor?, _ padding: Tensor?, _ isCausal: Bool, _ caches: [KeyValueCache]?
  ) -> Tensor {
    guard areEnough(caches, layers.count, "TransformerEncoder") else { return .invalid }
    var x = src
    for (i, layer) in layers.enumerated() {
      x = layer(x, srcMask: mask, srcKeyPaddingMask: padding, isCausal: isCausal, cache: caches?[i])
    }
    return norm.map { $0(x) } ?? x
  }
}

func areEnough(_ caches: [KeyValueCache]?, _ layers: Int, _ name: String) -> Bool {
  check((caches?.count ?? layers) == layers, .value, name, "\(caches?.count ?? 0) caches for \(layers) layers")
}
