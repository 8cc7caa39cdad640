import Apus
import Foundation

/// What a run leaves behind beside model and checkpoints: its logs, its pictures and the report.
final class TrainRecords {
  let losses = LossRecorder()
  private let rates = LearningRateRecorder()
  private let answers: AnswerRecorder?
  private let folder: RunFolder
  private let name: String

  /// - Parameter classNames: of a classifier; empty for other models.
  init(_ folder: RunFolder, name: String, classNames: [String]) {
    (self.folder, self.name) = (folder, name)
    answers = classNames.count > 1 ? AnswerRecorder(classNames: classNames) : nil
  }

  /// What the trainer must have before a checkpoint is loaded.
  var callbacks: [any TrainingCallback] { [losses, rates] + (answers.map { [$0] } ?? []) }

  /// Starts the logs, with what a run that goes on has done before.
  ///
  /// - Parameters:
  ///   - sample: an input, for the graph.
  func startLogs(_ trainer: Trainer, csv: Bool, tensorBoard: Bool, sample: Tensor?, config: JSON) throws {
    let metrics = MetricsWriter(try MetricsLog(folder.metrics, onFailure: Self.warn))
    metrics.replay(trainer.history)
    trainer.callbacks.append(metrics)
    if csv {
      let table = try CSVLog(folder.csv, onFailure: Self.warn)
      table.replay(trainer.history)
      trainer.callbacks.append(table)
    }
    if tensorBoard {
      let isNew = trainer.step == 0
      if isNew { folder.removeEvents() }
      let log = try TensorBoardLog(folder.events, resumingAt: isNew ? nil : trainer.step + 1, onFailure: Self.warn)
      trainer.callbacks.append(TensorBoardWriter(log, model: trainer.model, answers: answers))
      if isNew {
        log.text("config", "```\n\(config.indented)\n```", step: 0)
        if let sample, let layer = trainer.model as? any Layer {
          log.graph(try catching { ModelGraph(of: layer, input: sample) })
        }
      }
    }
  }

  private static func warn(_ error: FileError) {
    Terminal.standardError.line("apus: warning: \(error); training goes on, the line is tried again")
  }

  /// Makes up for the answers of the last evaluation, where another process has made it.
  func complete<Data: Dataset>(_ trainer: Trainer, _ test: DataLoader<Data>) throws where Data.Batched == Batch {
    if let answers, answers.isEmpty { _ = try trainer.evaluate(test, answers: answers) }
  }

  // MARK: Pictures

  /// Writes `loss.svg`, the folder of pictures and the report.
  func save(_ trainer: Trainer, facts: [(name: String, value: String)]) throws {
    try losses.curve(title: "\(name): loss").drawing().writeSVG(to: folder.lossCurve)
    let pictures = drawings(trainer)
    try RunFolder(folder.pictures).create()
    for drawing in pictures {
      let path = folder.pictures + "/" + drawing.title.lowercased().replacing(" ", with: "-")
      try drawing.writeSVG(to: path + ".svg")
      try drawing.writePNG(to: path + ".png")
    }
    let report = RunReport(
      title: name, summary: summary(trainer), facts: facts, history: trainer.history, pictures: pictures,
      listings: [("The model", trainer.model.parameterTree())])
    try report.write(to: folder.report)
  }

  private func drawings(_ trainer: Trainer) -> [Drawing] {
    var drawings = [losses.curve(title: "Loss").drawing()]
    for metric in trainer.metrics { drawings += curve(of: metric.name, trainer.history).map { [$0] } ?? [] }
    drawings.append(rates.curve(title: "Learning rate").drawing(height: 300))
    drawings += answers?.drawings() ?? []
    for case let grids as SampleGrids in trainer.callbacks { drawings += grids.drawings() }
    drawings.append(HistogramChart(title: "Weights", of: trainer.model).drawing())
    return drawings
  }

  private func curve(of metric: String, _ history: [PassResult]) -> Drawing? {
    let series = Split.allCases.compactMap { split -> LineChart.Series? in
      let passes = history.filter { $0.pass.split == split }
      return passes.isEmpty
        ? nil
        : .init(name: split.rawValue, x: passes.map { Double($0.pass.epoch) }, y: passes.map { $0[metric] ?? .nan })
    }
    let title = metric.prefix(1).uppercased() + metric.dropFirst().replacing("_", with: " ")
    return series.isEmpty ? nil : LineChart(title: title, series: series, yName: metric).drawing()
  }

  private func summary(_ trainer: Trainer) -> String {
    guard let last = trainer.history.last(where: { $0.pass.split == .test }) ?? trainer.history.last else { return "" }
    let results =
      [described("loss", last.loss)] + last.metrics.map { described($0.name, $0.value) }
    return "\(last.pass.split.rawValue) " + results.joined(separator: ", ")
      + " after \(counted(last.pass.epoch, "epoch", "epochs")), \(duration(trainer.history.reduce(0) { $0 + $1.seconds }))"
  }
}
