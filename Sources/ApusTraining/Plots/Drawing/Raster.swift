/// Pixels to draw on: lines, boxes and discs with smooth edges.
struct Raster {
  let width: Int
  let height: Int
  private(set) var pixels: [UInt8]  // [height, width, 3]

  init(width: Int, height: Int, _ color: Palette.Color) {
    (self.width, self.height) = (width, height)
    let (r, g, b) = color.channels
    pixels = (0..<width * height).flatMap { _ in [UInt8(r), UInt8(g), UInt8(b)] }
  }

  /// Straight lines with round ends and corners; one point is a disc.
  mutating func stroke(_ points: [Drawing.Point], width: Double, _ color: Palette.Color) {
    let radius = width / 2
    // Each pixel is covered once, by the part of the line that covers most of it: corners don't show where lines are thin.
    guard var mask = Mask(around: points, margin: radius + 1, in: self) else { return }
    let ends = points.count > 1 ? points.dropFirst() : points[...]
    for (a, b) in zip(points, ends) { mask.cover(from: a, to: b, radius: radius) }
    blend(mask, color)
  }

  /// A filled rectangle with round corners.
  mutating func fill(_ rect: Drawing.Rect, radius: Double, opacity: Double, _ color: Palette.Color) {
    let ends = [Drawing.Point(x: rect.x, y: rect.y), Drawing.Point(x: rect.x + rect.width, y: rect.y + rect.height)]
    guard var mask = Mask(around: ends, margin: 1, in: self) else { return }
    mask.cover(rect, radius: radius)
    blend(mask, color, opacity: opacity)
  }

  /// A picture, stretched over `rect` without smoothing.
  ///
  /// - Parameter source: the channels of the pixel in this line and column.
  mutating func copy(width: Int, height: Int, to rect: Drawing.Rect, _ source: (Int, Int) -> (UInt8, UInt8, UInt8)) {
    let (left, top) = (Int(rect.x.rounded()), Int(rect.y.rounded()))
    let (columns, rows) = (Int(rect.width.rounded()), Int(rect.height.rounded()))
    for y in max(top, 0)..<max(min(top + rows, self.height), max(top, 0)) {
      for x in max(left, 0)..<max(min(left + columns, self.width), max(left, 0)) {
        let (r, g, b) = source((y - top) * height / rows, (x - left) * width / columns)
        let at = 3 * (y * self.width + x)
        (pixels[at], pixels[at + 1], pixels[at + 2]) = (r, g, b)
      }
    }
  }

  private mutating func blend(_ mask: Mask, _ color: Palette.Color, opacity: Double = 1) {
    let (r, g, b) = color.channels
    for y in mask.rows {
      for x in mask.columns {
        let share = mask[x, y] * opacity
        if share <= 0 { continue }
        let at = 3 * (y * width + x)
        pixels[at] = Self.mixed(pixels[at], r, share)
        pixels[at + 1] = Self.mixed(pixels[at + 1], g, share)
        pixels[at + 2] = Self.mixed(pixels[at + 2], b, share)
      }
    }
  }

  private static func mixed(_ below: UInt8, _ above: Double, _ share: Double) -> UInt8 {
    UInt8((Double(below) + (above - Double(below)) * min(share, 1)).rounded())
  }
}

/// How much of each pixel of a part of a picture is covered, 0...1.
private struct Mask {
  let columns: Range<Int>
  let rows: Range<Int>
  private var shares: [Double]

  /// - Returns: nil where nothing of it is on the picture.
  init?(around points: [Drawing.Point], margin: Double, in raster: Raster) {
    guard !points.isEmpty, points.allSatisfy({ $0.x.magnitude < 1e6 && $0.y.magnitude < 1e6 }) else { return nil }
    let (xs, ys) = (points.map(\.x), points.map(\.y))
    func range(_ values: [Double], _ size: Int) -> Range<Int> {
      let low = Int(((values.min() ?? 0) - margin).rounded(.down))
      let high = Int(((values.max() ?? 0) + margin).rounded(.up)) + 1
      let start = min(max(low, 0), size)
      return start..<max(min(high, size), start)
    }
    (columns, rows) = (range(xs, raster.width), range(ys, raster.height))
    if columns.isEmpty || rows.isEmpty { return nil }
    shares = [Double](repeating: 0, count: columns.count * rows.count)
  }

  subscript(x: Int, y: Int) -> Double { shares[(y - rows.lowerBound) * columns.count + x - columns.lowerBound] }

  /// Covers what lies within `radius` of a line.
  mutating func cover(from a: Drawing.Point, to b: Drawing.Point, radius: Double) {
    let (dx, dy) = (b.x - a.x, b.y - a.y)
    let length = dx * dx + dy * dy
    cover(
      around: min(a.y, b.y) - radius - 1, to: max(a.y, b.y) + radius + 1, min(a.x, b.x) - radius - 1, max(a.x, b.x) + radius + 1
    ) {
      x, y in
      let t = length > 0 ? min(max(((x - a.x) * dx + (y - a.y) * dy) / length, 0), 1) : 0
      let (ex, ey) = (x - a.x - t * dx, y - a.y - t * dy)
      return radius + 0.5 - (ex * ex + ey * ey).squareRoot()
    }
  }

  /// Covers a rectangle.
  mutating func cover(_ rect: Drawing.Rect, radius: Double) {
    let radius = min(radius, min(rect.width, rect.height) / 2)
    let (right, bottom) = (rect.x + rect.width, rect.y + rect.height)
    cover(around: rect.y - 1, to: bottom + 1, rect.x - 1, right + 1) { x, y in
      if radius > 0 {
        // The distance to the rectangle that is smaller by the radius.
        let ex = max(rect.x + radius - x, x - right + radius, 0)
        let ey = max(rect.y + radius - y, y - bottom + radius, 0)
        return radius + 0.5 - (ex * ex + ey * ey).squareRoot()
      }
      let w = min(x + 0.5, right) - max(x - 0.5, rect.x)
      let h = min(y + 0.5, bottom) - max(y - 0.5, rect.y)
      return w > 0 && h > 0 ? w * h : 0
    }
  }

  /// - Parameter share: of the pixel whose centre is given.
  private mutating func cover(
    around top: Double, to bottom: Double, _ left: Double, _ right: Double, _ share: (Double, Double) -> Double
  ) {
    let ys = max(Int(top.rounded(.down)), rows.lowerBound)..<max(min(Int(bottom.rounded(.up)), rows.upperBound), rows.lowerBound)
    let xs =
      max(
        Int(left.rounded(.down)), columns.lowerBound)..<max(min(Int(right.rounded(.up)), columns.upperBound), columns.lowerBound)
    guard ys.lowerBound < ys.upperBound, xs.lowerBound < xs.upperBound else { return }
    for y in ys {
      for x in xs {
        let at = (y - rows.lowerBound) * columns.count + x - columns.lowerBound
        shares[at] = max(shares[at], min(max(share(Double(x) + 0.5, Double(y) + 0.5), 0), 1))
      }
    }
  }
}
