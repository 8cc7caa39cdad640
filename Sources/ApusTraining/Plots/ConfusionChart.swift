extension ConfusionMatrix {
  /// The matrix as a picture: a row for each class that there is, a column for each that it was taken for; the darker, the larger the share
  /// of the row. Right answers are blue, wrong ones orange.
  ///
  /// - Parameters:
  ///   - title: the heading.
  ///   - classNames: the classes' names; their numbers where there are fewer.
  /// - Returns: a picture whose cells carry their numbers where there are at most 20 classes.
  public func drawing(title: String, classNames: [String] = []) -> Drawing {
    let names = (0..<classes).map { $0 < classNames.count ? classNames[$0] : "\($0)" }
    let cell = classes <= 20 ? max(36, 460 / Double(classes)) : max(4, 640 / Double(classes))
    let margin = min(names.map { Double($0.count) * 7 }.max() ?? 0, 110) + 44
    let side = cell * Double(classes)
    var drawing = Drawing(title: title, width: margin + side + 24, height: 56 + side + margin)
    drawing.heading(x: 24)
    addCells(names, cell, x: margin, y: 56, to: &drawing)
    drawing.frame(.init(x: margin, y: 56, width: side, height: side), .grid)
    for (i, name) in names.enumerated() where classes <= 20 {
      let (text, middle) = (shortened(name, size: 12, width: margin - 44), (Double(i) + 0.5) * cell + 4)
      drawing.text(text, x: margin - 8, y: 56 + middle, .tick, .end)
      drawing.text(text, x: margin + middle, y: 56 + side + 8, .tick, .end, isUpright: true)
    }
    drawing.text("taken for", x: margin + side / 2, y: drawing.height - 12, .name, .middle)
    drawing.text("class", x: 18, y: 56 + side / 2, .name, .middle, isUpright: true)
    return drawing
  }

  private func addCells(_ names: [String], _ cell: Double, x: Double, y: Double, to drawing: inout Drawing) {
    let gap = classes <= 20 ? 1.0 : 0
    for target in 0..<classes {
      let support = support(of: target)
      for predicted in 0..<classes {
        let count = self[target: target, predicted: predicted]
        if count == 0 { continue }
        let share = Double(count) / Double(support)
        let (left, top) = (x + Double(predicted) * cell, y + Double(target) * cell)
        // So light that the number is readable on it.
        drawing.box(
          .init(x: left, y: top, width: cell - gap, height: cell - gap), .series(target == predicted ? 0 : 1),
          opacity: 0.08 + 0.62 * share.squareRoot(),
          note: "\(names[target]) taken for \(names[predicted]): \(count), \(percent(share))")
        if classes <= 20 { drawing.text("\(count)", x: left + cell / 2, y: top + cell / 2 + 4, .label, .middle) }
      }
    }
  }
}
