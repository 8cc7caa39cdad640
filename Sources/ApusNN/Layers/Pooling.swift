import ApusCore

// Pooling as layers. A setting is one number for all axes or an array with one for each; the layers keep and print arrays.

// MARK: - Maxima

/// What `MaxPool1d`, `MaxPool2d` and `MaxPool3d` have in common.
public class MaxPool: Module {
  public final let kernelSize: [Int]
  public final let stride: [Int]
  public final let padding: [Int]
  public final let dilation: [Int]
  public final let ceilMode: Bool

  init(
    axes: Int, _ kernelSize: any PerAxis, stride: (any PerAxis)?, padding: any PerAxis, dilation: any PerAxis, ceilMode: Bool
  ) {
    let (name, ones) = ("MaxPool\(axes)d", [Int](repeating: 1, count: axes))  // ones stand in after a reported mistake
    self.kernelSize = kernelSize.perAxis(axes, "kernelSize", name) ?? ones
    self.stride = (stride ?? kernelSize).perAxis(axes, "stride", name) ?? ones
    self.padding = padding.perAxis(axes, "padding", name) ?? ones
    self.dilation = dilation.perAxis(axes, "dilation", name) ?? ones
    self.ceilMode = ceilMode
  }

  public final override var arguments: String {
    "kernelSize: \(kernelSize), stride: \(stride), padding: \(padding), dilation: \(dilation), ceilMode: \(ceilMode)"
  }
}

/// The maximum of each window of `[N, C, L]` or `[C, L]`: `maxPool1d`.
public final class MaxPool1d: MaxPool, Layer {
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
    super.init(axes: 1, kernelSize, stride: stride, padding: padding, dilation: dilation, ceilMode: ceilMode)
  }

  public func forward(_ x: Tensor) -> Tensor {
    maxPool1d(x, kernelSize: kernelSize, stride: stride, padding: padding, dilation: dilation, ceilMode: ceilMode)
  }

  /// The maxima and their places in their channels, for `MaxUnpool1d`.
  public func forwardWithIndices(_ x: Tensor) -> (output: Tensor, indices: Tensor) {
    maxPool1dWithIndices(x, kernelSize: kernelSize, stride: stride, padding: padding, dilation: dilation, ceilMode: ceilMode)
  }
}

/// The maximum of each window of `[N, C, H, W]` or `[C, H, W]`: `maxPool2d`.
public final class MaxPool2d: MaxPool, Layer {
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
    super.init(axes: 2, kernelSize, stride: stride, padding: padding, dilation: dilation, ceilMode: ceilMode)
  }

  public func forward(_ x: Tensor) -> Tensor {
    maxPool2d(x, kernelSize: kernelSize, stride: stride, padding: padding, dilation: dilation, ceilMode: ceilMode)
  }

  /// The maxima and their places in their channels, for `MaxUnpool2d`.
  public func forwardWithIndices(_ x: Tensor) -> (output: Tensor, indices: Tensor) {
    maxPool2dWithIndices(x, kernelSize: kernelSize, stride: stride, padding: padding, dilation: dilation, ceilMode: ceilMode)
  }
}

/// The maximum of each window of `[N, C, D, H, W]` or `[C, D, H, W]`: `maxPool3d`.
public final class MaxPool3d: MaxPool, Layer {
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
    super.init(axes: 3, kernelSize, stride: stride, padding: padding, dilation: dilation, ceilMode: ceilMode)
  }

  public func forward(_ x: Tensor) -> Tensor {
    maxPool3d(x, kernelSize: kernelSize, stride: stride, padding: padding, dilation: dilation, ceilMode: ceilMode)
  }

  /// The maxima and their places in their channels, for `MaxUnpool3d`.
  public func forwardWithIndices(_ x: Tensor) -> (output: Tensor, indices: Tensor) {
    maxPool3dWithIndices(x, kernelSize: kernelSize, stride: stride, padding: padding, dilation: dilation, ceilMode: ceilMode)
  }
}

// MARK: - Means

/// What `AvgPool1d`, `AvgPool2d` and `AvgPool3d` have in common.
public class AvgPool: Module {
  public final let kernelSize: [Int]
  public final let stride: [Int]
  public final let padding: [Int]
  public final let ceilMode: Bool
  public final let countIncludePad: Bool
  /// What sums are divided by instead of the number of taps; nil over one axis.
  public final let divisorOverride: Int?

  init(
    axes: Int, _ kernelSize: any PerAxis, stride: (any PerAxis)?, padding: any PerAxis, ceilMode: Bool, countIncludePad: Bool,
    divisorOverride: Int? = nil
  ) {
    let (name, ones) = ("AvgPool\(axes)d", [Int](repeating: 1, count: axes))  // ones stand in after a reported mistake
    self.kernelSize = kernelSize.perAxis(axes, "kernelSize", name) ?? ones
    self.stride = (stride ?? kernelSize).perAxis(axes, "stride", name) ?? ones
    self.padding = padding.perAxis(axes, "padding", name) ?? ones
    self.ceilMode = ceilMode
    self.countIncludePad = countIncludePad
    self.divisorOverride = divisorOverride
  }

  public final override var arguments: String {
    "kernelSize: \(kernelSize), stride: \(stride), padding: \(padding), ceilMode: \(ceilMode), countIncludePad: \(countIncludePad)"
      + (divisorOverride.map { ", divisorOverride: \($0)" } ?? "")
  }
}

/// The mean of each window of `[N, C, L]` or `[C, L]`: `avgPool1d`.
public final class AvgPool1d: AvgPool, Layer {
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
    super.init(
      axes: 1, kernelSize, stride: stride, padding: padding, ceilMode: ceilMode, countIncludePad: countIncludePad)
  }

  public func forward(_ x: Tensor) -> Tensor {
    avgPool1d(
      x, kernelSize: kernelSize, stride: stride, padding: padding, ceilMode: ceilMode, countIncludePad: countIncludePad)
  }
}

/// The mean of each window of `[N, C, H, W]` or `[C, H, W]`: `avgPool2d`.
public final class AvgPool2d: AvgPool, Layer {
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
    super.init(
      axes: 2, kernelSize, stride: stride, padding: padding, ceilMode: ceilMode, countIncludePad: countIncludePad,
      divisorOverride: divisorOverride)
  }

  public func forward(_ x: Tensor) -> Tensor {
    avgPool2d(
      x, kernelSize: kernelSize, stride: stride, padding: padding, ceilMode: ceilMode, countIncludePad: countIncludePad,
      divisorOverride: divisorOverride)
  }
}

/// The mean of each window of `[N, C, D, H, W]` or `[C, D, H, W]`: `avgPool3d`.
public final class AvgPool3d: AvgPool, Layer {
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
    super.init(
      axes: 3, kernelSize, stride: stride, padding: padding, ceilMode: ceilMode, countIncludePad: countIncludePad,
      divisorOverride: divisorOverride)
  }

  public func forward(_ x: Tensor) -> Tensor {
    avgPool3d(
      x, kernelSize: kernelSize, stride: stride, padding: padding, ceilMode: ceilMode, countIncludePad: countIncludePad,
      divisorOverride: divisorOverride)
  }
}
