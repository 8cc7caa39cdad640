import ApusCore
import ApusData

/// Pictures with what is to be said of each, such as what a model takes it for.
public struct SampleSheet: Sendable {
  /// One picture.
  public struct Sample: Sendable {
    /// uint8 `[C, H, W]`, C of 1 or 3.
    public let picture: Tensor
    public let caption: String
    /// Whether the caption is right; nil where that isn't known.
    public let isRight: Bool?

    /// - Parameters:
    ///   - picture: `[C, H, W]`, C of 1 or 3; uint8, or floating-point of any range, which is stretched to that of pixels.
    ///   - caption: below the picture.
    ///   - isRight: decides the caption's colour.
    public init(_ picture: Tensor, caption: String = "", isRight: Bool? = nil) {
      (self.picture, self.caption, self.isRight) = (Self.asPixels(picture), caption, isRight)
    }

    /// What a network sees has been moved and scaled; how bright it was isn't known any more, so the range is made full.
    private static func asPixels(_ x: Tensor) -> Tensor {
      if x.dtype == .uint8 { return x.detach() }
      return noGrad {
        let (low, high) = (x.min().item(), x.max().item())
        return PNG.asBytes((x.detach().to(.float32) - low) / Swift.max(high - low, 1e-12))
      }
    }
  }

  public let title: String
  public let samples: [Sample]

  public init(title: String, samples: [Sample]) { (self.title, self.samples) = (title, samples) }

  private static let (cell, gap) = (72.0, 12.0)

  /// Rows of `columns` pictures.
  public func drawing(columns: Int = 8) -> Drawing {
    let columns = max(min(columns, samples.count), 1)
    let rows = (samples.count + columns - 1) / columns
    let (width, height) = (Self.cell + Self.gap, Self.cell + 28)
    var drawing = Drawing(
      title: title, width: max(24 + Double(columns) * width + 24 - Self.gap, 240), height: 56 + Double(max(rows, 1)) * height + 8)
    drawing.heading(x: 24)
    for (i, sample) in samples.enumerated() {
      let (x, y) = (24 + Double(i % columns) * width, 56 + Double(i / columns) * height)
      drawing.pixels(sample.picture, .init(x: x, y: y, width: Self.cell, height: Self.cell))
      let style: Drawing.TextStyle = sample.isRight.map { .legend($0 ? .right : .wrong) } ?? .tick
      drawing.text(
        shortened(sample.caption, size: 13, width: Self.cell), x: x + Self.cell / 2, y: y + Self.cell + 15, style, .middle)
    }
    return drawing
  }
}
