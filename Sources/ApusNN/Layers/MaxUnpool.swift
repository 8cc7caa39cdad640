import ApusCore

// Unpooling as modules: the reverse of max pooling, from the places that `forwardWithIndices` gives. Not layers: they take two tensors.

/// What `MaxUnpool1d`, `MaxUnpool2d` and `MaxUnpool3d` have in common.
public class MaxUnpool: Module {
  public final let kernelSize: [Int]
  public final let stride: [Int]
  public final let padding: [Int]

  init(axes: Int, _ kernelSize: any PerAxis, stride: (any PerAxis)?, padding: any PerAxis) {
    let (name, ones) = ("MaxUnpool\(axes)d", [Int](repeating: 1, count: axes))  // ones stand in after a reported mistake
    self.kernelSize = kernelSize.perAxis(axes, "kernelSize", name) ?? ones
    self.stride = (stride ?? kernelSize).perAxis(axes, "stride", name) ?? ones
    self.padding = padding.perAxis(axes, "padding", name) ?? ones
  }

  public final override var arguments: String { "kernelSize: \(kernelSize), stride: \(stride), padding: \(padding)" }
}

/// Maxima back at their places, zeros elsewhere: `maxUnpool1d`.
public final class MaxUnpool1d: MaxUnpool {
  /// - Parameters:
  ///   - kernelSize: of the pooling.
  ///   - stride: of the pooling; the kernel's size if nil.
  ///   - padding: of the pooling.
  public init(_ kernelSize: some PerAxis, stride: (any PerAxis)? = nil, padding: some PerAxis = 0) {
    super.init(axes: 1, kernelSize, stride: stride, padding: padding)
  }

  /// Puts the elements of `x` where `indices` say.
  public func callAsFunction(_ x: Tensor, _ indices: Tensor, outputSize: [Int]? = nil) -> Tensor {
    maxUnpool1d(x, indices, kernelSize: kernelSize, stride: stride, padding: padding, outputSize: outputSize)
  }
}

/// Maxima back at their places, zeros elsewhere: `maxUnpool2d`.
public final class MaxUnpool2d: MaxUnpool {
  /// - Parameters:
  ///   - kernelSize: of the pooling.
  ///   - stride: of the pooling; the kernel's size if nil.
  ///   - padding: of the pooling.
  public init(_ kernelSize: some PerAxis, stride: (any PerAxis)? = nil, padding: some PerAxis = 0) {
    super.init(axes: 2, kernelSize, stride: stride, padding: padding)
  }

  /// Puts the elements of `x` where `indices` say.
  public func callAsFunction(_ x: Tensor, _ indices: Tensor, outputSize: [Int]? = nil) -> Tensor {
    maxUnpool2d(x, indices, kernelSize: kernelSize, stride: stride, padding: padding, outputSize: outputSize)
  }
}

/// Maxima back at their places, zeros elsewhere: `maxUnpool3d`.
public final class MaxUnpool3d: MaxUnpool {
  /// - Parameters:
  ///   - kernelSize: of the pooling.
  ///   - stride: of the pooling; the kernel's size if nil.
  ///   - padding: of the pooling.
  public init(_ kernelSize: some PerAxis, stride: (any PerAxis)? = nil, padding: some PerAxis = 0) {
    super.init(axes: 3, kernelSize, stride: stride, padding: padding)
  }

  /// Puts the elements of `x` where `indices` say.
  public func callAsFunction(_ x: Tensor, _ indices: Tensor, outputSize: [Int]? = nil) -> Tensor {
    maxUnpool3d(x, indices, kernelSize: kernelSize, stride: stride, padding: padding, outputSize: outputSize)
  }
}
