/// Convolution (cross-correlation, as everywhere in deep learning) over one spatial axis; see `conv2d`.
///
/// - Parameters:
///   - x: `[batch, in, length]`, or `[in, length]`.
///   - weight: `[out, in / groups, kernel]`
///   - bias: `[out]`, or nil.
///   - stride: steps of the kernel.
///   - padding: zeros on both ends, or `.same` or `.valid`.
///   - dilation: distance between the elements of the kernel.
///   - groups: input and output channels in this many independent groups.
/// - Returns: `[batch, out, length']`
public func conv1d(
  _ x: Tensor, _ weight: Tensor, _ bias: Tensor? = nil, stride: some PerAxis = 1, padding: some ConvolutionPadding = 0,
  dilation: some PerAxis = 1, groups: Int = 1
) -> Tensor {
  convolution("conv1d", axes: 1, x, weight, bias, stride: stride, padding: padding, dilation: dilation, groups: groups)
}

/// Convolution (cross-correlation, as everywhere in deep learning) over two spatial axes.
///
/// `y[n, o, i, j] = bias[o] + Σ weight[o, c, k, l] · x[n, c, i·stride + k·dilation − padding, j·stride + l·dilation − padding]`, summed over the
/// channels c of o's group and the kernel; x counts as 0 outside. An axis of size s becomes
/// `(s + zeros before and after − dilation · (kernel − 1) − 1) / stride + 1`, rounded down.
///
/// - Parameters:
///   - x: `[batch, in, height, width]`, or `[in, height, width]` for one image; the batch may be empty.
///   - weight: `[out, in / groups, kernel, kernel]`
///   - bias: `[out]`, or nil.
///   - stride: steps of the kernel, a number or one for each axis.
///   - padding: zeros on both ends of the axes (a number or one for each axis), or `.same` (needs a stride of 1) or `.valid`.
///   - dilation: distance between the elements of the kernel, a number or one for each axis.
///   - groups: input and output channels in this many independent groups; as many as channels make it depth-wise.
/// - Returns: `[batch, out, height', width']`, or the same without the batch. dtypes are promoted; float16 and bfloat16 are computed in float32 and
///   rounded once. With 8 channels or more the memory is in the order batch, height, width, channels ("channels last"), the order in which
///   convolutions read without a copy.
/// - Complexity: O(batch · height' · width' · out · in / groups · kernel²). The gradients are two more such sums, each with its own.
///   float32 goes by Winograd's method where that pays, with 3×3 kernels of stride 1 and those of 3 to 6 of stride 2: a quarter to a half of
///   the products, and errors about twice as large as those of direct sums; `APUS_WINOGRAD=off` turns it off.
public func conv2d(
  _ x: Tensor, _ weight: Tensor, _ bias: Tensor? = nil, stride: some PerAxis = 1, padding: some ConvolutionPadding = 0,
  dilation: some PerAxis = 1, groups: Int = 1
) -> Tensor {
  convolution("conv2d", axes: 2, x, weight, bias, stride: stride, padding: padding, dilation: dilation, groups: groups)
}

/// Convolution (cross-correlation, as everywhere in deep learning) over three spatial axes; see `conv2d`.
///
/// - Parameters:
///   - x: `[batch, in, depth, height, width]`, or `[in, depth, height, width]`.
///   - weight: `[out, in / groups, kernel, kernel, kernel]`
///   - bias: `[out]`, or nil.
///   - stride: steps of the kernel, a number or one for each axis.
///   - padding: zeros on both ends of the axes (a number or one for each axis), or `.same` or `.valid`.
///   - dilation: distance between the elements of the kernel, a number or one for each axis.
///   - groups: input and output channels in this many independent groups.
/// - Returns: `[batch, out, depth', height', width']`
public func conv3d(
  _ x: Tensor, _ weight: Tensor, _ bias: Tensor? = nil, stride: some PerAxis = 1, padding: some ConvolutionPadding = 0,
  dilation: some PerAxis = 1, groups: Int = 1
) -> Tensor {
  convolution("conv3d", axes: 3, x, weight, bias, stride: stride, padding: padding, dilation: dilation, groups: groups)
}

/// `conv2d` of float32 or float64 images, whose sums are ended as `ending` says; the result has no history.
///
/// - Parameters:
///   - x: `[batch, in, height, width]`
///   - weight: `[out, in / groups, kernel, kernel]`, of the same dtype.
package func conv2d(
  _ x: Tensor, _ weight: Tensor, ending: ConvolutionEnding, stride: some PerAxis = 1, padding: some ConvolutionPadding = 0,
  dilation: some PerAxis = 1, groups: Int = 1
) -> Tensor {
  guard
    let arguments = ConvolutionArguments("conv2d", axes: 2, x, weight, nil, stride: stride, dilation: dilation, groups: groups),
    let zeros = arguments.zeros(padding), let shape = arguments.shape(zeros)
  else { return .invalid }
  let result = shape.dims(of: .output)
  guard
    check(
      ending.residual.map { $0.shape == result } ?? true, .shape, "conv2d",
      "a residual of shape \(Shape(dims: ending.residual?.shape ?? result)) does not fit the result's, \(Shape(dims: result))")
  else { return .invalid }
  return Tensor(x.device.backend.convolution(.output, x.data, weight.data, ending: ending, shape))
}

private func convolution(
  _ name: StaticString, axes: Int, _ x: Tensor, _ weight: Tensor, _ bias: Tensor?, stride: some PerAxis,
  padding: some ConvolutionPadding,
  dilation: some PerAxis, groups: Int
) -> Tensor {
  let (x, weight, bias) = (autocasted(x), autocasted(weight), bias.map { autocasted($0) })
  guard
    let arguments = ConvolutionArguments(name, axes: axes, x, weight, bias, stride: stride, dilation: dilation, groups: groups),
    let zeros = arguments.zeros(padding), let shape = arguments.shape(zeros)
  else { return .invalid }
  let y = shape.derivative(by: .output, arguments.x, weight, bias: bias, name)
  return arguments.isBatch ? y : y.squeeze(dim: 0)
}

extension ConvolutionArguments {
  fileprivate func zeros(_ padding: some ConvolutionPadding) -> [(before: Int, after: Int)]? {
    guard
      check(
        !(padding is SamePadding) || stride.allSatisfy { $0 == 1 }, .value, "\(name)",
        "padding .same needs a stride of 1, not \(stride)")
    else { return nil }
    let zeros = padding.zeros(kernel: kernel, dilation: dilation)
    guard
      check(
        zeros?.allSatisfy { $0.before >= 0 && $0.after >= 0 } ?? false, .value, "\(name)",
        "padding \(padding) is not a number, or \(axes) numbers, from 0 on")
    else { return nil }
    return zeros
  }

  fileprivate func shape(_ zeros: [(before: Int, after: Int)]) -> ConvolutionShape? {
    let (inChannels, outChannels) = (x.data.shape[1], weight.data.shape[0])
    guard
      check(
        inChannels == weight.data.shape[1] * groups, .shape, "\(name)",
        "input \(x.shape) and weight \(weight.shape): \(inChannels) channels, but the weight takes "
          + "\(weight.data.shape[1])\(groups == 1 ? "" : " in each of \(groups) groups")"),
      check(
        outChannels % groups == 0, .shape, "\(name)",
        "weight \(weight.shape): \(outChannels) output channels are not a multiple of \(groups) groups"),
      fits(bias, outChannels)
    else { return nil }
    let padded = (0..<axes).map { size[$0] + zeros[$0].before + zeros[$0].after }
    let reach = (0..<axes).map { dilation[$0] * (kernel[$0] - 1) + 1 }
    guard
      check(
        zip(reach, padded).allSatisfy { $0 <= $1 }, .shape, "\(name)",
        "the kernel reaches over \(Shape(reach)), more than the padded input \(Shape(padded))")
    else { return nil }
    return ConvolutionShape(
      batch: x.data.shape[0], groups: groups, inChannels: inChannels, outChannels: outChannels, input: size, kernel: kernel,
      output: (0..<axes).map { (padded[$0] - reach[$0]) / stride[$0] + 1 }, stride: stride, padding: zeros.map(\.before),
      dilation: dilation)
  }
}
