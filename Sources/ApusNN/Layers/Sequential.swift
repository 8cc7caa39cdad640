import ApusCore

/// Layers, each applied to what the one before it gives.
///
/// ```swift
/// let model = Sequential {
///   Flatten()
///   Linear(784, 128)
///   ReLU()
///   if usesDropout { Dropout(0.2) }
///   Linear(128, 10)
/// }
/// ```
///
/// As in PyTorch, the children are named by their numbers: `1.weight`.
public final class Sequential: Module, Layer {
  public let layers: [any Layer]

  public init(_ layers: [any Layer]) { self.layers = layers }

  public convenience init(@LayerBuilder _ layers: () -> [any Layer]) { self.init(layers()) }

  public var count: Int { layers.count }

  /// The i-th layer.
  public subscript(i: Int) -> any Layer { layers[i] }

  public func forward(_ x: Tensor) -> Tensor {
    var y = x
    for layer in layers { y = layer(y) }
    return y
  }

  public override var parts: [(name: String, value: Any)] { layers.enumerated().map { ("\($0)", $1) } }
}

/// Collects the layers that stand in a block, with `if`, `switch` and `for`, and arrays of layers.
@resultBuilder
public enum LayerBuilder {
  public static func buildExpression(_ layer: any Layer) -> [any Layer] { [layer] }
  public static func buildExpression(_ layers: [any Layer]) -> [any Layer] { layers }
  public static func buildBlock(_ parts: [any Layer]...) -> [any Layer] { parts.flatMap { $0 } }
  public static func buildOptional(_ part: [any Layer]?) -> [any Layer] { part ?? [] }
  public static func buildEither(first part: [any Layer]) -> [any Layer] { part }
  public static func buildEither(second part: [any Layer]) -> [any Layer] { part }
  public static func buildArray(_ parts: [[any Layer]]) -> [any Layer] { parts.flatMap { $0 } }
  public static func buildLimitedAvailability(_ part: [any Layer]) -> [any Layer] { part }
}
