import CKernels

/// Normalization of `[N, …, C]` in memory: channels are columns, and the rows of what shares statistics are cut into pieces.
struct ColumnNorm {
  private let columns: Int
  /// Blocks of rows with statistics of their own: the samples, or one block where all samples share.
  private let blocks: Int
  private let rows: Int  // of a block
  private let groupSize: Int  // columns
  private let eps: Double
  private let pieces: Int  // of a block

  init(_ layout: ChannelLayout, _ groups: StatisticsGroups, _ eps: Double) {
    columns = layout.channels
    self.eps = eps
    switch groups {
    case .channels: (blocks, rows, groupSize) = (1, layout.samples * layout.positions, 1)
    case .samples(let count): (blocks, rows, groupSize) = (layout.samples, layout.positions, layout.channels / max(count, 1))
    }
    pieceRows = max(16, min(256, StridedLoop.grain / max(1, columns)))
    pieces = (rows + pieceRows - 1) / pieceRows
  }

  /// Few enough to be added up in float32 and to stay in the cache, many enough to outweigh the joining of pieces.
  private let pieceRows: Int

  private var groupsPerBlock: Int { columns / max(groupSize, 1) }
  private var groupCount: Int { blocks * groupsPerBlock }

  /// Calls `body` with block, number, first row and row count of every piece.
  private func forEachPiece(_ body: (_ block: Int, _ piece: Int, _ row: Int, _ count: Int) -> Void) {
    let grain = max(1, StridedLoop.grain / max(1, columns * min(rows, pieceRows)))
    ThreadPool.shared.forEachChunk(of: blocks * pieces, grain: grain) { range in
      for piece in range {
        let (block, first) = (piece / pieces, piece % pieces * pieceRows)
        body(block, piece, block * rows + first, min(pieceRows, rows - first))
      }
    }
  }

  private func scratch(_ count: Int) -> TensorData {
    TensorData.uninitialized([count, columns], .float64, for: "normalization")
  }

  // MARK: - Forward

  func forward(_ x: TensorData, _ weight: TensorData, _ bias: TensorData) -> NormalizedData {
    let statistics = (0..<2).map { _ in TensorData.uninitialized(Dims(groupCount), .float64, for: "normalization") }
    let (means, squares, lines) = (scratch(blocks * pieces), scratch(blocks * pieces), scratch(3 * blocks))
    guard statistics.allSatisfy(\.isValid), means.isValid, squares.isValid, lines.isValid else { return .invalid }
    let kernels = apus_norm(Runtime.isa, x.dtype.kernel)!.pointee
    let (from, size) = (UnsafeRawPointer(x.base), x.dtype.itemSize)
    let (mean, m2) = (means.doubles, squares.doubles)
    forEachPiece { _, piece, row, count in
      kernels.columns_moments(count, columns, from + row * columns * size, mean + piece * columns, m2 + piece * columns)
    }
    var result = NormalizedData(output: .invalid, mean: statistics[0], variance: statistics[1])
    let (w, b) = (weight.cast(.float64), bias.cast(.float64))
    for block in 0..<blocks {
      join(mean + block * pieces * columns, m2 + block * pieces * columns, kernels)
      groupStatistics(block, mean + block * pieces * columns, m2 + block * pieces * columns, result)
      scales(block, result, w.doubles, b.doubles, lines.doubles + 3 * block * columns)
    }
    result.output = blocks == 1 && x.count >= DeferredOp.threshold ? noteDown(x, lines) : scaled(x, lines, kernels)
    return result
  }

  private func scaled(_ x: TensorData, _ lines: TensorData, _ kernels: apus_norm_kernels) -> TensorData {
    let y = TensorData.uninitialized(x.shape, x.dtype, like: x, for: "normalization")
    guard y.isValid else { return y }
    let (from, to, line) = (UnsafeRawPointer(x.base), SendablePointer(y.base), lines.doubles)
    let size = x.dtype.itemSize
    forEachPiece { block, _, row, count in
      let (offset, line) = (row * columns * size, line + 3 * block * columns)
      kernels.columns(count, columns, from + offset, line, line + columns, line + 2 * columns, to.pointer + offset)
    }
    return y
  }

  /// The same as element-wise ops that wait for those that follow, such as a rectification: one pass over memory for all of them.
  private func noteDown(_ x: TensorData, _ lines: TensorData) -> TensorData {
    let (cpu, centers) = (CPUBackend.shared, line(0, of: lines, x))
    // What rounding took from the centers.
    let (rounded, exact, factor, shift) = (
      centers.cast(.float64), lines.doubles, lines.doubles + columns, lines.doubles + 2 * columns
    )
    for c in 0..<columns { shift[c] += (rounded.doubles[c] - exact[c]) * factor[c] }
    let centered = cpu.binary(.sub, x, centers, shape: x.shape, into: nil)
    let product = cpu.binary(.mul, centered, line(1, of: lines, x), shape: x.shape, into: nil)
    return cpu.binary(.add, product, line(2, of: lines, x), shape: x.shape, into: nil)
  }

  /// One of the lines in the dtype of `x`, as something that broadcasts to its shape.
  private func line(_ i: Int, of lines: TensorData, _ x: TensorData) -> TensorData {
    var shape = Dims(repeating: 1, count: x.rank)
    shape[1] = columns
    return lines.row(i, shape: Dims(columns)).cast(x.dtype).view(shape: shape, strides: shape.contiguousStrides)
  }

  /// The moments of a block's pieces, joined in the first.
  private func join(_ mean: UnsafeMutablePointer<Double>, _ m2: UnsafeMutablePointer<Double>, _ kernels: apus_norm_kernels) {
    for piece in 1..<max(pieces, 1) {
      let first = piece * pieceRows
      let count = min(pieceRows, rows - first)
      kernels.join_columns(columns, Double(first), mean, m2, Double(count), mean + piece * columns, m2 + piece * columns)
    }
  }

  /// Mean and variance of each group from the moments of its columns, which all have as many rows.
  private func groupStatistics(
    _ block: Int, _ mean: UnsafeMutablePointer<Double>, _ m2: UnsafeMutablePointer<Double>, _ result: NormalizedData
  ) {
    let (n, count) = (Double(rows), Double(rows * groupSize))
    for group in 0..<groupsPerBlock {
      let columns = group * groupSize..<(group + 1) * groupSize
      let average = columns.reduce(0) { $0 + mean[$1] } / Double(groupSize)
      let squares = columns.reduce(0) { $0 + m2[$1] + n * (mean[$1] - average) * (mean[$1] - average) }
      result.mean.doubles[block * groupsPerBlock + group] = average
      result.variance.doubles[block * groupsPerBlock + group] = squares / count
    }
  }

  /// Three lines: mean, factor and shift of each column.
  private func scales(
    _ block: Int, _ result: NormalizedData, _ weight: UnsafePointer<Double>, _ bias: UnsafePointer<Double>,
    _ lines: UnsafeMutablePointer<Double>
  ) {
    for c in 0..<columns {
      let group = block * groupsPerBlock + c / groupSize
      lines[c] = result.mean.doubles[group]
      lines[columns + c] = weight[c] / (result.variance.doubles[group] + eps).squareRoot()
      lines[2 * columns + c] = bias[c]
    }
  }

  // MARK: - Backward

  func backward(
    _ dy: TensorData, _ x: TensorData, _ saved: NormalizedData, _ weight: TensorData, _ dx: TensorData
  ) -> NormalizationGradient {
    let gradient = PieceReader(dy, unit: columns)
    // Of every piece Σ dy (x − mean) and Σ dy; then of every block the gradients of weight and bias.
    let (parts, sums, lines) = (scratch(2 * blocks * pieces), scratch(2 * blocks), scratch(4 * blocks))
    guard parts.isValid, sums.isValid, lines.isValid else { return .invalid }
    let kernels = apus_norm(Runtime.isa, x.dtype.kernel)!.pointee
    let (size, w) = (x.dtype.itemSize, weight.cast(.float64))
    let from = UnsafeRawPointer(x.base)
    let (to, part, line) = (SendablePointer(dx.base), parts.doubles, lines.doubles)
    for block in 0..<blocks { means(block, saved, line + 4 * block * columns) }
    forEachPiece { block, piece, row, count in
      let (offset, own) = (row * columns * size, part + 2 * piece * columns)
      gradient.withPiece(row * columns..<(row + count) * columns) { dy in
        kernels.columns_sums(count, columns, dy, from + offset, line + 4 * block * columns, own + columns, own)
      }
    }
    for block in 0..<blocks {
      let total = sums.doubles + 2 * block * columns
      add(part + 2 * block * pieces * columns, into: total)
      coefficients(block, saved, w.doubles, total, line + 4 * block * columns)
    }
    forEachPiece { block, _, row, count in
      let (offset, line) = (row * columns * size, line + 4 * block * columns)
      gradient.withPiece(row * columns..<(row + count) * columns) { dy in
        kernels.columns_gradient(
          count, columns, dy, from + offset, line, line + columns, line + 2 * columns, line + 3 * columns, to.pointer + offset)
      }
    }
    return parameterGradient(sums.view(shape: [blocks, 2, columns], strides: [2 * columns, columns, 1]), dx, x.dtype)
  }

  private func means(_ block: Int, _ saved: NormalizedData, _ line: UnsafeMutablePointer<Double>) {
    for c in 0..<columns { line[c] = saved.mean.doubles[block * groupsPerBlock + c / groupSize] }
  }

  /// The pieces' sums of a block, added in order.
  private func add(_ parts: UnsafePointer<Double>, into total: UnsafeMutablePointer<Double>) {
    total.update(repeating: 0, count: 2 * columns)
    for piece in 0..<pieces {
      for i in 0..<2 * columns { total[i] += parts[2 * piece * columns + i] }
    }
  }

  /// After the means the lines a, b and c of dx = a dy + b (x − mean) + c; `sums` become the gradients of weight and bias.
  private func coefficients(
    _ block: Int, _ saved: NormalizedData, _ weight: UnsafePointer<Double>, _ sums: UnsafeMutablePointer<Double>,
    _ lines: UnsafeMutablePointer<Double>
  ) {
    let count = Double(rows * groupSize)
    for group in 0..<groupsPerBlock {
      let deviation = (saved.variance.doubles[block * groupsPerBlock + group] + eps).squareRoot()
      var (g, gz): (Double, Double) = (0, 0)
      for c in group * groupSize..<(group + 1) * groupSize {
        sums[c] /= deviation
        g += weight[c] * sums[columns + c]
        gz += weight[c] * sums[c]
      }
      for c in group * groupSize..<(group + 1) * groupSize {
        lines[columns + c] = weight[c] / deviation
        lines[2 * columns + c] = -gz / (deviation * deviation * count)
        lines[3 * columns + c] = -g / (deviation * count)
      }
    }
  }
}
