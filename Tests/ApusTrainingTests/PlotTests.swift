import ApusTraining
import Foundation
import Testing

#if canImport(FoundationXML)
  import FoundationXML
#endif

@Suite("Sparkline")
struct SparklineTests {
  @Test("from the smallest to the largest value")
  func levels() {
    #expect(sparkline([0, 1, 2, 3, 4, 5, 6, 7]) == "▁▂▃▄▅▆▇█")
    #expect(sparkline([7, 0]) == "█▁")
  }

  @Test("many values are averaged in groups")
  func groups() {
    let line = sparkline((0..<1000).map { 1000 - Double($0) }, width: 8)
    #expect(line == "█▇▆▅▄▃▂▁")
    #expect(sparkline([Double](repeating: 1, count: 999), width: 30).count == 30)
  }

  @Test("nothing, one value, equal values, values that aren't finite, extremes")
  func edges() {
    #expect(sparkline([]) == "")
    #expect(sparkline([3]) == "▁")
    #expect(sparkline([3, 3, 3]) == "▁▁▁")
    #expect(sparkline([.nan, 1, .infinity, 2]) == " ▁ █")
    #expect(sparkline([.nan]) == " ")
    #expect(sparkline([-.greatestFiniteMagnitude, .greatestFiniteMagnitude]) == "▁█")
    #expect(sparkline([1, 2], width: 0) == "")
  }
}

@Suite("Line chart")
struct LineChartTests {
  @Test("the SVG is well-formed and has every point of a short line at its place")
  func points() throws {
    let curve = LineChart(
      title: "digits",
      series: [
        .init(name: "train", x: [0.5, 1, 1.5, 2], y: [2, 1, 0.5, 0.25]),
        .init(name: "test", x: [1, 2], y: [1.1, 0.3]),
      ])
    let picture = try Picture(curve.svg(width: 720, height: 420))
    #expect(picture.lines.map(\.count) == [4, 2])
    #expect(picture.circles.count == 6)
    // Both axes start at 0: x 0...2 spans 64...696, y 0...2 spans 364...48.
    #expect(picture.lines[0].map(\.x) == [222, 380, 538, 696])
    #expect(picture.lines[0].map(\.y) == [48, 206, 285, 324.5])
    #expect(picture.lines[1] == picture.circles.suffix(2))
  }

  @Test("long lines are thinned, and keep their mean")
  func thinned() throws {
    let n = 10_000
    let curve = LineChart(
      title: "x",
      series: [.init(name: "train", x: (1...n).map { Double($0) / 1000 }, y: (1...n).map { 1 / Double($0) })])
    let picture = try Picture(curve.svg())
    #expect(picture.lines[0].count == 300)
    #expect(picture.circles.isEmpty)
  }

  @Test(
    "awkward data still give a sound picture",
    arguments: [
      [], [1], [0, 0, 0], [5, 5, 5], [-3, 2], [1e300, -1e300], [.leastNonzeroMagnitude, .leastNormalMagnitude],
      [.nan, 1, .infinity], [.nan],
      [.greatestFiniteMagnitude, -.greatestFiniteMagnitude], [1e15, 1e15 + 0.125], [1e9, 2e9],
    ] as [[Double]])
  func awkward(_ losses: [Double]) throws {
    let series = LineChart.Series(name: "a", x: losses.indices.map { Double($0 + 1) }, y: losses)
    let picture = try Picture(LineChart(title: "x", series: [series]).svg())
    #expect(picture.lines.joined().allSatisfy { $0.x >= 0 && $0.x <= 720 && $0.y >= 0 && $0.y <= 420 })
    #expect(picture.lines.joined().count == losses.filter(\.isFinite).count)
    #expect(!picture.text.contains("nan") && !picture.text.contains("inf"))
  }

  @Test("markup in a title is text, and control characters don't break the file")
  func escaping() throws {
    let curve = LineChart(title: "a <b> & \"c\"\u{1}", series: [.init(name: "<t>", x: [1], y: [1])])
    let picture = try Picture(curve.svg())
    #expect(picture.document.rootElement()?.elements(forName: "title").first?.stringValue == "a <b> & \"c\" ")
  }

  @Test("the axes carry round numbers")
  func ticks() throws {
    let curve = LineChart(title: "x", series: [.init(name: "a", x: [1, 2, 3, 4, 5], y: [2.31, 0.5, 0.2, 0.1, 0.08])])
    let labels = try Picture(curve.svg()).tickLabels
    #expect(labels == ["0", "1", "2", "3", "4", "5", "0", "0.5", "1.0", "1.5", "2.0", "2.5"])
  }
}

/// An SVG file, read back.
private struct Picture {
  struct Point: Equatable {
    let x: Double
    let y: Double
  }

  let text: String
  let document: XMLDocument
  let lines: [[Point]]
  let circles: [Point]
  let tickLabels: [String]

  init(_ text: String) throws {
    self.text = text
    document = try XMLDocument(xmlString: text)
    let root = try #require(document.rootElement())
    lines = root.elements(forName: "polyline").map { line in
      line.text(of: "points").split(separator: " ").map { pair in
        let numbers = pair.split(separator: ",").compactMap { Double($0) }
        return Point(x: numbers[0], y: numbers[1])
      }
    }
    circles = root.elements(forName: "circle").map { circle in
      func number(_ name: String) -> Double { Double(circle.text(of: name)) ?? .nan }
      return Point(x: number("cx"), y: number("cy"))
    }
    tickLabels = root.elements(forName: "text").filter { $0.text(of: "class") == "tick" }
      .compactMap(\.stringValue)
  }
}

extension XMLElement {
  /// The value of an attribute. (`attribute(forName:)` finds none in a file with a default namespace on Linux.)
  fileprivate func text(of name: String) -> String { attributes?.first { $0.name == name }?.stringValue ?? "" }
}
