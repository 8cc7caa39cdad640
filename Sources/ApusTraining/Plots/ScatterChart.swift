/// Points in the plane, in groups with colours of their own.
public struct ScatterChart: Sendable {
  /// Points that belong together.
  public typealias Group = LineChart.Series

  public let title: String
  public let groups: [Group]

  public init(title: String, groups: [Group]) { (self.title, self.groups) = (title, groups) }

  public func drawing(size: Double = 480) -> Drawing {
    var drawing = Drawing(title: title, width: size, height: size)
    let points = groups.flatMap(\.points)
    let x = Axis(points.map(\.x), from: 48, to: size - 24, includesZero: false)
    let y = Axis(points.map(\.y), from: size - 40, to: 56, includesZero: false)
    drawing.heading(x: 48)
    drawing.grid(x, y)
    for (i, group) in groups.enumerated() {
      for point in group.points { drawing.dot(.init(x: x[point.x], y: y[point.y]), radius: 2.5, .series(i)) }
      let place = size - 24 - 90 * Double(groups.count - 1 - i)
      drawing.text(group.name, x: place, y: 34, .legend(.series(i)), .end)
    }
    return drawing
  }
}
