import CKernels

extension CPUBackend {
  package func convolution(
    _ part: ConvolutionPart, _ a: TensorData, _ b: TensorData, ending: ConvolutionEnding, _ shape: ConvolutionShape
  ) -> TensorData {
    guard a.isValid, b.isValid else { return .invalid }
    let result = shape.dims(of: part)
    if result.product == 0 { return TensorData.uninitialized(result, a.dtype, for: "convolution") }
    if shape.batch == 0 { return TensorData.filled(result, a.dtype, 0) }
    let kernels = apus_conv(Runtime.isa, a.dtype.kernel)!.pointee
    if let merged = MergedGroups(shape, lanes: kernels.lanes), let y = convolution(part, a, b, ending: ending, merged) {
      return y
    }
    return convolution(part, a, b, ending: ending, shape, kernels)
  }

  /// - Returns: nil where infinite or undefined numbers of one group may have got into another, by way of the zeros between them.
  private func convolution(
    _ part: ConvolutionPart, _ a: TensorData, _ b: TensorData, ending: ConvolutionEnding, _ merged: MergedGroups
  ) -> TensorData? {
    let y =
      switch part {
      case .output: convolution(part, a, merged.widened(b), ending: ending, merged.shape)
      case .input: convolution(part, merged.widened(a), b, ending: ending, merged.shape)
      case .weight: merged.narrowed(convolution(part, a, b, ending: ending, merged.shape))
      }
    return !y.isValid || part == .weight || Tensor(y).isFinite().all().item() == 1 ? y : nil
  }

  private func convolution(
    _ part: ConvolutionPart, _ a: TensorData, _ b: TensorData, ending: ConvolutionEnding, _ shape: ConvolutionShape,
    _ kernels: apus_conv_kernels
  ) -> TensorData {
    let result = shape.dims(of: part)
    let convolution = CPUConvolution(shape: shape.overThreeAxes, dtype: a.dtype, kernels: kernels)
    if convolution.isDepthwise, !ending.isBiasOnly {
      let y = self.convolution(part, a, b, ending: ConvolutionEnding(), shape, kernels)
      return y.isValid ? noGrad { ending.applied(to: Tensor(y)).data } : y
    }
    let (a, b) = (a.overThreeAxes, b.overThreeAxes)
    var ending = ending
    ending.residual = ending.residual?.overThreeAxes
    let y =
      switch part {
      case .output: convolution.sweep(.output, source: a, weight: b, ending)
      case .input: convolution.sweep(.input, source: b, weight: a, ending)
      case .weight: convolution.weightGradient(a, b)
      }
    guard y.isValid else { return y }
    let strides = Dims(Array(y.strides.prefix(2)) + Array(y.strides.suffix(result.count - 2)))
    return y.view(shape: result, strides: strides)
  }
}

extension TensorData {
  /// [., ., size…] with three axes for the sizes, the new ones of size 1 in front.
  fileprivate var overThreeAxes: TensorData {
    let missing = 5 - rank
    let (ones, zeros) = ([Int](repeating: 1, count: missing), [Int](repeating: 0, count: missing))
    return view(
      shape: Dims(Array(shape.prefix(2)) + ones + Array(shape.dropFirst(2))),
      strides: Dims(Array(strides.prefix(2)) + zeros + Array(strides.dropFirst(2))))
  }
}

/// Convolutions on the CPU, over three spatial axes and in float32 or float64.
///
/// Pixels are read where they lie: the kernels take lists of pointers to source pixels, one for each tap and target pixel, instead of a
/// matrix of copies. Work is cut into pieces of the target by size alone, and every number is summed in one order, so that results don't
/// depend on the number of threads.
struct CPUConvolution {
  let shape: ConvolutionShape
  let dtype: DType
  let kernels: apus_conv_kernels

  var size: Int { dtype.itemSize }

  /// Whether every channel is by itself.
  var isDepthwise: Bool { shape.groups > 1 && shape.groups == shape.inChannels && shape.groups == shape.outChannels }

  /// Channels up to which neighbouring source pixels are read as one long pixel: the work for each pixel would be more than that for
  /// its channels.
  private static let shortPixel = 12

  /// How many neighbouring taps are read as one, and the zeros that rows need on both ends for it.
  func run(_ phases: [AxisPhase], channels: Int, size: Int) -> (length: Int, margins: (Int, Int)) {
    let length = phases[0].taps.count
    guard shape.groups == 1, channels < Self.shortPixel, phases.allSatisfy({ $0.isRun && $0.taps.count == length }) else {
      return (1, (0, 0))
    }
    let before = phases.map { -$0.taps[0].offset }.max()!
    let after = phases.map { ($0.count - 1) * $0.step + $0.taps[length - 1].offset + 1 - size }.max()!
    return (length, (max(before, 0), max(after, 0)))
  }

  /// Every phase along one axis with every one along the others.
  func combinations(_ phases: [[AxisPhase]]) -> [[AxisPhase]] {
    phases.reduce([[]]) { lists, axis in lists.flatMap { list in axis.map { list + [$0] } } }
  }

  /// Pixels for one task: few enough that the list of their pointers stays in the cache, and at least some sixteen tasks.
  func pixelsPerTask(_ pixels: Int, taps: Int, panel: Int) -> Int {
    min(mostPixels(taps: taps, panel: panel), max(1, (pixels / 16 + panel - 1) / panel) * panel)
  }

  private func mostPixels(taps: Int, panel: Int) -> Int { max(1, min(192, 3072 / max(taps, 1)) / panel) * panel }

  /// Zeros that stand for pixels outside.
  func zeros(_ count: Int) -> Storage? {
    let zeros = Storage.allocate(count * size, for: "convolution")
    zeros?.pointer.initializeMemory(as: UInt8.self, repeating: 0, count: count * size)
    return zeros
  }
}

// MARK: - Output and input

extension CPUConvolution {
  /// The output from the input, or the input's gradient from the output's: each target pixel a sum over taps of source pixel × matrix.
  ///
  /// - Returns: channels last where they are 8 or more, row-major otherwise.
  func sweep(_ part: ConvolutionPart, source: TensorData, weight: TensorData, _ ending: ConvolutionEnding) -> TensorData {
    if let y = FoldedStrides(self, part)?.sweep(source: source, weight: weight, ending) { return y }
    let dims = shape.dims(of: part)
    let phases = (0..<3).map { shape.phases(of: part, axis: $0) }
    let run = isDepthwise ? (1, (0, 0)) : run(phases[2], channels: source.shape[1], size: source.shape[4])
    guard let source = PixelImage.of(source, margins: run.1), let target = PixelImage.uninitialized(dims, dtype) else {
      return .invalid
    }
    guard let ending = KernelEnding(ending, target: target) else { return .invalid }
    let sweeps = combinations(phases).map {
      ConvolutionSweep(
        $0, kernelStrides: Array(weight.strides.suffix(3)), batch: shape.batch, source: source, target: target)
    }
    let isDone =
      isDepthwise
      ? depthwise(sweeps, source, target, weight, ending)
      : multiply(part, phases, sweeps, source, target, weight, ending, run: run.0)
    guard isDone else { return .invalid }
    return dims[1] >= 8 ? target.data : target.rowMajor()
  }

  private func multiply(
    _ part: ConvolutionPart, _ phases: [[AxisPhase]], _ sweeps: [ConvolutionSweep], _ source: PixelImage, _ target: PixelImage,
    _ weight: TensorData, _ ending: KernelEnding, run: Int
  ) -> Bool {
    // A backward pass has no gradients to keep either, but its weights are about to change.
    let isKept = part == .output && !isGradEnabled
    guard
      let prepared = PreparedWeights.of(
        weight, self, part, sweeps, isNarrow: isNarrow(target, source, run), isKept: isKept)
    else { return false }
    if let winograd = Winograd(self, part),
      let sweep = WinogradSweep(
        self, winograd, offset: firstOffset(phases), source: source, target: target, weights: prepared,
        ending: ending), sweep.run()
    {
      return true
    }
    return multiply(sweeps, source, target, prepared.packed, ending, run: run)
  }

  /// Of the first tap along height and width.
  func firstOffset(_ phases: [[AxisPhase]]) -> (Int, Int) { (phases[1][0].taps[0].offset, phases[2][0].taps[0].offset) }

  /// Whether there are too few columns to fill a vector with, and channels enough for that.
  private func isNarrow(_ target: PixelImage, _ source: PixelImage, _ run: Int) -> Bool {
    run == 1 && target.data.shape[1] / shape.groups <= kernels.narrow && source.data.shape[1] / shape.groups >= kernels.lanes
  }

  /// A piece of a sweep's target: pixels of one group of channels, and columns of these.
  private struct Task {
    let sweep: Int
    let group: Int
    let first: Int
    let count: Int
    let columns: Range<Int>
  }

  /// - Parameters:
  ///   - columns: of a group, which may be shared out among tasks; one where each task takes all channels.
  ///   - depth: weights of a column for each tap.
  private func tasks(_ sweeps: [ConvolutionSweep], groups: Int, panel: Int, columns: Int, depth: Int) -> [Task] {
    let pixels = sweeps.reduce(0) { $0 + $1.pixelCount } * groups
    return sweeps.indices.flatMap { i in
      let (count, taps) = (sweeps[i].pixelCount, sweeps[i].tapCount)
      var (step, width) = (pixelsPerTask(pixels, taps: taps, panel: panel), columns)
      let most = mostPixels(taps: taps, panel: panel)
      if step < most, taps * depth * columns * size > Self.cachedWeights, columns >= 4 * kernels.columns {
        // Few pixels, and more weights than would stay in a core's cache from task to task: these are cut instead.
        let pieces = (count + most - 1) / most * panel
        (step, width) = ((count + pieces - 1) / pieces * panel, kernels.columns)
      }
      return (0..<groups).flatMap { group in
        stride(from: 0, to: count, by: step).flatMap { first in
          stride(from: 0, to: columns, by: width).map { column in
            Task(
              sweep: i, group: group, first: first, count: min(step, count - first),
              columns: column..<min(column + width, columns))
          }
        }
      }
    }
  }

  /// Bytes.
  private static let cachedWeights = 1 << 20

  private func multiply(
    _ sweeps: [ConvolutionSweep], _ source: PixelImage, _ target: PixelImage, _ weights: PackedConvolutionWeights,
    _ ending: KernelEnding, run: Int
  ) -> Bool {
    let (depth, columns) = (source.data.shape[1] / shape.groups, target.data.shape[1] / shape.groups)
    guard let zeros = zeros(depth * run) else { return false }
    let offsets = sweeps.map { $0.offsets(every: run) }
    let tasks = tasks(sweeps, groups: shape.groups, panel: kernels.rows, columns: columns, depth: depth)
    let isNarrow = weights.isNarrow
    ThreadPool.shared.run(chunks: tasks.count) { i in
      let task = tasks[i]
      let (sweep, taps) = (sweeps[task.sweep], sweeps[task.sweep].tapCount / run)
      let column = task.group * columns + task.columns.lowerBound
      let matrix =
        weights.pointer(task.sweep, task.group) + task.columns.lowerBound * sweeps[task.sweep].tapCount * depth * size
      withLists(sweep, task.first, task.count, kernels.rows, offsets[task.sweep]) { x, y, grid in
        kernels.sources(
          &grid, task.first, task.count, kernels.rows, taps, offsets[task.sweep], source.base + task.group * depth * size,
          zeros.pointer, x)
        kernels.targets(&grid, task.first, task.count, target.base + sweep.targetStart + column * size, y)
        withUnsafePointer(to: ending.from(column)) {
          kernels.multiply(isNarrow, task.count, task.columns.count, taps, depth * run, x, matrix, y, $0)
        }
      }
    }
    return true
  }

  private func depthwise(
    _ sweeps: [ConvolutionSweep], _ source: PixelImage, _ target: PixelImage, _ weight: TensorData, _ ending: KernelEnding
  ) -> Bool {
    let channels = shape.inChannels
    guard let zeros = zeros(channels) else { return false }
    let matrices = sweeps.map { depthwiseWeights(weight, $0.weights) }
    guard matrices.allSatisfy({ $0 != nil }) else { return false }
    let tasks = tasks(sweeps, groups: 1, panel: kernels.together, columns: 1, depth: channels)
    ThreadPool.shared.run(chunks: tasks.count) { i in
      let task = tasks[i]
      let sweep = sweeps[task.sweep]
      withLists(sweep, task.first, task.count, kernels.together, sweep.offsets) { x, y, grid in
        kernels.sources(
          &grid, task.first, task.count, kernels.together, sweep.tapCount, sweep.offsets, source.base, zeros.pointer, x)
        kernels.targets(&grid, task.first, task.count, target.base + sweep.targetStart, y)
        kernels.depthwise(
          task.count, channels, sweep.tapCount, x, matrices[task.sweep]!.pointer, y, ending.biasBase)
      }
    }
    return true
  }

  /// The weights of the given taps as [tap][channel].
  private func depthwiseWeights(_ weight: TensorData, _ taps: [Int]) -> Storage? {
    guard let matrix = Storage.allocate(taps.count * shape.inChannels * size, for: "convolution") else { return nil }
    let copy = apus_cast(Runtime.isa, dtype.kernel, dtype.kernel)!
    for (i, place) in taps.enumerated() {
      copy(
        shape.inChannels, weight.base + place * size, weight.strides[0], matrix.pointer + i * shape.inChannels * size, 1)
    }
    return matrix
  }

  /// Room for a task's lists of pointers.
  private func withLists(
    _ sweep: ConvolutionSweep, _ first: Int, _ count: Int, _ panel: Int, _ offsets: [Int],
    _ body: (
      UnsafeMutablePointer<UnsafeRawPointer?>, UnsafeMutablePointer<UnsafeMutableRawPointer?>, inout apus_conv_grid
    ) -> Void
  ) {
    let padded = (count + panel - 1) / panel * panel
    withUnsafeTemporaryAllocation(of: UnsafeRawPointer?.self, capacity: max(1, padded * offsets.count / 3)) { x in
      withUnsafeTemporaryAllocation(of: UnsafeMutableRawPointer?.self, capacity: count) { y in
        var grid = sweep.grid
        body(x.baseAddress!, y.baseAddress!, &grid)
      }
    }
  }
}
