/// Draws polylines with a round pen on a small square of grey pixels, anti-aliased.
///
/// Kept is each pixel's squared distance to the nearest piece of a stroke; ink is a function of that distance, so crossings don't
/// add up and the pen may be chosen at the end.
struct StrokeCanvas {
  static let side = 28
  static let pixelCount = side * side

  private let distances: UnsafeMutableBufferPointer<Float>

  /// - Parameter distances: `pixelCount` numbers to work in.
  init(_ distances: UnsafeMutableBufferPointer<Float>) {
    self.distances = distances
    distances.update(repeating: .greatestFiniteMagnitude)
  }

  /// Draws from `a` to `b` (in pixels; a pixel's centre is at its index plus a half) with a pen that reaches `reach` pixels far.
  func draw(from a: SIMD2<Float>, to b: SIMD2<Float>, reach: Float) {
    let low = pointwiseMin(a, b) - (reach + 0.5)
    let high = pointwiseMax(a, b) + (reach - 0.5)
    let last = Float(Self.side - 1)
    guard low.x <= last, low.y <= last, high.x >= 0, high.y >= 0 else { return }
    let (x0, x1) = (Int(max(low.x, 0).rounded(.up)), Int(min(high.x, last)))
    let (y0, y1) = (Int(max(low.y, 0).rounded(.up)), Int(min(high.y, last)))
    guard x0 <= x1, y0 <= y1 else { return }
    let direction = b - a
    let scale = 1 / max((direction * direction).sum(), 1e-6)
    for y in y0...y1 {
      let dy = Float(y) + 0.5 - a.y
      for x in x0...x1 {
        let dx = Float(x) + 0.5 - a.x
        // The nearest point of the segment is at `t` of its length.
        let t = min(max((dx * direction.x + dy * direction.y) * scale, 0), 1)
        let (ex, ey) = (dx - t * direction.x, dy - t * direction.y)
        let i = y &* Self.side &+ x
        distances[i] = min(distances[i], ex * ex + ey * ey)
      }
    }
  }

  /// How much of pixel `i` a pen of half width `radius` covers: 0...1, with an edge one pixel wide.
  @inline(__always)
  func coverage(_ i: Int, radius: Float) -> Float { min(max(radius + 0.5 - distances[i].squareRoot(), 0), 1) }
}
