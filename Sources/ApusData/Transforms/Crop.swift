import ApusCore

/// Cuts a piece of the same size out of each picture, at a random place; with `padding`, of a picture with a border around it.
public struct RandomCrop: ImageTransform {
  public let height: Int
  public let width: Int
  /// Rows and columns on each side.
  public let padding: Int
  /// What the border is made of: this value.
  public let fill: Float

  /// A square piece.
  public init(_ size: Int, padding: Int = 0, fill: Float = 0) {
    self.init(height: size, width: size, padding: padding, fill: fill)
  }

  public init(height: Int, width: Int, padding: Int = 0, fill: Float = 0) {
    let isFine = check(
      height > 0 && width > 0 && padding >= 0, .value, "RandomCrop", "pieces of \(height)×\(width) with padding \(padding)")
    self.height = isFine ? height : 1
    self.width = isFine ? width : 1
    self.padding = isFine ? padding : 0
    self.fill = fill
  }

  public func apply(_ images: Tensor, _ generator: Generator) -> Tensor {
    guard let sizes = images.pictureSizes(for: "RandomCrop"),
      check(
        sizes.height + 2 * padding >= height && sizes.width + 2 * padding >= width, .shape, "RandomCrop",
        "pieces of \(height)×\(width) of pictures \(images.shape) with padding \(padding)")
    else { return .invalid }
    let (rows, columns) = (sizes.height + 2 * padding - height + 1, sizes.width + 2 * padding - width + 1)
    let corners = (0..<sizes.count).map { _ in
      Corner(y: generator.integer(below: rows) - padding, x: generator.integer(below: columns) - padding)
    }
    return cropped(images, "RandomCrop", corners, height: height, width: width, fill: fill)
  }
}

/// Cuts the middle out of each picture; where the piece is larger than the picture, there is a border of zeros.
public struct CenterCrop: ImageTransform {
  public let height: Int
  public let width: Int

  /// A square piece.
  public init(_ size: Int) { self.init(height: size, width: size) }

  public init(height: Int, width: Int) {
    let isFine = check(height > 0 && width > 0, .value, "CenterCrop", "pieces of \(height)×\(width)")
    self.height = isFine ? height : 1
    self.width = isFine ? width : 1
  }

  public func apply(_ images: Tensor, _ generator: Generator) -> Tensor {
    guard let sizes = images.pictureSizes(for: "CenterCrop") else { return .invalid }
    // torchvision rounds halves to even where it cuts, and down where it pads.
    func start(_ old: Int, _ new: Int) -> Int {
      new > old ? -((new - old) / 2) : Int((Double(old - new) / 2).rounded(.toNearestOrEven))
    }
    let corner = Corner(y: start(sizes.height, height), x: start(sizes.width, width))
    return cropped(
      images, "CenterCrop", [Corner](repeating: corner, count: sizes.count), height: height, width: width, fill: 0)
  }
}

/// Where a piece begins in a picture; outside of it where there is a border.
private struct Corner {
  let y: Int
  let x: Int
}

private func cropped(_ images: Tensor, _ name: String, _ corners: [Corner], height: Int, width: Int, fill: Float) -> Tensor {
  images.mappedPictures(
    name, to: (height, width), floats: { copyPieces($0, $1, $2, $3, corners, fill) },
    bytes: { copyPieces($0, $1, $2, $3, corners, UInt8(min(max(fill, 0), 255))) })
}

@inline(__always)
private func copyPieces<T: PictureElement>(
  _ old: PictureSizes, _ x: UnsafePointer<T>, _ new: PictureSizes, _ y: UnsafeMutablePointer<T>, _ corners: [Corner], _ fill: T
) {
  for (i, corner) in corners.enumerated() {
    // Columns of the piece that lie in the picture.
    let start = min(max(-corner.x, 0), new.width)
    let end = max(min(old.width - corner.x, new.width), start)
    for plane in i * old.channels..<(i + 1) * old.channels {
      for row in 0..<new.height {
        let to = y + (plane * new.plane + row * new.width)
        let source = row + corner.y
        guard source >= 0, source < old.height else {
          to.update(repeating: fill, count: new.width)
          continue
        }
        let from = x + (plane * old.plane + source * old.width)
        (to + start).update(from: from + (corner.x + start), count: end - start)
        for j in 0..<start { to[j] = fill }
        for j in end..<new.width { to[j] = fill }
      }
    }
  }
}

extension Generator {
  /// In 0..<`bound`, each equally likely.
  func integer(below bound: Int) -> Int { Int(unbiased(below: UInt64(bound)) { nextUInt64() }) }

  /// In `range`, evenly distributed.
  func uniform(_ range: ClosedRange<Double>) -> Double {
    range.lowerBound + (range.upperBound - range.lowerBound) * uniform()
  }
}
