import Apus
import ApusTraining
import Foundation
import TestSupport
import Testing

#if canImport(FoundationXML)
  import FoundationXML
#endif

@Suite("Pictures")
struct DrawingTests {
  private static var all: [Drawing] {
    get throws {
      var matrix = ConfusionMatrix(classes: 3)
      matrix.add(predicted: [0, 1, 1, 2, 0], target: [0, 1, 2, 2, 2])
      let pictures = Tensor.rand([5, 3, 8, 8], generator: Generator(seed: 1))
      let samples = (0..<5).map { SampleSheet.Sample(pictures[$0], caption: "cat, not dog", isRight: $0 > 1) }
      let model = Sequential([Linear(4, 8), ReLU(), Linear(8, 2)])
      return [
        LineChart(title: "loss", series: [.init(name: "train", x: [1, 2, 3], y: [3, 2, 1])]).drawing(),
        matrix.drawing(title: "confusion", classNames: ["cat", "dog", "a very long name of a class"]),
        HistogramChart(title: "weights", of: model).drawing(),
        SampleSheet(title: "samples", samples: samples).drawing(columns: 3),
        PictureChart(title: "picture", picture: pictures[0]).drawing(),
        ModelGraph(of: model, input: Tensor.zeros([2, 4])).drawing(title: "graph"),
      ]
    }
  }

  @Test("each is a well-formed SVG file with its title, and as PNG comes back with its size")
  func everyKind() throws {
    let folder = try TemporaryFolder()
    for drawing in try Self.all {
      let document = try XMLDocument(xmlString: drawing.svg())
      #expect(document.rootElement()?.elements(forName: "title").first?.stringValue == drawing.title)
      try drawing.writePNG(to: folder.file("a.png"), scale: 1)
      let picture = try PNG.read(folder.file("a.png"))
      #expect(picture.shape == [3, Int(drawing.height.rounded(.up)), Int(drawing.width.rounded(.up))])
      // Something was drawn: more than the page.
      #expect(Set(picture[0].flatten().scalars(as: UInt8.self)).count > 8, "\(drawing.title)")
    }
  }

  @Test("pixels lie where the SVG has its shapes, in the colours of the theme")
  func pixels() throws {
    // A level line at half the height: 1 lies in the middle of 0...2.
    let chart = LineChart(title: "", series: [.init(name: "", x: [0, 1, 2], y: [1, 1, 2])])
    for (theme, page, line) in [
      (Drawing.Theme.light, [255, 255, 255], [31, 111, 214]), (.dark, [21, 24, 28], [116, 170, 255]),
    ] {
      let picture = chart.drawing(width: 720, height: 420).pixels(scale: 1, theme: theme)
      #expect(picture.dtype == .uint8 && picture.shape == [3, 420, 720])
      func color(_ x: Int, _ y: Int) -> [Int] { (0..<3).map { picture[$0, y, x].item(as: Int.self) } }
      #expect(color(2, 2) == page)
      // y = 1 lies at 206, a line of two points' width covers the pixels on both sides.
      #expect(color(150, 205) == line && color(150, 206) == line)
      #expect(color(150, 202) == page && color(150, 209) == page)
    }
  }

  @Test("letters leave ink, more of it with more of them, and at any scale")
  func letters() {
    func ink(_ title: String, _ scale: Double) -> Int {
      let picture = LineChart(title: title, series: []).drawing().pixels(scale: scale)
      let head = picture[0][0..<Int(40 * scale)]
      return (head.to(.int64) .< 200).to(.int64).sum().item(as: Int.self)
    }
    #expect(ink("", 1) == 0)
    #expect(ink("l", 2) > 10 && ink("ll", 2) > ink("l", 2) && ink("The quick brown fox, 0123456789", 1) > 200)
    // Signs that the font lacks have a frame.
    #expect(ink("数", 2) == ink("字", 2) && ink("数", 2) > 0)
  }

  @Test("a drawing that would be too large is a mistake")
  func limits() {
    #expect(throws: TensorError.self) { try catching { LineChart(title: "x", series: []).drawing().pixels(scale: 1000) } }
  }

  @Test("a matrix of a hundred classes and a model without layers are pictures too")
  func extremes() throws {
    let large = ConfusionMatrix(classes: 100).drawing(title: "x")
    #expect(large.width < 800 && large.height < 800)
    let model = Identity()
    #expect(try XMLDocument(xmlString: ModelGraph(of: model, input: Tensor.zeros([1])).drawing(title: "x").svg()).childCount > 0)
  }
}

@Suite("Layout of graphs")
struct GraphLayoutTests {
  /// The boxes of a picture, as the SVG has them.
  private func boxes(_ svg: String) throws -> [CGRect] {
    let root = try #require(try XMLDocument(xmlString: svg).rootElement())
    return root.elements(forName: "rect").compactMap { box in
      func text(_ name: String) -> String { box.attributes?.first { $0.name == name }?.stringValue ?? "" }
      guard text("class").hasPrefix("line"), let x = Double(text("x")), let y = Double(text("y")),
        let width = Double(text("width")), let height = Double(text("height"))
      else { return nil }
      return CGRect(x: x, y: y, width: width, height: height)
    }
  }

  @Test("no two boxes overlap, everything is on the page, and each edge points down")
  func resnet() throws {
    let graph = ModelGraph(of: ResNet.resnet18(classes: 10), input: Tensor.zeros([2, 3, 32, 32]))
    let drawing = graph.drawing(title: "ResNet-18")
    let boxes = try boxes(drawing.svg())
    #expect(boxes.count == graph.nodes.count)
    for (i, a) in boxes.enumerated() {
      #expect(a.minX >= 0 && a.minY >= 40 && a.maxX <= drawing.width && a.maxY <= drawing.height)
      for b in boxes[..<i] { #expect(!a.intersects(b)) }
    }
    for edge in graph.edges { #expect(boxes[edge.from].maxY < boxes[edge.to].minY) }
  }
}
