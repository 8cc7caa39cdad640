import ApusData

/// A run that cannot go on.
public enum TrainingError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The loss of a batch is NaN or infinite: found before the update, so the parameters are those of the step before.
  case lossNotFinite(Double, step: Int, epoch: Int, batch: Int, of: Int)
  case testLossNotFinite(Double, epoch: Int)
  case noBatches(Split)

  public var description: String {
    switch self {
    case .lossNotFinite(let loss, let step, let epoch, let batch, let count):
      "the loss is \(Self.name(loss)) at step \(step) (epoch \(epoch), batch \(batch) of \(count)); a smaller learning rate may help"
    case .testLossNotFinite(let loss, let epoch):
      "the test loss is \(Self.name(loss)) after epoch \(epoch); a smaller learning rate may help"
    case .noBatches(let split):
      "the \(split) data has no batches"
    }
  }

  /// Swift prints the sign of a NaN.
  private static func name(_ loss: Double) -> String { loss.isNaN ? "NaN" : loss < 0 ? "-infinity" : "infinity" }
}
