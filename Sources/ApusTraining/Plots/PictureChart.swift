import ApusCore
import ApusData

/// One picture under its title, such as a grid of samples (`pictureGrid`).
public struct PictureChart: Sendable {
  public let title: String
  /// uint8 `[C, H, W]`, C of 1 or 3.
  public let picture: Tensor

  /// - Parameters:
  ///   - title: above the picture.
  ///   - picture: `[C, H, W]`, C of 1 or 3: uint8, or brightness from 0 to 1.
  public init(title: String, picture: Tensor) {
    (self.title, self.picture) = (title, picture.dtype == .uint8 ? picture : noGrad { PNG.asBytes(picture) })
  }

  /// The picture as wide as the drawing allows.
  public func drawing(width: Double = 480) -> Drawing {
    let sizes = picture.rank == 3 ? picture.shape : [1, 1, 1]
    let wide = width - 48
    let high = wide * Double(sizes[1]) / Double(max(sizes[2], 1))
    var drawing = Drawing(title: title, width: width, height: 56 + high + 24)
    drawing.heading(x: 24)
    drawing.pixels(picture, .init(x: 24, y: 56, width: wide, height: high))
    return drawing
  }
}
