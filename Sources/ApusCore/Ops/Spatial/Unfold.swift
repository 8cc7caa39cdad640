/// The windows of an image as columns (im2col).
///
/// - Parameters:
///   - x: `[N, C, H, W]` or `[C, H, W]`.
///   - kernelSize: height and width of the windows.
///   - dilation: from tap to tap within a window.
///   - padding: zeros on either side of each axis.
///   - stride: from window to window.
/// - Returns: `[N, C · taps, windows]` or `[C · taps, windows]`: a column is a window, its rows channel by channel, row-major. A convolution
///   is the product of its weights with it.
/// - Complexity: one copy of taps / strides times the elements of `x`.
public func unfold(
  _ x: Tensor, kernelSize: any PerAxis, dilation: any PerAxis = 1, padding: any PerAxis = 0, stride: any PerAxis = 1
) -> Tensor {
  guard x.isImage(2, "unfold"),
    let columns = Columns(Array(x.shape.suffix(2)), kernelSize, dilation, padding, stride, "unfold")
  else { return .invalid }
  guard x.rank == 4 else { return unfolded(x.unsqueeze(dim: 0), columns).squeeze(dim: 0) }
  return unfolded(x, columns)
}

/// The sum of columns at the places that `unfold` takes them from: the adjoint of `unfold`, not its inverse, since an element that lies
/// in several windows is their sum.
///
/// - Parameters:
///   - x: `[N, C · taps, windows]` or `[C · taps, windows]`, as `unfold` makes them.
///   - outputSize: H and W.
///   - kernelSize: as for `unfold`.
///   - dilation: as for `unfold`.
///   - padding: as for `unfold`; what falls there is dropped.
///   - stride: as for `unfold`.
/// - Returns: `[N, C, H, W]` or `[C, H, W]`.
public func fold(
  _ x: Tensor, outputSize: any PerAxis, kernelSize: any PerAxis, dilation: any PerAxis = 1, padding: any PerAxis = 0,
  stride: any PerAxis = 1
) -> Tensor {
  guard x.isValid,
    check(
      x.rank == 2 || x.rank == 3, .shape, "fold", "input \(x.shape) is neither [C · taps, windows] nor with a batch before it"),
    let size = outputSize.perAxis(2, "outputSize", "fold"),
    let columns = Columns(size, kernelSize, dilation, padding, stride, "fold"), columns.fit(x)
  else { return .invalid }
  guard x.rank == 3 else { return folded(x.unsqueeze(dim: 0), columns).squeeze(dim: 0) }
  return folded(x, columns)
}

/// Sizes of the image, the windows and their number along both axes.
private struct Columns {
  let axes: [PoolWindow.Axis]

  init?(
    _ image: [Int], _ kernelSize: any PerAxis, _ dilation: any PerAxis, _ padding: any PerAxis, _ stride: any PerAxis,
    _ name: String
  ) {
    guard let kernel = kernelSize.perAxis(2, "kernelSize", name), let dilation = dilation.perAxis(2, "dilation", name),
      let padding = padding.perAxis(2, "padding", name), let stride = stride.perAxis(2, "stride", name)
    else { return nil }
    let limits = 1...Int(Int32.max)
    let settings = "kernelSize \(kernel), dilation \(dilation), padding \(padding), stride \(stride)"
    let areValid = (kernel + dilation + stride + padding.map { $0 + 1 } + image).allSatisfy { limits.contains($0) }
    guard check(areValid, .value, name, "image \(image) with \(settings): out of range") else { return nil }
    let windows = (0..<2).compactMap { i in
      PoolWindow.Axis.outputSize(image[i], kernel[i], stride[i], padding[i], dilation[i], isCeiling: false).map {
        PoolWindow.Axis(
          input: image[i], output: $0, kernel: kernel[i], stride: stride[i], padding: padding[i], dilation: dilation[i])
      }
    }
    guard check(windows.count == 2, .shape, name, "no window fits image \(image) with \(settings)") else { return nil }
    axes = windows
  }

  var taps: Int { axes[0].kernel * axes[1].kernel }
  var windows: Int { axes[0].output * axes[1].output }
  /// What `pad` takes.
  var padding: [Int] { [axes[1].padding, axes[1].padding, axes[0].padding, axes[0].padding] }

  /// Whether these are columns of such windows; a mistake of `fold` otherwise.
  func fit(_ x: Tensor) -> Bool {
    check(
      x.shape[-2] % taps == 0, .shape, "fold", "the \(x.shape[-2]) rows of input \(x.shape) are not a multiple of \(taps) taps")
      && check(
        x.shape[-1] == windows, .shape, "fold",
        "input \(x.shape) has \(x.shape[-1]) columns for \(axes[0].output) × \(axes[1].output) windows")
  }

  /// The windows in a padded image `[N, C, H, W]` as a view `[N, C, kernel₀, kernel₁, output₀, output₁]`.
  func view(_ x: TensorData) -> TensorData {
    let (rows, columns) = (x.strides[2], x.strides[3])
    let strides = [
      x.strides[0], x.strides[1], axes[0].dilation * rows, axes[1].dilation * columns, axes[0].stride * rows,
      axes[1].stride * columns,
    ]
    return x.view(shape: shape(x.shape[0], x.shape[1]), strides: Dims(strides))
  }

  func shape(_ images: Int, _ channels: Int) -> Dims {
    Dims([images, channels, axes[0].kernel, axes[1].kernel, axes[0].output, axes[1].output])
  }
}

private func unfolded(_ x: Tensor, _ columns: Columns) -> Tensor {
  let padded = pad(x.detach(), columns.padding)
  guard padded.isValid else { return padded }
  let windows = columns.view(padded.data)
  let y = x.device.backend.copy(windows, to: x.dtype)
  guard y.isValid else { return .invalid }
  let shape = Dims([x.shape[0], x.shape[1] * columns.taps, columns.windows])
  return recorded(
    y.view(shape: shape, strides: shape.contiguousStrides), .named("unfold"), .linear { dy in [folded(dy, columns)] }, x)
}

/// Tap by tap: the columns' rows of one tap are added to the elements that lie a stride apart.
private func folded(_ x: Tensor, _ columns: Columns) -> Tensor {
  let wide = x.data.cast(x.dtype.isHalf ? .float32 : x.dtype).contiguous()
  let (images, channels) = (x.shape[0], x.shape[1] / columns.taps)
  let sizes = columns.axes.map { $0.input + 2 * $0.padding }
  let sum = TensorData.filled(Dims([images, channels] + sizes), wide.dtype, 0, for: "fold")
  guard wide.isValid, sum.isValid else { return .invalid }
  let shape = columns.shape(images, channels)
  let from = Tensor(wide.view(shape: shape, strides: shape.contiguousStrides))
  let to = Tensor(columns.view(sum))
  for i in 0..<columns.axes[0].kernel {
    for j in 0..<columns.axes[1].kernel {
      let tap = { (x: Tensor) in x.select(dim: 2, index: i).select(dim: 2, index: j).data }
      let (target, source) = (tap(to), tap(from))
      _ = x.device.backend.binary(.add, target, source, shape: target.shape, into: target)
    }
  }
  let y = pad(Tensor(sum), columns.padding.map { -$0 }).data.cast(x.dtype)
  return recorded(y, .named("fold"), .linear { dy in [unfolded(dy, columns)] }, x)
}
