/// One or more lines over an axis: how a loss went down, an accuracy went up, a learning rate changed.
public struct LineChart: Sendable {
  /// One line: a name and its points.
  public struct Series: Sendable {
    public let name: String
    public let x: [Double]
    /// As many as `x`.
    public let y: [Double]

    public init(name: String, x: [Double], y: [Double]) {
      let count = min(x.count, y.count)
      self.name = name
      self.x = Array(x.prefix(count))
      self.y = Array(y.prefix(count))
    }

    /// The same line with at most `count` points, each the mean of its neighbours.
    func thinned(to count: Int) -> Series { Series(name: name, x: groupMeans(x, count: count), y: groupMeans(y, count: count)) }

    var points: [Drawing.Point] { zip(x, y).filter { $0.isFinite && $1.isFinite }.map { .init(x: $0, y: $1) } }
  }

  public let title: String
  public let series: [Series]
  /// What the axes show.
  public let xName: String
  public let yName: String

  /// - Parameters:
  ///   - title: the heading.
  ///   - series: the lines, each in a colour of its own.
  ///   - xName: what lies along the horizontal axis.
  ///   - yName: what lies along the vertical axis.
  public init(title: String, series: [Series], xName: String = "epoch", yName: String = "loss") {
    (self.title, self.series, self.xName, self.yName) = (title, series, xName, yName)
  }

  /// The picture as a self-contained SVG file.
  public func svg(width: Double = 720, height: Double = 420) -> String { drawing(width: width, height: height).svg() }

  /// Axes with ticks, one line per series.
  ///
  /// Lines of more than 300 points are thinned by averaging; short lines mark each point with a dot.
  public func drawing(width: Double = 720, height: Double = 420) -> Drawing {
    let lines = series.map { (name: $0.name, points: $0.thinned(to: 300).points) }
    let all = lines.flatMap(\.points)
    let x = Axis(all.map(\.x), from: 64, to: width - 24, includesZero: true)
    let y = Axis(all.map(\.y), from: height - 56, to: 48, includesZero: all.allSatisfy { $0.y >= 0 })
    var drawing = Drawing(title: title, width: width, height: height)
    drawing.heading(x: 64)
    drawing.grid(x, y)
    drawing.text(xName, x: (64 + width - 24) / 2, y: height - 12, .name, .middle)
    drawing.text(yName, x: 16, y: (height - 8) / 2, .name, .middle, isUpright: true)
    for (i, line) in lines.enumerated() { add(line.name, line.points, number: i, x, y, to: &drawing) }
    return drawing
  }

  private func add(_ name: String, _ points: [Drawing.Point], number: Int, _ x: Axis, _ y: Axis, to drawing: inout Drawing) {
    let ink = Drawing.Ink.series(number)
    let places = points.map { Drawing.Point(x: x[$0.x], y: y[$0.y]) }
    if !points.isEmpty { drawing.line(places, ink, width: 2) }
    if points.count <= 60 {
      for (point, place) in zip(points, places) {
        drawing.dot(place, radius: 3, ink, note: "\(name): \(yName) \(short(point.y)) at \(xName) \(short(point.x))")
      }
    }
    let last = points.last.map { " " + short($0.y) } ?? ""
    drawing.text(
      name + last, x: drawing.width - 24 - 150 * Double(series.count - 1 - number), y: 34, .legend(ink), .end)
  }
}
