/// How a loss went down: one or more lines over the epochs.
public struct LossCurve: Sendable {
  /// One line.
  public struct Series: Sendable {
    public let name: String
    /// Epochs completed; a fraction within an epoch.
    public let epochs: [Double]
    /// As many losses.
    public let losses: [Double]

    public init(name: String, epochs: [Double], losses: [Double]) {
      let count = min(epochs.count, losses.count)
      self.name = name
      self.epochs = Array(epochs.prefix(count))
      self.losses = Array(losses.prefix(count))
    }

    /// The same line with at most `count` points, each the mean of its neighbours.
    func thinned(to count: Int) -> Series {
      Series(name: name, epochs: groupMeans(epochs, count: count), losses: groupMeans(losses, count: count))
    }

    var points: [(x: Double, y: Double)] { zip(epochs, losses).filter { $0.isFinite && $1.isFinite }.map { (x: $0, y: $1) } }
  }

  public let title: String
  public let series: [Series]

  public init(title: String, series: [Series]) {
    self.title = title
    self.series = series
  }
}

// MARK: - SVG

extension LossCurve {
  /// The picture as a self-contained SVG file: axes with ticks, one line per series, readable on light and on dark pages.
  ///
  /// Lines of more than 300 points are thinned by averaging; short lines mark each point with a dot.
  public func svg(width: Double = 720, height: Double = 420) -> String {
    let lines = series.map { (name: $0.name, points: $0.thinned(to: 300).points) }
    let all = lines.flatMap(\.points)
    let x = Axis(all.map(\.x), from: 64, to: width - 24, includesZero: true)
    let y = Axis(all.map(\.y), from: height - 56, to: 48, includesZero: all.allSatisfy { $0.y >= 0 })
    var parts = [head(width, height)]
    parts += x.ticks.map { tick in
      """
      <line class="grid" x1="\(x[tick])" y1="48" x2="\(x[tick])" y2="\(fixed(height - 56, 0))"/>
      <text class="tick" x="\(x[tick])" y="\(fixed(height - 36, 0))" text-anchor="middle">\(x.label(tick))</text>
      """
    }
    parts += y.ticks.map { tick in
      """
      <line class="grid" x1="64" y1="\(y[tick])" x2="\(fixed(width - 24, 0))" y2="\(y[tick])"/>
      <text class="tick" x="56" y="\(y[tick])" dy="4" text-anchor="end">\(y.label(tick))</text>
      """
    }
    parts.append(
      """
      <text class="name" x="\(fixed((64 + width - 24) / 2, 1))" y="\(fixed(height - 12, 0))" text-anchor="middle">epoch</text>
      <text class="name" transform="translate(16 \(fixed((height - 8) / 2, 1))) rotate(-90)" text-anchor="middle">loss</text>
      """)
    for (i, line) in lines.enumerated() { parts += draw(line.name, line.points, number: i, x, y, width) }
    return parts.joined(separator: "\n") + "\n</svg>\n"
  }

  private func draw(
    _ name: String, _ points: [(x: Double, y: Double)], number: Int, _ x: Axis, _ y: Axis, _ width: Double
  ) -> [String] {
    let colour = "c\(number % 2)"
    var parts: [String] = []
    if !points.isEmpty {
      let path = points.map { "\(x[$0.x]),\(y[$0.y])" }.joined(separator: " ")
      parts.append("<polyline class=\"line \(colour)\" points=\"\(path)\"/>")
    }
    if points.count <= 60 {
      parts += points.map { point in
        let text = "\(escaped(name)): loss \(short(point.y)) at epoch \(short(point.x))"
        return "<circle class=\"dot \(colour)\" cx=\"\(x[point.x])\" cy=\"\(y[point.y])\" r=\"3\"><title>\(text)</title></circle>"
      }
    }
    let last = points.last.map { " " + short($0.y) } ?? ""
    let legend = fixed(width - 24 - 150 * Double(series.count - 1 - number), 0)
    parts.append("<text class=\"legend \(colour)\" x=\"\(legend)\" y=\"34\" text-anchor=\"end\">\(escaped(name))\(last)</text>")
    return parts
  }

  private func head(_ width: Double, _ height: Double) -> String {
    let size = "\(fixed(width, 0)) \(fixed(height, 0))"
    return """
      <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(size)" role="img" aria-labelledby="title">
      <title id="title">\(escaped(title))</title>
      <style>
        svg { font: 13px system-ui, -apple-system, "Segoe UI", sans-serif; font-variant-numeric: tabular-nums }
        .page { fill: #ffffff }
        text { fill: #333333 }
        .heading { font-size: 16px; font-weight: 600 }
        .tick { fill: #666666; font-size: 12px }
        .grid { stroke: #e3e3e3; stroke-width: 1 }
        .line { fill: none; stroke-width: 2; stroke-linejoin: round }
        .c0 { stroke: #1f6fd6 }
        .c1 { stroke: #d9480f }
        .dot.c0, .legend.c0 { fill: #1f6fd6; stroke: none }
        .dot.c1, .legend.c1 { fill: #d9480f; stroke: none }
        @media (prefers-color-scheme: dark) {
          .page { fill: #15181c }
          text { fill: #dddddd }
          .tick { fill: #a0a6ad }
          .grid { stroke: #2c3138 }
          .c0 { stroke: #74aaff }
          .c1 { stroke: #ff9d5c }
          .dot.c0, .legend.c0 { fill: #74aaff }
          .dot.c1, .legend.c1 { fill: #ff9d5c }
        }
      </style>
      <rect class="page" width="100%" height="100%"/>
      <text class="heading" x="64" y="34">\(escaped(title))</text>
      """
  }

  private func escaped(_ text: String) -> String {
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
}
