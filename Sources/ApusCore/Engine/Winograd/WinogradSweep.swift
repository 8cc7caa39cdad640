import CKernels
import Synchronization

/// The output from the input, or the input's gradient from the output's, by Winograd's method.
final class WinogradSweep {
  private let winograd: Winograd
  private let multiply: apus_conv_kernels
  private let grid: apus_winograd_grid
  private let depth: Int  // channels of the source
  private let columns: Int  // and of the target
  private let x: UnsafePointer<Float>
  private let y: UnsafeMutablePointer<Float>
  private let weights: PreparedWeights
  private let ending: KernelEnding
  private let zeros: Floats
  private let isFinite = Atomic<Bool>(true)

  /// Nil where the method doesn't apply or there is no memory.
  ///
  /// - Parameters:
  ///   - offset: of the first tap, along height and width.
  ///   - weights: of the one sweep that there is.
  init?(
    _ convolution: CPUConvolution, _ winograd: Winograd, offset: (Int, Int), source: PixelImage, target: PixelImage,
    weights: PreparedWeights, ending: KernelEnding
  ) {
    self.winograd = winograd
    self.weights = weights
    multiply = convolution.kernels
    grid = winograd.grid(source: source, target: target, offset: offset)
    (depth, columns) = (source.data.shape[1], target.data.shape[1])
    x = UnsafePointer(source.base.assumingMemoryBound(to: Float.self))
    y = target.base.assumingMemoryBound(to: Float.self)
    self.ending = ending
    guard let zeros = Floats.zeros(depth) else { return nil }
    self.zeros = zeros
  }

  /// - Returns: false where there is no memory, or a result is infinite or NaN: the target is to be computed directly.
  func run() -> Bool {
    // Many tiles pass by the weights' values; or, if these would fill the caches, blocks of the weights pass by the tiles' values.
    let isDone = Winograd.places * depth * columns <= Self.mostWeights ? runByTiles() : runByColumns()
    return isDone && isFinite.load(ordering: .relaxed)
  }

  /// Values of weights that are made as a whole, 8 MiB of them.
  private static let mostWeights = 1 << 21
  /// Values of source tiles that are made as a whole, 32 MiB.
  private static let mostTiles = 1 << 23

  private func runByTiles() -> Bool {
    let planes = Winograd.step(depth * multiply.padded(columns))
    guard let u = weights.values({ allWeightValues(planes) }) else { return false }
    let count = winograd.tilesPerTask(depth + columns, panel: multiply.rows)
    let (planesV, planesM) = (Winograd.step(count * depth), Winograd.step(count * columns))
    let tasks = (winograd.tiles + count - 1) / count
    ThreadPool.shared.run(chunks: tasks) { i in
      let first = i * count
      let tiles = min(count, winograd.tiles - first)
      guard let scratch = Floats(Winograd.places * (planesV + planesM)) else { return fail() }
      let (v, m) = (scratch.pointer, scratch.pointer + Winograd.places * planesV)
      sourceValues(first, tiles, v, planesV)
      products(tiles, v, planesV, u.pointer, planes, 0..<columns, m, planesM)
      interpolate(first, tiles, 0, columns, m, planesM)
    }
    return true
  }

  private func runByColumns() -> Bool {
    let panel = multiply.rows
    let group = max(panel, min(winograd.tiles, Self.mostTiles / (Winograd.places * depth)) / panel * panel)
    let planesV = Winograd.step(min(group, winograd.tiles) * depth)
    guard let v = Floats(Winograd.places * planesV) else { return false }
    for start in stride(from: 0, to: winograd.tiles, by: group) {
      let count = min(group, winograd.tiles - start)
      ThreadPool.shared.forEachChunk(of: count, grain: 4) { tiles in
        sourceValues(start + tiles.lowerBound, tiles.count, v.pointer + tiles.lowerBound * depth, planesV)
      }
      ThreadPool.shared.run(chunks: blocks) { block in
        multiplyBlock(block, start..<(start + count), v.pointer, planesV)
      }
    }
    return true
  }

  /// All tiles of a group times one block of columns.
  private func multiplyBlock(_ block: Int, _ group: Range<Int>, _ v: UnsafeMutablePointer<Float>, _ planesV: Int) {
    let (first, piece) = (block * multiply.columns, 8 * multiply.rows)
    let width = min(multiply.columns, columns - first)
    let (planesU, planesM) = (Winograd.step(depth * multiply.padded(width)), Winograd.step(piece * width))
    guard let scratch = Floats(Winograd.places * (planesU + planesM)) else { return fail() }
    let (u, m) = (scratch.pointer, scratch.pointer + Winograd.places * planesU)
    weightValues(block, u, planesU)
    for start in stride(from: 0, to: group.count, by: piece) {
      let tiles = min(piece, group.count - start)
      products(tiles, v + start * depth, planesV, u, planesU, first..<(first + width), m, planesM)
      interpolate(group.lowerBound + start, tiles, first, width, m, planesM)
    }
  }

  // MARK: - Steps

  private var blocks: Int { (columns + multiply.columns - 1) / multiply.columns }

  private func allWeightValues(_ planes: Int) -> Floats? {
    guard let u = Floats(Winograd.places * planes) else { return nil }
    ThreadPool.shared.run(chunks: blocks) { block in
      weightValues(block, u.pointer + block * multiply.columns * depth, planes)
    }
    return u
  }

  private func weightValues(_ block: Int, _ u: UnsafeMutablePointer<Float>, _ planes: Int) {
    let first = block * multiply.columns
    let width = multiply.padded(min(multiply.columns, columns - first))
    let packed = weights.packed.pointer(0, 0).assumingMemoryBound(to: Float.self) + first * 9 * depth
    Winograd.kernels.weights(depth * width, packed, u, planes)
  }

  private func sourceValues(_ first: Int, _ count: Int, _ v: UnsafeMutablePointer<Float>, _ planes: Int) {
    withUnsafePointer(to: grid) { Winograd.kernels.source($0, first, count, depth, x, zeros.pointer, v, planes) }
  }

  /// For every place the matrix product [tiles, depth] × [depth, columns].
  private func products(
    _ tiles: Int, _ v: UnsafePointer<Float>, _ planesV: Int, _ u: UnsafePointer<Float>, _ planesU: Int, _ columns: Range<Int>,
    _ m: UnsafeMutablePointer<Float>, _ planesM: Int
  ) {
    let padded = (tiles + multiply.rows - 1) / multiply.rows * multiply.rows
    // What is zero differs from block to block.
    let step = winograd.zeros == nil ? columns.count : multiply.columns
    withUnsafeTemporaryAllocation(of: UnsafeRawPointer?.self, capacity: padded) { rows in
      withUnsafeTemporaryAllocation(of: UnsafeMutableRawPointer?.self, capacity: tiles) { targets in
        for place in 0..<Winograd.places {
          let depths = winograd.depths(at: place, of: depth)
          let (from, to) = (v + place * planesV + depths.lowerBound, m + place * planesM)
          for i in 0..<padded { rows[i] = UnsafeRawPointer(from + min(i, tiles - 1) * depth) }
          for first in stride(from: 0, to: columns.count, by: step) {
            let count = min(step, columns.count - first)
            let matrix = u + place * planesU + first * depth + depths.lowerBound * multiply.padded(count)
            for i in 0..<tiles { targets[i] = UnsafeMutableRawPointer(to + i * columns.count + first) }
            multiply.multiply(
              false, tiles, count, 1, hasProducts(place, columns.lowerBound + first, count) ? depths.count : 0, rows.baseAddress!,
              matrix, targets.baseAddress!, nil)
          }
        }
      }
    }
  }

  /// Whether some of the columns have products at a place.
  private func hasProducts(_ place: Int, _ first: Int, _ count: Int) -> Bool {
    winograd.part == .output || !winograd.inputs(first..<(first + count), at: place).isEmpty
  }

  private func interpolate(
    _ first: Int, _ count: Int, _ column: Int, _ columns: Int, _ m: UnsafePointer<Float>, _ planes: Int
  ) {
    let isFine = withUnsafePointer(to: grid) { grid in
      withUnsafePointer(to: ending.from(column)) {
        Winograd.kernels.target(grid, first, count, columns, m, planes, $0, y + column)
      }
    }
    if !isFine { fail() }
  }

  private func fail() { isFinite.store(false, ordering: .relaxed) }
}
