import ApusCore

// Adaptive pooling as layers: the output's size is given, for any size of the input. nil in an array keeps the size of an axis.

/// `[7, nil]` as it is written.
private func text(_ sizes: [Int?]) -> String { "[" + sizes.map { $0.map(String.init) ?? "nil" }.joined(separator: ", ") + "]" }

/// One size for each axis; nil for each after a reported mistake.
private func perAxis(_ size: some AdaptiveSize, _ axes: Int, _ layer: String) -> [Int?] {
  let sizes = size.adaptiveSizes(axes)
  _ = check(sizes != nil, .value, layer, "outputSize \(size) is not one number or \(axes)")
  return sizes ?? [Int?](repeating: nil, count: axes)
}

/// The mean of as many windows of `[N, C, L]` or `[C, L]` as the output has elements: `adaptiveAvgPool1d`.
public final class AdaptiveAvgPool1d: Module, Layer {
  public let outputSize: [Int?]

  public init(_ outputSize: some AdaptiveSize) { self.outputSize = perAxis(outputSize, 1, "AdaptiveAvgPool1d") }

  public func forward(_ x: Tensor) -> Tensor { adaptiveAvgPool1d(x, outputSize) }

  public override var arguments: String { "outputSize: \(text(outputSize))" }
}

/// The mean of as many windows of `[N, C, H, W]` or `[C, H, W]` as the output has elements: `adaptiveAvgPool2d`.
public final class AdaptiveAvgPool2d: Module, Layer {
  public let outputSize: [Int?]

  public init(_ outputSize: some AdaptiveSize) { self.outputSize = perAxis(outputSize, 2, "AdaptiveAvgPool2d") }

  public func forward(_ x: Tensor) -> Tensor { adaptiveAvgPool2d(x, outputSize) }

  public override var arguments: String { "outputSize: \(text(outputSize))" }
}

/// The mean of as many windows of `[N, C, D, H, W]` or `[C, D, H, W]` as the output has elements: `adaptiveAvgPool3d`.
public final class AdaptiveAvgPool3d: Module, Layer {
  public let outputSize: [Int?]

  public init(_ outputSize: some AdaptiveSize) { self.outputSize = perAxis(outputSize, 3, "AdaptiveAvgPool3d") }

  public func forward(_ x: Tensor) -> Tensor { adaptiveAvgPool3d(x, outputSize) }

  public override var arguments: String { "outputSize: \(text(outputSize))" }
}

/// The maximum of as many windows of `[N, C, L]` or `[C, L]` as the output has elements: `adaptiveMaxPool1d`.
public final class AdaptiveMaxPool1d: Module, Layer {
  public let outputSize: [Int?]

  public init(_ outputSize: some AdaptiveSize) { self.outputSize = perAxis(outputSize, 1, "AdaptiveMaxPool1d") }

  public func forward(_ x: Tensor) -> Tensor { adaptiveMaxPool1d(x, outputSize) }

  /// The maxima and their places in their channels.
  public func forwardWithIndices(_ x: Tensor) -> (output: Tensor, indices: Tensor) { adaptiveMaxPool1dWithIndices(x, outputSize) }

  public override var arguments: String { "outputSize: \(text(outputSize))" }
}

/// The maximum of as many windows of `[N, C, H, W]` or `[C, H, W]` as the output has elements: `adaptiveMaxPool2d`.
public final class AdaptiveMaxPool2d: Module, Layer {
  public let outputSize: [Int?]

  public init(_ outputSize: some AdaptiveSize) { self.outputSize = perAxis(outputSize, 2, "AdaptiveMaxPool2d") }

  public func forward(_ x: Tensor) -> Tensor { adaptiveMaxPool2d(x, outputSize) }

  /// The maxima and their places in their channels.
  public func forwardWithIndices(_ x: Tensor) -> (output: Tensor, indices: Tensor) { adaptiveMaxPool2dWithIndices(x, outputSize) }

  public override var arguments: String { "outputSize: \(text(outputSize))" }
}

/// The maximum of as many windows of `[N, C, D, H, W]` or `[C, D, H, W]` as the output has elements: `adaptiveMaxPool3d`.
public final class AdaptiveMaxPool3d: Module, Layer {
  public let outputSize: [Int?]

  public init(_ outputSize: some AdaptiveSize) { self.outputSize = perAxis(outputSize, 3, "AdaptiveMaxPool3d") }

  public func forward(_ x: Tensor) -> Tensor { adaptiveMaxPool3d(x, outputSize) }

  /// The maxima and their places in their channels.
  public func forwardWithIndices(_ x: Tensor) -> (output: Tensor, indices: Tensor) { adaptiveMaxPool3dWithIndices(x, outputSize) }

  public override var arguments: String { "outputSize: \(text(outputSize))" }
}
