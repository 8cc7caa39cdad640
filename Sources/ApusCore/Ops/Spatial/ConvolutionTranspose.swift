/// Transposed convolution over one spatial axis; see `convTranspose2d`.
///
/// - Parameters:
///   - x: `[batch, in, length]`, or `[in, length]`.
///   - weight: `[in, out / groups, kernel]`
///   - bias: `[out]`, or nil.
///   - stride: steps of the kernel in the output.
///   - padding: elements taken off both ends of the output.
///   - outputPadding: elements that the output has more at its end.
///   - groups: input and output channels in this many independent groups.
///   - dilation: distance between the elements of the kernel.
/// - Returns: `[batch, out, length']`
public func convTranspose1d(
  _ x: Tensor, _ weight: Tensor, _ bias: Tensor? = nil, stride: some PerAxis = 1, padding: some PerAxis = 0,
  outputPadding: some PerAxis = 0, groups: Int = 1, dilation: some PerAxis = 1
) -> Tensor {
  convolutionTranspose(
    "convTranspose1d", axes: 1, x, weight, bias, stride: stride, padding: padding, outputPadding: outputPadding, groups: groups,
    dilation: dilation)
}

/// Transposed convolution over two spatial axes: what carries a gradient back through `conv2d`, used forwards. Each input pixel adds the
/// kernel, times itself, to the output, `stride` pixels further than its neighbour did.
///
/// An axis of size s becomes `(s − 1) · stride − 2 · padding + dilation · (kernel − 1) + outputPadding + 1`. `conv2d` with the same settings makes
/// s of it again.
///
/// - Parameters:
///   - x: `[batch, in, height, width]`, or `[in, height, width]` for one image; the batch may be empty.
///   - weight: `[in, out / groups, kernel, kernel]`
///   - bias: `[out]`, or nil.
///   - stride: steps of the kernel in the output, a number or one for each axis.
///   - padding: pixels taken off both ends of the output's axes, a number or one for each axis.
///   - outputPadding: pixels that the output has more at the end of its axes; less than the stride or the dilation.
///   - groups: input and output channels in this many independent groups.
///   - dilation: distance between the elements of the kernel, a number or one for each axis.
/// - Returns: `[batch, out, height', width']`, or the same without the batch; dtype and layout as from `conv2d`.
/// - Complexity: O(batch · height · width · out · in / groups · kernel²)
public func convTranspose2d(
  _ x: Tensor, _ weight: Tensor, _ bias: Tensor? = nil, stride: some PerAxis = 1, padding: some PerAxis = 0,
  outputPadding: some PerAxis = 0, groups: Int = 1, dilation: some PerAxis = 1
) -> Tensor {
  convolutionTranspose(
    "convTranspose2d", axes: 2, x, weight, bias, stride: stride, padding: padding, outputPadding: outputPadding, groups: groups,
    dilation: dilation)
}

/// Transposed convolution over three spatial axes; see `convTranspose2d`.
///
/// - Parameters:
///   - x: `[batch, in, depth, height, width]`, or `[in, depth, height, width]`.
///   - weight: `[in, out / groups, kernel, kernel, kernel]`
///   - bias: `[out]`, or nil.
///   - stride: steps of the kernel in the output, a number or one for each axis.
///   - padding: pixels taken off both ends of the output's axes, a number or one for each axis.
///   - outputPadding: pixels that the output has more at the end of its axes; less than the stride or the dilation.
///   - groups: input and output channels in this many independent groups.
///   - dilation: distance between the elements of the kernel, a number or one for each axis.
/// - Returns: `[batch, out, depth', height', width']`
public func convTranspose3d(
  _ x: Tensor, _ weight: Tensor, _ bias: Tensor? = nil, stride: some PerAxis = 1, padding: some PerAxis = 0,
  outputPadding: some PerAxis = 0, groups: Int = 1, dilation: some PerAxis = 1
) -> Tensor {
  convolutionTranspose(
    "convTranspose3d", axes: 3, x, weight, bias, stride: stride, padding: padding, outputPadding: outputPadding, groups: groups,
    dilation: dilation)
}

private func convolutionTranspose(
  _ name: StaticString, axes: Int, _ x: Tensor, _ weight: Tensor, _ bias: Tensor?, stride: some PerAxis, padding: some PerAxis,
  outputPadding: some PerAxis, groups: Int, dilation: some PerAxis
) -> Tensor {
  let (x, weight, bias) = (autocasted(x), autocasted(weight), bias.map { autocasted($0) })
  guard
    let arguments = ConvolutionArguments(name, axes: axes, x, weight, bias, stride: stride, dilation: dilation, groups: groups),
    let padding = arguments.naturals(padding, "padding"), let extra = arguments.naturals(outputPadding, "outputPadding"),
    let shape = arguments.transposedShape(padding, extra)
  else { return .invalid }
  // The convolution whose input is the result: its derivative by the input.
  let y = shape.derivative(by: .input, weight, arguments.x, bias: bias, name)
  return arguments.isBatch ? y : y.squeeze(dim: 0)
}

extension ConvolutionArguments {
  fileprivate func naturals(_ setting: some PerAxis, _ what: String) -> [Int]? {
    let values = setting.perAxis(axes)
    guard
      check(
        values?.allSatisfy { $0 >= 0 } ?? false, .value, "\(name)",
        "\(what) \(setting) is not a number, or \(axes) numbers, from 0 on")
    else { return nil }
    return values
  }

  fileprivate func transposedShape(_ padding: [Int], _ extra: [Int]) -> ConvolutionShape? {
    let (inChannels, outChannels) = (x.data.shape[1], weight.data.shape[1] * groups)
    guard
      check(
        inChannels == weight.data.shape[0], .shape, "\(name)",
        "input \(x.shape) and weight \(weight.shape): \(inChannels) channels, but the weight takes \(weight.data.shape[0])"),
      check(
        inChannels % groups == 0, .shape, "\(name)",
        "input \(x.shape): \(inChannels) channels are not a multiple of \(groups) groups"),
      fits(bias, outChannels),
      check(
        (0..<axes).allSatisfy { extra[$0] < max(stride[$0], dilation[$0]) }, .value, "\(name)",
        "outputPadding \(extra) is not less than stride \(stride) or dilation \(dilation)")
    else { return nil }
    let result = (0..<axes).map { (axis: Int) -> Int in
      let spread = (size[axis] - 1) * stride[axis] + 1
      let reach = dilation[axis] * (kernel[axis] - 1)
      return spread + reach + extra[axis] - 2 * padding[axis]
    }
    guard check(result.allSatisfy { $0 > 0 }, .shape, "\(name)", "padding \(padding) leaves nothing of the output: \(result)")
    else { return nil }
    return ConvolutionShape(
      batch: x.data.shape[0], groups: groups, inChannels: outChannels, outChannels: inChannels, input: result, kernel: kernel,
      output: size, stride: stride, padding: padding, dilation: dilation)
  }
}
