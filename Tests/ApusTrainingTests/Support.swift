import ApusTraining
import Foundation
import Synchronization

/// Collects what is written to a terminal that is none.
final class Sink: Sendable {
  private let written = Mutex("")

  var text: String { written.withLock { $0 } }
  var lines: [String] { text.split(separator: "\n", omittingEmptySubsequences: false).dropLast().map(String.init) }

  func terminal(isInteractive: Bool, usesColor: Bool = false, width: Int = 80) -> Terminal {
    Terminal(isInteractive: isInteractive, usesColor: usesColor, width: { width }) { text in
      self.written.withLock { $0 += text }
    }
  }

  /// The states of a line that is rewritten, without the sequence that clears the rest of it.
  var redraws: [String] {
    text.split(separator: "\r").map { String($0.replacing("\u{1B}[K", with: "")) }.filter { !$0.isEmpty && !$0.hasSuffix("\n") }
  }
}

/// A clock that stands until it is moved.
final class ManualClock {
  var seconds = 1000.0
}
