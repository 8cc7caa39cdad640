import ApusCore

/// The windows of an image as columns: the function `unfold`.
public final class Unfold: Module, Layer {
  public let kernelSize: any PerAxis
  public let dilation: any PerAxis
  public let padding: any PerAxis
  public let stride: any PerAxis

  /// - Parameters:
  ///   - kernelSize: the windows' height and width.
  ///   - dilation: from tap to tap.
  ///   - padding: zeros on either side of each axis.
  ///   - stride: from window to window.
  public init(_ kernelSize: some PerAxis, dilation: some PerAxis = 1, padding: some PerAxis = 0, stride: some PerAxis = 1) {
    self.kernelSize = kernelSize
    self.dilation = dilation
    self.padding = padding
    self.stride = stride
  }

  public func forward(_ x: Tensor) -> Tensor {
    unfold(x, kernelSize: kernelSize, dilation: dilation, padding: padding, stride: stride)
  }

  public override var arguments: String {
    "kernelSize: \(kernelSize), dilation: \(dilation), padding: \(padding), stride: \(stride)"
  }
}

/// The sum of columns at their places in an image: the function `fold`.
public final class Fold: Module, Layer {
  public let outputSize: any PerAxis
  public let kernelSize: any PerAxis
  public let dilation: any PerAxis
  public let padding: any PerAxis
  public let stride: any PerAxis

  /// - Parameters:
  ///   - outputSize: the image's height and width.
  ///   - kernelSize: the windows' height and width.
  ///   - dilation: from tap to tap.
  ///   - padding: on either side of each axis.
  ///   - stride: from window to window.
  public init(
    _ outputSize: some PerAxis, kernelSize: some PerAxis, dilation: some PerAxis = 1, padding: some PerAxis = 0,
    stride: some PerAxis = 1
  ) {
    self.outputSize = outputSize
    self.kernelSize = kernelSize
    self.dilation = dilation
    self.padding = padding
    self.stride = stride
  }

  public func forward(_ x: Tensor) -> Tensor {
    fold(x, outputSize: outputSize, kernelSize: kernelSize, dilation: dilation, padding: padding, stride: stride)
  }

  public override var arguments: String {
    "outputSize: \(outputSize), kernelSize: \(kernelSize), dilation: \(dilation), padding: \(padding), stride: \(stride)"
  }
}
