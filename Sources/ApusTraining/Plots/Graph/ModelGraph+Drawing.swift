import ApusNN
import Foundation

extension ModelGraph {
  /// The graph as a picture: a box for each layer and op with what it gives, lines from each to those that take it.
  public func drawing(title: String) -> Drawing {
    let texts = nodes.map { label($0) + [text(of: $0.shape)] }
    let sizes = texts.map { lines in
      let longest = lines.map { Double($0.count) * 6.9 }.max() ?? 0
      return LayeredLayout.Size(width: min(max(longest, 56), Self.widestText) + 20, height: Double(lines.count) * 16 + 12)
    }
    let layout = LayeredLayout(sizes, edges.map { ($0.from, $0.to) })
    let margin = 24.0
    let width = max(layout.width, Double(title.count) * 10)
    var drawing = Drawing(title: title, width: width + 2 * margin, height: layout.height + 56 + margin)
    drawing.heading(x: margin)
    let left = margin + (width - layout.width) / 2
    for route in layout.routes { add(route.map { .init(x: $0.x + left, y: $0.y + 56) }, to: &drawing) }
    for (i, center) in layout.centers.enumerated() {
      let (size, x, y) = (sizes[i], center.x + left, center.y + 56)
      let rect = Drawing.Rect(x: x - size.width / 2, y: y - size.height / 2, width: size.width, height: size.height)
      let (ink, radius) = (Self.ink(nodes[i].kind), nodes[i].kind == .layer ? 5 : size.height / 2)
      drawing.box(rect, .page, radius: radius)
      drawing.box(rect, ink, opacity: 0.12, radius: radius, note: texts[i].joined(separator: ", "))
      drawing.frame(rect, ink, radius: radius)
      for (row, line) in texts[i].enumerated() {
        let style: Drawing.TextStyle = row == 0 ? .label : .tick
        drawing.text(
          shortened(line, size: 12, width: size.width - 16), x: x, y: rect.y + 18 + Double(row) * 16, style, .middle)
      }
    }
    return drawing
  }

  private static let widestText = 400.0

  private static func ink(_ kind: Kind) -> Drawing.Ink {
    switch kind {
    case .input, .output: .series(2)
    case .layer: .series(0)
    case .operation: .series(1)
    }
  }

  /// A line with an arrow's head. Between its corners it is bent so that it leaves and comes in upright.
  private func add(_ route: [Drawing.Point], to drawing: inout Drawing) {
    var points = [route[0]]
    for (a, b) in zip(route, route.dropFirst()) { points += Self.bend(from: a, to: b) }
    drawing.line(points, .faint)
    let tip = route[route.count - 1]
    drawing.line([.init(x: tip.x - 4, y: tip.y - 6), tip, .init(x: tip.x + 4, y: tip.y - 6)], .faint)
  }

  private static func bend(from a: Drawing.Point, to b: Drawing.Point) -> [Drawing.Point] {
    if Swift.abs(a.x - b.x) < 0.5 { return [b] }
    return (1...12).map { i in
      let t = Double(i) / 12
      return .init(x: a.x + (b.x - a.x) * (1 - cos(.pi * t)) / 2, y: a.y + (b.y - a.y) * t)
    }
  }
}
