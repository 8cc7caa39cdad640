import ApusCore

#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// Turns each picture by a random angle around its middle; what comes in from outside is `fill`.
public struct RandomRotation: ImageTransform {
  /// Degrees; positive turns counter-clockwise.
  public let degrees: ClosedRange<Double>
  /// Whether pixels are mixed of their four neighbours rather than taken from the nearest.
  public let bilinear: Bool
  public let fill: Float

  /// - Parameter degrees: angles of −degrees … degrees.
  public init(_ degrees: Double, bilinear: Bool = true, fill: Float = 0) {
    self.init(-abs(degrees)...abs(degrees), bilinear: bilinear, fill: fill)
  }

  public init(_ degrees: ClosedRange<Double>, bilinear: Bool = true, fill: Float = 0) {
    self.degrees = degrees
    self.bilinear = bilinear
    self.fill = fill
  }

  public func apply(_ images: Tensor, _ generator: Generator) -> Tensor {
    guard let sizes = images.pictureSizes(for: "RandomRotation") else { return .invalid }
    let angles = (0..<sizes.count).map { _ in generator.uniform(degrees) * .pi / 180 }
    return images.mappedPictures(
      "RandomRotation", floats: { sizes, x, _, y in rotate(sizes, x, y, angles) })
  }

  private func rotate(_ sizes: PictureSizes, _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>, _ angles: [Double]) {
    let (height, width) = (sizes.height, sizes.width)
    let (middleX, middleY) = (Float(width - 1) / 2, Float(height - 1) / 2)
    for (i, angle) in angles.enumerated() {
      let (sine, cosine) = (Float(sin(angle)), Float(cos(angle)))
      for row in 0..<height {
        for column in 0..<width {
          // Where this pixel was before: turned back, around the middle; y runs down.
          let (dx, dy) = (Float(column) - middleX, Float(row) - middleY)
          let place = (x: cosine * dx - sine * dy + middleX, y: sine * dx + cosine * dy + middleY)
          for channel in 0..<sizes.channels {
            let plane = (i * sizes.channels + channel) * sizes.plane
            y[plane + row * width + column] = bilinear ? mixed(x + plane, sizes, place) : nearest(x + plane, sizes, place)
          }
        }
      }
    }
  }

  @inline(__always)
  private func pixel(_ x: UnsafePointer<Float>, _ sizes: PictureSizes, _ row: Int, _ column: Int) -> Float {
    row >= 0 && row < sizes.height && column >= 0 && column < sizes.width ? x[row * sizes.width + column] : fill
  }

  private func nearest(_ x: UnsafePointer<Float>, _ sizes: PictureSizes, _ place: (x: Float, y: Float)) -> Float {
    pixel(x, sizes, Int(place.y.rounded(.toNearestOrEven)), Int(place.x.rounded(.toNearestOrEven)))
  }

  private func mixed(_ x: UnsafePointer<Float>, _ sizes: PictureSizes, _ place: (x: Float, y: Float)) -> Float {
    let (left, top) = (place.x.rounded(.down), place.y.rounded(.down))
    let (u, v) = (place.x - left, place.y - top)
    let (row, column) = (Int(top), Int(left))
    let upper = pixel(x, sizes, row, column) * (1 - u) + pixel(x, sizes, row, column + 1) * u
    let lower = pixel(x, sizes, row + 1, column) * (1 - u) + pixel(x, sizes, row + 1, column + 1) * u
    return upper * (1 - v) + lower * v
  }
}
