/// A line that shows how far a task has come, its rate, and the time left:
///
/// ```
/// epoch 1/5:  42%|███████▏         | 197/469 [00:03<00:04, 58.2it/s, loss=0.1234]
/// ```
///
/// On a terminal the line is rewritten, at most ten times a second, and makes room for one plain line at the end. Elsewhere only that
/// plain line is written, so a file or a pipe never sees a carriage return.
public final class ProgressBar {
  /// What is counted.
  public enum Unit: Sendable {
    /// Things, with the letters that follow their number in a rate.
    case items(String)
    case bytes
  }

  private let label: String
  private let total: Int?
  private let unit: Unit
  private let terminal: Terminal
  private let clock: () -> Double
  private let start: Double
  private var lastDrawn = -Double.infinity
  private var isShown = false
  private var done = 0
  private var note = ""

  private static let redrawInterval = 0.1

  /// - Parameter total: nil where it isn't known: then there is no bar and no time left.
  /// - Parameter clock: seconds from any moment on.
  public init(
    _ label: String, total: Int?, unit: Unit = .items("it"), on terminal: Terminal = .standardError,
    clock: (() -> Double)? = nil
  ) {
    self.label = label
    self.total = total
    self.unit = unit
    self.terminal = terminal
    self.clock = clock ?? monotonicSeconds
    start = self.clock()
  }

  /// Says that `done` of `total` is done.
  ///
  /// - Parameter note: shown behind the rate; evaluated only where something is drawn.
  public func update(_ done: Int, note: @autoclosure () -> String = "") {
    self.done = done
    guard terminal.isInteractive else { return }
    let now = clock()
    guard now - lastDrawn >= Self.redrawInterval || done == total else { return }
    lastDrawn = now
    self.note = note()
    // `ESC [ K` clears what a longer line has left behind.
    terminal.write("\r" + rendered(width: terminal.width - 1, elapsed: now - start) + "\u{1B}[K")
    isShown = true
  }

  /// Takes the bar away and leaves one plain line: `line`, or how much was done in what time.
  public func finish(_ line: String? = nil) {
    clear()
    terminal.line(line ?? summary)
  }

  /// Takes the bar away. Call it before something else is printed on the same terminal.
  public func clear() {
    if isShown { terminal.write("\r\u{1B}[K") }
    isShown = false
    lastDrawn = -.infinity
  }
}

// MARK: - Text

extension ProgressBar {
  private var summary: String {
    let elapsed = clock() - start
    return "\(label): \(amount.drop { $0 == " " }) [\(clockTime(elapsed)), \(rate(elapsed))]"
  }

  /// The line, at most `width` columns long: what doesn't fit is left out, the bar first.
  private func rendered(width: Int, elapsed: Double) -> String {
    var facts = "\(amount) [\(clockTime(elapsed))"
    if let left = timeLeft(elapsed) { facts += "<\(clockTime(left))" }
    facts += ", \(rate(elapsed))" + (note.isEmpty ? "" : ", \(note)") + "]"
    guard let total else { return String("\(label): \(facts)".prefix(max(width, 0))) }
    let share = total > 0 ? min(max(Double(done) / Double(total), 0), 1) : 1
    let percent = "\(Int(share * 100))%"
    let head = "\(label): \(String(repeating: " ", count: 4 - percent.count))\(percent)"
    let room = min(width - head.count - facts.count - 3, Self.widestBar)
    guard room >= Self.narrowestBar else { return String("\(head) \(facts)".prefix(max(width, 0))) }
    let bar = Self.bar(share, cells: room)
    return "\(head)|\(terminal.usesColor ? "\u{1B}[36m\(bar)\u{1B}[0m" : bar)| \(facts)"
  }

  private static let widestBar = 40
  private static let narrowestBar = 4

  /// `cells` columns of which `share` are filled, to an eighth of a column.
  private static func bar(_ share: Double, cells: Int) -> String {
    let eighths = Int(share * Double(8 * cells))
    let full = String(repeating: "█", count: eighths / 8)
    let part = eighths % 8 == 0 ? "" : String(["▏", "▎", "▍", "▌", "▋", "▊", "▉"][eighths % 8 - 1])
    return full + part + String(repeating: " ", count: cells - full.count - part.count)
  }

  private var amount: String {
    switch unit {
    case .items: total.map { padded(done, like: $0) + "/\($0)" } ?? "\(done)"
    case .bytes: byteCount(done, separator: "") + (total.map { "/" + byteCount($0, separator: "") } ?? "")
    }
  }

  /// As wide as `total`, so that the line doesn't jump.
  private func padded(_ n: Int, like total: Int) -> String {
    String(repeating: " ", count: max(0, "\(total)".count - "\(n)".count)) + "\(n)"
  }

  private func timeLeft(_ elapsed: Double) -> Double? {
    guard let total, done > 0 else { return nil }
    return elapsed * Double(max(total - done, 0)) / Double(done)
  }

  private func rate(_ elapsed: Double) -> String {
    let perSecond = elapsed > 0 ? Double(done) / elapsed : 0
    switch unit {
    case .bytes:
      return perSecond > 0 && perSecond < 1e18 ? byteCount(Int(perSecond), separator: "") + "/s" : "?B/s"
    case .items(let name):
      if perSecond == 0 { return "?\(name)/s" }
      return perSecond < 1 ? "\(Self.number(1 / perSecond))s/\(name)" : "\(Self.number(perSecond))\(name)/s"
    }
  }

  /// Three digits or more: `2.13`, `13.2`, `469`.
  private static func number(_ x: Double) -> String { fixed(x, x < 9.995 ? 2 : x < 99.95 ? 1 : 0) }
}
