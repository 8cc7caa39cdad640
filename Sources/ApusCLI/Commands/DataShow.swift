import Apus
import Foundation

/// What `apus data show` says of a data set.
enum DataShow {
  static let output = Option.text(
    "output", letter: "o", "FILE.png", accepts: "a .png file", "With show: write the first samples as a picture")
  static let count = Option.integer(
    "count", in: 1...10_000, "With show: samples in the picture, or lines of the text [default: 64 and 12]")

  /// The sets that need no files.
  static let builtIn: [(name: String, help: String)] = [
    ("digits", "Digits drawn by a program, as many as are asked for"),
    ("pictures", "Coloured pictures drawn by a program, in CIFAR-10's shape"), ("spiral", "Points on three spirals"),
    ("moons", "Points on two half circles"),
  ]

  static func show(_ name: String, _ locator: DataLocator, _ arguments: Arguments) throws {
    let count = arguments[Self.count]
    if let path = arguments[output], !path.lowercased().hasSuffix(".png") {
      throw UsageError("data: --output takes a .png file, not '\(printable(path, limit: 80))'")
    }
    let report = DownloadReport(on: .standardError)
    defer { report.clear() }
    switch try content(name, locator, { report.show($0) }) {
    case .pictures(let train, let test): try show(name, train, test, count: count ?? 64, to: arguments[output])
    case .points(let points): try show(name, points, to: arguments[output])
    case .text(let text): try show(name, text, lines: count ?? 12, to: arguments[output])
    }
  }

  private enum Content {
    case pictures(train: ImageDataset, test: ImageDataset)
    case points(TensorDataset)
    case text(String)
  }

  private static func content(
    _ name: String, _ locator: DataLocator, _ progress: @escaping DownloadProgress.Handler
  ) throws -> Content {
    func splits(_ load: (Split) throws -> ImageDataset) rethrows -> Content {
      .pictures(train: try load(.train), test: try load(.test))
    }
    if let variant = MNIST.Variant.allCases.first(where: { $0.title.lowercased() == name }) {
      return try splits { try MNIST.load($0, variant: variant, from: locator, progress: progress) }
    }
    if let variant = CIFAR.Variant.allCases.first(where: { $0.title.lowercased() == name }) {
      return try splits { try CIFAR.load($0, variant: variant, from: locator, progress: progress) }
    }
    switch name {
    case "digits": return splits { SyntheticDigits.load($0, count: 1000) }
    case "pictures": return splits { SyntheticCIFAR.load($0, count: 1000) }
    case "spiral": return .points(ToySets.spiral(900, seed: 1))
    case "moons": return .points(ToySets.moons(600, seed: 1))
    default: return .text(try TinyShakespeare.load(from: locator, progress: progress))
    }
  }

  // MARK: Kinds

  private static func show(_ name: String, _ train: ImageDataset, _ test: ImageDataset, count: Int, to path: String?) throws {
    let output = Terminal.standardOutput
    output.line("\(name): \(grouped(train.count)) pictures to train on, \(grouped(test.count)) to test, \(train.shape) each\n")
    let counts = [train, test].map { set in set.labels.reduce(into: [Int: Int]()) { $0[$1, default: 0] += 1 } }
    let rows = train.classNames.enumerated().map { i, name in
      ["\(i)", printable(name), grouped(counts[0][i] ?? 0), grouped(counts[1][i] ?? 0)]
    }
    output.write(table([["class", "name", "train", "test"]] + rows))
    output.line()
    let first = try catching { train.batch(at: Array(0..<min(count, train.count))) }
    guard let path else {
      output.write(asText(first.input[0]))
      output.line(
        "the first picture: \(printable(train.classNames[first.target[0].item(as: Int.self)])); --output FILE.png shows more")
      return
    }
    try PNG.write(try catching { pictureGrid(first.input, columns: 8, fill: 1) }, to: path)
    output.line("\(printable(path)): the first \(counted(first.count, "picture", "pictures"))")
  }

  private static func show(_ name: String, _ points: TensorDataset, to path: String?) throws {
    let (x, classes) = (points.input.scalars(as: Double.self), points.target.scalars(as: Int.self))
    let names = Set(classes).sorted().map { "class \($0)" }
    Terminal.standardOutput.line("\(name): \(grouped(points.count)) points in the plane, \(names.count) classes")
    for i in 0..<min(points.count, 5) {
      Terminal.standardOutput.line("  \(short(x[2 * i]))  \(short(x[2 * i + 1]))  class \(classes[i])")
    }
    guard let path else { return }
    let groups = names.indices.map { label in
      let own = classes.indices.filter { classes[$0] == label }
      return ScatterChart.Group(name: names[label], x: own.map { x[2 * $0] }, y: own.map { x[2 * $0 + 1] })
    }
    try ScatterChart(title: name, groups: groups).drawing().writePNG(to: path)
    Terminal.standardOutput.line("\(printable(path)): all points")
  }

  private static func show(_ name: String, _ text: String, lines: Int, to path: String?) throws {
    if path != nil { throw UsageError("data: \(name) is a text: there is no picture of it") }
    let characters = Set(text.unicodeScalars)
    Terminal.standardOutput.line("\(name): \(grouped(text.count)) characters, \(characters.count) different\n")
    for line in text.split(separator: "\n", maxSplits: lines, omittingEmptySubsequences: false).prefix(lines) {
      Terminal.standardOutput.line(printable(String(line)))
    }
  }

  /// A picture as characters, two of its rows to a line; the darker the character's ink, the brighter the pixel.
  private static func asText(_ picture: Tensor) -> String {
    let shades = Array(" .:-=+*#%@")
    let grey = picture.mean(dim: 0)
    let (height, width) = (grey.shape[0], grey.shape[1])
    let values = grey.scalars(as: Double.self)
    return stride(from: 0, to: height - 1, by: 2).map { row in
      let line = (0..<width).map { column in
        let level = (values[row * width + column] + values[(row + 1) * width + column]) / 2
        return shades[min(max(Int(level * Double(shades.count)), 0), shades.count - 1)]
      }
      return String(line) + "\n"
    }.joined()
  }
}
