import CKernels
import Synchronization

/// The gradient of the weight by Winograd's method: for each of the 36 places the sum over the tiles of source value × target value, a matrix
/// [in, out], from which the nine of the taps are interpolated. Every sum goes over the tiles in their order.
final class WinogradWeightGradient {
  private let winograd: Winograd
  private let kernels: apus_conv_kernels
  private let grid: apus_winograd_grid
  private let ins: Int
  private let outs: Int
  private let x: UnsafePointer<Float>
  private let dy: UnsafePointer<Float>
  private let zeros: Floats
  private let isFinite = Atomic<Bool>(true)

  /// Nil where there is no memory.
  init?(_ convolution: CPUConvolution, _ winograd: Winograd, offset: (Int, Int), source: PixelImage, target: PixelImage) {
    self.winograd = winograd
    kernels = convolution.kernels
    grid = winograd.grid(source: source, target: target, offset: offset)
    (ins, outs) = (source.data.shape[1], target.data.shape[1])
    x = UnsafePointer(source.base.assumingMemoryBound(to: Float.self))
    dy = UnsafePointer(target.base.assumingMemoryBound(to: Float.self))
    guard let zeros = Floats.zeros(max(ins, outs)) else { return nil }
    self.zeros = zeros
  }

  /// - Returns: [tap][in][out]; nil where there is no memory, or a number is infinite or NaN: the gradient is to be computed directly.
  func sums() -> Storage? {
    guard let result = Floats(9 * ins * outs) else { return nil }
    // Groups of tiles pass by the sums; or, if these would fill the caches, slices of the sums pass by the values of all tiles.
    let numbers = Winograd.places * (ins + outs)
    let isSliced = Winograd.places * ins * outs > Self.mostSums && winograd.tiles * numbers <= Self.mostValues
    let isDone =
      isSliced ? addSlices(result) : addGroups(of: max(16, min(winograd.tiles, Self.groupValues / numbers)), result)
    return isDone && isFinite.load(ordering: .relaxed) ? result.storage : nil
  }

  /// Sums that are held as a whole, 8 MiB of them.
  private static let mostSums = 1 << 21
  /// Values of the tiles of a group, 4 MiB; and of all tiles that make one group, 32 MiB.
  private static let groupValues = 1 << 20
  private static let mostValues = 1 << 23

  private func addGroups(of most: Int, _ result: Floats) -> Bool {
    let planes = Winograd.step(ins * outs)
    guard let values = Values(most, ins, kernels.padded(outs)), let c = Floats.zeros(Winograd.places * planes) else {
      return false
    }
    for start in stride(from: 0, to: winograd.tiles, by: most) {
      let count = min(most, winograd.tiles - start)
      fill(values, start, count)
      ThreadPool.shared.run(chunks: Winograd.places) { place in
        add(values, count, place, rows: 0..<ins, to: c.pointer + place * planes)
      }
    }
    ThreadPool.shared.forEachChunk(of: ins, grain: max(1, 2048 / outs)) { rows in
      interpolate(rows, c.pointer + rows.lowerBound * outs, planes, result)
    }
    return true
  }

  private func addSlices(_ result: Floats) -> Bool {
    guard let values = Values(winograd.tiles, ins, kernels.padded(outs)) else { return false }
    fill(values, 0, winograd.tiles)
    ThreadPool.shared.forEachChunk(of: ins, grain: 24) { rows in
      let planes = Winograd.step(rows.count * outs)
      guard let c = Floats.zeros(Winograd.places * planes) else { return fail() }
      for place in 0..<Winograd.places { add(values, winograd.tiles, place, rows: rows, to: c.pointer + place * planes) }
      interpolate(rows, c.pointer, planes, result)
    }
    return true
  }

  // MARK: - Steps

  /// Of the tiles of a group: source values [place][tile][in], target values [place] packed for `accumulate`.
  private struct Values {
    let source: Floats
    let target: Floats
    let sourcePlanes: Int
    let targetPlanes: Int

    init?(_ tiles: Int, _ ins: Int, _ outs: Int) {
      (sourcePlanes, targetPlanes) = (Winograd.step(tiles * ins), Winograd.step(tiles * outs))
      guard let source = Floats(Winograd.places * sourcePlanes), let target = Floats(Winograd.places * targetPlanes) else {
        return nil
      }
      (self.source, self.target) = (source, target)
    }
  }

  private func fill(_ values: Values, _ start: Int, _ count: Int) {
    ThreadPool.shared.forEachChunk(of: count, grain: 8) { tiles in
      withUnsafePointer(to: grid) {
        Winograd.kernels.source(
          $0, start + tiles.lowerBound, tiles.count, ins, x, zeros.pointer, values.source.pointer + tiles.lowerBound * ins,
          values.sourcePlanes)
        Winograd.kernels.target_values(
          $0, start + tiles.lowerBound, tiles.count, outs, dy, zeros.pointer, values.target.pointer, values.targetPlanes,
          tiles.lowerBound, count)
      }
    }
  }

  /// Adds the products of `count` tiles to some rows of a place's sums.
  private func add(_ values: Values, _ count: Int, _ place: Int, rows: Range<Int>, to c: UnsafeMutablePointer<Float>) {
    withUnsafeTemporaryAllocation(of: UnsafeRawPointer?.self, capacity: count) { lines in
      withUnsafeTemporaryAllocation(of: Int32.self, capacity: count) { numbers in
        for i in 0..<count { numbers[i] = Int32(truncatingIfNeeded: i) }
        for piece in winograd.inputs(rows, at: place) {
          let from = values.source.pointer + place * values.sourcePlanes + piece.lowerBound
          for i in 0..<count { lines[i] = UnsafeRawPointer(from + i * ins) }
          kernels.accumulate(
            count, count, piece.count, outs, lines.baseAddress!, numbers.baseAddress!,
            values.target.pointer + place * values.targetPlanes, c + (piece.lowerBound - rows.lowerBound) * outs, outs)
        }
      }
    }
  }

  private func interpolate(_ rows: Range<Int>, _ c: UnsafePointer<Float>, _ planes: Int, _ result: Floats) {
    let isFine = Winograd.kernels.weight_gradient(
      rows.count * outs, c, planes, result.pointer + rows.lowerBound * outs, ins * outs)
    if !isFine { fail() }
  }

  private func fail() { isFinite.store(false, ordering: .relaxed) }
}
