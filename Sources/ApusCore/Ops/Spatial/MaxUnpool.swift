/// The reverse of `maxPool2d`, as far as there is one: each element at the place that it came from, zeros elsewhere.
///
/// - Parameters:
///   - x: `[N, C, H', W']` or `[C, H', W']`, any dtype.
///   - indices: as `maxPool2dWithIndices` gives them: int64, the shape of `x`; each in `0 ..< H · W`. Where two of a channel are equal one
///     of the elements stays.
///   - kernelSize: of the pooling.
///   - stride: of the pooling; the kernel's size if nil.
///   - padding: of the pooling.
///   - outputSize: H and W; if nil (H' − 1) · stride − 2 · padding + kernel. It may differ from that by less than the stride.
/// - Returns: `[N, C, H, W]`.
public func maxUnpool2d(
  _ x: Tensor, _ indices: Tensor, kernelSize: some PerAxis, stride: (any PerAxis)? = nil, padding: some PerAxis = 0,
  outputSize: [Int]? = nil
) -> Tensor {
  maxUnpool(x, indices, 2, kernelSize, stride, padding, outputSize, "maxUnpool2d")
}

/// `maxUnpool2d` over `[N, C, L']` or `[C, L']`.
public func maxUnpool1d(
  _ x: Tensor, _ indices: Tensor, kernelSize: some PerAxis, stride: (any PerAxis)? = nil, padding: some PerAxis = 0,
  outputSize: [Int]? = nil
) -> Tensor {
  maxUnpool(x, indices, 1, kernelSize, stride, padding, outputSize, "maxUnpool1d")
}

/// `maxUnpool2d` over `[N, C, D', H', W']` or `[C, D', H', W']`.
public func maxUnpool3d(
  _ x: Tensor, _ indices: Tensor, kernelSize: some PerAxis, stride: (any PerAxis)? = nil, padding: some PerAxis = 0,
  outputSize: [Int]? = nil
) -> Tensor {
  maxUnpool(x, indices, 3, kernelSize, stride, padding, outputSize, "maxUnpool3d")
}

private func maxUnpool(
  _ x: Tensor, _ indices: Tensor, _ axes: Int, _ kernelSize: any PerAxis, _ stride: (any PerAxis)?, _ padding: any PerAxis,
  _ outputSize: [Int]?, _ name: String
) -> Tensor {
  guard indices.isValid, x.isImage(axes, name),
    check(indices.dtype == .int64, .dtype, name, "indices are \(indices.dtype), not int64"),
    check(indices.shape == x.shape, .shape, name, "indices of shape \(indices.shape) for an input of shape \(x.shape)"),
    let size = unpooledSize(x, axes, kernelSize, stride, padding, outputSize, name)
  else { return .invalid }
  let channels = Shape(x.shape.dropLast(axes))
  let zeros = Tensor.zeros(Shape(channels + [size.reduce(1, *)]), dtype: x.dtype)
  let y = zeros.scatter(dim: -1, index: indices.flatten(startDim: -axes), x.flatten(startDim: -axes))
  return y.reshape(Shape(channels + size))
}

/// The sizes of the axes after unpooling; nil after a reported mistake.
private func unpooledSize(
  _ x: Tensor, _ axes: Int, _ kernelSize: any PerAxis, _ stride: (any PerAxis)?, _ padding: any PerAxis, _ outputSize: [Int]?,
  _ name: String
) -> [Int]? {
  guard let kernel = kernelSize.perAxis(axes, "kernelSize", name),
    let stride = (stride ?? kernelSize).perAxis(axes, "stride", name), let padding = padding.perAxis(axes, "padding", name)
  else { return nil }
  let usual = (0..<axes).map { (x.shape[x.rank - axes + $0] - 1) * stride[$0] - 2 * padding[$0] + kernel[$0] }
  let size = outputSize ?? usual
  guard check(size.count == axes, .value, name, "outputSize \(size) has not \(axes) numbers") else { return nil }
  let fits = (0..<axes).allSatisfy { size[$0] > 0 && (outputSize == nil || abs(size[$0] - usual[$0]) < stride[$0]) }
  return check(
    fits, .value, name, "outputSize \(size) is not positive and less than stride \(stride) from \(usual)") ? size : nil
}
