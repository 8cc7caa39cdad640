import ApusCore

// Pooling as layers. A setting is one number for all axes or an array with one for each; the layers keep and print arrays.

/// One number for each axis; 0 for each after a reported mistake.
private func perAxis(_ setting: any PerAxis, _ axes: Int, _ name: String, _ layer: String) -> [Int] {
  let numbers = setting.perAxis(axes)
  _ = check(numbers != nil, .value, layer, "\(name) \(setting) is not one number or \(axes)")
  return numbers ?? [Int](repeating: 0, count: axes)
}

// MARK: - Maxima

/// The maximum of each window of `[N, C, L]` or `[C, L]`: `maxPool1d`.
public final class MaxPool1d: Module, Layer {
  public let kernelSize: [Int]
  public let stride: [Int]
  public let padding: [Int]
  public let dilation: [Int]
  public let ceilMode: Bool

  /// - Parameters:
  ///   - kernelSize: the window's size.
  ///   - stride: from window to window; the kernel's size if nil.
  ///   - padding: −∞ on either side of each axis.
  ///   - dilation: from tap to tap.
  ///   - ceilMode: whether a last window may reach over the end.
  public init(
    _ kernelSize: some PerAxis, stride: (any PerAxis)? = nil, padding: some PerAxis = 0, dilation: some PerAxis = 1,
    ceilMode: Bool = false
  ) {
    self.kernelSize = perAxis(kernelSize, 1, "kernelSize", "MaxPool1d")
    self.stride = perAxis(stride ?? kernelSize, 1, "stride", "MaxPool1d")
    self.padding = perAxis(padding, 1, "padding", "MaxPool1d")
    self.dilation = perAxis(dilation, 1, "dilation", "MaxPool1d")
    self.ceilMode = ceilMode
  }

  public func forward(_ x: Tensor) -> Tensor {
    maxPool1d(x, kernelSize: kernelSize, stride: stride, padding: padding, dilation: dilation, ceilMode: ceilMode)
  }

  /// The maxima and their places in their channels, for `MaxUnpool1d`.
  public func forwardWithIndices(_ x: Tensor) -> (output: Tensor, indices: Tensor) {
    maxPool1dWithIndices(x, kernelSize: kernelSize, stride: stride, padding: padding, dilation: dilation, ceilMode: ceilMode)
  }

  public override var arguments: String {
    "kernelSize: \(kernelSize), stride: \(stride), padding: \(padding), dilation: \(dilation), ceilMode: \(ceilMode)"
  }
}

/// The maximum of each window of `[N, C, H, W]` or `[C, H, W]`: `maxPool2d`.
public final class MaxPool2d: Module, Layer {
  public let kernelSize: [Int]
  public let stride: [Int]
  public let padding: [Int]
  public let dilation: [Int]
  public let ceilMode: Bool

  /// - Parameters:
  ///   - kernelSize: the window's size.
  ///   - stride: from window to window; the kernel's size if nil.
  ///   - padding: −∞ on either side of each axis.
  ///   - dilation: from tap to tap.
  ///   - ceilMode: whether a last window may reach over the end.
  public init(
    _ kernelSize: some PerAxis, stride: (any PerAxis)? = nil, padding: some PerAxis = 0, dilation: some PerAxis = 1,
    ceilMode: Bool = false
  ) {
    self.kernelSize = perAxis(kernelSize, 2, "kernelSize", "MaxPool2d")
    self.stride = perAxis(stride ?? kernelSize, 2, "stride", "MaxPool2d")
    self.padding = perAxis(padding, 2, "padding", "MaxPool2d")
    self.dilation = perAxis(dilation, 2, "dilation", "MaxPool2d")
    self.ceilMode = ceilMode
  }

  public func forward(_ x: Tensor) -> Tensor {
    maxPool2d(x, kernelSize: kernelSize, stride: stride, padding: padding, dilation: dilation, ceilMode: ceilMode)
  }

  /// The maxima and their places in their channels, for `MaxUnpool2d`.
  public func forwardWithIndices(_ x: Tensor) -> (output: Tensor, indices: Tensor) {
    maxPool2dWithIndices(x, kernelSize: kernelSize, stride: stride, padding: padding, dilation: dilation, ceilMode: ceilMode)
  }

  public override var arguments: String {
    "kernelSize: \(kernelSize), stride: \(stride), padding: \(padding), dilation: \(dilation), ceilMode: \(ceilMode)"
  }
}

/// The maximum of each window of `[N, C, D, H, W]` or `[C, D, H, W]`: `maxPool3d`.
public final class MaxPool3d: Module, Layer {
  public let kernelSize: [Int]
  public let stride: [Int]
  public let padding: [Int]
  public let dilation: [Int]
  public let ceilMode: Bool

  /// - Parameters:
  ///   - kernelSize: the window's size.
  ///   - stride: from window to window; the kernel's size if nil.
  ///   - padding: −∞ on either side of each axis.
  ///   - dilation: from tap to tap.
  ///   - ceilMode: whether a last window may reach over the end.
  public init(
    _ kernelSize: some PerAxis, stride: (any PerAxis)? = nil, padding: some PerAxis = 0, dilation: some PerAxis = 1,
    ceilMode: Bool = false
  ) {
    self.kernelSize = perAxis(kernelSize, 3, "kernelSize", "MaxPool3d")
    self.stride = perAxis(stride ?? kernelSize, 3, "stride", "MaxPool3d")
    self.padding = perAxis(padding, 3, "padding", "MaxPool3d")
    self.dilation = perAxis(dilation, 3, "dilation", "MaxPool3d")
    self.ceilMode = ceilMode
  }

  public func forward(_ x: Tensor) -> Tensor {
    maxPool3d(x, kernelSize: kernelSize, stride: stride, padding: padding, dilation: dilation, ceilMode: ceilMode)
  }

  /// The maxima and their places in their channels, for `MaxUnpool3d`.
  public func forwardWithIndices(_ x: Tensor) -> (output: Tensor, indices: Tensor) {
    maxPool3dWithIndices(x, kernelSize: kernelSize, stride: stride, padding: padding, dilation: dilation, ceilMode: ceilMode)
  }

  public override var arguments: String {
    "kernelSize: \(kernelSize), stride: \(stride), padding: \(padding), dilation: \(dilation), ceilMode: \(ceilMode)"
  }
}

// MARK: - Means

/// The mean of each window of `[N, C, L]` or `[C, L]`: `avgPool1d`.
public final class AvgPool1d: Module, Layer {
  public let kernelSize: [Int]
  public let stride: [Int]
  public let padding: [Int]
  public let ceilMode: Bool
  public let countIncludePad: Bool

  /// - Parameters:
  ///   - kernelSize: the window's size.
  ///   - stride: from window to window; the kernel's size if nil.
  ///   - padding: zeros on either side of each axis.
  ///   - ceilMode: whether a last window may reach over the end.
  ///   - countIncludePad: whether the padding's zeros count in the mean.
  public init(
    _ kernelSize: some PerAxis, stride: (any PerAxis)? = nil, padding: some PerAxis = 0, ceilMode: Bool = false,
    countIncludePad: Bool = true
  ) {
    self.kernelSize = perAxis(kernelSize, 1, "kernelSize", "AvgPool1d")
    self.stride = perAxis(stride ?? kernelSize, 1, "stride", "AvgPool1d")
    self.padding = perAxis(padding, 1, "padding", "AvgPool1d")
    self.ceilMode = ceilMode
    self.countIncludePad = countIncludePad
  }

  public func forward(_ x: Tensor) -> Tensor {
    avgPool1d(
      x, kernelSize: kernelSize, stride: stride, padding: padding, ceilMode: ceilMode, countIncludePad: countIncludePad)
  }

  public override var arguments: String {
    "kernelSize: \(kernelSize), stride: \(stride), padding: \(padding), ceilMode: \(ceilMode), countIncludePad: \(countIncludePad)"
  }
}

/// The mean of each window of `[N, C, H, W]` or `[C, H, W]`: `avgPool2d`.
public final class AvgPool2d: Module, Layer {
  public let kernelSize: [Int]
  public let stride: [Int]
  public let padding: [Int]
  public let ceilMode: Bool
  public let countIncludePad: Bool
  public let divisorOverride: Int?

  /// - Parameters:
  ///   - kernelSize: the window's size.
  ///   - stride: from window to window; the kernel's size if nil.
  ///   - padding: zeros on either side of each axis.
  ///   - ceilMode: whether a last window may reach over the end.
  ///   - countIncludePad: whether the padding's zeros count in the mean.
  ///   - divisorOverride: what sums are divided by instead of the number of taps.
  public init(
    _ kernelSize: some PerAxis, stride: (any PerAxis)? = nil, padding: some PerAxis = 0, ceilMode: Bool = false,
    countIncludePad: Bool = true, divisorOverride: Int? = nil
  ) {
    self.kernelSize = perAxis(kernelSize, 2, "kernelSize", "AvgPool2d")
    self.stride = perAxis(stride ?? kernelSize, 2, "stride", "AvgPool2d")
    self.padding = perAxis(padding, 2, "padding", "AvgPool2d")
    self.ceilMode = ceilMode
    self.countIncludePad = countIncludePad
    self.divisorOverride = divisorOverride
  }

  public func forward(_ x: Tensor) -> Tensor {
    avgPool2d(
      x, kernelSize: kernelSize, stride: stride, padding: padding, ceilMode: ceilMode, countIncludePad: countIncludePad,
      divisorOverride: divisorOverride)
  }

  public override var arguments: String {
    "kernelSize: \(kernelSize), stride: \(stride), padding: \(padding), ceilMode: \(ceilMode), countIncludePad: \(countIncludePad)"
      + (divisorOverride.map { ", divisorOverride: \($0)" } ?? "")
  }
}

/// The mean of each window of `[N, C, D, H, W]` or `[C, D, H, W]`: `avgPool3d`.
public final class AvgPool3d: Module, Layer {
  public let kernelSize: [Int]
  public let stride: [Int]
  public let padding: [Int]
  public let ceilMode: Bool
  public let countIncludePad: Bool
  public let divisorOverride: Int?

  /// - Parameters:
  ///   - kernelSize: the window's size.
  ///   - stride: from window to window; the kernel's size if nil.
  ///   - padding: zeros on either side of each axis.
  ///   - ceilMode: whether a last window may reach over the end.
  ///   - countIncludePad: whether the padding's zeros count in the mean.
  ///   - divisorOverride: what sums are divided by instead of the number of taps.
  public init(
    _ kernelSize: some PerAxis, stride: (any PerAxis)? = nil, padding: some PerAxis = 0, ceilMode: Bool = false,
    countIncludePad: Bool = true, divisorOverride: Int? = nil
  ) {
    self.kernelSize = perAxis(kernelSize, 3, "kernelSize", "AvgPool3d")
    self.stride = perAxis(stride ?? kernelSize, 3, "stride", "AvgPool3d")
    self.padding = perAxis(padding, 3, "padding", "AvgPool3d")
    self.ceilMode = ceilMode
    self.countIncludePad = countIncludePad
    self.divisorOverride = divisorOverride
  }

  public func forward(_ x: Tensor) -> Tensor {
    avgPool3d(
      x, kernelSize: kernelSize, stride: stride, padding: padding, ceilMode: ceilMode, countIncludePad: countIncludePad,
      divisorOverride: divisorOverride)
  }

  public override var arguments: String {
    "kernelSize: \(kernelSize), stride: \(stride), padding: \(padding), ceilMode: \(ceilMode), countIncludePad: \(countIncludePad)"
      + (divisorOverride.map { ", divisorOverride: \($0)" } ?? "")
  }
}
