// Max pooling: a kernel for equal windows, with its readable twin, and the windows of different sizes of adaptive pooling.

/// The maximum of each window of an image.
///
/// The padding is −∞, so it never wins; NaN does always. Of equal elements the first in row-major order counts as the maximum: it
/// gets the whole gradient.
///
/// - Parameters:
///   - x: `[N, C, H, W]` or `[C, H, W]`, floating-point.
///   - kernelSize: height and width of the windows.
///   - stride: from window to window; the kernel's size if nil.
///   - padding: on either side of each axis, at most half of the kernel.
///   - dilation: from tap to tap within a window.
///   - ceilMode: whether a last window that reaches over the end counts too, if it begins inside.
/// - Returns: `[N, C, H', W']` with H' = ⌊(H + 2 · padding − dilation · (kernel − 1) − 1) / stride⌋ + 1, and the order of axes in memory of
///   `x` (channels last stays so).
/// - Complexity: O(outputs · taps). Keeps the places of the maxima (4 bytes each) for the gradient, not `x`.
public func maxPool2d(
  _ x: Tensor, kernelSize: some PerAxis, stride: (any PerAxis)? = nil, padding: some PerAxis = 0, dilation: some PerAxis = 1,
  ceilMode: Bool = false
) -> Tensor {
  maxPool(x, MaxPoolName.two, kernelSize, stride, padding, dilation, ceilMode, wantsIndices: false).output
}

/// `maxPool2d` over `[N, C, L]` or `[C, L]`.
public func maxPool1d(
  _ x: Tensor, kernelSize: some PerAxis, stride: (any PerAxis)? = nil, padding: some PerAxis = 0, dilation: some PerAxis = 1,
  ceilMode: Bool = false
) -> Tensor {
  maxPool(x, MaxPoolName.one, kernelSize, stride, padding, dilation, ceilMode, wantsIndices: false).output
}

/// `maxPool2d` over `[N, C, D, H, W]` or `[C, D, H, W]`.
public func maxPool3d(
  _ x: Tensor, kernelSize: some PerAxis, stride: (any PerAxis)? = nil, padding: some PerAxis = 0, dilation: some PerAxis = 1,
  ceilMode: Bool = false
) -> Tensor {
  maxPool(x, MaxPoolName.three, kernelSize, stride, padding, dilation, ceilMode, wantsIndices: false).output
}

/// `maxPool2d` and the places of the maxima: for each its row-major number in the channel, h · W + w (int64).
public func maxPool2dWithIndices(
  _ x: Tensor, kernelSize: some PerAxis, stride: (any PerAxis)? = nil, padding: some PerAxis = 0, dilation: some PerAxis = 1,
  ceilMode: Bool = false
) -> (output: Tensor, indices: Tensor) {
  maxPool(x, MaxPoolName.two, kernelSize, stride, padding, dilation, ceilMode, wantsIndices: true)
}

/// `maxPool1d` and the places of the maxima (int64).
public func maxPool1dWithIndices(
  _ x: Tensor, kernelSize: some PerAxis, stride: (any PerAxis)? = nil, padding: some PerAxis = 0, dilation: some PerAxis = 1,
  ceilMode: Bool = false
) -> (output: Tensor, indices: Tensor) {
  maxPool(x, MaxPoolName.one, kernelSize, stride, padding, dilation, ceilMode, wantsIndices: true)
}

/// `maxPool3d` and the places of the maxima: for each its row-major number in the channel (int64).
public func maxPool3dWithIndices(
  _ x: Tensor, kernelSize: some PerAxis, stride: (any PerAxis)? = nil, padding: some PerAxis = 0, dilation: some PerAxis = 1,
  ceilMode: Bool = false
) -> (output: Tensor, indices: Tensor) {
  maxPool(x, MaxPoolName.three, kernelSize, stride, padding, dilation, ceilMode, wantsIndices: true)
}

/// What the graph and errors call the op, and how many axes it pools.
private enum MaxPoolName: Int {
  case one = 1
  case two, three

  var text: StaticString {
    switch self {
    case .one: "maxPool1d"
    case .two: "maxPool2d"
    case .three: "maxPool3d"
    }
  }
}

private func maxPool(
  _ x: Tensor, _ name: MaxPoolName, _ kernelSize: any PerAxis, _ stride: (any PerAxis)?, _ padding: any PerAxis,
  _ dilation: any PerAxis, _ ceilMode: Bool, wantsIndices: Bool
) -> (output: Tensor, indices: Tensor) {
  let arguments = PoolArguments(
    operation: "\(name.text)", axes: name.rawValue, kernelSize: kernelSize, stride: stride, padding: padding, dilation: dilation,
    isCeiling: ceilMode)
  guard let window = arguments.window(over: x) else { return (.invalid, .invalid) }
  return maxPool(x, window, name.text, wantsIndices: wantsIndices)
}

/// The op itself. `indices` are invalid where nobody wants them.
func maxPool(_ x: Tensor, _ window: PoolWindow, _ name: StaticString, wantsIndices: Bool) -> (output: Tensor, indices: Tensor) {
  let isDifferentiated = x.node != nil && Context.mode.isGradEnabled
  let (y, found) = x.device.backend.maxPool(x.data, window, wantsIndices: wantsIndices || isDifferentiated)
  guard y.isValid else { return (.invalid, .invalid) }
  let indices = found.map { Tensor($0) } ?? .invalid
  let output = recorded(y, .named(name), .linear { dy in [maxPoolGradient(dy, indices, window)] }, x)
  return (output, wantsIndices ? indices.to(.int64) : .invalid)
}

/// Each element of dy at the place of its maximum. Linear in dy: its own derivative picks from those places.
private func maxPoolGradient(_ dy: Tensor, _ indices: Tensor, _ window: PoolWindow) -> Tensor {
  let dx = dy.device.backend.maxPoolBackward(dy.data, indices.data, window)
  return recorded(
    dx, .named("maxPoolGradient"), .linear { ddx in [ddx.pickedFromChannels(indices.to(.int64), axes: window.axes.count)] }, dy)
}

extension Tensor {
  /// From the last `axes` axes, which are numbered row-major, the elements that `indices` name.
  func pickedFromChannels(_ indices: Tensor, axes: Int) -> Tensor {
    flatten(startDim: -axes).gather(dim: -1, index: indices.flatten(startDim: -axes)).reshape(indices.shape)
  }
}

/// The readable twin of the max pooling functions over `axes` axes, of ordinary ops.
package func maxPoolTwin(
  _ x: Tensor, axes: Int, kernelSize: some PerAxis, stride: (any PerAxis)? = nil, padding: some PerAxis = 0,
  dilation: some PerAxis = 1, ceilMode: Bool = false
) -> (output: Tensor, indices: Tensor) {
  let arguments = PoolArguments(
    operation: "maxPool", axes: axes, kernelSize: kernelSize, stride: stride, padding: padding, dilation: dilation,
    isCeiling: ceilMode)
  guard let window = arguments.window(over: x) else { return (.invalid, .invalid) }
  return maxOfTaps(x, window.axes.map { WindowTable($0.taps) })
}
