import CKernels

/// How the images of a pooled tensor lie in memory: channel by channel, or all channels of a pixel together.
private struct ImageLayout {
  let isChannelsLast: Bool
  /// Steps from pixel to pixel, and how many channels a kernel handles at once.
  let pixel: Int
  /// Number of images (channel by channel: of channels).
  let count: Int
  let axisOrder: [Int]

  /// The layout of `x`, whose last `axes` axes are those of the window. What is not channels-last counts as row-major.
  init(_ x: TensorData, axes: Int) {
    let channel = x.rank - axes - 1
    let order = Array(0..<channel) + Array(channel + 1..<x.rank) + [channel]
    isChannelsLast = !x.isContiguous && x.permuted(order).isContiguous
    axisOrder = isChannelsLast ? order : Array(0..<x.rank)
    pixel = isChannelsLast ? x.shape[channel] : 1
    count = x.shape.prefix(isChannelsLast ? channel : channel + 1).reduce(1, *)
  }
}

extension PoolWindow {
  /// The window as C has it: always three axes.
  fileprivate var kernel: apus_pool_window {
    let missing = Axis(input: 1, output: 1, kernel: 1, stride: 1, padding: 0, dilation: 1)
    let all = [Axis](repeating: missing, count: 3 - axes.count) + axes
    let triple = { (field: (Axis) -> Int) in (field(all[0]), field(all[1]), field(all[2])) }
    return apus_pool_window(
      input: triple(\.input), output: triple(\.output), kernel: triple(\.kernel), stride: triple(\.stride),
      padding: triple(\.padding), dilation: triple(\.dilation), divisor: divisor ?? 0, count_padding: countsPadding)
  }

  fileprivate var inputCount: Int { input.reduce(1, *) }
  fileprivate var outputCount: Int { output.reduce(1, *) }
  /// Rows of outputs of one image.
  fileprivate var rows: Int { output.dropLast().reduce(1, *) }
}

extension CPUBackend {
  package func maxPool(_ x: TensorData, _ window: PoolWindow, wantsIndices: Bool) -> (output: TensorData, indices: TensorData?) {
    if x.dtype.isHalf {
      let (y, indices) = maxPool(x.cast(.float32), window, wantsIndices: wantsIndices)
      return (y.cast(x.dtype), indices)
    }
    let layout = ImageLayout(x, axes: window.axes.count)
    let x = x.arranged(layout.axisOrder)
    let shape = window.replacing(in: x.shape, with: window.output)
    let y = TensorData.uninitialized(shape, x.dtype, axisOrder: layout.axisOrder, for: "maxPool")
    let indices = wantsIndices ? TensorData.uninitialized(shape, .int32, axisOrder: layout.axisOrder, for: "maxPool") : nil
    guard x.isValid, y.isValid, indices?.isValid ?? true else { return (.invalid, nil) }
    let kernel = apus_max_pool(Runtime.isa, x.dtype.kernel)!
    let places = indices?.base.assumingMemoryBound(to: Int32.self)
    forEachRows(x, y, window, layout) { window, row, rows, from, to, offset in
      kernel(window, row, rows, layout.pixel, layout.pixel, from, to, places.map { $0 + offset })
    }
    return (y, indices)
  }

  package func avgPool(_ x: TensorData, _ window: PoolWindow) -> TensorData {
    if x.dtype.isHalf { return avgPool(x.cast(.float32), window).cast(x.dtype) }
    let layout = ImageLayout(x, axes: window.axes.count)
    let x = x.arranged(layout.axisOrder)
    let shape = window.replacing(in: x.shape, with: window.output)
    let y = TensorData.uninitialized(shape, x.dtype, axisOrder: layout.axisOrder, for: "avgPool")
    guard x.isValid, y.isValid else { return .invalid }
    let kernel = apus_avg_pool(Runtime.isa, x.dtype.kernel)!
    forEachRows(x, y, window, layout) { window, row, rows, from, to, _ in
      kernel(window, row, rows, layout.pixel, layout.pixel, from, to)
    }
    return y
  }

  /// Shares out the rows of outputs of all images. The body gets the first row and the number of rows, the image, where the
  /// first of the rows goes, and how many elements that is from the start.
  private func forEachRows(
    _ x: TensorData, _ y: TensorData, _ window: PoolWindow, _ layout: ImageLayout,
    _ body: (UnsafePointer<apus_pool_window>, Int, Int, UnsafeRawPointer, UnsafeMutableRawPointer, Int) -> Void
  ) {
    let size = x.dtype.itemSize
    let (rows, rowLength) = (window.rows, window.output.last! * layout.pixel)
    let (from, to) = (UnsafeRawPointer(x.base), y.base)
    let imageLength = window.inputCount * layout.pixel
    let rowsAtOnce = max(1, Self.poolGrain / (rowLength * window.tapCount))
    withUnsafePointer(to: window.kernel) { window in
      ThreadPool.shared.forEachChunk(of: layout.count * rows, grain: rowsAtOnce) { range in
        var next = range.lowerBound
        while next < range.upperBound {
          let (image, row) = (next / rows, next % rows)
          let count = min(rows - row, range.upperBound - next)
          let offset = next * rowLength
          body(window, row, count, from + image * imageLength * size, to + offset * size, offset)
          next += count
        }
      }
    }
  }

  /// Taps that a thread takes at a time.
  private static let poolGrain = 1 << 16
}

// MARK: - Gradients

extension CPUBackend {
  package func maxPoolBackward(_ dy: TensorData, _ indices: TensorData, _ window: PoolWindow) -> TensorData {
    if dy.dtype.isHalf { return maxPoolBackward(dy.cast(.float32), indices, window).cast(dy.dtype) }
    let kernel = apus_max_pool_backward(Runtime.isa, dy.dtype.kernel)!
    let places = indices.base.assumingMemoryBound(to: Int32.self)
    return poolBackward(dy, window, ImageLayout(indices, axes: window.axes.count)) { window, pixel, channels, from, to, offset in
      kernel(window, pixel, channels, from, places + offset, to)
    }
  }

  package func avgPoolBackward(_ dy: TensorData, _ window: PoolWindow) -> TensorData {
    if dy.dtype.isHalf { return avgPoolBackward(dy.cast(.float32), window).cast(dy.dtype) }
    let kernel = apus_avg_pool_backward(Runtime.isa, dy.dtype.kernel)!
    return poolBackward(dy, window, ImageLayout(dy, axes: window.axes.count)) { window, pixel, channels, from, to, _ in
      kernel(window, pixel, channels, from, to)
    }
  }

  /// Shares out the images, or bands of channels of few channels-last images. The body gets the steps between pixels, the number
  /// of channels, where their dy and dx start, and how many elements that is from the start of dy.
  private func poolBackward(
    _ dy: TensorData, _ window: PoolWindow, _ layout: ImageLayout,
    _ body: (UnsafePointer<apus_pool_window>, Int, Int, UnsafeRawPointer, UnsafeMutableRawPointer, Int) -> Void
  ) -> TensorData {
    let dy = dy.arranged(layout.axisOrder)
    let shape = window.replacing(in: dy.shape, with: window.input)
    let dx = TensorData.uninitialized(shape, dy.dtype, axisOrder: layout.axisOrder, for: "pool backward")
    guard dy.isValid, dx.isValid else { return .invalid }
    let (size, pixel) = (dy.dtype.itemSize, layout.pixel)
    let (from, to) = (UnsafeRawPointer(dy.base), dx.base)
    let (inputLength, outputLength) = (window.inputCount * pixel, window.outputCount * pixel)
    let band = layout.count < 8 ? min(pixel, 32) : pixel
    let bands = (pixel + band - 1) / band
    let grain = max(1, Self.poolGrain / (window.inputCount * band))
    withUnsafePointer(to: window.kernel) { window in
      ThreadPool.shared.forEachChunk(of: layout.count * bands, grain: grain) { range in
        for task in range {
          let (image, channel) = (task / bands, task % bands * band)
          let (start, end) = (image * outputLength + channel, image * inputLength + channel)
          body(window, pixel, min(band, pixel - channel), from + start * size, to + end * size, start)
        }
      }
    }
    return dx
  }
}
