import ApusCore

/// A picture as a list of shapes: what every plot is, whether it becomes an SVG file, a PNG file or a part of a page.
///
/// Positions count from the upper left corner. Shapes cover those before them.
public struct Drawing: Sendable {
  /// What it shows, for those who cannot see it and for the heading.
  public let title: String
  /// In points, which are pixels of a PNG file at scale 1.
  public let width: Double
  public let height: Double
  var shapes: [Shape] = []

  init(title: String, width: Double, height: Double) { (self.title, self.width, self.height) = (title, width, height) }

  struct Point: Hashable, Sendable {
    var x: Double
    var y: Double
  }

  struct Rect: Hashable, Sendable {
    var x: Double
    var y: Double
    var width: Double
    var height: Double
  }

  enum Shape: Sendable {
    /// Straight lines from point to point.
    case line([Point], ink: Ink, width: Double)
    /// A filled disc; `note` is shown where a pointer rests on it.
    case dot(Point, radius: Double, ink: Ink, note: String)
    /// A filled rectangle; `opacity` of 0...1.
    case box(Rect, ink: Ink, opacity: Double, radius: Double, note: String)
    /// The edge of a rectangle.
    case frame(Rect, ink: Ink, radius: Double)
    /// A line of text; `at` is on its baseline.
    case text(String, at: Point, style: TextStyle, anchor: Anchor, isUpright: Bool)
    /// Pixels: uint8 `[C, H, W]`, stretched without smoothing.
    case pixels(Tensor, Rect)
  }

  /// A colour by what it is for: which it is depends on whether the page is light or dark.
  enum Ink: Hashable, Sendable {
    case page, text, faint, grid
    /// Good and bad: what is right and what is wrong.
    case right, wrong
    /// Of several things the n-th; there are six.
    case series(Int)
  }

  enum Anchor: String, Sendable { case start, middle, end }

  /// Of text.
  enum TextStyle: Hashable, Sendable {
    case heading, name, tick, small
    /// On a filled box.
    case label
    case legend(Ink)

    var size: Double {
      switch self {
      case .heading: 16
      case .name, .legend: 13
      case .tick, .label: 12
      case .small: 10
      }
    }

    var isBold: Bool { self == .heading }

    var ink: Ink {
      switch self {
      case .heading, .name, .label: .text
      case .tick, .small: .faint
      case .legend(let ink): ink
      }
    }
  }
}

// MARK: - Drawing

extension Drawing {
  mutating func line(_ points: [Point], _ ink: Ink, width: Double = 1) { shapes.append(.line(points, ink: ink, width: width)) }

  mutating func dot(_ center: Point, radius: Double, _ ink: Ink, note: String = "") {
    shapes.append(.dot(center, radius: radius, ink: ink, note: note))
  }

  mutating func box(_ rect: Rect, _ ink: Ink, opacity: Double = 1, radius: Double = 0, note: String = "") {
    shapes.append(.box(rect, ink: ink, opacity: opacity, radius: radius, note: note))
  }

  mutating func frame(_ rect: Rect, _ ink: Ink, radius: Double = 0) { shapes.append(.frame(rect, ink: ink, radius: radius)) }

  mutating func text(
    _ text: String, x: Double, y: Double, _ style: TextStyle, _ anchor: Anchor = .start, isUpright: Bool = false
  ) {
    shapes.append(.text(text, at: Point(x: x, y: y), style: style, anchor: anchor, isUpright: isUpright))
  }

  mutating func pixels(_ picture: Tensor, _ rect: Rect) { shapes.append(.pixels(picture, rect)) }

  mutating func heading(x: Double) { text(title, x: x, y: 34, .heading) }

  /// The ticks of two axes: for each a line across the other axis, and its number below or to the left.
  mutating func grid(_ x: Axis, _ y: Axis) {
    for tick in x.ticks {
      line([.init(x: x[tick], y: y.end), .init(x: x[tick], y: y.start)], .grid)
      text(x.label(tick), x: x[tick], y: y.start + 20, .tick, .middle)
    }
    for tick in y.ticks {
      line([.init(x: x.start, y: y[tick]), .init(x: x.end, y: y[tick])], .grid)
      text(y.label(tick), x: x.start - 8, y: y[tick] + 4, .tick, .end)
    }
  }
}

/// `text` cut to about `width` points, with an ellipsis where something was left out.
func shortened(_ text: String, size: Double, width: Double) -> String {
  let count = Int(width / (size * 0.56))
  return text.count <= count ? text : String(text.prefix(max(count - 1, 1))) + "…"
}
