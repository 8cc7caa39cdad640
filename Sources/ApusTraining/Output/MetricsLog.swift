import ApusFormats

/// A file of JSON objects, one a line, each on the disk's side of the system call when `append` returns: `tail -f` and
/// `pandas.read_json(path, lines=True)` read it while the run goes on.
///
/// A disk that is full doesn't stop a run. Lines that cannot be written are kept and tried again with the next; the file never holds
/// half of one. The first failure is reported.
public final class MetricsLog {
  private let file: LogFile

  /// Starts an empty file at `path`.
  ///
  /// - Parameter onFailure: called once, when a line cannot be written.
  /// - Throws: `FileError` where there can be no such file.
  public init(_ path: String, onFailure: @escaping (FileError) -> Void = { _ in }) throws(FileError) {
    file = try LogFile(path, onFailure: onFailure)
  }

  public var path: String { file.path }

  /// Adds one line.
  public func append(_ object: JSON) { file.append("\(object)\n".utf8) }
}
