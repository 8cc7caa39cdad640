import ApusCore

/// Layer normalization over the last axes (`layerNorm`), with a weight and a bias for each of their elements.
public final class LayerNorm: Module, Layer {
  @Parameter public var weight: Tensor?  // normalizedShape
  @Parameter public var bias: Tensor?  // normalizedShape
  public let normalizedShape: [Int]
  public let eps: Double

  /// - Parameters:
  ///   - normalizedShape: the sizes of the last axes.
  ///   - eps: is added to the variance.
  ///   - elementwiseAffine: whether there is a weight, which starts at 1.
  ///   - bias: whether there is a bias beside the weight, which starts at 0.
  ///   - dtype: of the parameters.
  public init(
    _ normalizedShape: [Int], eps: Double = 1e-5, elementwiseAffine: Bool = true, bias: Bool = true, dtype: DType = .float32
  ) {
    self.normalizedShape = normalizedShape
    self.eps = eps
    weight = elementwiseAffine ? Tensor.ones(Shape(normalizedShape), dtype: dtype) : nil
    self.bias = elementwiseAffine && bias ? Tensor.zeros(Shape(normalizedShape), dtype: dtype) : nil
  }

  /// Over the last axis, which has `size` elements.
  public convenience init(
    _ size: Int, eps: Double = 1e-5, elementwiseAffine: Bool = true, bias: Bool = true, dtype: DType = .float32
  ) {
    self.init([size], eps: eps, elementwiseAffine: elementwiseAffine, bias: bias, dtype: dtype)
  }

  public func forward(_ x: Tensor) -> Tensor {
    layerNorm(x, normalizedShape: normalizedShape, weight: weight, bias: bias, eps: eps)
  }

  public override var arguments: String {
    "\(normalizedShape), eps: \(eps), elementwiseAffine: \(weight != nil), bias: \(bias != nil)"
  }
}

/// Root mean square normalization over the last axes (`rmsNorm`), with a weight for each of their elements.
public final class RMSNorm: Module, Layer {
  @Parameter public var weight: Tensor?  // normalizedShape
  public let normalizedShape: [Int]
  public let eps: Double?

  /// - Parameters:
  ///   - normalizedShape: the sizes of the last axes.
  ///   - eps: is added to the mean square; nil for the spacing of numbers around 1.
  ///   - elementwiseAffine: whether there is a weight, which starts at 1.
  ///   - dtype: of the weight.
  public init(_ normalizedShape: [Int], eps: Double? = nil, elementwiseAffine: Bool = true, dtype: DType = .float32) {
    self.normalizedShape = normalizedShape
    self.eps = eps
    weight = elementwiseAffine ? Tensor.ones(Shape(normalizedShape), dtype: dtype) : nil
  }

  /// Over the last axis, which has `size` elements.
  public convenience init(_ size: Int, eps: Double? = nil, elementwiseAffine: Bool = true, dtype: DType = .float32) {
    self.init([size], eps: eps, elementwiseAffine: elementwiseAffine, dtype: dtype)
  }

  public func forward(_ x: Tensor) -> Tensor { rmsNorm(x, normalizedShape: normalizedShape, weight: weight, eps: eps) }

  public override var arguments: String {
    "\(normalizedShape), eps: \(eps.map { "\($0)" } ?? "nil"), elementwiseAffine: \(weight != nil)"
  }
}
