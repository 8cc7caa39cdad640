import Apus
import Foundation
import TestSupport
import Testing

@Suite("Metrics")
struct MetricTests {
  /// Ten answers; sklearn 1.9: `precision_recall_fscore_support(target, predicted, average: …)`.
  private static let target = [0, 0, 0, 1, 1, 2, 2, 2, 2, 2]
  private static let predicted = [0, 1, 0, 1, 2, 2, 2, 0, 2, 1]

  /// Scores with the largest at the class that was answered.
  private static func scores(_ predicted: ArraySlice<Int>, classes: Int) -> Tensor {
    (Tensor(scalars: Array(predicted), shape: [predicted.count, 1]) .== Tensor.arange(classes)).to(.float32)
  }

  /// What a metric comes to over batches of `size`.
  private static func value(_ metric: some Metric, size: Int = 3, classes: Int = 3) -> Double {
    var metric = metric
    for start in stride(from: 0, to: target.count, by: size) {
      let rows = start..<min(start + size, target.count)
      metric.update(
        scores(predicted[rows], classes: classes), Tensor(scalars: Array(target[rows]), shape: [rows.count]))
    }
    return metric.value
  }

  @Test("accuracy: 6 of 10, whatever the batches", arguments: [1, 3, 4, 10])
  func accuracy(_ size: Int) {
    #expect(Self.value(Accuracy(), size: size) == 0.6)
    #expect(Self.value(Accuracy(correctClasses), size: size) == 0.6)
  }

  @Test("top-k: a class among the k largest scores")
  func topK() {
    var metric = TopKAccuracy(2)
    metric.update(Tensor([[0.1, 0.5, 0.4], [0.6, 0.3, 0.1], [0.2, 0.3, 0.5]]), Tensor([2, 2, 1]))
    #expect(metric.value == 2.0 / 3 && metric.name == "top2_accuracy")
    #expect(Self.value(TopKAccuracy(1)) == 0.6 && Self.value(TopKAccuracy(3)) == 1)
  }

  @Test("confusion matrix: rows are targets, columns answers")
  func confusion() {
    var matrix = ConfusionMatrix(classes: 3)
    matrix.add(predicted: Self.predicted, target: Self.target)
    #expect(matrix.counts == [2, 1, 0, 0, 1, 1, 1, 1, 3])
    #expect(matrix[target: 2, predicted: 0] == 1 && matrix.total == 10 && matrix.support(of: 2) == 5)
    #expect(matrix.accuracy == 0.6)
  }

  /// By hand: precision 2/3, 1/3, 3/4; recall 2/3, 1/2, 3/5; F1 2/3, 2/5, 2/3; samples 3, 2, 5.
  @Test(
    "precision, recall, F1 with each average",
    arguments: [
      (.precision, .macro, (2.0 / 3 + 1.0 / 3 + 0.75) / 3), (.precision, .weighted, (3 * 2.0 / 3 + 2 * 1.0 / 3 + 5 * 0.75) / 10),
      (.recall, .macro, (2.0 / 3 + 0.5 + 0.6) / 3), (.recall, .weighted, 0.6), (.f1, .macro, (2.0 / 3 + 0.4 + 2.0 / 3) / 3),
      (.f1, .weighted, (3 * 2.0 / 3 + 2 * 0.4 + 5 * 2.0 / 3) / 10), (.precision, .micro, 0.6), (.f1, .of(1), 0.4),
    ] as [(ClassificationScore.Kind, ClassAverage, Double)])
  func scores(_ kind: ClassificationScore.Kind, _ average: ClassAverage, _ expected: Double) {
    #expect(abs(Self.value(ClassificationScore(kind, classes: 3, average: average)) - expected) < 1e-12)
  }

  @Test("a class that never occurs doesn't count; one that is never answered has precision 0")
  func absent() {
    var matrix = ConfusionMatrix(classes: 4)
    matrix.add(predicted: [0, 0], target: [0, 2])
    #expect(matrix.precision(of: 2) == 0 && matrix.recall(of: 3) == 0)
    #expect(matrix.precision(.macro) == 0.25 && matrix.recall(.macro) == 0.5)
    #expect(ConfusionMatrix(classes: 2).accuracy == 0 && ConfusionMatrix(classes: 2).f1(.macro) == 0)
  }

  @Test("two classes by one logit")
  func binary() {
    var score = ClassificationScore(.recall, classes: 2, average: .of(1))
    score.update(Tensor([[1.5], [-0.5], [0.1], [-2]]), Tensor([1, 1, 0, 0]).reshape(4, 1))
    #expect(score.value == 0.5 && score.matrix.counts == [1, 1, 1, 1])
  }

  @Test("perplexity: exp of the mean cross entropy, ignored targets left out")
  func perplexity() {
    var metric = Perplexity()
    metric.update(Tensor.zeros([2, 7]), Tensor([3, -100]))
    metric.update(Tensor([[Float(log(3.0)), 0]]), Tensor([0]))
    // 1/7 and 3/4: the square root of 7 · 4/3.
    #expect(abs(metric.value - (28.0 / 3).squareRoot()) < 1e-6)
    #expect(Perplexity().value == 1)
  }

  @Test("mean: weighted by samples")
  func mean() {
    var metric = Mean("mae") { ($0 - $1).abs().mean() }
    metric.update(Tensor([1.0, 2, 3]), Tensor([0.0, 0, 0]))
    metric.update(Tensor([10.0]), Tensor([0.0]))
    #expect(metric.value == 4 && metric.name == "mae")
  }

  @Test("the sums of a metric are all that it knows: a fresh one with them goes on")
  func sums() {
    var first = ClassificationScore(.f1, classes: 3)
    first.update(Self.scores([0, 1, 2], classes: 3), Tensor([0, 2, 2]))
    var second = ClassificationScore(.f1, classes: 3)
    second.sums = first.sums
    for metric in [first, second] { #expect(metric.value == first.value) }
  }

  @Test("mistakes have texts")
  func mistakes() {
    expectMistake("ConfusionMatrix: class 3 is not in 0..<3") {
      var matrix = ConfusionMatrix(classes: 3)
      matrix.add(predicted: [0, 3], target: [0, 1])
    }
    expectMistake("ConfusionMatrix: 2 answers for 1 samples") {
      var matrix = ConfusionMatrix(classes: 3)
      matrix.add(predicted: [0, 1], target: [0])
    }
    expectMistake("ConfusionMatrix: 1 classes; at least 2 are needed") { _ = ConfusionMatrix(classes: 1) }
    expectMistake("ConfusionMatrix: class 0 or 5 is not in 0..<2") { _ = ConfusionMatrix(classes: 2)[target: 0, predicted: 5] }
    expectMistake("TopKAccuracy: k = 0 is not 1 or more") { _ = TopKAccuracy(0) }
  }
}
