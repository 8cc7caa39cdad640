/// An option of a command: its name, what values it takes, and its help. The table of a command's options is all there is to know
/// about them: the parser, the messages and the help are made from it.
struct Option<Value: Sendable>: Sendable {
  /// Without the dashes.
  let name: String
  var letter: Character?
  /// What stands for the value in the help; nil for a flag, which takes none.
  let placeholder: String?
  let help: String
  /// What values are accepted, in words: `a whole number, 1 or more`.
  let accepts: String
  /// The value that a text stands for, or nil.
  let read: @Sendable (String) -> Value?
}

/// An option whatever the type of its values.
protocol AnyOption: Sendable {
  var name: String { get }
  var letter: Character? { get }
  var placeholder: String? { get }
  var help: String { get }
  var accepts: String { get }
  func value(of text: String) -> (any Sendable)?
  /// What an option that was given again comes to.
  func merged(_ earlier: (any Sendable)?, _ value: any Sendable) -> any Sendable
}

extension Option: AnyOption {
  func value(of text: String) -> (any Sendable)? { read(text) }

  /// The later value; of lists all of them.
  func merged(_ earlier: (any Sendable)?, _ value: any Sendable) -> any Sendable {
    if let earlier = earlier as? [String], let value = value as? [String] { return earlier + value }
    return value
  }
}

// MARK: - Kinds of values

extension Option where Value == Bool {
  static func flag(_ name: String, letter: Character? = nil, _ help: String) -> Option {
    Option(name: name, letter: letter, placeholder: nil, help: help, accepts: "no value") { _ in true }
  }
}

extension Option where Value == Int {
  static func integer(_ name: String, in range: ClosedRange<Int>, _ help: String) -> Option {
    let accepts = "a whole number from \(range.lowerBound) to \(range.upperBound)"
    return Option(name: name, placeholder: "N", help: help, accepts: accepts) { text in
      Int(text).flatMap { range.contains($0) ? $0 : nil }
    }
  }
}

extension Option where Value == UInt64 {
  static func seed(_ name: String, _ help: String) -> Option {
    let accepts = "a whole number from 0 to \(UInt64.max)"
    return Option(name: name, placeholder: "N", help: help, accepts: accepts) { UInt64($0) }
  }
}

extension Option where Value == Double {
  static func positiveNumber(_ name: String, _ help: String) -> Option {
    Option(name: name, placeholder: "X", help: help, accepts: "a number above 0, as in 0.001 or 1e-3") { text in
      // Swift reads hexadecimal and "inf" too.
      Double(text).flatMap { $0.isFinite && $0 > 0 ? $0 : nil }
    }
  }
}

extension Option where Value == Double {
  static func numberOrZero(_ name: String, _ help: String) -> Option {
    Option(name: name, placeholder: "X", help: help, accepts: "0 or a number above it, as in 0.8") { text in
      Double(text).flatMap { $0.isFinite && $0 >= 0 ? $0 : nil }
    }
  }

  static func fraction(_ name: String, _ help: String) -> Option {
    Option(name: name, placeholder: "X", help: help, accepts: "a number above 0 and at most 1, as in 0.9") { text in
      Double(text).flatMap { $0 > 0 && $0 <= 1 ? $0 : nil }
    }
  }
}

extension Option where Value == [String] {
  /// Texts that are collected where the option is given more than once.
  static func texts(_ name: String, _ placeholder: String, accepts: String, _ help: String) -> Option {
    Option(name: name, placeholder: placeholder, help: help, accepts: accepts) { $0.isEmpty ? nil : [$0] }
  }
}

extension Option where Value == String {
  /// Any text but the empty one.
  static func text(
    _ name: String, letter: Character? = nil, _ placeholder: String, accepts: String, _ help: String
  ) -> Option {
    Option(name: name, letter: letter, placeholder: placeholder, help: help, accepts: accepts) { $0.isEmpty ? nil : $0 }
  }

  static func choice(_ name: String, _ placeholder: String, of choices: [String], _ help: String) -> Option {
    Option(name: name, placeholder: placeholder, help: help, accepts: choices.joined(separator: ", ")) { text in
      choices.contains(text) ? text : nil
    }
  }
}
