/// The readable twin of `conv1d`, `conv2d` and `conv3d`, of ordinary ops: a sum over the elements of the kernel, each a matrix product of
/// the pixels that it meets.
///
/// - Parameters:
///   - x: `[batch, in, size…]`
///   - weight: `[out, in / groups, kernel…]`
package func convolutionTwin(
  _ x: Tensor, _ weight: Tensor, _ bias: Tensor? = nil, stride: [Int], padding: [Int], dilation: [Int], groups: Int = 1
) -> Tensor {
  if groups > 1 {
    let parts = zip(x.chunk(groups, dim: 1), weight.chunk(groups, dim: 0))
    let y = cat(parts.map { convolutionTwin($0, $1, stride: stride, padding: padding, dilation: dilation) }, dim: 1)
    return bias.map { y + $0.reshape(Shape([-1] + padding.map { _ in 1 })) } ?? y
  }
  let kernel = weight.shape.dropFirst(2)
  var padded = x
  for axis in padding.indices {
    padded = padded.move(
      .embed(axis: axis + 2, start: padding[axis], step: 1, size: padded.shape[axis + 2] + 2 * padding[axis]))
  }
  // [batch, in, size…] to [batch, size…, in]: the last axis is what a matrix product sums over.
  padded = padded.movedim(1, -1)
  var y = Tensor.zeros([1], dtype: x.dtype)
  for index in kernelIndices(Array(kernel)) {
    var (pixels, matrix) = (padded, weight)
    for (axis, k) in index.enumerated() {
      let count = (padded.shape[axis + 1] - dilation[axis] * (kernel[axis + 2] - 1) - 1) / stride[axis] + 1
      let start = k * dilation[axis]
      pixels = pixels.move(.slice(axis: axis + 1, start: start, step: stride[axis], count: count))
      matrix = matrix.select(dim: 2, index: k)
    }
    y = y + pixels.matmul(matrix.T)
  }
  y = y.movedim(-1, 1)
  return bias.map { y + $0.reshape(Shape([-1] + padding.map { _ in 1 })) } ?? y
}

/// The readable twin of the transposed convolutions: each input pixel becomes a kernel of its own, added where it belongs; that is, a
/// convolution of the input with zeros between its pixels by the mirrored kernel.
///
/// - Parameters:
///   - x: `[batch, in, size…]`
///   - weight: `[in, out / groups, kernel…]`
package func convolutionTransposeTwin(
  _ x: Tensor, _ weight: Tensor, _ bias: Tensor? = nil, stride: [Int], padding: [Int], outputPadding: [Int], dilation: [Int],
  groups: Int = 1
) -> Tensor {
  var (wide, axes) = (x, [Int]())
  for axis in stride.indices {
    let (size, reach) = (x.shape[axis + 2], dilation[axis] * (weight.shape[axis + 2] - 1))
    // Room for the kernel on both ends, zeros between the pixels; then `padding` is cut off.
    let spread = (size - 1) * stride[axis] + 1
    wide = wide.move(
      .embed(axis: axis + 2, start: reach, step: stride[axis], size: reach + spread + reach + outputPadding[axis]))
    wide = wide.narrow(
      dim: axis + 2, start: padding[axis], count: 2 * reach + spread + outputPadding[axis] - 2 * padding[axis])
    axes.append(axis + 2)
  }
  let mirrored = cat(weight.chunk(groups, dim: 0).map { $0.flip(axes).transpose(0, 1) }, dim: 0)
  return convolutionTwin(
    wide, mirrored, bias, stride: stride.map { _ in 1 }, padding: padding.map { _ in 0 }, dilation: dilation, groups: groups)
}

/// All index tuples into a kernel of these sizes.
private func kernelIndices(_ sizes: [Int]) -> [[Int]] {
  sizes.reduce([[]]) { tuples, size in tuples.flatMap { tuple in (0..<size).map { tuple + [$0] } } }
}
