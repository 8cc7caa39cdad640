import ApusCore

// Unpooling as modules: the reverse of max pooling, from the places that `forwardWithIndices` gives. Not layers: they take two tensors.

/// One number for each axis; 1 for each after a reported mistake.
private func perAxis(_ setting: any PerAxis, _ axes: Int, _ name: String, _ layer: String) -> [Int] {
  let numbers = setting.perAxis(axes)
  _ = check(numbers != nil, .value, layer, "\(name) \(setting) is not one number or \(axes)")
  return numbers ?? [Int](repeating: 1, count: axes)
}

/// Maxima back at their places, zeros elsewhere: `maxUnpool1d`.
public final class MaxUnpool1d: Module {
  public let kernelSize: [Int]
  public let stride: [Int]
  public let padding: [Int]

  /// - Parameters:
  ///   - kernelSize: of the pooling.
  ///   - stride: of the pooling; the kernel's size if nil.
  ///   - padding: of the pooling.
  public init(_ kernelSize: some PerAxis, stride: (any PerAxis)? = nil, padding: some PerAxis = 0) {
    self.kernelSize = perAxis(kernelSize, 1, "kernelSize", "MaxUnpool1d")
    self.stride = perAxis(stride ?? kernelSize, 1, "stride", "MaxUnpool1d")
    self.padding = perAxis(padding, 1, "padding", "MaxUnpool1d")
  }

  /// Puts the elements of `x` where `indices` say.
  public func callAsFunction(_ x: Tensor, _ indices: Tensor, outputSize: [Int]? = nil) -> Tensor {
    maxUnpool1d(x, indices, kernelSize: kernelSize, stride: stride, padding: padding, outputSize: outputSize)
  }

  public override var arguments: String { "kernelSize: \(kernelSize), stride: \(stride), padding: \(padding)" }
}

/// Maxima back at their places, zeros elsewhere: `maxUnpool2d`.
public final class MaxUnpool2d: Module {
  public let kernelSize: [Int]
  public let stride: [Int]
  public let padding: [Int]

  /// - Parameters:
  ///   - kernelSize: of the pooling.
  ///   - stride: of the pooling; the kernel's size if nil.
  ///   - padding: of the pooling.
  public init(_ kernelSize: some PerAxis, stride: (any PerAxis)? = nil, padding: some PerAxis = 0) {
    self.kernelSize = perAxis(kernelSize, 2, "kernelSize", "MaxUnpool2d")
    self.stride = perAxis(stride ?? kernelSize, 2, "stride", "MaxUnpool2d")
    self.padding = perAxis(padding, 2, "padding", "MaxUnpool2d")
  }

  /// Puts the elements of `x` where `indices` say.
  public func callAsFunction(_ x: Tensor, _ indices: Tensor, outputSize: [Int]? = nil) -> Tensor {
    maxUnpool2d(x, indices, kernelSize: kernelSize, stride: stride, padding: padding, outputSize: outputSize)
  }

  public override var arguments: String { "kernelSize: \(kernelSize), stride: \(stride), padding: \(padding)" }
}

/// Maxima back at their places, zeros elsewhere: `maxUnpool3d`.
public final class MaxUnpool3d: Module {
  public let kernelSize: [Int]
  public let stride: [Int]
  public let padding: [Int]

  /// - Parameters:
  ///   - kernelSize: of the pooling.
  ///   - stride: of the pooling; the kernel's size if nil.
  ///   - padding: of the pooling.
  public init(_ kernelSize: some PerAxis, stride: (any PerAxis)? = nil, padding: some PerAxis = 0) {
    self.kernelSize = perAxis(kernelSize, 3, "kernelSize", "MaxUnpool3d")
    self.stride = perAxis(stride ?? kernelSize, 3, "stride", "MaxUnpool3d")
    self.padding = perAxis(padding, 3, "padding", "MaxUnpool3d")
  }

  /// Puts the elements of `x` where `indices` say.
  public func callAsFunction(_ x: Tensor, _ indices: Tensor, outputSize: [Int]? = nil) -> Tensor {
    maxUnpool3d(x, indices, kernelSize: kernelSize, stride: stride, padding: padding, outputSize: outputSize)
  }

  public override var arguments: String { "kernelSize: \(kernelSize), stride: \(stride), padding: \(padding)" }
}
