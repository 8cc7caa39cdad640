import ApusCore
import ApusData
import ApusNN

/// Tells TensorBoard of a run: loss and learning rate of every few batches, the results of each pass, and after each epoch how the
/// parameters are spread.
///
/// Tags: `batch/loss`, `batch/learning_rate`; `loss/train`, `loss/test`, `accuracy/test` and so on; `parameters/…`. The steps are updates.
public final class TensorBoardWriter: TrainingCallback {
  public let log: TensorBoardLog
  private let model: Module?
  private let answers: AnswerRecorder?
  private let interval: Int
  private var step = 0

  /// - Parameters:
  ///   - log: where to.
  ///   - model: whose parameters are shown as histograms; nil for none.
  ///   - answers: whose pictures are shown after each evaluation. To be among the callbacks before this one.
  ///   - interval: batches from one point of the batches' curves to the next.
  public init(_ log: TensorBoardLog, model: Module? = nil, answers: AnswerRecorder? = nil, interval: Int = 10) {
    (self.log, self.model, self.answers, self.interval) = (log, model, answers, max(interval, 1))
  }

  public func batchEnded(_ result: BatchResult) {
    step = result.step
    guard result.pass.split == .train, result.batch % interval == 0 || result.batch == result.pass.batchCount else { return }
    log.scalar("batch/loss", result.loss, step: step)
    log.scalar("batch/learning_rate", result.learningRate, step: step)
  }

  public func passEnded(_ result: PassResult) {
    guard result.isComplete else { return }
    let split = result.pass.split
    log.scalar("loss/\(split.rawValue)", result.loss, step: step)
    for metric in result.metrics { log.scalar("\(metric.name)/\(split.rawValue)", metric.value, step: step) }
    if split == .train {
      for (name, cell) in model?.namedParameters() ?? [] where cell.tensor != nil {
        log.histogram("parameters/\(name)", cell.value, step: step)
      }
    } else {
      for drawing in answers?.drawings() ?? [] {
        // Too large for PNG they never are.
        try? log.image("test/\(drawing.title)", drawing.pixels(scale: 1), step: step)
      }
    }
  }
}
