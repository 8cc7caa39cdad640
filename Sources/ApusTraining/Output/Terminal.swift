import ApusCore

#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// A stream for people to read, and what can be done on it.
public struct Terminal: Sendable {
  /// Whether a line can be rewritten: false for files and pipes.
  public let isInteractive: Bool
  /// Whether colours are welcome.
  public let usesColor: Bool
  private let measure: @Sendable () -> Int
  private let put: @Sendable (String) -> Void

  /// - Parameter width: asked before each redraw, since a window can be resized.
  public init(
    isInteractive: Bool, usesColor: Bool = false, width: @escaping @Sendable () -> Int = { 80 },
    write: @escaping @Sendable (String) -> Void
  ) {
    self.isInteractive = isInteractive
    self.usesColor = usesColor
    measure = width
    put = write
  }

  /// Columns.
  public var width: Int { measure() }

  /// Writes `text` as it is.
  public func write(_ text: String) { put(text) }

  /// Writes `text` and ends the line.
  public func line(_ text: String = "") { put(text + "\n") }

  /// Shows nothing.
  public static let none = Terminal(isInteractive: false) { _ in }

  public static let standardOutput = Terminal(descriptor: 1)
  public static let standardError = Terminal(descriptor: 2)

  /// The stream behind a file descriptor. `NO_COLOR` (https://no-color.org) and `TERM=dumb` are honoured, `COLUMNS` overrides the
  /// width that the system reports.
  public init(descriptor: Int32) {
    let isInteractive = isatty(descriptor) == 1 && environment("TERM") != "dumb"
    self.init(
      isInteractive: isInteractive, usesColor: isInteractive && environment("NO_COLOR") == nil,
      width: { Self.columns(descriptor) }, write: { Self.writeAll($0, descriptor) })
  }

  private static func columns(_ descriptor: Int32) -> Int {
    if let text = environment("COLUMNS"), let width = Int(text), width > 0 { return width }
    var size = winsize()
    guard ioctl(descriptor, numericCast(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
    return Int(size.ws_col)
  }

  /// Writes past Swift's buffers: what two streams say stays in order. Nobody is left to tell about a failure.
  private static func writeAll(_ text: String, _ descriptor: Int32) {
    var text = text
    text.withUTF8 { bytes in
      var rest = UnsafeRawBufferPointer(bytes)[...]
      while let base = UnsafeRawBufferPointer(rebasing: rest).baseAddress, !rest.isEmpty {
        #if canImport(Darwin)
          let written = Darwin.write(descriptor, base, rest.count)
        #elseif canImport(Musl)
          let written = Musl.write(descriptor, base, rest.count)
        #else
          let written = Glibc.write(descriptor, base, rest.count)
        #endif
        if written < 0, errno == EINTR { continue }
        if written <= 0 { return }
        rest = rest.dropFirst(written)
      }
    }
  }
}

/// Seconds from some fixed moment on; never runs backwards.
package func monotonicSeconds() -> Double {
  var time = timespec()
  clock_gettime(CLOCK_MONOTONIC, &time)
  return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
}
