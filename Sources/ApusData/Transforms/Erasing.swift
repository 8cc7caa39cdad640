import ApusCore

#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// Fills a random rectangle of each picture with a value, with probability `p` (Zhong et al.: Random erasing data augmentation, 2017).
public struct RandomErasing: ImageTransform {
  public let p: Double
  /// Area of the rectangle, as a part of the picture's.
  public let scale: ClosedRange<Double>
  /// Its height over its width.
  public let ratio: ClosedRange<Double>
  public let value: Float

  public init(
    p: Double = 0.5, scale: ClosedRange<Double> = 0.02...0.33, ratio: ClosedRange<Double> = 0.3...3.3, value: Float = 0
  ) {
    let isFine =
      isProbability(p, "RandomErasing")
      && check(
        scale.lowerBound >= 0 && scale.upperBound <= 1 && ratio.lowerBound > 0, .value, "RandomErasing",
        "scale \(scale) in 0...1 and ratio \(ratio) above 0")
    self.p = isFine ? p : 0
    self.scale = scale
    self.ratio = ratio
    self.value = value
  }

  public func apply(_ images: Tensor, _ generator: Generator) -> Tensor {
    guard let sizes = images.pictureSizes(for: "RandomErasing") else { return .invalid }
    let boxes = (0..<sizes.count).map { _ in generator.uniform() < p ? box(sizes, generator) : nil }
    return erased(images, "RandomErasing", boxes, value)
  }

  /// A rectangle that lies in the picture, or nil where ten attempts find none, as in torchvision.
  private func box(_ sizes: PictureSizes, _ generator: Generator) -> Box? {
    for _ in 0..<10 {
      let area = Double(sizes.plane) * generator.uniform(scale)
      // Evenly distributed in its logarithm: as often twice as high as wide as the other way round.
      let aspect = exp(generator.uniform(log(ratio.lowerBound)...log(ratio.upperBound)))
      let height = Int((area * aspect).squareRoot().rounded(.toNearestOrEven))
      let width = Int((area / aspect).squareRoot().rounded(.toNearestOrEven))
      guard height < sizes.height, width < sizes.width else { continue }
      let (y, x) = (generator.integer(below: sizes.height - height + 1), generator.integer(below: sizes.width - width + 1))
      return Box(rows: y..<y + height, columns: x..<x + width)
    }
    return nil
  }
}

/// Fills a square around a random pixel of each picture; it may reach over the edge (DeVries, Taylor: Improved regularization with cutout,
/// 2017).
public struct Cutout: ImageTransform {
  public let size: Int
  public let value: Float

  /// - Parameter size: of the square's sides.
  public init(_ size: Int, value: Float = 0) {
    self.size = check(size > 0, .value, "Cutout", "a square of \(size) pixels") ? size : 1
    self.value = value
  }

  public func apply(_ images: Tensor, _ generator: Generator) -> Tensor {
    guard let sizes = images.pictureSizes(for: "Cutout") else { return .invalid }
    let boxes = (0..<sizes.count).map { _ -> Box? in
      guard sizes.plane > 0 else { return nil }
      let (y, x) = (generator.integer(below: sizes.height) - size / 2, generator.integer(below: sizes.width) - size / 2)
      return Box(
        rows: max(y, 0)..<min(y + size, sizes.height), columns: max(x, 0)..<min(x + size, sizes.width))
    }
    return erased(images, "Cutout", boxes, value)
  }
}

/// A rectangle in a picture.
struct Box {
  let rows: Range<Int>
  let columns: Range<Int>

  var area: Int { rows.count * columns.count }
}

private func erased(_ images: Tensor, _ name: String, _ boxes: [Box?], _ value: Float) -> Tensor {
  images.mappedPictures(
    name,
    floats: { sizes, x, _, y in
      y.update(from: x, count: sizes.count * sizes.channels * sizes.plane)
      fillBoxes(sizes, y, boxes, value)
    },
    bytes: { sizes, x, _, y in
      y.update(from: x, count: sizes.count * sizes.channels * sizes.plane)
      fillBoxes(sizes, y, boxes, UInt8(min(max(value, 0), 255)))
    })
}

@inline(__always)
private func fillBoxes<T: PictureElement>(_ sizes: PictureSizes, _ y: UnsafeMutablePointer<T>, _ boxes: [Box?], _ value: T) {
  for (i, box) in boxes.enumerated() {
    guard let box else { continue }
    for plane in i * sizes.channels..<(i + 1) * sizes.channels {
      for row in box.rows {
        (y + (plane * sizes.plane + row * sizes.width + box.columns.lowerBound)).update(
          repeating: value, count: box.columns.count)
      }
    }
  }
}
