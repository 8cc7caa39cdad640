import CKernels

extension CPUConvolution {
  /// The gradient of the weight: for every tap the sum over the output's pixels of input pixel × output pixel, a matrix [in, out].
  ///
  /// The pixels are cut into parts, each with sums of its own, which are added in order at the end; and where the weight is large, the
  /// taps are shared out instead. How depends on the sizes alone.
  ///
  /// - Returns: row-major.
  func weightGradient(_ x: TensorData, _ dy: TensorData) -> TensorData {
    let phases = (0..<3).map { shape.phases(of: .output, axis: $0) }
    let run = isDepthwise ? (1, (0, 0)) : run(phases[2], channels: shape.inChannels, size: shape.input[2])
    guard let source = PixelImage.of(x, margins: run.1), let target = PixelImage.of(dy) else { return .invalid }
    if let winograd = Winograd(self, .output),
      let sums = WinogradWeightGradient(self, winograd, offset: firstOffset(phases), source: source, target: target)?.sums()
    {
      return inWeightOrder(sums)
    }
    if let sums = FoldedStrides(self, .weight)?.weightSums(x, target) { return inWeightOrder(sums) }
    let sweep = ConvolutionSweep(
      phases.map { $0[0] }, kernelStrides: [0, 0, 0], batch: shape.batch, source: source, target: target)
    let rows = run.0 * shape.inChannels / shape.groups
    let job = WeightGradient(
      self, source, target, sweep, run: run.0, rows: rows, columns: isDepthwise ? 1 : shape.outChannels / shape.groups)
    guard let sums = job.sums() else { return .invalid }
    return inWeightOrder(sums)
  }

  /// [group][tap][in][out], or [tap][channel], to [out, in, kernel].
  private func inWeightOrder(_ sums: Storage) -> TensorData {
    let y = TensorData.uninitialized(shape.dims(of: .weight), dtype, for: "convolution")
    guard y.isValid else { return y }
    let groups = isDepthwise ? 1 : shape.groups
    let (ins, outs) = (y.shape[1], shape.outChannels / groups)
    let taps = shape.kernel.reduce(1, *)
    let kernel = apus_copy2d(Runtime.isa, size)!
    let (from, to) = (UnsafeRawPointer(sums.pointer), y.base)
    ThreadPool.shared.forEachChunk(of: groups * ins, grain: max(1, StridedLoop.grain / (outs * taps))) { range in
      for i in range {
        let (group, c) = (i / ins, i % ins)
        kernel(
          outs, taps, from + (group * taps * ins + c) * outs * size, 1, ins * outs,
          to + (group * outs * ins + c) * taps * size, ins * taps, 1)
      }
    }
    return y
  }
}

/// The sums [group][tap][row][column], in pieces.
private struct WeightGradient {
  let convolution: CPUConvolution
  let source: PixelImage
  let target: PixelImage
  let pixels: Int  // of the output
  let offsets: [Int]
  let taps: Int
  let rows: Int  // of a tap's matrix
  let columns: Int

  // Read from `convolution` once: every read would count its arrays' references.
  private let kernels: apus_conv_kernels
  private let size: Int
  private let groups: Int
  private let isDepthwise: Bool
  private let grid: apus_conv_grid

  init(
    _ convolution: CPUConvolution, _ source: PixelImage, _ target: PixelImage, _ sweep: ConvolutionSweep, run: Int, rows: Int,
    columns: Int
  ) {
    self.convolution = convolution
    self.source = source
    self.target = target
    self.rows = rows
    self.columns = columns
    pixels = sweep.pixelCount
    offsets = sweep.offsets(every: run)
    taps = sweep.tapCount / run
    grid = sweep.grid
    kernels = convolution.kernels
    size = convolution.size
    groups = convolution.shape.groups
    isDepthwise = convolution.isDepthwise
  }
  private var count: Int { isDepthwise ? taps * groups : groups * taps * rows * columns }

  /// Pixels whose output is packed at a time.
  private static let chunk = 128

  /// Rows of a tap's matrix that a task takes at least.
  private static let slice = 48

  func sums() -> Storage? {
    // Sums of several parts should not be more than the caches hold.
    let parts = max(1, min(16, pixels / 512, max(1, (1 << 20) / count)))
    let slices = parts >= 8 || isDepthwise ? 1 : max(1, min(rows / Self.slice, 16 / (parts * groups * taps)))
    let units = isDepthwise ? 1 : groups * taps * slices
    let unitsPerTask = parts >= 8 ? units : (units + 15) / 16
    let tasks = (units + unitsPerTask - 1) / unitsPerTask
    guard let sums = convolution.zeros(parts * count), let zeros = convolution.zeros(rows) else { return nil }
    let pixelsPerPart = (pixels + parts - 1) / parts
    ThreadPool.shared.run(chunks: parts * tasks) { i in
      let (part, task) = (i / tasks, i % tasks)
      let c = sums.pointer + part * count * size
      let range = (task * unitsPerTask)..<min((task + 1) * unitsPerTask, units)
      let end = min((part + 1) * pixelsPerPart, pixels)
      for first in stride(from: part * pixelsPerPart, to: end, by: Self.chunk) {
        let piece = (first, min(Self.chunk, end - first))
        if isDepthwise {
          addDepthwise(piece, zeros.pointer, c)
        } else {
          add(range, slices, piece, zeros.pointer, c)
        }
      }
    }
    return total(sums, parts)
  }

  /// Adds what some pixels give to the rows that `units` names: (group · taps + tap) · slices + slice.
  private func add(
    _ units: Range<Int>, _ slices: Int, _ pixels: (first: Int, count: Int), _ zeros: UnsafeRawPointer,
    _ c: UnsafeMutableRawPointer
  ) {
    let sliceRows = (rows / slices + 3) / 4 * 4
    let lineCount = kernels.padded(columns) * Self.chunk
    withScratch(lines: lineCount) { x, y, inside, lines, packed in
      var group = -1
      for unit in units {
        let (tap, slice) = (unit / slices % taps, unit % slices)
        if unit / slices / taps != group {
          group = unit / slices / taps
          locate(pixels, group, zeros, x, y)
          kernels.pack_lines(pixels.count, columns, y, packed)
        }
        let met = keepInside(x + tap * pixels.count, pixels.count, zeros, inside, lines)
        let firstRow = slice * sliceRows
        let lastRow = slice == slices - 1 ? rows : min(rows, firstRow + sliceRows)
        for i in 0..<met where firstRow > 0 { inside[i] = inside[i]! + firstRow * size }
        if met > 0, lastRow > firstRow {
          kernels.accumulate(
            met, pixels.count, lastRow - firstRow, columns, inside, lines, packed,
            c + (((group * taps + tap) * rows) + firstRow) * columns * size, columns)
        }
      }
    }
  }

  private func addDepthwise(_ pixels: (first: Int, count: Int), _ zeros: UnsafeRawPointer, _ c: UnsafeMutableRawPointer) {
    withScratch(lines: 1) { x, y, inside, lines, _ in
      locate(pixels, 0, zeros, x, y)
      withUnsafeTemporaryAllocation(of: UnsafeRawPointer?.self, capacity: Self.chunk) { others in
        for tap in 0..<taps {
          let met = keepInside(x + tap * pixels.count, pixels.count, zeros, inside, lines)
          for i in 0..<met { others[i] = UnsafeRawPointer(y[Int(lines[i])]) }
          kernels.depthwise_sum(met, groups, inside, others.baseAddress!, c + tap * groups * size)
        }
      }
    }
  }

  /// Room for the lists of one chunk: sources by tap, targets, the sources that are inside with their lines, packed lines.
  private func withScratch(
    lines: Int,
    _ body: (
      UnsafeMutablePointer<UnsafeRawPointer?>, UnsafeMutablePointer<UnsafeMutableRawPointer?>,
      UnsafeMutablePointer<UnsafeRawPointer?>, UnsafeMutablePointer<Int32>, UnsafeMutableRawPointer
    ) -> Void
  ) {
    withUnsafeTemporaryAllocation(of: UnsafeRawPointer?.self, capacity: Self.chunk * (taps + 1)) { x in
      withUnsafeTemporaryAllocation(of: UnsafeMutableRawPointer?.self, capacity: Self.chunk) { y in
        withUnsafeTemporaryAllocation(of: Int32.self, capacity: Self.chunk) { numbers in
          withUnsafeTemporaryAllocation(byteCount: lines * size, alignment: 64) { packed in
            body(
              x.baseAddress!, y.baseAddress!, x.baseAddress! + Self.chunk * taps, numbers.baseAddress!, packed.baseAddress!)
          }
        }
      }
    }
  }

  /// Source pixels [tap][pixel] and target pixels of a group.
  private func locate(
    _ pixels: (first: Int, count: Int), _ group: Int, _ zeros: UnsafeRawPointer, _ x: UnsafeMutablePointer<UnsafeRawPointer?>,
    _ y: UnsafeMutablePointer<UnsafeMutableRawPointer?>
  ) {
    var grid = grid
    let (from, to) = isDepthwise ? (0, 0) : (group * rows * size, group * columns * size)
    kernels.sources(&grid, pixels.first, pixels.count, pixels.count, taps, offsets, source.base + from, zeros, x)
    kernels.targets(&grid, pixels.first, pixels.count, target.base + to, y)
  }

  /// The pixels that are not outside, with their numbers.
  private func keepInside(
    _ x: UnsafeMutablePointer<UnsafeRawPointer?>, _ count: Int, _ zeros: UnsafeRawPointer,
    _ inside: UnsafeMutablePointer<UnsafeRawPointer?>, _ lines: UnsafeMutablePointer<Int32>
  ) -> Int {
    var met = 0
    for p in 0..<count {
      inside[met] = x[p]
      lines[met] = Int32(truncatingIfNeeded: p)
      met += x[p] == zeros ? 0 : 1
    }
    return met
  }

  /// Adds the parts, one after the other.
  private func total(_ sums: Storage, _ parts: Int) -> Storage {
    let add = apus_binary(Runtime.isa, APUS_BINARY_add, convolution.dtype.kernel)!
    ThreadPool.shared.forEachChunk(of: count, grain: StridedLoop.grain / 8) { range in
      let start = sums.pointer + range.lowerBound * size
      for part in (0..<parts).dropFirst() { add(range.count, start, 1, start + part * count * size, 1, start, 1) }
    }
    return sums
  }
}
