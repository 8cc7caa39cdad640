#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// The system refused something that was asked of a file.
public struct FileError: Error, Hashable, Sendable, CustomStringConvertible {
  public let path: String
  /// What was tried: `open`, `write`, `rename`, …
  public let operation: String
  /// The system's `errno`.
  public let code: Int32

  public init(path: String, operation: String, code: Int32) {
    self.path = path
    self.operation = operation
    self.code = code
  }

  /// The error of the system call that has just failed.
  package static func last(_ operation: String, _ path: String) -> FileError {
    FileError(path: path, operation: operation, code: errno)
  }

  /// Whether the file, or a folder on the way to it, isn't there.
  public var isNotFound: Bool { code == ENOENT || code == ENOTDIR }

  /// The system's words for `code`.
  public var reason: String { String(cString: strerror(code)) }

  public var description: String { "\(printable(path)): cannot \(operation): \(reason)" }
}

/// `text` in a form that can stand in one line of a terminal: control characters escaped, the middle of a long text left out.
///
/// Names from a file that nobody trusts go through it before they enter a message.
package func printable(_ text: String, limit: Int = 400) -> String {
  var result = ""
  for scalar in text.unicodeScalars {
    switch scalar.properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned:
      result += "\\u{\(String(scalar.value, radix: 16))}"
    default:
      result.unicodeScalars.append(scalar)
    }
  }
  return result.count <= limit ? result : "\(result.prefix(limit / 2))…\(result.suffix(limit / 2))"
}
