import ApusCore

/// Mirrors each picture left to right with probability `p`.
public struct RandomHorizontalFlip: ImageTransform {
  public let p: Double

  public init(p: Double = 0.5) { self.p = isProbability(p, "RandomHorizontalFlip") ? p : 0 }

  public func apply(_ images: Tensor, _ generator: Generator) -> Tensor {
    guard let sizes = images.pictureSizes(for: "RandomHorizontalFlip") else { return .invalid }
    let isFlipped = (0..<sizes.count).map { _ in generator.uniform() < p }
    return images.mappedPictures(
      "RandomHorizontalFlip",
      floats: { mirrorRows($0, $1, $3, isFlipped) }, bytes: { mirrorRows($0, $1, $3, isFlipped) })
  }
}

/// Mirrors each picture top to bottom with probability `p`.
public struct RandomVerticalFlip: ImageTransform {
  public let p: Double

  public init(p: Double = 0.5) { self.p = isProbability(p, "RandomVerticalFlip") ? p : 0 }

  public func apply(_ images: Tensor, _ generator: Generator) -> Tensor {
    guard let sizes = images.pictureSizes(for: "RandomVerticalFlip") else { return .invalid }
    let isFlipped = (0..<sizes.count).map { _ in generator.uniform() < p }
    return images.mappedPictures(
      "RandomVerticalFlip",
      floats: { swapRows($0, $1, $3, isFlipped) }, bytes: { swapRows($0, $1, $3, isFlipped) })
  }
}

@inline(__always)
private func mirrorRows<T: PictureElement>(
  _ sizes: PictureSizes, _ x: UnsafePointer<T>, _ y: UnsafeMutablePointer<T>, _ isFlipped: [Bool]
) {
  let (width, size) = (sizes.width, sizes.channels * sizes.plane)
  for (i, flip) in isFlipped.enumerated() {
    let (from, to) = (x + i * size, y + i * size)
    guard flip else {
      to.update(from: from, count: size)
      continue
    }
    for row in stride(from: 0, to: size, by: width) {
      let last = from + row + width - 1
      for j in 0..<width { to[row + j] = (last - j).pointee }
    }
  }
}

@inline(__always)
private func swapRows<T: PictureElement>(
  _ sizes: PictureSizes, _ x: UnsafePointer<T>, _ y: UnsafeMutablePointer<T>, _ isFlipped: [Bool]
) {
  for (i, flip) in isFlipped.enumerated() {
    for plane in i * sizes.channels..<(i + 1) * sizes.channels {
      for row in 0..<sizes.height {
        let source = flip ? sizes.height - 1 - row : row
        let start = plane * sizes.plane
        (y + start + row * sizes.width).update(from: x + start + source * sizes.width, count: sizes.width)
      }
    }
  }
}
