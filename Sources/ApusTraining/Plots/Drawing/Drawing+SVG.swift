import ApusData
import ApusFormats
import Foundation

extension Drawing {
  /// The picture as a self-contained SVG file, readable on light and on dark pages.
  public func svg() -> String { svg(style: Self.style) }

  /// The picture as an element of a page that has `style` among its own.
  func inlineSVG() -> String { svg(style: nil) }

  private func svg(style: String?) -> String {
    let head = "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 \(number(width)) \(number(height))\" role=\"img\">"
    let parts = [head, "<title>\(escaped(title))</title>"] + (style.map { ["<style>\n\($0)</style>"] } ?? [])
    let page = "<rect class=\"page\" width=\"100%\" height=\"100%\"/>"
    return (parts + [page] + shapes.map(element)).joined(separator: "\n") + "\n</svg>\n"
  }

  private func element(_ shape: Shape) -> String {
    switch shape {
    case .line(let points, let ink, let width):
      if ink == .grid, points.count == 2 {
        let (a, b) = (points[0], points[1])
        return "<line class=\"\(line(ink))\" x1=\"\(number(a.x))\" y1=\"\(number(a.y))\" x2=\"\(number(b.x))\" "
          + "y2=\"\(number(b.y))\" stroke-width=\"\(number(width))\"/>"
      }
      let path = points.map { "\(number($0.x)),\(number($0.y))" }.joined(separator: " ")
      return "<polyline class=\"\(line(ink))\" points=\"\(path)\" stroke-width=\"\(number(width))\"/>"
    case .dot(let center, let radius, let ink, let note):
      let place = "cx=\"\(number(center.x))\" cy=\"\(number(center.y))\" r=\"\(number(radius))\""
      return element("circle", "class=\"\(fill(ink))\" \(place)", note: note)
    case .box(let rect, let ink, let opacity, let radius, let note):
      let look = opacity < 1 ? " fill-opacity=\"\(fixed(max(opacity, 0), 3))\"" : ""
      return element("rect", "class=\"\(fill(ink))\" \(place(rect, radius))\(look)", note: note)
    case .frame(let rect, let ink, let radius):
      return "<rect class=\"\(line(ink))\" \(place(rect, radius))/>"
    case .text(let text, let at, let style, let anchor, let isUpright):
      let place =
        isUpright
        ? "transform=\"translate(\(number(at.x)) \(number(at.y))) rotate(-90)\"" : "x=\"\(number(at.x))\" y=\"\(number(at.y))\""
      return "<text class=\"\(name(style))\" \(place) text-anchor=\"\(anchor.rawValue)\">\(escaped(text))</text>"
    case .pixels(let picture, let rect):
      // A picture that is a mistake has been reported.
      let png = (try? PNG.encode(picture)) ?? []
      let data = Data(png).base64EncodedString()
      return "<image \(place(rect, 0)) preserveAspectRatio=\"none\" href=\"data:image/png;base64,\(data)\"/>"
    }
  }

  private func element(_ name: String, _ attributes: String, note: String) -> String {
    note.isEmpty ? "<\(name) \(attributes)/>" : "<\(name) \(attributes)><title>\(escaped(note))</title></\(name)>"
  }

  private func place(_ rect: Rect, _ radius: Double) -> String {
    "x=\"\(number(rect.x))\" y=\"\(number(rect.y))\" width=\"\(number(rect.width))\" height=\"\(number(rect.height))\""
      + (radius > 0 ? " rx=\"\(number(radius))\"" : "")
  }

  private func line(_ ink: Ink) -> String { ink == .grid ? "grid" : "line \(name(ink))" }
  private func fill(_ ink: Ink) -> String { "fill \(name(ink))" }

  private func name(_ ink: Ink) -> String {
    switch ink {
    case .page: "page"
    case .text: "ink"
    case .faint: "faint"
    case .grid: "grid"
    case .right: "right"
    case .wrong: "wrong"
    case .series(let i): "c\(i % Palette.seriesCount)"
    }
  }

  private func name(_ style: TextStyle) -> String {
    switch style {
    case .heading: "heading"
    case .name: "name"
    case .tick: "tick"
    case .small: "small"
    case .label: "label"
    case .legend(let ink): "legend \(name(ink))"
    }
  }

  /// At most two digits after the point.
  private func number(_ x: Double) -> String {
    var text = fixed(x, 2)
    while text.hasSuffix("0") { text.removeLast() }
    if text.hasSuffix(".") { text.removeLast() }
    return text == "-0" ? "0" : text
  }
}

// MARK: - Style

extension Drawing {
  /// What the classes of the elements look like.
  static let style: String = {
    let series = (0..<Palette.seriesCount).map { Ink.series($0) }
    func rules(_ palette: Palette) -> String {
      var lines = [
        ".page { fill: \(palette[.page].hex) }", "svg text { fill: \(palette[.text].hex) }",
        "svg .tick, svg .small { fill: \(palette[.faint].hex) }", ".grid { stroke: \(palette[.grid].hex) }",
        ".fill.grid { fill: \(palette[.grid].hex); stroke: none }",
      ]
      let inks: [(String, Ink)] =
        [("ink", .text), ("faint", .faint), ("right", .right), ("wrong", .wrong)] + series.enumerated().map { ("c\($0)", $1) }
      for (name, ink) in inks {
        let color = palette[ink].hex
        lines.append(".line.\(name) { stroke: \(color) } .fill.\(name), svg .legend.\(name) { fill: \(color) }")
      }
      return lines.map { "  \($0)\n" }.joined()
    }
    let fixedRules = """
        svg { font: 13px system-ui, -apple-system, "Segoe UI", sans-serif; font-variant-numeric: tabular-nums }
        .line { fill: none; stroke-linejoin: round; stroke-linecap: round }
        .heading { font-size: 16px; font-weight: 600 }
        .tick, .label { font-size: 12px }
        .small { font-size: 10px }
        image { image-rendering: pixelated }

      """
    let dark = rules(.dark).split(separator: "\n").map { "  \($0)\n" }.joined()
    return fixedRules + rules(.light) + "  @media (prefers-color-scheme: dark) {\n\(dark)  }\n"
  }()
}

/// `text` as it may stand in XML and HTML.
func escaped(_ text: String) -> String {
  String(
    text.unicodeScalars.flatMap { scalar -> String in
      switch scalar {
      case "&": "&amp;"
      case "<": "&lt;"
      case ">": "&gt;"
      case "\"": "&quot;"
      // Control characters have no place in XML, not even escaped.
      case "\0"..<" ", "\u{FFFE}", "\u{FFFF}": " "
      default: String(scalar)
      }
    })
}
