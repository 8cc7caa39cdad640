import CKernels
import Synchronization

/// Where convolutions go by Winograd's method, F(4×4, 3×3): a tile of 4×4 target pixels takes 36 products for a pair of channels instead of
/// 144, by way of the values that source and weights have at 36 places.
///
/// In float32, with 16, 32, … channels on both sides, and where the image fills its tiles. Sums of rounded values are less exact than those of
/// products: on normal random numbers the error (root mean square) is about twice that of a direct convolution. And it is spread: an output
/// is only as exact as the largest of its tile allows. `APUS_WINOGRAD=off` computes everything directly.
///
/// Infinite and undefined numbers would spread over their tile too, so a result that has any is computed once more, directly.
struct Winograd {
  static let kernels = apus_winograd(Runtime.isa)!.pointee
  static let places = 36

  static let isEnabled: Bool = {
    guard let text = environment("APUS_WINOGRAD") else { return true }
    guard text == "on" || text == "off" else { fatalError("APUS_WINOGRAD: '\(text)' is neither on nor off") }
    return text == "on"
  }()

  /// Tiles of the target, `rows` × `columns` for each image.
  let tiles: Int
  let rows: Int
  let columns: Int
  let part: ConvolutionPart
  /// What needs no products, where strides are folded.
  let zeros: WinogradZeros?

  /// Nil where the method doesn't apply or doesn't pay.
  ///
  /// - Parameter part: `.output` or `.input`, whichever has the tiles.
  init?(_ convolution: CPUConvolution, _ part: ConvolutionPart, zeros: WinogradZeros? = nil) {
    self.part = part
    self.zeros = zeros
    let shape = convolution.shape
    guard Self.isEnabled, convolution.dtype == .float32, shape.groups == 1, shape.inChannels % 16 == 0,
      shape.outChannels % 16 == 0,
      shape.kernel == [1, 3, 3], shape.stride == [1, 1, 1], shape.dilation == [1, 1, 1], shape.input[0] == 1, shape.output[0] == 1
    else { return nil }
    let size = part == .output ? shape.output : shape.input
    (rows, columns) = ((size[1] + 3) / 4, (size[2] + 3) / 4)
    tiles = shape.batch * rows * columns
    // Tiles are computed as a whole, and in multiples of the kernel's step. Below half the products there is nothing to win: the values cost,
    // and the weights have four times as many of them.
    let step = convolution.kernels.step
    let computed = (tiles + step - 1) / step * step
    // Folded strides save somewhat more than half of them where tiles are full, and their weights are folded anew each time.
    let (fewest, pixelsPerTile) = zeros == nil ? (12, 8) : (64, 12)
    guard tiles >= fewest, pixelsPerTile * computed <= shape.batch * size[1] * size[2] else { return nil }
  }

  func grid(source: PixelImage, target: PixelImage, offset: (Int, Int)) -> apus_winograd_grid {
    apus_winograd_grid(rows: rows, columns: columns, offset: offset, source: source.winograd, target: target.winograd)
  }

  /// The channels of the source that a place's products take.
  func depths(at place: Int, of depth: Int) -> Range<Int> {
    part == .output ? zeros?.channels(at: place) ?? 0..<depth : 0..<depth
  }

  /// The pieces of `range`, channels of the input, that have products at a place.
  func inputs(_ range: Range<Int>, at place: Int) -> [Range<Int>] { zeros?.pieces(of: range, at: place) ?? [range] }

  /// Numbers from plane to plane of 36: an odd number of cache lines, so that they don't compete for the same places in the caches.
  static func step(_ count: Int) -> Int { ((count + 15) / 16 | 1) * 16 }

  /// Tiles for one task, in panels of `panel`, whose values (so many numbers for a place and tile) stay in the second-level cache.
  func tilesPerTask(_ numbers: Int, panel: Int) -> Int {
    let most = max(1, min(48, (1 << 17) / (Self.places * numbers)) / panel)
    return min(most, max(1, tiles / 16 / panel)) * panel
  }
}

extension PixelImage {
  fileprivate var winograd: apus_winograd_image {
    let s = data.strides
    return apus_winograd_image(image: s[0], row: s[3], pixel: s[4], height: size[1], width: size[2])
  }
}

/// Memory of floats that tasks write to, each its own part.
struct Floats: @unchecked Sendable {
  let storage: Storage
  let pointer: UnsafeMutablePointer<Float>

  init?(_ count: Int) {
    guard let storage = Storage.allocate(max(count, 16) * MemoryLayout<Float>.stride, for: "convolution") else { return nil }
    self.storage = storage
    pointer = storage.pointer.assumingMemoryBound(to: Float.self)
  }

  static func zeros(_ count: Int) -> Floats? {
    let floats = Floats(count)
    floats?.pointer.initialize(repeating: 0, count: count)
    return floats
  }
}
