import CKernels

extension CPUBackend {
  /// Axes are merged until the tensor reads as [outer…] × reduced × inner. Then either each result is the reduction of one line (inner
  /// is 1), or whole rows are added up into an accumulator row. Long reductions are cut into pieces by size, and the pieces combined
  /// in order, so the result does not depend on the number of threads.
  ///
  /// What isn't computed yet is computed in the same pass: a reduction to one number is the end of the chain itself; lines and rows that lie
  /// one after the other are taken from a `PieceReader`.
  package func reduce(_ op: Reduce, _ x: TensorData, axes: Dims) -> TensorData {
    var resultShape = x.shape
    var reducedCount = 1
    for axis in axes {
      reducedCount *= x.shape[axis]
      resultShape[axis] = 1
    }
    let resultType = op.resultType(x.dtype)
    if reducedCount == x.count, x.count >= DeferredOp.threshold, x.isDense {
      return DeferredOp.note(.reduce(op), [x], dtype: resultType, shape: x.shape, strides: x.strides)
    }
    let y = TensorData.uninitialized(resultShape, resultType, for: "\(op.name)")
    guard y.isValid else { return y }
    let plan = ReductionPlan(x, axes: axes)
    let results = Results(source: x.dtype, y, scale: op == .mean ? 1 / Double(reducedCount) : 1)
    let accumulators = Accumulators(op.kernel, x.dtype)
    if plan.isRowWise {
      reduceRows(plan, x, accumulators, results)
    } else {
      reduceLines(plan, x, accumulators, results)
    }
    return y
  }

  /// Every result is the reduction of `plan.reduced` lines of the same row position.
  private func reduceLines(
    _ plan: ReductionPlan, _ x: TensorData, _ a: Accumulators, _ results: Results
  ) {
    let kernel = apus_reduce_inner(Runtime.isa, a.op, x.dtype.kernel)!
    let size = x.dtype.itemSize
    let lineCount = plan.line.count
    let lines = plan.reduced.count
    if plan.isGapless(x), 1...StridedLoop.grain ~= lineCount, plan.kept.count >= 64 {
      let reader = PieceReader(x, unit: lineCount)
      ThreadPool.shared.forEachChunk(of: plan.kept.count, grain: max(1, reader.goodLength / lineCount)) { range in
        reader.withPiece(range.lowerBound * lineCount..<range.upperBound * lineCount) { piece in
          a.withBuffer(1) { slot in
            for (i, result) in range.enumerated() {
              a.reset(slot)
              kernel(lineCount, piece + i * lineCount * size, 1, slot)
              results.finish(slot, result, 1)
            }
          }
        }
      }
      return
    }
    let base = UnsafeRawPointer(x.base)
    let pieceLength = max(1, min(lineCount, 1 << 16))
    let piecesPerLine = max(1, (lineCount + pieceLength - 1) / pieceLength)
    let pieces = lines * piecesPerLine
    if pieces > 1 && plan.kept.count < 64 && lineCount * lines > StridedLoop.grain {
      // Few long results: the pieces of each are shared out, then combined in order.
      a.withBuffer(pieces) { buffer in
        let address = SendablePointer(buffer)
        for result in 0..<plan.kept.count {
          let start = plan.kept.offset(result)
          ThreadPool.shared.run(chunks: pieces) { piece in
            let (line, part) = (piece / piecesPerLine, piece % piecesPerLine)
            let first = part * pieceLength
            let offset = start + plan.reduced.offset(line) + first * plan.line.stride
            let slot = address.pointer + piece * 8
            a.reset(slot)
            kernel(min(pieceLength, lineCount - first), base + offset * size, plan.line.stride, slot)
          }
          a.combine(buffer, count: pieces)
          results.finish(buffer, result, 1)
        }
      }
      return
    }
    ThreadPool.shared.forEachChunk(of: plan.kept.count, grain: max(1, StridedLoop.grain / max(1, lineCount * lines))) { range in
      a.withBuffer(1) { slot in
        for result in range {
          a.reset(slot)
          let start = plan.kept.offset(result)
          for line in 0..<lines { kernel(lineCount, base + (start + plan.reduced.offset(line)) * size, plan.line.stride, slot) }
          results.finish(slot, result, 1)
        }
      }
    }
  }

  /// Every result row is the sum of `plan.reduced` rows.
  private func reduceRows(
    _ plan: ReductionPlan, _ x: TensorData, _ a: Accumulators, _ results: Results
  ) {
    let kernel = apus_reduce_rows(Runtime.isa, a.op, x.dtype.kernel)!
    let size = x.dtype.itemSize
    let rowLength = plan.line.count
    let rows = plan.reduced.count
    // Rows are added up in blocks, and their sums in order: so the rounding error grows with the block and the number of blocks, not with all
    // rows, and the threads can share them. Long rows go in bands of columns whose sums fit the first-level cache.
    let band = min(rowLength, Self.bandSize / a.stride)
    let bands = (rowLength + band - 1) / band
    let block = 128
    let blocks = (rows + block - 1) / block
    let places = plan.kept.count * bands
    // Rows that lie one after the other are read piece by piece, other ones where they are.
    let reader = plan.isGapless(x) && (bands == 1 || rowLength % band == 0) ? PieceReader(x, unit: band) : nil
    let rowsInPiece = bands == 1 ? max(1, (reader?.goodLength ?? 0) / rowLength) : 1
    let base = reader == nil ? UnsafeRawPointer(x.base) : nil
    let add = { (range: Range<Int>, start: Int, count: Int, partial: UnsafeMutableRawPointer) in
      guard let reader else {
        for row in range { kernel(count, base! + (start + plan.reduced.offset(row)) * size, plan.line.stride, partial) }
        return
      }
      let first = start + range.lowerBound * rowLength
      reader.withPiece(first..<first + (range.count - 1) * rowLength + count) { piece in
        for i in 0..<range.count { kernel(count, piece + i * rowLength * size, 1, partial) }
      }
    }
    // A band of a result row: where it begins in the results and in x, and its columns.
    let columns = { (place: Int) in
      let (result, first) = (place / bands, place % bands * band)
      return (
        index: result * rowLength + first, start: plan.kept.offset(result) + first * plan.line.stride,
        count: min(band, rowLength - first)
      )
    }
    let sum = { (place: Int, index: Int, partial: UnsafeMutableRawPointer) in
      let (_, start, count) = columns(place)
      a.reset(partial, count: count)
      let end = min((index + 1) * block, rows)
      for row in stride(from: index * block, to: end, by: rowsInPiece) {
        add(row..<min(row + rowsInPiece, end), start, count, partial)
      }
    }
    // A result row's band, with so many sums of blocks at a time; the buffer holds these behind the total.
    let make = { (place: Int, buffer: UnsafeMutableRawPointer, atOnce: Int) in
      let (index, _, count) = columns(place)
      let (total, partials) = (buffer, SendablePointer(buffer + count * a.stride))
      a.reset(total, count: count)
      for first in stride(from: 0, to: blocks, by: atOnce) {
        let wave = min(atOnce, blocks - first)
        ThreadPool.shared.forEachChunk(of: wave, grain: max(1, StridedLoop.grain / (block * count))) { range in
          for i in range { sum(place, first + i, partials.pointer + i * count * a.stride) }
        }
        for i in 0..<wave {
          apus_reduce_combine(a.op, x.dtype.kernel, count, total, partials.pointer + i * count * a.stride)
        }
      }
      results.finish(total, index, count)
    }
    if places < Self.fewPlaces, blocks > 1 {
      let atOnce = min(blocks, Self.blocksInWave)
      guard let buffer = Storage.allocate((1 + atOnce) * band * a.stride, for: "reduce") else { return }
      for place in 0..<places { make(place, buffer.pointer, atOnce) }
      return
    }
    ThreadPool.shared.forEachChunk(of: places, grain: max(1, StridedLoop.grain / max(1, band * rows))) { range in
      a.withBuffer(2 * band) { buffer in
        for place in range { make(place, buffer, 1) }
      }
    }
  }

  /// Bytes of sums.
  private static let bandSize = 1 << 14
  /// Fewer result rows than this are made by all threads together, others by one each.
  private static let fewPlaces = 16
  private static let blocksInWave = 64

  package func argReduce(_ op: ArgReduce, _ x: TensorData, axis: Int) -> TensorData {
    let y = TensorData.uninitialized(x.shape.replacing(axis, with: 1), .int64, for: "\(op)")
    guard y.isValid else { return y }
    let kernel = (op == .argmax ? apus_argmax : apus_argmin)(Runtime.isa, x.dtype.kernel)!
    let lines = Lines(x, axis: axis)
    let (base, size) = (UnsafeRawPointer(x.base), x.dtype.itemSize)
    let results = SendablePointer(y.base)
    ThreadPool.shared.forEachChunk(of: lines.kept.count, grain: max(1, StridedLoop.grain / max(1, lines.count))) { range in
      for i in range {
        let index = kernel(lines.count, base + lines.kept.offset(i) * size, lines.stride)
        results.pointer.storeBytes(of: index, toByteOffset: i * 8, as: Int64.self)
      }
    }
    return y
  }

  package func cumulative(_ op: Cumulative, _ x: TensorData, axis: Int) -> TensorData {
    let y = TensorData.uninitialized(x.shape, x.dtype, for: "\(op)")
    guard y.isValid else { return y }
    let kernel = op.kernel(x.dtype)!
    applyToLines(x, y, axis: axis) { n, from, stride, to, resultStride in kernel(n, from, stride, to, resultStride) }
    return y
  }

  package func softmax(_ x: TensorData, axis: Int, isLogarithm: Bool) -> TensorData {
    let y = TensorData.uninitialized(x.shape, x.dtype, for: isLogarithm ? "logSoftmax" : "softmax")
    guard y.isValid else { return y }
    let kernel = (isLogarithm ? apus_log_softmax : apus_softmax)(Runtime.isa, x.dtype.kernel)!
    applyToLines(x, y, axis: axis) { n, from, stride, to, resultStride in kernel(n, from, stride, to, resultStride) }
    return y
  }

  /// Calls `body` for every line along `axis`: length, line of x and its stride, line of y and its stride.
  private func applyToLines(
    _ x: TensorData, _ y: TensorData, axis: Int, _ body: (Int, UnsafeRawPointer, Int, UnsafeMutableRawPointer, Int) -> Void
  ) {
    let (from, to) = (Lines(x, axis: axis), Lines(y, axis: axis))
    let (size, resultSize) = (x.dtype.itemSize, y.dtype.itemSize)
    let (source, results) = (UnsafeRawPointer(x.base), SendablePointer(y.base))
    ThreadPool.shared.forEachChunk(of: from.kept.count, grain: max(1, StridedLoop.grain / max(1, from.count))) { range in
      for i in range {
        body(
          from.count, source + from.kept.offset(i) * size, from.stride, results.pointer + to.kept.offset(i) * resultSize,
          to.stride)
      }
    }
  }
}

/// Memory of results that several threads write to, each its own part.
struct SendablePointer: @unchecked Sendable {
  let pointer: UnsafeMutableRawPointer
  init(_ pointer: UnsafeMutableRawPointer) { self.pointer = pointer }
}

/// Offsets of the positions in a set of axes, in row-major order.
struct AxisWalk {
  private var sizes = Dims()
  private var strides = Dims()
  private(set) var count = 1

  /// - Parameter axes: of each its size and its stride.
  init(_ axes: some Sequence<(Int, Int)>) {
    for (size, stride) in axes { append(size: size, stride: stride) }
  }

  /// Those of a tensor's axes that a closure picks, outermost first.
  init(_ x: TensorData, axes: some Sequence<Int>, where isIncluded: (Int) -> Bool = { _ in true }) {
    for axis in axes where isIncluded(axis) { append(size: x.shape[axis], stride: x.strides[axis]) }
  }

  /// The innermost axis.
  var last: (size: Int, stride: Int)? { sizes.last.map { ($0, strides.last!) } }

  /// Adds an axis inside of the others, to the last where the two are evenly spaced.
  private mutating func append(size: Int, stride: Int) {
    guard size != 1 else { return }
    count *= size
    let end = sizes.count - 1
    if end >= 0, strides[end] == stride * size {
      sizes[end] *= size
      strides[end] = stride
    } else {
      sizes.append(size)
      strides.append(stride)
    }
  }

  /// Takes the innermost axis away.
  mutating func removeLast() {
    sizes.remove(at: sizes.count - 1)
    strides.remove(at: strides.count - 1)
    count = sizes.product
  }

  /// Offset of the i-th position, in elements.
  @inline(__always)
  func offset(_ i: Int) -> Int {
    if sizes.count == 1 { return i * strides[0] }
    var (rest, result) = (i, 0)
    var axis = sizes.count - 1
    while axis >= 0 {
      result += rest % sizes[axis] * strides[axis]
      rest /= sizes[axis]
      axis -= 1
    }
    return result
  }
}

/// The lines of a tensor along one axis.
struct Lines {
  let count: Int
  let stride: Int
  let kept: AxisWalk

  init(_ x: TensorData, axis: Int) {
    count = x.shape[axis]
    stride = x.strides[axis]
    kept = AxisWalk(x, axes: x.shape.axes) { $0 != axis }
  }
}

/// Where the results of a reduction go.
private struct Results {
  private let source, target: apus_dtype
  private let size: Int
  private let pointer: SendablePointer
  private let scale: Double

  /// - Parameter scale: what each sum is multiplied by.
  init(source: DType, _ y: TensorData, scale: Double) {
    (self.source, target, size) = (source.kernel, y.dtype.kernel, y.dtype.itemSize)
    pointer = SendablePointer(y.base)
    self.scale = scale
  }

  /// Turns accumulators into the results from the `index`-th on.
  func finish(_ accumulators: UnsafeRawPointer, _ index: Int, _ count: Int) {
    apus_reduce_finish(source, count, accumulators, scale, target, pointer.pointer + index * size)
  }
}

/// How a reduction walks over its input.
private struct ReductionPlan {
  /// Whether lines are rows of results (added up element by element) or lines to be reduced.
  let isRowWise: Bool
  /// The innermost loop.
  let line: (count: Int, stride: Int)
  /// Positions of results (of result rows, where row-wise).
  let kept: AxisWalk
  /// Positions of the lines that one result is made of.
  let reduced: AxisWalk

  /// Whether lines, or rows, lie one after the other, and are what the walk comes to one after the other.
  func isGapless(_ x: TensorData) -> Bool { x.isContiguous && line.stride == 1 && (isRowWise ? kept : reduced).count == 1 }

  init(_ x: TensorData, axes: Dims) {
    // The order in which a reduction adds is free, so it follows memory; that of results is not.
    var reduced = AxisWalk(x, axes: StridedLoop.axes(of: x.shape, x.strides)) { axes.contains($0) }
    var kept = AxisWalk(x, axes: x.shape.axes) { !axes.contains($0) }
    if let row = kept.last, let lines = reduced.last, abs(row.stride) < abs(lines.stride), row.size >= 4 {
      isRowWise = true
      line = (row.size, row.stride)
      kept.removeLast()
    } else {
      isRowWise = false
      line = reduced.last.map { ($0.size, $0.stride) } ?? (1, 1)
      if reduced.last != nil { reduced.removeLast() }
    }
    self.kept = kept
    self.reduced = reduced
  }
}

/// Accumulators of a reduction: wider than the elements where that loses less.
struct Accumulators {
  let op: apus_reduce_op
  let dtype: apus_dtype
  let stride: Int

  init(_ op: apus_reduce_op, _ dtype: DType) {
    self.op = op
    self.dtype = dtype.kernel
    stride = dtype.isFloatingPoint && dtype != .float64 ? 4 : 8
  }

  func reset(_ slot: UnsafeMutableRawPointer) { apus_reduce_identity(op, dtype, slot) }

  func reset(_ slots: UnsafeMutableRawPointer, count: Int) {
    guard count > 0 else { return }
    reset(slots)
    if stride == 4 {
      slots.assumingMemoryBound(to: UInt32.self).update(repeating: slots.load(as: UInt32.self), count: count)
    } else {
      slots.assumingMemoryBound(to: UInt64.self).update(repeating: slots.load(as: UInt64.self), count: count)
    }
  }

  /// Combines `count` accumulators that lie 8 bytes apart into the first, pairwise.
  func combine(_ slots: UnsafeMutableRawPointer, count: Int) {
    var distance = 1
    while distance < count {
      for i in Swift.stride(from: 0, to: count - distance, by: 2 * distance) {
        apus_reduce_combine(op, dtype, 1, slots + i * 8, slots + (i + distance) * 8)
      }
      distance *= 2
    }
  }

  /// Scratch space for `count` accumulators.
  func withBuffer(_ count: Int, _ body: (UnsafeMutableRawPointer) -> Void) {
    withUnsafeTemporaryAllocation(byteCount: max(count, 1) * 8, alignment: 64) { body($0.baseAddress!) }
  }
}
