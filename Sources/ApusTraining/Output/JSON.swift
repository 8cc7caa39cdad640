/// A JSON value whose objects keep the order of their keys: what a log or a configuration file is written from.
///
/// ```swift
/// let line: JSON = ["epoch": 1, "split": "train", "loss": 0.25]
/// line.description  // {"epoch": 1, "split": "train", "loss": 0.25}
/// ```
///
/// Foundation's encoder sorts keys or shuffles them; a log is read by people too.
public enum JSON: Sendable {
  case null
  case bool(Bool)
  case integer(Int)
  /// A number. JSON has no NaN and no infinities: they are written as `null`.
  case number(Double)
  case string(String)
  case array([JSON])
  case object([(key: String, value: JSON)])
}

extension JSON: ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral, ExpressibleByStringLiteral,
  ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
  public init(booleanLiteral value: Bool) { self = .bool(value) }
  public init(integerLiteral value: Int) { self = .integer(value) }
  public init(floatLiteral value: Double) { self = .number(value) }
  public init(stringLiteral value: String) { self = .string(value) }
  public init(arrayLiteral elements: JSON...) { self = .array(elements) }
  public init(dictionaryLiteral elements: (String, JSON)...) { self = .object(elements.map { (key: $0, value: $1) }) }
}

extension JSON: CustomStringConvertible {
  /// The value in one line.
  public var description: String { text(indent: nil, level: 0) }

  /// The value over several lines, two spaces to a level.
  public var indented: String { text(indent: 2, level: 0) }

  private func text(indent: Int?, level: Int) -> String {
    switch self {
    case .null: "null"
    case .bool(let value): value ? "true" : "false"
    case .integer(let value): "\(value)"
    case .number(let value): value.isFinite ? "\(value)" : "null"
    case .string(let value): Self.quoted(value)
    case .array(let values):
      Self.enclosed("[", values.map { $0.text(indent: indent, level: level + 1) }, "]", indent, level)
    case .object(let pairs):
      Self.enclosed(
        "{", pairs.map { "\(Self.quoted($0.key)): \($0.value.text(indent: indent, level: level + 1))" }, "}", indent, level)
    }
  }

  private static func enclosed(_ open: String, _ items: [String], _ close: String, _ indent: Int?, _ level: Int) -> String {
    guard let indent, !items.isEmpty else { return open + items.joined(separator: ", ") + close }
    let margin = String(repeating: " ", count: indent * level)
    let inner = margin + String(repeating: " ", count: indent)
    return "\(open)\n" + items.map { inner + $0 }.joined(separator: ",\n") + "\n\(margin)\(close)"
  }

  private static func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      case "\t": result += "\\t"
      case "\r": result += "\\r"
      case "\0"..<" ", "\u{7F}":
        let digits = String(scalar.value, radix: 16)
        result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }
}
