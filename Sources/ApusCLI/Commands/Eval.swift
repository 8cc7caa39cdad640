import Apus

extension Command {
  static let eval = Command(
    name: "eval", summary: "Judge a trained network by its test data",
    discussion: "Prints loss and metrics; of a classifier also precision, recall and F1 of each class.",
    operands: [TrainedModel.operand],
    options: [TrainedModel.dataFolder, TrainedModel.recipe],
    examples: [
      Example(line: "apus eval runs/mnist-cnn", help: "The result of a run"),
      Example(line: "apus eval runs/mnist-cnn/checkpoints/best.safetensors", help: "Its best epoch"),
    ],
    run: { arguments in
      let path = arguments.operands[0]
      let trained = try TrainedModel(path, arguments, for: "eval")
      let data = try trained.load()
      // What is random in a judgement, such as a generator's noise, is the same each time.
      manualSeed(trained.recipe.seed)
      let trainer = trained.recipe.task.makeTrainer(trained.model) { SGD($0, lr: 0) }
      let names = trained.recipe.task.classNames
      var matrix = ConfusionMatrix(classes: max(names.count, 2))
      let result = try trainer.evaluate(DataLoader(data.test, batchSize: data.testBatchSize)) {
        if !names.isEmpty { matrix.update($0, $1) }
      }
      let output = Terminal.standardOutput
      output.line("model     \(printable(path)): \(trained.recipe.name)")
      output.line("data      \(printable(data.origin)): \(grouped(data.test.count)) to test")
      for metric in [("loss", result.loss)] + result.metrics.map({ ($0.name, $0.value) }) {
        output.line(
          metric.0.padding(toLength: max(10, metric.0.count + 2), withPad: " ", startingAt: 0) + measure(metric.0, metric.1))
      }
      if names.isEmpty { return 0 }
      output.line()
      output.write(classTable(matrix, names))
      return 0
    })
}

/// Precision, recall and F1 of each class, and their means.
private func classTable(_ matrix: ConfusionMatrix, _ names: [String]) -> String {
  func row(_ name: String, _ scores: [Double], _ count: Int) -> [String] { [name] + scores.map(percent) + [grouped(count)] }
  var rows = [["class", "precision", "recall", "F1", "samples"]]
  for (i, name) in names.enumerated() {
    rows.append(row(name, [matrix.precision(of: i), matrix.recall(of: i), matrix.f1(of: i)], matrix.support(of: i)))
  }
  rows.append(row("mean", [matrix.precision(.macro), matrix.recall(.macro), matrix.f1(.macro)], matrix.total))
  return table(rows)
}
