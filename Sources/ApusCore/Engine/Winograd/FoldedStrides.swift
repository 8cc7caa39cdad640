import CKernels

/// Convolutions of stride 2 as ones of stride 1, which Winograd's method takes: four neighbouring input pixels become one with four times the
/// channels.
///
/// Along an axis output pixel o reads the input pixels 2 o + k − padding = 2 (o + t) + r: even and odd pixels (phases r) by taps t of their own.
/// Of a 4×4 kernel each phase has 2×2 taps. As a 3×3 kernel, which has a place for the taps of all phases, it is zero in the other five, and with
/// them the values of the weights vanish at one place of six: 25 of 36 products are left, 6¼ for an output pixel and a pair of channels
/// instead of 16. A 3×3 kernel has even pixels with one tap along an axis, which leaves 20¼ of 36, 5 for an output pixel instead of 9.
struct FoldedStrides {
  private let original: CPUConvolution
  private let folded: CPUConvolution
  private let part: ConvolutionPart
  private let winograd: Winograd
  private let axes: [FoldedAxis]  // height, width

  /// Nil where the method doesn't apply or doesn't pay.
  init?(_ convolution: CPUConvolution, _ part: ConvolutionPart) {
    let shape = convolution.shape
    guard shape.groups == 1, shape.stride == [1, 2, 2], shape.dilation == [1, 1, 1], shape.kernel[0] == 1, shape.padding[0] == 0,
      shape.kernel.dropFirst().allSatisfy({ 3...6 ~= $0 }), shape.inChannels % 16 == 0
    else { return nil }
    axes = [1, 2].map { FoldedAxis(kernel: shape.kernel[$0], padding: shape.padding[$0]) }
    guard axes.allSatisfy({ $0.tapCount <= 3 }) else { return nil }
    var small = shape
    small.inChannels *= 4
    small.input = [shape.input[0], (shape.input[1] + 1) / 2, (shape.input[2] + 1) / 2]
    small.kernel = [1, 3, 3]
    small.stride = [1, 1, 1]
    small.padding = [0, axes[0].padding, axes[1].padding]
    original = convolution
    self.part = part
    folded = CPUConvolution(shape: small, dtype: convolution.dtype, kernels: convolution.kernels)
    let zeros = WinogradZeros(axes, channels: shape.inChannels, isTurned: part == .input)
    guard let winograd = Winograd(folded, part == .input ? .input : .output, zeros: zeros) else { return nil }
    self.winograd = winograd
  }

  /// Phases (row, column) in the order of their channels: those of one row, and those of the odd column, are neighbours.
  fileprivate static let phases = [(0, 0), (0, 1), (1, 1), (1, 0)]

  private var channels: Int { original.shape.inChannels }
  private var offset: (Int, Int) { folded.firstOffset((0..<3).map { folded.shape.phases(of: winograd.part, axis: $0) }) }

  // MARK: - The three derivatives

  /// As `CPUConvolution.sweep`; nil where there is no memory or a number is infinite or NaN: the result is to be computed directly.
  func sweep(source: TensorData, weight: TensorData, _ ending: ConvolutionEnding) -> TensorData? {
    let isForward = part == .output
    guard isForward || ending.isBiasOnly, let wide = widened(weight),
      let source = isForward ? fold(source) : PixelImage.of(source),
      let target = PixelImage.uninitialized(folded.shape.dims(of: part), .float32),
      let ending = KernelEnding(isForward ? ending : ConvolutionEnding(bias: ending.bias.map(repeated)), target: target)
    else { return nil }
    let sweep = ConvolutionSweep(
      (0..<3).map { folded.shape.phases(of: part, axis: $0)[0] }, kernelStrides: Array(wide.strides.suffix(3)),
      batch: folded.shape.batch, source: source, target: target)
    guard let weights = PreparedWeights.of(wide, folded, part, [sweep], isNarrow: false, isKept: false),
      let product = WinogradSweep(
        folded, winograd, offset: offset, source: source, target: target, weights: weights, ending: ending),
      product.run()
    else { return nil }
    return isForward ? target.data : unfold(target)
  }

  /// The sums [tap][in][out] of the weight's gradient; nil as with `sweep`.
  func weightSums(_ x: TensorData, _ dy: PixelImage) -> Storage? {
    let (ins, matrix) = (folded.shape.inChannels, channels * folded.shape.outChannels)
    guard let source = fold(x),
      let sums = WinogradWeightGradient(folded, winograd, offset: offset, source: source, target: dy)?.sums(),
      let result = Floats(original.shape.kernel.reduce(1, *) * matrix)
    else { return nil }
    let from = sums.pointer.assumingMemoryBound(to: Float.self)
    forEachTap { kernel, tap, phase in
      let start = (tap.row * 3 + tap.column) * ins * folded.shape.outChannels + phase * matrix
      (result.pointer + (kernel.row * original.shape.kernel[2] + kernel.column) * matrix).update(
        from: from + start, count: matrix)
    }
    return result.storage
  }

  // MARK: - There and back

  /// Calls `body` for every tap of the kernel, with the tap and the phase that it becomes.
  private func forEachTap(_ body: (_ kernel: (row: Int, column: Int), _ tap: (row: Int, column: Int), _ phase: Int) -> Void) {
    for (phase, (row, column)) in Self.phases.enumerated() {
      for i in axes[0].taps[row] {
        for j in axes[1].taps[column] { body((i.kernel, j.kernel), (i.tap, j.tap), phase) }
      }
    }
  }

  /// The weight `[out, 4 · in, 1, 3, 3]`, with memory in the order taps, out, in.
  private func widened(_ weight: TensorData) -> TensorData? {
    let dims = folded.shape.dims(of: .weight)
    let wide = TensorData.filled(dims, .float32, 0)
    guard wide.isValid else { return nil }
    let (outs, ins, step) = (dims[0], dims[1], dims[0] * dims[1])
    forEachTap { kernel, tap, phase in
      let from = weight.view(
        shape: Dims(outs, channels), strides: Dims(weight.strides[0], weight.strides[1]),
        offset: weight.offset + kernel.row * weight.strides[3] + kernel.column * weight.strides[4])
      let to = wide.view(
        shape: from.shape, strides: Dims(ins, 1), offset: (tap.row * 3 + tap.column) * step + phase * channels)
      CPUBackend.shared.copy(from, into: to)
    }
    return wide.view(shape: dims, strides: Dims([ins, 1, 9 * step, 3 * step, step]))
  }

  /// A bias for each channel of the input as one for each folded channel.
  private func repeated(_ bias: TensorData) -> TensorData {
    let (bias, result) = (bias.contiguous(), TensorData.uninitialized(Dims(4 * channels), .float32, for: "convolution"))
    guard bias.isValid, result.isValid else { return .invalid }
    for phase in 0..<4 {
      CPUBackend.shared.copy(bias, into: result.view(shape: bias.shape, strides: [1], offset: phase * channels))
    }
    return result
  }

  /// `[batch, 4 · in, 1, ⌈height / 2⌉, ⌈width / 2⌉]` with zeros for pixels outside.
  private func fold(_ x: TensorData) -> PixelImage? {
    guard let image = PixelImage.of(x), let result = PixelImage.uninitialized(folded.shape.dims(of: .input), .float32) else {
      return nil
    }
    forEachPixel(image, result) { pixel, part, count in
      if let pixel {
        part.copyMemory(from: pixel, byteCount: count)
      } else {
        part.initializeMemory(as: UInt8.self, repeating: 0, count: count)
      }
    }
    return result
  }

  /// The input of which `image` is the folded form.
  private func unfold(_ image: PixelImage) -> TensorData? {
    guard let result = PixelImage.uninitialized(original.shape.dims(of: .input), .float32) else { return nil }
    forEachPixel(result, image) { pixel, part, count in pixel?.copyMemory(from: part, byteCount: count) }
    return result.data
  }

  /// Calls `body` with every pixel of the input, nil for one outside, its place among the channels of the folded image, and bytes of both.
  private func forEachPixel(
    _ image: PixelImage, _ folded: PixelImage,
    _ body: (_ pixel: UnsafeMutableRawPointer?, _ part: UnsafeMutableRawPointer, _ byteCount: Int) -> Void
  ) {
    let (size, bytes) = (original.size, channels * original.size)
    let (from, to) = (SendablePointer(image.base), SendablePointer(folded.base))
    let (height, width) = (image.size[1], image.size[2])
    let (rows, columns) = (folded.size[1], folded.size[2])
    let (imageStep, rowStep, pixelStep) = (
      image.data.strides[0] * size, image.data.strides[3] * size, image.data.strides[4] * size
    )
    ThreadPool.shared.forEachChunk(
      of: self.folded.shape.batch * rows, grain: max(1, StridedLoop.grain / (4 * channels * columns))
    ) { range in
      for line in range {
        let row = line % rows * 2
        let start = from.pointer + line / rows * imageStep
        var part = to.pointer + line * columns * 4 * bytes
        for column in stride(from: 0, to: 2 * columns, by: 2) {
          for (i, j) in [(row, column), (row, column + 1), (row + 1, column + 1), (row + 1, column)] {
            body(i < height && j < width ? start + i * rowStep + j * pixelStep : nil, part, bytes)
            part += bytes
          }
        }
      }
    }
  }
}

/// How the taps along one axis are shared out among even and odd pixels.
private struct FoldedAxis {
  /// Of each phase: elements of the kernel with their taps, counted from the first of both phases.
  let taps: [[(kernel: Int, tap: Int)]]
  /// Folded pixels before the first output pixel.
  let padding: Int
  let tapCount: Int

  init(kernel: Int, padding: Int) {
    let before = (padding + 1) / 2
    let places = (0..<kernel).map { k in (kernel: k, place: k - padding + 2 * before) }
    taps = [0, 1].map { phase in places.filter { $0.place % 2 == phase }.map { ($0.kernel, $0.place / 2) } }
    self.padding = before
    tapCount = (places.last?.place ?? 0) / 2 + 1
  }

  /// Whether all values of a phase's weights vanish at one of the six places: the first is the first tap, the last is the last.
  fileprivate func vanishes(phase: Int, place: Int, isTurned: Bool) -> Bool {
    guard place == 0 || place == 5 else { return false }
    let tap = (place == 0) == isTurned ? 2 : 0
    return !taps[phase].contains { $0.tap == tap }
  }
}

/// Values of weights that are zero, whatever the weights are.
struct WinogradZeros {
  /// Of one phase, of four.
  private let channels: Int
  private let isZero: [[Bool]]  // [place][phase]

  /// - Parameter isTurned: whether the taps go backwards, as they do for the input.
  fileprivate init(_ axes: [FoldedAxis], channels: Int, isTurned: Bool) {
    self.channels = channels
    isZero = (0..<Winograd.places).map { place in
      FoldedStrides.phases.map { row, column in
        axes[0].vanishes(phase: row, place: place / 6, isTurned: isTurned)
          || axes[1].vanishes(phase: column, place: place % 6, isTurned: isTurned)
      }
    }
  }

  /// Neighbouring channels among which are all that have other values at a place.
  func channels(at place: Int) -> Range<Int> {
    guard let first = isZero[place].firstIndex(of: false), let last = isZero[place].lastIndex(of: false) else { return 0..<0 }
    return first * channels..<(last + 1) * channels
  }

  /// The pieces of `range` that have other values at a place.
  func pieces(of range: Range<Int>, at place: Int) -> [Range<Int>] {
    var pieces: [Range<Int>] = []
    for phase in 0..<4 where !isZero[place][phase] {
      let piece = (phase * channels..<(phase + 1) * channels).clamped(to: range)
      if piece.isEmpty { continue }
      if let last = pieces.last, last.upperBound == piece.lowerBound {
        pieces[pieces.count - 1] = last.lowerBound..<piece.upperBound
      } else {
        pieces.append(piece)
      }
    }
    return pieces
  }
}
