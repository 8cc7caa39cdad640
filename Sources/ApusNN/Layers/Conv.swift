import ApusCore

/// What a convolution layer puts around its input.
public enum PaddingMode: Sendable {
  case zeros
  /// The input mirrored at its edge, which is not repeated.
  case reflect
  /// The element at the edge.
  case replicate
  /// The other end of the axis.
  case circular

  fileprivate var padMode: PadMode {
    switch self {
    case .zeros: .constant
    case .reflect: .reflect
    case .replicate: .replicate
    case .circular: .circular
    }
  }
}

/// What `Conv1d`, `Conv2d` and `Conv3d` have in common.
public class Convolution: ConvolutionLayer, Layer {
  public final let padding: any ConvolutionPadding
  public final let paddingMode: PaddingMode

  init(
    axes: Int, _ inChannels: Int?, _ outChannels: Int, kernelSize: some PerAxis, stride: some PerAxis,
    padding: some ConvolutionPadding, dilation: some PerAxis, groups: Int, bias: Bool, paddingMode: PaddingMode, dtype: DType,
    generator: Generator
  ) {
    self.padding = padding
    self.paddingMode = paddingMode
    super.init(
      axes: axes, inChannels, outChannels, kernelSize: kernelSize, stride: stride, dilation: dilation, groups: groups, bias: bias,
      dtype: dtype, generator: generator)
  }

  public final func forward(_ x: Tensor) -> Tensor {
    if paddingMode == .zeros { return convolution(x, padding) }
    guard let ends = padding.zeros(kernel: kernelSize, dilation: dilation) else { return convolution(x, padding) }
    let list = ends.reversed().flatMap { [$0.before, $0.after] }
    return convolution(pad(x, list, mode: paddingMode.padMode), 0)
  }

  private func convolution(_ x: Tensor, _ padding: some ConvolutionPadding) -> Tensor {
    switch kernelSize.count {
    case 1: conv1d(x, weight, bias, stride: stride, padding: padding, dilation: dilation, groups: groups)
    case 2: conv2d(x, weight, bias, stride: stride, padding: padding, dilation: dilation, groups: groups)
    case 3: conv3d(x, weight, bias, stride: stride, padding: padding, dilation: dilation, groups: groups)
    case _: .invalid  // after a reported mistake
    }
  }

  public final override func multiplyAdds(inputs: [Shape], outputs: [Shape]) -> Int {
    outputs[0].elementCount * weight.shape.dropFirst().reduce(1, *)
  }

  public final override var arguments: String {
    let zeros = padding.zeros(kernel: kernelSize, dilation: dilation) ?? []
    let text =
      switch padding {
      case is SamePadding: ".same"
      case is ValidPadding: nil as String?
      case _: shortUnlessAll(0, zeros.map(\.before))
      }
    return arguments([("padding", text), ("paddingMode", paddingMode == .zeros ? nil : ".\(paddingMode)")])
  }
}

/// Convolution over one axis (`conv1d`): `[batch, in, length]` to `[batch, out, length']`, or without the batch.
///
/// `Conv1d(nil, 8, kernelSize: 3)` takes as many channels as its first input has.
public final class Conv1d: Convolution {
  public init(
    _ inChannels: Int?, _ outChannels: Int, kernelSize: some PerAxis, stride: some PerAxis = 1,
    padding: some ConvolutionPadding = 0, dilation: some PerAxis = 1, groups: Int = 1, bias: Bool = true,
    paddingMode: PaddingMode = .zeros, dtype: DType = .float32, generator: Generator = .default
  ) {
    super.init(
      axes: 1, inChannels, outChannels, kernelSize: kernelSize, stride: stride, padding: padding, dilation: dilation,
      groups: groups, bias: bias, paddingMode: paddingMode, dtype: dtype, generator: generator)
  }
}

/// Convolution over two axes (`conv2d`): `[batch, in, height, width]` to `[batch, out, height', width']`, or without the batch.
///
/// ```swift
/// Conv2d(3, 32, kernelSize: 3, padding: 1)
/// ```
///
/// `Conv2d(nil, 32, kernelSize: 3)` takes as many channels as its first input has.
public final class Conv2d: Convolution {
  public init(
    _ inChannels: Int?, _ outChannels: Int, kernelSize: some PerAxis, stride: some PerAxis = 1,
    padding: some ConvolutionPadding = 0, dilation: some PerAxis = 1, groups: Int = 1, bias: Bool = true,
    paddingMode: PaddingMode = .zeros, dtype: DType = .float32, generator: Generator = .default
  ) {
    super.init(
      axes: 2, inChannels, outChannels, kernelSize: kernelSize, stride: stride, padding: padding, dilation: dilation,
      groups: groups, bias: bias, paddingMode: paddingMode, dtype: dtype, generator: generator)
  }
}

/// Convolution over three axes (`conv3d`): `[batch, in, depth, height, width]` to `[batch, out, depth', height', width']`, or without the
/// batch.
///
/// `Conv3d(nil, 8, kernelSize: 3)` takes as many channels as its first input has.
public final class Conv3d: Convolution {
  public init(
    _ inChannels: Int?, _ outChannels: Int, kernelSize: some PerAxis, stride: some PerAxis = 1,
    padding: some ConvolutionPadding = 0, dilation: some PerAxis = 1, groups: Int = 1, bias: Bool = true,
    paddingMode: PaddingMode = .zeros, dtype: DType = .float32, generator: Generator = .default
  ) {
    super.init(
      axes: 3, inChannels, outChannels, kernelSize: kernelSize, stride: stride, padding: padding, dilation: dilation,
      groups: groups, bias: bias, paddingMode: paddingMode, dtype: dtype, generator: generator)
  }
}
