import ApusNN

/// How the weights of a model are spread: a small histogram for each parameter.
public struct HistogramChart: Sendable {
  public let title: String
  /// With their names.
  public let histograms: [(name: String, histogram: Histogram)]

  public init(title: String, histograms: [(name: String, histogram: Histogram)]) {
    (self.title, self.histograms) = (title, histograms)
  }

  /// The parameters of `model`, at most `limit` of them: the largest, in their order.
  public init(title: String, of model: Module, limit: Int = 24) {
    let parameters = model.namedParameters().filter { $0.cell.tensor != nil }
    let smallest = parameters.map(\.cell.count).sorted(by: >).prefix(limit).last ?? 0
    let chosen = parameters.filter { $0.cell.count >= smallest }.prefix(limit)
    self.init(title: title, histograms: chosen.map { ($0.name, Histogram(of: $0.cell.value)) })
  }

  private static let (cellWidth, cellHeight, columns) = (224.0, 128.0, 3)

  public func drawing() -> Drawing {
    let columns = min(Self.columns, max(histograms.count, 1))
    let rows = (histograms.count + columns - 1) / columns
    var drawing = Drawing(
      title: title, width: 24 + Double(columns) * Self.cellWidth + 24, height: 56 + Double(max(rows, 1)) * Self.cellHeight + 8)
    drawing.heading(x: 24)
    for (i, item) in histograms.enumerated() {
      let (x, y) = (24 + Double(i % columns) * Self.cellWidth, 56 + Double(i / columns) * Self.cellHeight)
      add(item.name, item.histogram, x: x + 4, y: y, width: Self.cellWidth - 16, to: &drawing)
    }
    return drawing
  }

  private func add(_ name: String, _ histogram: Histogram, x: Double, y: Double, width: Double, to drawing: inout Drawing) {
    let (top, bottom) = (y + 22, y + 92)
    let largest = Double(max(histogram.counts.max() ?? 1, 1))
    let step = width / Double(histogram.counts.count)
    drawing.text(shortened(name, size: 12, width: width), x: x, y: y + 12, .label)
    for (i, count) in histogram.counts.enumerated() where count > 0 {
      let height = max((bottom - top) * Double(count) / largest, 1)
      drawing.box(
        .init(x: x + Double(i) * step, y: bottom - height, width: step - 0.5, height: height), .series(0),
        note: "\(short(histogram.edges[i])) to \(short(histogram.edges[i + 1])): \(grouped(count))")
    }
    drawing.line([.init(x: x, y: bottom), .init(x: x + width, y: bottom)], .grid)
    drawing.text(short(histogram.min), x: x, y: bottom + 13, .small)
    drawing.text(short(histogram.max), x: x + width, y: bottom + 13, .small, .end)
    let notFinite = histogram.notFinite > 0 ? ", \(grouped(histogram.notFinite)) not finite" : ""
    drawing.text(
      "mean \(short(histogram.mean)), deviation \(short(histogram.deviation))\(notFinite)", x: x + width / 2, y: bottom + 25,
      .small,
      .middle)
  }
}
