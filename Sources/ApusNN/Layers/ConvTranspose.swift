import ApusCore

/// What `ConvTranspose1d`, `ConvTranspose2d` and `ConvTranspose3d` have in common.
public class TransposedConvolution: ConvolutionLayer, Layer {
  public final let padding: [Int]
  public final let outputPadding: [Int]

  override var isTransposed: Bool { true }

  init(
    axes: Int, _ inChannels: Int?, _ outChannels: Int, kernelSize: some PerAxis, stride: some PerAxis, padding: some PerAxis,
    outputPadding: some PerAxis, groups: Int, bias: Bool, dilation: some PerAxis, dtype: DType, generator: Generator
  ) {
    self.padding = padding.perAxis(axes) ?? []
    self.outputPadding = outputPadding.perAxis(axes) ?? []
    super.init(
      axes: axes, inChannels, outChannels, kernelSize: kernelSize, stride: stride, dilation: dilation, groups: groups, bias: bias,
      dtype: dtype, generator: generator)
    for (what, text, values) in [
      ("padding", "\(padding)", self.padding), ("outputPadding", "\(outputPadding)", self.outputPadding),
    ] {
      _ = check(
        values.count == axes && values.allSatisfy { $0 >= 0 }, .value, kind,
        "\(what) \(text) is not a number, or \(axes) numbers, from 0 on")
    }
  }

  public final func forward(_ x: Tensor) -> Tensor { convolution(x, outputPadding) }

  /// Applies the layer with the output padding that gives spatial axes of the sizes `outputSize`.
  ///
  /// With a stride, several sizes become the same when they are convolved; this chooses the one to go back to.
  public final func callAsFunction(_ x: Tensor, outputSize: [Int]) -> Tensor {
    hooked([x]) { [forward($0[0], outputSize: outputSize)] }[0]
  }

  private func forward(_ x: Tensor, outputSize: [Int]) -> Tensor {
    guard x.isValid, !kernelSize.isEmpty else { return .invalid }
    let size = Array(x.shape.suffix(kernelSize.count))
    let least = size.indices.map { axis in
      let spread = (size[axis] - 1) * stride[axis] + 1
      return spread + dilation[axis] * (kernelSize[axis] - 1) - 2 * padding[axis]
    }
    let most = zip(least, stride).map { $0 + $1 - 1 }
    guard
      check(
        outputSize.count == least.count && outputSize.indices.allSatisfy { (least[$0]...most[$0]).contains(outputSize[$0]) },
        .value, kind, "outputSize \(outputSize) is not between \(least) and \(most)")
    else { return .invalid }
    return convolution(x, zip(outputSize, least).map(-))
  }

  private func convolution(_ x: Tensor, _ extra: [Int]) -> Tensor {
    switch kernelSize.count {
    case 1:
      convTranspose1d(
        x, weight, bias, stride: stride, padding: padding, outputPadding: extra, groups: groups, dilation: dilation)
    case 2:
      convTranspose2d(
        x, weight, bias, stride: stride, padding: padding, outputPadding: extra, groups: groups, dilation: dilation)
    case 3:
      convTranspose3d(
        x, weight, bias, stride: stride, padding: padding, outputPadding: extra, groups: groups, dilation: dilation)
    case _: .invalid  // after a reported mistake
    }
  }

  public final override func multiplyAdds(inputs: [Shape], outputs: [Shape]) -> Int {
    inputs[0].elementCount * weight.shape.dropFirst().reduce(1, *)
  }

  public final override var arguments: String {
    arguments([("padding", shortUnlessAll(0, padding)), ("outputPadding", shortUnlessAll(0, outputPadding))])
  }
}

/// Transposed convolution over one axis (`convTranspose1d`): `[batch, in, length]` to `[batch, out, length']`, or without the batch.
///
/// `ConvTranspose1d(nil, 8, kernelSize: 4)` takes as many channels as its first input has.
public final class ConvTranspose1d: TransposedConvolution {
  public init(
    _ inChannels: Int?, _ outChannels: Int, kernelSize: some PerAxis, stride: some PerAxis = 1, padding: some PerAxis = 0,
    outputPadding: some PerAxis = 0, groups: Int = 1, bias: Bool = true, dilation: some PerAxis = 1, dtype: DType = .float32,
    generator: Generator = .default
  ) {
    super.init(
      axes: 1, inChannels, outChannels, kernelSize: kernelSize, stride: stride, padding: padding, outputPadding: outputPadding,
      groups: groups, bias: bias, dilation: dilation, dtype: dtype, generator: generator)
  }
}

/// Transposed convolution over two axes (`convTranspose2d`): `[batch, in, height, width]` to `[batch, out, height', width']`, or without
/// the batch.
///
/// ```swift
/// ConvTranspose2d(64, 32, kernelSize: 4, stride: 2, padding: 1)  // doubles height and width
/// ```
///
/// `ConvTranspose2d(nil, 32, kernelSize: 4)` takes as many channels as its first input has.
public final class ConvTranspose2d: TransposedConvolution {
  public init(
    _ inChannels: Int?, _ outChannels: Int, kernelSize: some PerAxis, stride: some PerAxis = 1, padding: some PerAxis = 0,
    outputPadding: some PerAxis = 0, groups: Int = 1, bias: Bool = true, dilation: some PerAxis = 1, dtype: DType = .float32,
    generator: Generator = .default
  ) {
    super.init(
      axes: 2, inChannels, outChannels, kernelSize: kernelSize, stride: stride, padding: padding, outputPadding: outputPadding,
      groups: groups, bias: bias, dilation: dilation, dtype: dtype, generator: generator)
  }
}

/// Transposed convolution over three axes (`convTranspose3d`): `[batch, in, depth, height, width]` to
/// `[batch, out, depth', height', width']`, or without the batch.
///
/// `ConvTranspose3d(nil, 8, kernelSize: 4)` takes as many channels as its first input has.
public final class ConvTranspose3d: TransposedConvolution {
  public init(
    _ inChannels: Int?, _ outChannels: Int, kernelSize: some PerAxis, stride: some PerAxis = 1, padding: some PerAxis = 0,
    outputPadding: some PerAxis = 0, groups: Int = 1, bias: Bool = true, dilation: some PerAxis = 1, dtype: DType = .float32,
    generator: Generator = .default
  ) {
    super.init(
      axes: 3, inChannels, outChannels, kernelSize: kernelSize, stride: stride, padding: padding, outputPadding: outputPadding,
      groups: groups, bias: bias, dilation: dilation, dtype: dtype, generator: generator)
  }
}
