/// The colours of a page.
struct Palette: Sendable {
  /// Red, green, blue, each of 0...255.
  struct Color: Hashable, Sendable {
    let rgb: UInt32

    init(_ rgb: UInt32) { self.rgb = rgb }

    var channels: (Double, Double, Double) { (Double(rgb >> 16 & 255), Double(rgb >> 8 & 255), Double(rgb & 255)) }

    /// As CSS has it: `#1f6fd6`.
    var hex: String {
      let digits = String(rgb, radix: 16)
      return "#" + String(repeating: "0", count: 6 - digits.count) + digits
    }
  }

  private let page: Color
  private let text: Color
  private let faint: Color
  private let grid: Color
  private let right: Color
  private let wrong: Color
  private let series: [Color]

  /// As many as there are series with colours of their own.
  static let seriesCount = 6

  static let light = Palette(
    page: Color(0xFFFFFF), text: Color(0x333333), faint: Color(0x666666), grid: Color(0xE3E3E3), right: Color(0x2B8A3E),
    wrong: Color(0xC92A2A),
    series: [0x1F6FD6, 0xD9480F, 0x2B8A3E, 0x9C36B5, 0x0B7285, 0x846300].map { Color($0) })

  static let dark = Palette(
    page: Color(0x15181C), text: Color(0xDDDDDD), faint: Color(0xA0A6AD), grid: Color(0x2C3138), right: Color(0x69DB7C),
    wrong: Color(0xFF8787),
    series: [0x74AAFF, 0xFF9D5C, 0x69DB7C, 0xDA77F2, 0x3BC9DB, 0xF2C94C].map { Color($0) })

  subscript(ink: Drawing.Ink) -> Color {
    switch ink {
    case .page: page
    case .text: text
    case .faint: faint
    case .grid: grid
    case .right: right
    case .wrong: wrong
    case .series(let i): series[i % series.count]
    }
  }
}
