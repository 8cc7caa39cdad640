import CKernels

/// Images in which the channels of a pixel are contiguous: how convolutions read and write, over three spatial axes.
struct PixelImage {
  let data: TensorData  // [batch, channels, depth, height, width]
  /// Columns of zeros before the first, which `size` counts.
  let margin: Int
  let size: [Int]  // depth, height, width with margins
  /// The first pixel. Asked for here, not by the threads that share the work: asking may compute what has been deferred.
  let base: UnsafeMutableRawPointer

  private init(_ data: TensorData, margin: Int, size: [Int]) {
    self.data = data
    self.margin = margin
    self.size = size
    base = data.base
  }

  /// From image to image, plane to plane, row to row, pixel to pixel, in bytes.
  var strides: (Int, Int, Int, Int) {
    let s = data.dtype.itemSize
    return (data.strides[0] * s, data.strides[2] * s, data.strides[3] * s, data.strides[4] * s)
  }

  /// Fresh memory in the order batch, depth, height, width, channels.
  static func uninitialized(_ shape: Dims, _ dtype: DType) -> PixelImage? {
    let (n, c, d, h, w) = (shape[0], shape[1], shape[2], shape[3], shape[4])
    let data = TensorData.uninitialized(Dims([n, d, h, w, c]), dtype, for: "convolution")
    guard data.isValid else { return nil }
    let view = data.view(shape: shape, strides: Dims([d * h * w * c, 1, h * w * c, w * c, c]))
    return PixelImage(view, margin: 0, size: [d, h, w])
  }

  /// `x`, as it lies where its channels are contiguous, otherwise as a copy.
  ///
  /// - Parameter margins: columns of zeros wanted before and after each row; with them it is always a copy.
  static func of(_ x: TensorData, margins: (Int, Int) = (0, 0)) -> PixelImage? {
    if margins == (0, 0), x.strides[1] == 1 || x.shape[1] == 1 {
      return PixelImage(x, margin: 0, size: Array(x.shape.suffix(3)))
    }
    let width = x.shape[4] + margins.0 + margins.1
    guard let wide = uninitialized(x.shape.replacing(4, with: width), x.dtype) else { return nil }
    if width > x.shape[4] { wide.base.initializeMemory(as: UInt8.self, repeating: 0, count: wide.data.byteCount) }
    copyRows(of: x, to: wide.data, margin: margins.0)
    return PixelImage(wide.data, margin: margins.0, size: wide.size)
  }

  /// The same numbers row-major. (Only for images that `uninitialized` made.)
  func rowMajor() -> TensorData {
    if data.isContiguous { return data }
    let y = TensorData.uninitialized(data.shape, data.dtype, for: "convolution")
    guard y.isValid else { return y }
    let kernel = apus_copy2d(Runtime.isa, data.dtype.itemSize)!
    let (channels, pixels) = (data.shape[1], size.reduce(1, *))
    let (to, bytes) = (y.base, data.dtype.itemSize * channels * pixels)
    ThreadPool.shared.forEachChunk(of: data.shape[0], grain: max(1, StridedLoop.grain / (channels * pixels))) { range in
      for n in range { kernel(channels, pixels, base + n * bytes, 1, channels, to + n * bytes, pixels, 1) }
    }
    return y
  }

  /// Row by row a transposed copy, in which neither side is walked against its grain.
  private static func copyRows(of x: TensorData, to y: TensorData, margin: Int) {
    let kernel = apus_copy2d(Runtime.isa, x.dtype.itemSize)!
    let size = x.dtype.itemSize
    let (from, to) = (UnsafeRawPointer(x.base), y.base)
    // Rows that follow each other evenly on both sides are one.
    let isPlane = x.shape[4] == y.shape[4] && x.strides[3] == x.strides[4] * x.shape[4]
    let (rows, columns) = (isPlane ? 1 : x.shape[3], isPlane ? x.shape[3] * x.shape[4] : x.shape[4])
    let (channels, depth) = (x.shape[1], x.shape[2])
    ThreadPool.shared.forEachChunk(
      of: x.shape[0] * depth * rows, grain: max(1, StridedLoop.grain / (columns * channels))
    ) { range in
      for i in range {
        let (n, d, h) = (i / rows / depth, i / rows % depth, i % rows)
        kernel(
          columns, channels, from + (n * x.strides[0] + d * x.strides[2] + h * x.strides[3]) * size, x.strides[4], x.strides[1],
          to + (n * y.strides[0] + d * y.strides[2] + h * y.strides[3] + margin * y.strides[4]) * size, y.strides[4], 1)
      }
    }
  }
}
