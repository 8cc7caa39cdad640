import Apus

extension Command {
  static let eval = Command(
    name: "eval", summary: "Judge a trained network by its test data",
    discussion: "Prints loss and accuracy, and precision, recall and F1 of each class.",
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
      let trainer = Trainer(
        trained.model, optimizer: SGD(trained.model.parameters(), lr: 0), loss: { crossEntropy($0, $1) }, correct: correctClasses)
      var matrix = ConfusionMatrix(classes: data.classNames.count)
      let result = try trainer.evaluate(DataLoader(data.test, batchSize: 1000)) { matrix.update($0, $1) }
      let output = Terminal.standardOutput
      output.line("model     \(printable(path)): \(trained.recipe.name)")
      output.line("data      \(printable(data.origin)): \(grouped(data.test.count)) to test")
      output.line("loss      \(short(result.loss))")
      output.line("accuracy  \(percent(result.accuracy ?? 0))")
      output.line()
      output.write(classTable(matrix, data.classNames))
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
