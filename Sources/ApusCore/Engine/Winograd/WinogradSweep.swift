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
    // Many tiles pass by the weights' values; or, where these would not stay in the caches, blocks of the weights pass by the tiles' values.
    let numbers = Winograd.places * depth * columns
    let areTilesFew = Winograd.places * winograd.tiles * depth <= Self.cachedNumbers && columns >= 4 * multiply.columns
    let isByColumns = numbers > (areTilesFew ? Self.cachedNumbers : Self.mostWeights)
    var u: Floats?
    if !isByColumns || weights.isKept && numbers <= Self.mostKeptWeights {
      u = weights.values(allWeightValues)
      if u == nil { return false }
    }
    let isDone = if let u, !isByColumns { runByTiles(u) } else { runByColumns(u) }
    return isDone && isFinite.load(ordering: .relaxed)
  }

  /// Values of weights by which tiles pass, 8 MiB of them.
  private static let mostWeights = 1 << 21
  /// Values of weights that are kept for the next time, 16 MiB.
  private static let mostKeptWeights = 1 << 22
  /// Values of source tiles that are made as a whole, 32 MiB.
  private static let mostTiles = 1 << 23
  /// Values that stay in a core's cache, 1 MiB.
  private static let cachedNumbers = 1 << 18

  private func runByTiles(_ u: Floats) -> Bool {
    let count = winograd.tilesPerTask(depth + columns, panel: multiply.rows)
    let (planesV, planesM) = (Winograd.step(count * depth), Winograd.step(count * columns))
    let tasks = (winograd.tiles + count - 1) / count
    ThreadPool.shared.run(chunks: tasks) { i in
      let first = i * count
      let tiles = min(count, winograd.tiles - first)
      guard let scratch = Floats(Winograd.places * (planesV + planesM)) else { return fail() }
      let (v, m) = (scratch.pointer, scratch.pointer + Winograd.places * planesV)
      sourceValues(first, tiles, v, planesV)
      products(tiles, v, planesV, u.pointer, allPlanes, 0..<columns, m, planesM)
      interpolate(first, tiles, 0, columns, m, planesM)
    }
    return true
  }

  /// - Parameter u: all values of the weights; nil for making those of a block where they are needed.
  private func runByColumns(_ u: Floats?) -> Bool {
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
        multiplyBlock(block, u, start..<(start + count), v.pointer, planesV)
      }
    }
    return true
  }

  /// All tiles of a group times one block of columns.
  private func multiplyBlock(_ block: Int, _ u: Floats?, _ group: Range<Int>, _ v: UnsafeMutablePointer<Float>, _ planesV: Int) {
    let (first, piece) = (block * multiply.columns, 8 * multiply.rows)
    let width = min(multiply.columns, columns - first)
    let (planesU, planesM) = (u == nil ? Winograd.step(depth * multiply.padded(width)) : allPlanes, Winograd.step(piece * width))
    guard let scratch = Floats(Winograd.places * (planesM + (u == nil ? planesU : 0))) else { return fail() }
    let m = scratch.pointer
    let matrices = u.map { $0.pointer + first * depth } ?? m + Winograd.places * planesM
    if u == nil { weightValues(block, matrices, planesU) }
    for start in stride(from: 0, to: group.count, by: piece) {
      let tiles = min(piece, group.count - start)
      products(tiles, v + start * depth, planesV, matrices, planesU, first..<(first + width), m, planesM)
      interpolate(group.lowerBound + start, tiles, first, width, m, planesM)
    }
  }

  // MARK: - Steps

  private var blocks: Int { (columns + multiply.columns - 1) / multiply.columns }

  /// Numbers from place to place among the values of all weights.
  private var allPlanes: Int { Winograd.step(depth * multiply.padded(columns)) }

  private func allWeightValues() -> Floats? {
    guard let u = Floats(Winograd.places * allPlanes) else { return nil }
    ThreadPool.shared.run(chunks: blocks) { block in
      weightValues(block, u.pointer + block * multiply.columns * depth, allPlanes)
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
