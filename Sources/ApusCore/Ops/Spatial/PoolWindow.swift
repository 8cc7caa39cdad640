/// A window that slides over the last axes of a tensor, with all sizes worked out.
package struct PoolWindow: Sendable {
  /// The window along one axis.
  package struct Axis: Sendable {
    package let input: Int
    package let output: Int
    package let kernel: Int
    package let stride: Int
    package let padding: Int
    package let dilation: Int
  }

  /// Outermost first.
  package let axes: [Axis]
  /// Averages: what to divide by instead of the number of taps.
  package var divisor: Double?
  /// Averages: whether taps in the padding count.
  package var countsPadding = false

  package init(axes: [Axis]) { self.axes = axes }

  /// Windows that lie side by side and fill the axes: `output` of them.
  init(tiling input: [Int], output: [Int]) {
    axes = zip(input, output).map { size, count in
      Axis(input: size, output: count, kernel: size / count, stride: size / count, padding: 0, dilation: 1)
    }
  }

  var input: [Int] { axes.map(\.input) }
  var output: [Int] { axes.map(\.output) }
  /// Taps of a window.
  var tapCount: Int { axes.reduce(1) { $0 * $1.kernel } }

  /// A shape with other sizes in the window's axes, which are the last.
  func replacing(in shape: Dims, with sizes: [Int]) -> Dims { Dims(shape.dropLast(axes.count) + sizes) }
}

extension PoolWindow.Axis {
  /// PyTorch's size of the output; nil where no window fits. With `isCeiling` the last window may reach over the end, but has to
  /// start in the input or in the padding before it.
  static func outputSize(_ input: Int, _ kernel: Int, _ stride: Int, _ padding: Int, _ dilation: Int, isCeiling: Bool) -> Int? {
    let room = input + 2 * padding - dilation * (kernel - 1) - 1 + (isCeiling ? stride - 1 : 0)
    guard room >= 0 else { return nil }
    let size = room / stride + 1
    return isCeiling && (size - 1) * stride >= input + padding ? size - 1 : size
  }

  /// The positions that the taps of each window have in the input, those in the padding left out.
  var taps: [[Int]] {
    (0..<output).map { o in
      (0..<kernel).map { o * stride - padding + $0 * dilation }.filter { 0 <= $0 && $0 < input }
    }
  }

  /// What the sum of each window is divided by as far as this axis goes.
  func extents(countsPadding: Bool) -> [Int] {
    guard countsPadding else { return taps.map(\.count) }
    return (0..<output).map { min($0 * stride - padding + kernel, input + padding) - ($0 * stride - padding) }
  }

  /// Only a dilated window can step over the whole input.
  var isNeverEmpty: Bool { dilation == 1 || taps.allSatisfy { !$0.isEmpty } }
}

// MARK: - From the arguments of a pooling function

/// What the pooling functions take, for error texts too.
struct PoolArguments {
  let operation: String
  let axes: Int
  let kernelSize: any PerAxis
  var stride: (any PerAxis)?
  var padding: any PerAxis = 0
  var dilation: any PerAxis = 1
  var isCeiling = false

  /// The window over the last axes of `x`; nil after a reported mistake.
  func window(over x: Tensor) -> PoolWindow? {
    guard x.isPoolable(axes, operation), let sizes = sizes else { return nil }
    var result: [PoolWindow.Axis] = []
    for (i, size) in sizes.enumerated() {
      guard let axis = axis(x.data.shape[x.rank - axes + i], size, x) else { return nil }
      result.append(axis)
    }
    let window = PoolWindow(axes: result)
    let fits = window.input.reduce(1, *) <= Int(Int32.max)
    return check(fits, .value, operation, "more than 2³¹ elements in a channel of input \(x.shape)") ? window : nil
  }

  private typealias Sizes = (kernel: Int, stride: Int, padding: Int, dilation: Int)

  /// The settings of each axis; nil after a reported mistake.
  private var sizes: [Sizes]? {
    guard let kernel = numbers(kernelSize, "kernelSize", least: 1),
      let stride = numbers(stride ?? kernelSize, "stride", least: 1),
      let padding = numbers(padding, "padding", least: 0), let dilation = numbers(dilation, "dilation", least: 1)
    else { return nil }
    return (0..<axes).map { (kernel[$0], stride[$0], padding[$0], dilation[$0]) }
  }

  private func numbers(_ setting: any PerAxis, _ name: String, least: Int) -> [Int]? {
    guard let numbers = setting.perAxis(axes, name, operation) else { return nil }
    let fits = numbers.allSatisfy { least <= $0 && $0 <= Int(Int32.max) }
    return check(fits, .value, operation, "\(name) \(setting) is less than \(least) or too large") ? numbers : nil
  }

  private func axis(_ input: Int, _ s: Sizes, _ x: Tensor) -> PoolWindow.Axis? {
    guard check(2 * s.padding <= s.kernel, .value, operation, "padding \(s.padding) is more than half of kernel \(s.kernel)")
    else {
      return nil
    }
    let output = PoolWindow.Axis.outputSize(input, s.kernel, s.stride, s.padding, s.dilation, isCeiling: isCeiling)
    guard
      check(
        output ?? 0 > 0, .shape, operation,
        "a kernel of \(s.kernel) with dilation \(s.dilation) and padding \(s.padding) does not fit input \(x.shape)"), let output
    else { return nil }
    let axis = PoolWindow.Axis(
      input: input, output: output, kernel: s.kernel, stride: s.stride, padding: s.padding, dilation: s.dilation)
    return check(
      axis.isNeverEmpty, .value, operation,
      "a kernel of \(s.kernel) with dilation \(s.dilation) and padding \(s.padding) steps over all of input \(x.shape)")
      ? axis : nil
  }
}

extension PerAxis {
  /// One number for each axis; nil after a reported mistake of `operation`.
  package func perAxis(_ count: Int, _ name: String, _ operation: String) -> [Int]? {
    let numbers = perAxis(count)
    return check(numbers != nil, .value, operation, "\(name) \(self) is not one number or \(count)") ? numbers : nil
  }
}

extension Tensor {
  /// Whether this is a batch of images, or one, with `axes` axes after the channels; a mistake of `operation` otherwise.
  func isImage(_ axes: Int, _ operation: String) -> Bool {
    let names = ["L", "H, W", "D, H, W"][axes - 1]
    return isValid
      && check(
        rank == axes + 1 || rank == axes + 2, .shape, operation, "input \(shape) is neither [C, \(names)] nor [N, C, \(names)]")
  }

  /// The same, of floats, with no empty axis but the batch.
  func isPoolable(_ axes: Int, _ operation: String) -> Bool {
    isImage(axes, operation) && isFloating(for: operation)
      && check(data.shape.suffix(axes + 1).allSatisfy { $0 > 0 }, .shape, operation, "input \(shape) has an empty axis")
  }
}
