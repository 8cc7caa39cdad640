import Apus
import Foundation

extension Command {
  private static let invert = Option<Bool>.flag(
    "invert", "Turn light and dark around first: for dark strokes on paper, where the network has learned light ones")

  static let predict = Command(
    name: "predict", summary: "Say what a trained network sees in pictures",
    discussion: """
      A picture is a PNG file, which is made grey or coloured and resized as the network needs it; or a number: that sample of \
      the test data, from 0 on.
      """,
    operands: [
      TrainedModel.operand,
      Operand(name: "picture", plural: "pictures", help: "A PNG file, or the number of a test sample", isRepeated: true),
    ],
    options: [invert, TrainedModel.dataFolder, TrainedModel.recipe],
    examples: [
      Example(line: "apus predict runs/fashion-cnn shoe.png shirt.png", help: "Your own pictures"),
      Example(line: "apus predict runs/mnist-cnn 0 1 2", help: "The first three test samples"),
    ],
    run: { arguments in
      let trained = try TrainedModel(arguments.operands[0], arguments, for: "predict")
      let names = trained.recipe.task.classNames
      if names.isEmpty {
        throw UsageError(
          "predict: the network of \(trained.recipe.name) tells no classes apart; see 'apus generate' and 'apus sample'")
      }
      let samples = try PredictionInput(trained, isInverted: arguments.has(invert)).load(Array(arguments.operands.dropFirst()))
      var rows = [["picture", "answer", "certainty", "next", "label"]]
      for sample in samples {
        let p = try catching { noGrad { trained.model.output(sample.input.unsqueeze(dim: 0)).to(.float32).softmax(dim: 1) } }
        let best = p.topk(2, dim: 1)
        let (share, index) = (best.values.scalars(as: Double.self), best.indices.scalars(as: Int.self))
        rows.append([
          printable(sample.name), names[index[0]], percent(share[0]), "\(names[index[1]]) \(percent(share[1]))",
          sample.label.map { names[$0] } ?? "",
        ])
      }
      // Without labels there is no column for them.
      let hasLabels = samples.contains { $0.label != nil }
      Terminal.standardOutput.write(table(hasLabels ? rows : rows.map { Array($0.dropLast()) }))
      return 0
    })
}

/// Makes inputs for a network of what the user names.
private struct PredictionInput {
  struct Sample {
    let name: String
    let input: Tensor  // [C, H, W], or [features]
    var label: Int?
  }

  private let trained: TrainedModel
  private let isInverted: Bool

  init(_ trained: TrainedModel, isInverted: Bool) { (self.trained, self.isInverted) = (trained, isInverted) }

  func load(_ words: [String]) throws -> [Sample] {
    // The data set is loaded for numbers only, and once.
    let test = try words.contains { Int($0) != nil } ? trained.load().test : nil
    return try words.map { word in
      guard let test, let index = Int(word) else { return Sample(name: word, input: try picture(word)) }
      guard (0..<test.count).contains(index) else {
        throw UsageError("predict: there is no test sample \(index): they are 0 to \(test.count - 1)")
      }
      let example = try test[index]
      return Sample(name: word, input: example.input, label: example.target.item(as: Int.self))
    }
  }

  private func picture(_ path: String) throws -> Tensor {
    guard let format = trained.recipe.task.pictures else {
      throw UsageError("predict: the network of \(trained.recipe.name) sees no pictures; numbers of test samples are accepted")
    }
    let picture = try readPicture(path)
    return try catching { noGrad { format.input(picture, isInverted: isInverted) } }
  }
}
