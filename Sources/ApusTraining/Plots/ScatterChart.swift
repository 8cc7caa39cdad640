/// Points in the plane, in groups with colours of their own.
public struct ScatterChart: Sendable {
  /// Points that belong together.
  public struct Group: Sendable {
    public let name: String
    public let x: [Double]
    /// As many as `x`.
    public let y: [Double]

    public init(name: String, x: [Double], y: [Double]) {
      let count = min(x.count, y.count)
      (self.name, self.x, self.y) = (name, Array(x.prefix(count)), Array(y.prefix(count)))
    }
  }

  public let title: String
  public let groups: [Group]

  public init(title: String, groups: [Group]) { (self.title, self.groups) = (title, groups) }

  public func drawing(size: Double = 480) -> Drawing {
    var drawing = Drawing(title: title, width: size, height: size)
    let points = groups.flatMap { zip($0.x, $0.y).filter { $0.isFinite && $1.isFinite } }
    let x = Axis(points.map(\.0), from: 48, to: size - 24, includesZero: false)
    let y = Axis(points.map(\.1), from: size - 40, to: 56, includesZero: false)
    drawing.heading(x: 48)
    for tick in x.ticks {
      drawing.line([.init(x: x[tick], y: 56), .init(x: x[tick], y: size - 40)], .grid)
      drawing.text(x.label(tick), x: x[tick], y: size - 20, .tick, .middle)
    }
    for tick in y.ticks {
      drawing.line([.init(x: 48, y: y[tick]), .init(x: size - 24, y: y[tick])], .grid)
      drawing.text(y.label(tick), x: 40, y: y[tick] + 4, .tick, .end)
    }
    for (i, group) in groups.enumerated() {
      for (a, b) in zip(group.x, group.y) where a.isFinite && b.isFinite {
        drawing.dot(.init(x: x[a], y: y[b]), radius: 2.5, .series(i))
      }
      let place = size - 24 - 90 * Double(groups.count - 1 - i)
      drawing.text(group.name, x: place, y: 34, .legend(.series(i)), .end)
    }
    return drawing
  }
}
