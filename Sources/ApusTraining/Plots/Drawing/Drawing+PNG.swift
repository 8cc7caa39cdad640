import ApusCore
import ApusData
import ApusFormats

extension Drawing {
  /// What a page looks like.
  public enum Theme: String, CaseIterable, Sendable {
    case light, dark

    var palette: Palette { self == .light ? .light : .dark }
  }

  /// The picture as pixels.
  ///
  /// - Parameters:
  ///   - scale: pixels per point.
  ///   - theme: light or dark.
  /// - Returns: uint8 `[3, height · scale, width · scale]`.
  public func pixels(scale: Double = 2, theme: Theme = .light) -> Tensor {
    guard
      check(
        scale > 0 && width * scale < 20_000 && height * scale < 20_000, .value, "Drawing",
        "\(width)×\(height) points at a scale of \(scale)")
    else { return .invalid }
    var painter = Painter(self, scale: scale, theme.palette)
    for shape in shapes { painter.paint(shape) }
    let raster = painter.raster
    return Tensor(scalars: raster.pixels, shape: [raster.height, raster.width, 3]).permute(2, 0, 1).contiguous()
  }

  /// Writes the picture as a PNG file, which appears whole or not at all.
  ///
  /// - Throws: `DataError` where it cannot be written.
  public func writePNG(to path: String, scale: Double = 2, theme: Theme = .light) throws(DataError) {
    try PNG.write(pixels(scale: scale, theme: theme), to: path)
  }

  /// Writes the picture as an SVG file, which appears whole or not at all.
  public func writeSVG(to path: String) throws(FileError) { try AtomicFile.write(svg(), to: path) }
}

/// Puts shapes on pixels.
private struct Painter {
  private(set) var raster: Raster
  private let scale: Double
  private let palette: Palette

  init(_ drawing: Drawing, scale: Double, _ palette: Palette) {
    func size(_ points: Double) -> Int { max(Int((points * scale).rounded(.up)), 1) }
    (self.scale, self.palette) = (scale, palette)
    raster = Raster(width: size(drawing.width), height: size(drawing.height), palette[.page])
  }

  mutating func paint(_ shape: Drawing.Shape) {
    switch shape {
    case .line(let points, let ink, let width):
      raster.stroke(points.map(scaled), width: width * scale, palette[ink])
    case .dot(let center, let radius, let ink, _):
      raster.stroke([scaled(center)], width: 2 * radius * scale, palette[ink])
    case .box(let rect, let ink, let opacity, let radius, _):
      raster.fill(scaled(rect), radius: radius * scale, opacity: opacity, palette[ink])
    case .frame(let rect, let ink, let radius):
      outline(scaled(rect), ink, radius: radius * scale)
    case .text(let text, let at, let style, let anchor, let isUpright):
      write(text, scaled(at), style, anchor, isUpright)
    case .pixels(let picture, let rect):
      copy(picture, scaled(rect))
    }
  }

  private func scaled(_ point: Drawing.Point) -> Drawing.Point { .init(x: point.x * scale, y: point.y * scale) }

  private func scaled(_ rect: Drawing.Rect) -> Drawing.Rect {
    .init(x: rect.x * scale, y: rect.y * scale, width: rect.width * scale, height: rect.height * scale)
  }

  /// The edge of a rectangle; round corners are an eighth of a polygon of sixteen sides each.
  private mutating func outline(_ rect: Drawing.Rect, _ ink: Drawing.Ink, radius: Double) {
    let r = min(radius, min(rect.width, rect.height) / 2)
    let (right, bottom) = (rect.x + rect.width, rect.y + rect.height)
    // Cosine and sine of 0, 22.5, … 90 degrees.
    let arc = [(1.0, 0.0), (0.924, 0.383), (0.707, 0.707), (0.383, 0.924), (0, 1)]
    var points: [Drawing.Point] = []
    points += arc.map { .init(x: right - r + r * $0.0, y: bottom - r + r * $0.1) }
    points += arc.reversed().map { .init(x: rect.x + r - r * $0.0, y: bottom - r + r * $0.1) }
    points += arc.map { .init(x: rect.x + r - r * $0.0, y: rect.y + r - r * $0.1) }
    points += arc.reversed().map { .init(x: right - r + r * $0.0, y: rect.y + r - r * $0.1) }
    raster.stroke(points + [points[0]], width: scale, palette[ink])
  }

  private mutating func write(
    _ text: String, _ at: Drawing.Point, _ style: Drawing.TextStyle, _ anchor: Drawing.Anchor, _ isUpright: Bool
  ) {
    let unit = style.size * scale * StrokeFont.unit
    let width = StrokeFont.width(of: text, size: style.size * scale)
    var x = anchor == .start ? 0 : anchor == .middle ? -width / 2 : -width
    for character in text {
      let glyph = StrokeFont[character]
      for stroke in glyph.strokes {
        let points = stroke.map { point in
          let (right, down) = (x + point.x * unit, (point.y - StrokeFont.capHeight) * unit)
          return isUpright
            ? Drawing.Point(x: at.x + down, y: at.y - right) : Drawing.Point(x: at.x + right, y: at.y + down)
        }
        raster.stroke(points, width: unit * StrokeFont.penWidth * (style.isBold ? 1.5 : 1), palette[style.ink])
      }
      x += glyph.advance * unit
    }
  }

  private mutating func copy(_ picture: Tensor, _ rect: Drawing.Rect) {
    guard picture.rank == 3, picture.count > 0 else { return }
    let (channels, height, width) = (picture.shape[0], picture.shape[1], picture.shape[2])
    let values = picture.scalars(as: UInt8.self)
    let plane = height * width
    raster.copy(width: width, height: height, to: rect) { row, column in
      let at = row * width + column
      return channels < 3 ? (values[at], values[at], values[at]) : (values[at], values[plane + at], values[2 * plane + at])
    }
  }
}
