/// Letters as strokes of a pen, for pictures of pixels: the printable characters of ASCII and a few signs.
///
/// A glyph lies on a grid: x from 0 to the right, y from 0 (top of capitals) by 2 (top of small letters) to 6 (the baseline) and 8 (the end of
/// what hangs below). `"06 20 46|14 34"`: two strokes, each from point to point; a stroke of one point is a dot.
enum StrokeFont {
  struct Glyph: Sendable {
    let strokes: [[Drawing.Point]]
    /// To where the next one begins.
    let advance: Double

    fileprivate init(_ text: String) {
      strokes = text.split(separator: "|").map { stroke in
        stroke.split(separator: " ").map { pair in
          let digits = pair.unicodeScalars.map { Double($0.value) - 48 }
          return Drawing.Point(x: digits[0], y: digits[1])
        }
      }
      advance = (strokes.joined().map(\.x).max() ?? 1) + 2
    }
  }

  /// Units of the grid in the height of a capital.
  static let capHeight = 6.0
  /// A unit of the grid where the size is 1.
  static let unit = 0.118
  /// The pen's width, in units.
  static let penWidth = 0.85

  /// A frame for what the font doesn't have.
  static subscript(character: Character) -> Glyph { glyphs[character] ?? unknown }

  /// How long `text` becomes.
  static func width(of text: String, size: Double) -> Double {
    max(text.reduce(0) { $0 + self[$1].advance } - 2, 0) * unit * size
  }

  private static let unknown = Glyph("00 40 46 06 00")

  private static let glyphs: [Character: Glyph] = shapes.mapValues { Glyph($0) }

  private static let shapes: [Character: String] = [
    " ": "", "!": "00 04|06", "\"": "00 02|20 22", "#": "10 06|40 36|02 52|04 44",
    "$": "41 30 10 01 02 13 33 44 45 36 16 05|20 26",
    "%": "06 40|00 10 11 01 00|35 45 46 36 35", "&": "46 12 11 20 31 32 04 05 16 26 44", "'": "00 02", "(": "10 01 05 16",
    ")": "00 11 15 06", "*": "21 25|02 44|42 04", "+": "22 26|04 44", ",": "16 07", "-": "04 34", ".": "06", "/": "06 40",
    "0": "10 30 41 45 36 16 05 01 10", "1": "01 20 26|06 46", "2": "01 10 30 41 42 06 46",
    "3": "01 10 30 41 42 33 13|33 44 45 36 16 05",
    "4": "36 30 04 44", "5": "40 00 02 32 43 45 36 16 05", "6": "41 30 10 01 05 16 36 45 44 33 13 04", "7": "00 40 16",
    "8": "13 02 01 10 30 41 42 33 13 04 05 16 36 45 44 33", "9": "05 16 36 45 41 30 10 01 02 13 33 42", ":": "03|06",
    ";": "13|16 07",
    "<": "32 04 36", "=": "03 43|05 45", ">": "02 34 06", "?": "01 10 30 41 42 24|26",
    "@": "34 14 12 32 34 44 41 30 10 01 05 16 36",
    "A": "06 20 46|14 34", "B": "03 33 42 41 30 00 06 36 45 44 33", "C": "41 30 10 01 05 16 36 45", "D": "00 30 41 45 36 06 00",
    "E": "40 00 06 46|03 33", "F": "40 00 06|03 33", "G": "41 30 10 01 05 16 36 45 43 23", "H": "00 06|40 46|03 43", "I": "00 06",
    "J": "30 35 26 16 05", "K": "00 06|40 03 46", "L": "00 06 36", "M": "06 00 34 60 66", "N": "06 00 46 40",
    "O": "10 30 41 45 36 16 05 01 10", "P": "06 00 30 41 42 33 03", "Q": "10 30 41 45 36 16 05 01 10|34 46",
    "R": "06 00 30 41 42 33 03|23 46", "S": "41 30 10 01 02 13 33 44 45 36 16 05", "T": "00 40|20 26", "U": "00 05 16 36 45 40",
    "V": "00 26 40", "W": "00 16 32 56 60", "X": "00 46|40 06", "Y": "00 23 40|23 26", "Z": "00 40 06 46", "[": "10 00 07 17",
    "\\": "00 46", "]": "00 10 17 07", "^": "02 20 42", "_": "07 47", "`": "00 11", "a": "12 22 33 36|34 14 05 16 26 35",
    "b": "00 06|03 12 22 33 35 26 16 05", "c": "33 22 12 03 05 16 26 35", "d": "30 36|33 22 12 03 05 16 26 35",
    "e": "04 34 33 22 12 03 05 16 26 35", "f": "30 20 11 16|02 32", "g": "32 37 28 18 07|33 22 12 03 05 16 26 35",
    "h": "00 06|03 12 22 33 36", "i": "02 06|00", "j": "12 17 08|10", "k": "00 06|32 04 36", "l": "00 06",
    "m": "02 06|03 12 23 26|23 32 43 46", "n": "02 06|03 12 22 33 36", "o": "12 22 33 35 26 16 05 03 12",
    "p": "02 08|03 12 22 33 35 26 16 05", "q": "32 38|33 22 12 03 05 16 26 35", "r": "02 06|03 12 22",
    "s": "33 22 12 03 14 24 35 26 16 05", "t": "10 15 26|02 22", "u": "02 05 16 26 35|32 36", "v": "02 26 42",
    "w": "02 16 33 56 62",
    "x": "02 36|32 06", "y": "02 26|42 26 18", "z": "02 32 06 36", "{": "20 11 12 03 14 16 27", "|": "00 07",
    "}": "00 11 12 23 14 16 07",
    "~": "04 13 34 43", "×": "03 36|33 06", "…": "06|26|46", "→": "04 54|32 54 36", "−": "04 44", "·": "04", "✓": "04 16 41",
    "✗": "02 46|42 06",
  ]
}
