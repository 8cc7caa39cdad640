/// Cuts a text into words, within which byte pairs are merged: GPT-2's rule, which is the regular expression
///
///     's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
///
/// Written as a scanner: Foundation's regular expressions are no part of every platform, and some twenty times slower.
struct WordSplitter {
  private enum Kind {
    case letter, number, space, other
  }

  private let scalars: [Unicode.Scalar]
  private let kinds: [Kind]

  init(_ text: String) {
    scalars = Array(text.unicodeScalars)
    kinds = scalars.map(Self.kind)
  }

  /// The words, as UTF-8. Together they are the text.
  var words: [[UInt8]] {
    var (result, start) = ([[UInt8]](), 0)
    while start < scalars.count {
      let end = end(of: start)
      var word: [UInt8] = []
      for scalar in scalars[start..<end] { word += UTF8.encode(scalar)! }
      result.append(word)
      start = end
    }
    return result
  }

  /// Where the word ends that begins at `start`.
  private func end(of start: Int) -> Int {
    if let length = contraction(at: start) { return start + length }
    // A space belongs to the word behind it.
    let first = scalars[start] == " " && start + 1 < scalars.count && kinds[start + 1] != .space ? start + 1 : start
    let kind = kinds[first]
    let end = kinds[first...].firstIndex { $0 != kind } ?? kinds.count
    // Of several spaces before a word the last one is left to it; if that is no plain space, it will stand alone.
    return kind == .space && end < kinds.count && end - start > 1 ? end - 1 : end
  }

  private func contraction(at start: Int) -> Int? {
    guard scalars[start] == "'", start + 1 < scalars.count else { return nil }
    switch scalars[start + 1] {
    case "s", "t", "m", "d": return 2
    case "r", "v": return start + 2 < scalars.count && scalars[start + 2] == "e" ? 3 : nil
    case "l": return start + 2 < scalars.count && scalars[start + 2] == "l" ? 3 : nil
    default: return nil
    }
  }

  private static func kind(_ scalar: Unicode.Scalar) -> Kind {
    if scalar.isASCII {
      switch scalar {
      case "a"..."z", "A"..."Z": return .letter
      case "0"..."9": return .number
      case " ", "\t"..."\r": return .space
      default: return .other
      }
    }
    switch scalar.properties.generalCategory {
    case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter: return .letter
    case .decimalNumber, .letterNumber, .otherNumber: return .number
    case .nonspacingMark, .spacingMark, .enclosingMark, .connectorPunctuation, .dashPunctuation, .openPunctuation,
      .closePunctuation, .initialPunctuation, .finalPunctuation, .otherPunctuation, .mathSymbol, .currencySymbol,
      .modifierSymbol, .otherSymbol, .spaceSeparator, .lineSeparator, .paragraphSeparator, .control, .format, .surrogate,
      .privateUse, .unassigned:
      return scalar.properties.isWhitespace ? .space : .other
    @unknown default: return .other
    }
  }
}
