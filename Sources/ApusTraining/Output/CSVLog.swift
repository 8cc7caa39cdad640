import ApusFormats

/// Writes one row of a table of comma-separated values (RFC 4180) per pass, for spreadsheets and `pandas.read_csv`:
///
/// ```
/// epoch,split,loss,accuracy,samples,complete,seconds
/// 1,train,0.3412,0.9012,60000,true,1.21
/// ```
///
/// What isn't finite is left empty. Rows are written as those of `MetricsLog`: at once, whole, and again where the disk was full.
public final class CSVLog: TrainingCallback {
  private let file: LogFile
  private var hasHeader = false

  /// Starts an empty file at `path`.
  ///
  /// - Parameters:
  ///   - path: where.
  ///   - onFailure: called once, when a row cannot be written.
  /// - Throws: `FileError` where there can be no such file.
  public init(_ path: String, onFailure: @escaping (FileError) -> Void = { _ in }) throws(FileError) {
    file = try LogFile(path, onFailure: onFailure)
  }

  /// Writes what a run that is resumed has done before.
  public func replay(_ history: [PassResult]) { for result in history { passEnded(result) } }

  public func passEnded(_ result: PassResult) {
    if !hasHeader { append(["epoch", "split", "loss"] + result.metrics.map(\.name) + ["samples", "complete", "seconds"]) }
    hasHeader = true
    let numbers = ([result.loss] + result.metrics.map(\.value)).map { $0.isFinite ? "\($0)" : "" }
    append(
      ["\(result.pass.epoch)", result.pass.split.rawValue] + numbers
        + ["\(result.sampleCount)", "\(result.isComplete)", "\((result.seconds * 1e4).rounded() / 1e4)"])
  }

  private func append(_ fields: [String]) { file.append((fields.map(Self.quoted).joined(separator: ",") + "\r\n").utf8) }

  private static func quoted(_ text: String) -> String {
    // By scalars: a carriage return and a line feed together are one character.
    guard text.unicodeScalars.contains(where: { ",\"\r\n".unicodeScalars.contains($0) }) else { return text }
    return "\"\(text.replacing("\"", with: "\"\""))\""
  }
}
