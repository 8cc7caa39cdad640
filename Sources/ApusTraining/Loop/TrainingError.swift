import ApusData
import ApusFormats

/// A run that cannot go on.
public enum TrainingError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The loss of a batch is NaN or infinite: found before the update, so the parameters are those of the step before. `checkpoint` is the
  /// last good one, where there is one.
  case lossNotFinite(Double, step: Int, epoch: Int, batch: Int, of: Int, checkpoint: String?)
  case testLossNotFinite(Double, epoch: Int, checkpoint: String?)
  case noBatches(Split)
  /// Early stopping or the best checkpoint look at a number that isn't measured.
  case noSuchMetric(String, measured: [String])
  /// A checkpoint could not be written; `lastGood` is the one before, which is as it was.
  case checkpointNotWritten(FileError, lastGood: String?)
  /// A checkpoint of another run: why it cannot be that of this one.
  case otherRun(String)

  public var description: String {
    switch self {
    case .lossNotFinite(let loss, let step, let epoch, let batch, let count, let checkpoint):
      "the loss is \(Self.name(loss)) at step \(step) (epoch \(epoch), batch \(batch) of \(count)); a smaller learning rate may help"
        + Self.lastGood(checkpoint)
    case .testLossNotFinite(let loss, let epoch, let checkpoint):
      "the test loss is \(Self.name(loss)) after epoch \(epoch); a smaller learning rate may help" + Self.lastGood(checkpoint)
    case .noBatches(let split):
      "the \(split) data has no batches"
    case .noSuchMetric(let name, let measured):
      "there is no metric '\(name)'; there are: \(measured.joined(separator: ", "))"
    case .checkpointNotWritten(let error, let checkpoint):
      "\(error)" + Self.lastGood(checkpoint)
    case .otherRun(let reason):
      "the checkpoint belongs to another run: \(reason)"
    }
  }

  /// Swift prints the sign of a NaN.
  private static func name(_ loss: Double) -> String { loss.isNaN ? "NaN" : loss < 0 ? "-infinity" : "infinity" }

  private static func lastGood(_ path: String?) -> String { path.map { "; the last good checkpoint is \(printable($0))" } ?? "" }
}
