/// The mean of each window of an image.
///
/// - Parameters:
///   - x: `[N, C, H, W]` or `[C, H, W]`, floating-point.
///   - kernelSize: height and width of the windows.
///   - stride: from window to window; the kernel's size if nil.
///   - padding: zeros on either side of each axis, at most half of the kernel.
///   - ceilMode: whether a last window that reaches over the end counts too, if it begins inside.
///   - countIncludePad: whether sums are divided by the number of taps in the input and the padding, or in the input alone. Taps
///     beyond the padding (`ceilMode`) never count.
///   - divisorOverride: what sums are divided by instead.
/// - Returns: `[N, C, H', W']` with H' = ⌊(H + 2 · padding − kernel) / stride⌋ + 1, and the order of axes in memory of `x` (channels last
///   stays so).
/// - Complexity: O(outputs · taps); keeps nothing for the gradient.
public func avgPool2d(
  _ x: Tensor, kernelSize: some PerAxis, stride: (any PerAxis)? = nil, padding: some PerAxis = 0, ceilMode: Bool = false,
  countIncludePad: Bool = true, divisorOverride: Int? = nil
) -> Tensor {
  let arguments = PoolArguments(
    operation: "avgPool2d", axes: 2, kernelSize: kernelSize, stride: stride, padding: padding, isCeiling: ceilMode)
  return avgPool(x, arguments, countIncludePad, divisorOverride)
}

/// `avgPool2d` over `[N, C, L]` or `[C, L]`.
public func avgPool1d(
  _ x: Tensor, kernelSize: some PerAxis, stride: (any PerAxis)? = nil, padding: some PerAxis = 0, ceilMode: Bool = false,
  countIncludePad: Bool = true
) -> Tensor {
  let arguments = PoolArguments(
    operation: "avgPool1d", axes: 1, kernelSize: kernelSize, stride: stride, padding: padding, isCeiling: ceilMode)
  return avgPool(x, arguments, countIncludePad, nil)
}

/// `avgPool2d` over `[N, C, D, H, W]` or `[C, D, H, W]`.
public func avgPool3d(
  _ x: Tensor, kernelSize: some PerAxis, stride: (any PerAxis)? = nil, padding: some PerAxis = 0, ceilMode: Bool = false,
  countIncludePad: Bool = true, divisorOverride: Int? = nil
) -> Tensor {
  let arguments = PoolArguments(
    operation: "avgPool3d", axes: 3, kernelSize: kernelSize, stride: stride, padding: padding, isCeiling: ceilMode)
  return avgPool(x, arguments, countIncludePad, divisorOverride)
}

private func avgPool(_ x: Tensor, _ arguments: PoolArguments, _ countsPadding: Bool, _ divisor: Int?) -> Tensor {
  guard let window = arguments.averagingWindow(over: x, countsPadding, divisor) else { return .invalid }
  return avgPool(x, window)
}

extension PoolArguments {
  fileprivate func averagingWindow(over x: Tensor, _ countsPadding: Bool, _ divisor: Int?) -> PoolWindow? {
    guard var window = window(over: x), check(divisor != 0, .value, operation, "divisorOverride is 0") else { return nil }
    window.countsPadding = countsPadding
    window.divisor = divisor.map(Double.init)
    return window
  }
}

/// The op itself. Linear in x: its derivative spreads dy, and the derivative of that is the op again.
func avgPool(_ x: Tensor, _ window: PoolWindow) -> Tensor {
  recorded(
    x.device.backend.avgPool(x.data, window), .named("avgPool"), .linear { dy in [avgPoolGradient(dy, window)] }, x)
}

private func avgPoolGradient(_ dy: Tensor, _ window: PoolWindow) -> Tensor {
  recorded(
    dy.device.backend.avgPoolBackward(dy.data, window), .named("avgPoolGradient"), .linear { ddx in [avgPool(ddx, window)] }, dy)
}

/// The readable twin of the average pooling functions over `axes` axes, of ordinary ops.
package func avgPoolTwin(
  _ x: Tensor, axes: Int, kernelSize: some PerAxis, stride: (any PerAxis)? = nil, padding: some PerAxis = 0,
  ceilMode: Bool = false, countIncludePad: Bool = true, divisorOverride: Int? = nil
) -> Tensor {
  let arguments = PoolArguments(
    operation: "avgPool", axes: axes, kernelSize: kernelSize, stride: stride, padding: padding, isCeiling: ceilMode)
  guard let window = arguments.averagingWindow(over: x, countIncludePad, divisorOverride) else { return .invalid }
  let tables = window.axes.map { WindowTable($0.taps) }
  let taps = x.taps(tables)
  let own = taps * tables.areOwn.to(x.dtype)
  return own.sum(dim: -1) / window.divisors.to(x.dtype)
}

extension PoolWindow {
  /// What the sum of each window is divided by: `[output₀, output₁, …]`.
  fileprivate var divisors: Tensor {
    if let divisor { return Tensor.full(Shape(output), divisor, dtype: .float64) }
    return axes.reduce(Tensor.ones([], dtype: .float64)) { product, axis in
      product.unsqueeze(dim: -1) * Tensor(axis.extents(countsPadding: countsPadding)).to(.float64)
    }
  }
}
