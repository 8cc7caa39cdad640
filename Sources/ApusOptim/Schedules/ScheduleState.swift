/// Everything about a saved state that does not fit a schedule.
public struct ScheduleStateError: Error, Sendable, CustomStringConvertible {
  public enum Problem: Hashable, Sendable {
    case missing(name: String)
    case unexpected(name: String)
    /// A number that makes no sense.
    case value(name: String, found: Double, rule: String)
  }

  /// The schedule's type.
  public let schedule: String
  public let problems: [Problem]

  public var description: String {
    (["the saved state does not fit \(schedule):"] + problems.map { "  " + Self.text($0) }).joined(separator: "\n")
  }

  private static func text(_ problem: Problem) -> String {
    switch problem {
    case .missing(let name): "missing: \(name)"
    case .unexpected(let name): "unexpected: \(name)"
    case .value(let name, let found, let rule): "value: \(name) = \(found) \(rule)"
    }
  }
}

/// Takes a saved state apart and remembers what was wrong with it and what was used.
struct ScheduleStateReader {
  private let state: [String: Double]
  private var used = Set<String>()
  private var problems: [ScheduleStateError.Problem] = []

  init(_ state: [String: Double]) { self.state = state }

  mutating func number(_ name: String) -> Double {
    used.insert(name)
    if let value = state[name] { return value }
    problems.append(.missing(name: name))
    return 0
  }

  /// An integer, 0 or more.
  mutating func count(_ name: String) -> Int {
    let value = number(name)
    if let count = Int(exactly: value), count >= 0 { return count }
    problems.append(.value(name: name, found: value, rule: "is not a number of steps"))
    return 0
  }

  func finish(_ schedule: String) throws(ScheduleStateError) {
    let rest = state.keys.filter { !used.contains($0) }.sorted().map { ScheduleStateError.Problem.unexpected(name: $0) }
    if !(problems + rest).isEmpty { throw ScheduleStateError(schedule: schedule, problems: problems + rest) }
  }
}
