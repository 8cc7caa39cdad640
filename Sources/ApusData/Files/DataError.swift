import ApusFormats

/// Data that is missing, damaged or not what it should be: what, where, and what to do about it.
public struct DataError: Error, Hashable, Sendable, CustomStringConvertible {
  public enum Kind: Sendable, CaseIterable {
    /// Not there, and not to be had from elsewhere.
    case missing
    /// There, but the system doesn't let us read or write it.
    case unreadable
    /// A gzip stream that ends early or whose content is damaged.
    case corrupt
    /// A file with another magic number or header than its format's.
    case format
    /// A size that overflows, is more than the limit, or isn't the payload's.
    case size
    /// A label that is none of the classes, or labels that don't match the samples in number.
    case labels
    /// Content that differs from the published one.
    case checksum
    /// No mirror could be reached, or none had the file.
    case download
    /// A loader's state that belongs to another loader.
    case state
    /// A character that a tokenizer has no token for.
    case text
    /// A variant of a format that Apus doesn't read.
    case unsupported
  }

  public let kind: Kind
  /// The file, folder or address.
  public let path: String
  public let reason: String
  /// What the user can do.
  public let advice: String

  public init(_ kind: Kind, path: String, _ reason: String, advice: String) {
    self.kind = kind
    self.path = path
    self.reason = reason
    self.advice = advice
  }

  public var description: String { "\(printable(path)): \(reason); \(advice)" }
}

extension DataError {
  static let replaceAdvice = "remove the file to have it downloaded again, or put an intact copy there"

  /// The same as an error about data.
  init(_ error: FileError, advice: String = "check the path and its permissions") {
    self.init(
      error.isNotFound ? .missing : .unreadable, path: error.path, "cannot \(error.operation): \(error.reason)", advice: advice)
  }
}
