// Adaptive pooling: the number of windows is given instead of their size. Window i of n along an axis begins at ⌊i · size / n⌋ and ends
// before ⌈(i + 1) · size / n⌉, so windows may overlap by one element and differ in length by one.

/// The mean of `outputSize` windows along each axis of an image; they cover it, whatever its size.
///
/// - Parameters:
///   - x: `[N, C, H, W]` or `[C, H, W]`, floating-point.
///   - outputSize: one number, or height and width; nil keeps the size of an axis.
/// - Returns: `[N, C, H', W']`; `adaptiveAvgPool2d(x, 1)` is the mean of each channel.
/// - Complexity: O(elements) where sizes divide, otherwise a pass for each axis; keeps nothing for the gradient.
public func adaptiveAvgPool2d(_ x: Tensor, _ outputSize: some AdaptiveSize) -> Tensor {
  adaptiveAvgPool(x, outputSize, axes: 2, "adaptiveAvgPool2d")
}

/// `adaptiveAvgPool2d` over `[N, C, L]` or `[C, L]`.
public func adaptiveAvgPool1d(_ x: Tensor, _ outputSize: some AdaptiveSize) -> Tensor {
  adaptiveAvgPool(x, outputSize, axes: 1, "adaptiveAvgPool1d")
}

/// `adaptiveAvgPool2d` over `[N, C, D, H, W]` or `[C, D, H, W]`.
public func adaptiveAvgPool3d(_ x: Tensor, _ outputSize: some AdaptiveSize) -> Tensor {
  adaptiveAvgPool(x, outputSize, axes: 3, "adaptiveAvgPool3d")
}

/// The maximum of `outputSize` windows along each axis of an image; see `adaptiveAvgPool2d` and `maxPool2d`.
public func adaptiveMaxPool2d(_ x: Tensor, _ outputSize: some AdaptiveSize) -> Tensor {
  adaptiveMaxPool(x, outputSize, axes: 2, "adaptiveMaxPool2d", wantsIndices: false).output
}

/// `adaptiveMaxPool2d` over `[N, C, L]` or `[C, L]`.
public func adaptiveMaxPool1d(_ x: Tensor, _ outputSize: some AdaptiveSize) -> Tensor {
  adaptiveMaxPool(x, outputSize, axes: 1, "adaptiveMaxPool1d", wantsIndices: false).output
}

/// `adaptiveMaxPool2d` over `[N, C, D, H, W]` or `[C, D, H, W]`.
public func adaptiveMaxPool3d(_ x: Tensor, _ outputSize: some AdaptiveSize) -> Tensor {
  adaptiveMaxPool(x, outputSize, axes: 3, "adaptiveMaxPool3d", wantsIndices: false).output
}

/// `adaptiveMaxPool1d` and the places of the maxima in their channels (int64).
public func adaptiveMaxPool1dWithIndices(_ x: Tensor, _ outputSize: some AdaptiveSize) -> (output: Tensor, indices: Tensor) {
  adaptiveMaxPool(x, outputSize, axes: 1, "adaptiveMaxPool1d", wantsIndices: true)
}

/// `adaptiveMaxPool2d` and the places of the maxima in their channels: h · W + w (int64).
public func adaptiveMaxPool2dWithIndices(_ x: Tensor, _ outputSize: some AdaptiveSize) -> (output: Tensor, indices: Tensor) {
  adaptiveMaxPool(x, outputSize, axes: 2, "adaptiveMaxPool2d", wantsIndices: true)
}

/// `adaptiveMaxPool3d` and the places of the maxima in their channels, row-major (int64).
public func adaptiveMaxPool3dWithIndices(_ x: Tensor, _ outputSize: some AdaptiveSize) -> (output: Tensor, indices: Tensor) {
  adaptiveMaxPool(x, outputSize, axes: 3, "adaptiveMaxPool3d", wantsIndices: true)
}

// MARK: - Sizes

/// The output size of adaptive pooling: an `Int` for all axes alike, or an array with one for each (`[7, nil]`), where nil keeps the
/// size of the input.
public protocol AdaptiveSize: Sendable {
  /// One size, or nil, for each of `count` axes; nil where there are more or fewer.
  func adaptiveSizes(_ count: Int) -> [Int?]?
}

extension Int: AdaptiveSize {
  public func adaptiveSizes(_ count: Int) -> [Int?]? { [Int?](repeating: self, count: count) }
}

extension Array: AdaptiveSize where Element: AdaptiveSizeElement {
  public func adaptiveSizes(_ count: Int) -> [Int?]? { self.count == count ? map(\.size) : nil }
}

/// What an array of output sizes is made of: `Int`, or `Int?`.
public protocol AdaptiveSizeElement: Sendable {
  /// The size; nil keeps that of the input.
  var size: Int? { get }
}

extension Int: AdaptiveSizeElement {
  public var size: Int? { self }
}

extension Int?: AdaptiveSizeElement {
  public var size: Int? { self }
}

/// The size of each pooled axis before and after; nil after a reported mistake.
private func adaptiveSizes(_ x: Tensor, _ outputSize: some AdaptiveSize, _ axes: Int, _ name: String)
  -> (input: [Int], output: [Int])?
{
  guard x.isPoolable(axes, name) else { return nil }
  let input = Array(x.data.shape.suffix(axes))
  let sizes = outputSize.adaptiveSizes(axes)
  guard check(sizes != nil, .value, name, "outputSize \(outputSize) is not one number or \(axes)"), let sizes else { return nil }
  let output = zip(sizes, input).map { $0 ?? $1 }
  return check(output.allSatisfy { $0 >= 0 }, .value, name, "outputSize \(outputSize) is negative") ? (input, output) : nil
}

/// Whether all windows are of one size and none overlap.
private func divides(_ input: [Int], _ output: [Int]) -> Bool {
  zip(input, output).allSatisfy { $1 > 0 && $0 % $1 == 0 }
}

// MARK: - The functions

private func adaptiveAvgPool(_ x: Tensor, _ outputSize: some AdaptiveSize, axes: Int, _ name: String) -> Tensor {
  guard let (input, output) = adaptiveSizes(x, outputSize, axes, name) else { return .invalid }
  if output.contains(0) { return Tensor.zeros(Shape(x.shape.dropLast(axes) + output), dtype: x.dtype) }
  if output.allSatisfy({ $0 == 1 }) { return x.mean(dims: Array(x.rank - axes..<x.rank), keepDim: true) }
  if divides(input, output) { return avgPool(x, PoolWindow(tiling: input, output: output)) }
  // The mean over a window is the mean over its columns of their means.
  return (0..<axes).reversed().reduce(x) { y, axis in
    input[axis] == output[axis] ? y : y.mapped(.means(input[axis], output[axis]), axis: x.rank - axes + axis)
  }
}

extension SparseMap {
  /// The means of the windows of adaptive pooling.
  static func means(_ input: Int, _ output: Int) -> SparseMap {
    let windows = WindowTable.adaptive(input, output)
    return SparseMap(input: input, rows: windows.map { taps in taps.map { ($0, 1 / Double(taps.count)) } })
  }
}

private func adaptiveMaxPool(_ x: Tensor, _ outputSize: some AdaptiveSize, axes: Int, _ name: StaticString, wantsIndices: Bool)
  -> (output: Tensor, indices: Tensor)
{
  guard let (input, output) = adaptiveSizes(x, outputSize, axes, "\(name)") else { return (.invalid, .invalid) }
  if output.contains(0) {
    let shape = Shape(x.shape.dropLast(axes) + output)
    return (Tensor.zeros(shape, dtype: x.dtype), Tensor.zeros(shape, dtype: .int64))
  }
  if divides(input, output), input.reduce(1, *) <= Int(Int32.max) {
    return maxPool(x, PoolWindow(tiling: input, output: output), name, wantsIndices: wantsIndices)
  }
  return maxOfTaps(x, zip(input, output).map { WindowTable(WindowTable.adaptive($0, $1)) })
}

/// The readable twin of adaptive average pooling, of ordinary ops.
package func adaptiveAvgPoolTwin(_ x: Tensor, _ output: [Int]) -> Tensor {
  let tables = zip(x.shape.suffix(output.count), output).map { WindowTable(WindowTable.adaptive($0, $1)) }
  let isOwn = tables.areOwn.to(x.dtype)
  return (x.taps(tables) * isOwn).sum(dim: -1) / isOwn.sum(dim: -1)
}

/// The readable twin of adaptive max pooling, of ordinary ops.
package func adaptiveMaxPoolTwin(_ x: Tensor, _ output: [Int]) -> (output: Tensor, indices: Tensor) {
  maxOfTaps(x, zip(x.shape.suffix(output.count), output).map { WindowTable(WindowTable.adaptive($0, $1)) })
}
