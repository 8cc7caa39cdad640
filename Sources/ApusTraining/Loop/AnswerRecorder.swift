import ApusCore
import ApusData

/// Remembers the answers of the last evaluation of a classifier: how often each class was taken for each, and some samples.
public final class AnswerRecorder: TrainingCallback {
  private let classNames: [String]
  private let sampleCount: Int
  private var matrix: ConfusionMatrix
  private var samples: [SampleSheet.Sample] = []
  private var mistakes: [SampleSheet.Sample] = []
  private var seen = 0

  /// - Parameters:
  ///   - classNames: one for each class, at least 2.
  ///   - sampleCount: how many pictures to keep, and as many that were answered wrongly.
  public init(classNames: [String], sampleCount: Int = 24) {
    (self.classNames, self.sampleCount) = (classNames, sampleCount)
    matrix = ConfusionMatrix(classes: classNames.count)
  }

  public func passBegan(_ pass: Pass) { if pass.split == .test { forget() } }

  /// Forgets all answers.
  public func forget() {
    (samples, mistakes, seen) = ([], [], 0)
    matrix = ConfusionMatrix(classes: classNames.count)
  }

  public func answered(_ output: Tensor, to batch: Batch, in pass: Pass) {
    if pass.split == .test { add(output, batch.input, batch.target) }
  }

  /// Adds answers that no trainer has asked for.
  ///
  /// - Parameters:
  ///   - output: `[batch, classes]`, scores.
  ///   - input: what was answered; as pictures `[batch, C, H, W]`, C of 1 or 3, samples of it are kept.
  ///   - target: `[batch]`, class indices.
  public func add(_ output: Tensor, _ input: Tensor, _ target: Tensor) {
    let answers = output.argmax(dim: 1).scalars(as: Int.self)
    let classes = target.scalars(as: Int.self)
    matrix.add(predicted: answers, target: classes)
    seen += classes.count
    guard input.rank == 4, [1, 3].contains(input.shape[1]) else { return }
    for (i, (answer, label)) in zip(answers, classes).enumerated() where classNames.indices.contains(label) {
      let isRight = answer == label
      guard samples.count < sampleCount || (!isRight && mistakes.count < sampleCount) else { continue }
      let caption = isRight ? classNames[label] : "\(classNames[answer]), not \(classNames[label])"
      let sample = SampleSheet.Sample(input[i], caption: caption, isRight: isRight)
      if samples.count < sampleCount { samples.append(sample) }
      if !isRight, mistakes.count < sampleCount { mistakes.append(sample) }
    }
  }

  /// Whether there has been no answer.
  public var isEmpty: Bool { seen == 0 }

  /// How often each class was taken for each.
  public var confusion: ConfusionMatrix { matrix }

  /// The matrix, some of the first samples, and some that were answered wrongly; without what there is none of.
  public func drawings() -> [Drawing] {
    var drawings: [Drawing] = isEmpty ? [] : [matrix.drawing(title: "Confusion matrix", classNames: classNames)]
    if !samples.isEmpty { drawings.append(SampleSheet(title: "Samples of the test data", samples: samples).drawing()) }
    if !mistakes.isEmpty { drawings.append(SampleSheet(title: "Mistakes", samples: mistakes).drawing()) }
    return drawings
  }
}
