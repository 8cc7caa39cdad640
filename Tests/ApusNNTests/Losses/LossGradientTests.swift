import ApusCore
import ApusNN
import TestSupport
import Testing

/// Gradients of the losses against central differences, first and second order.
@Suite("gradients of losses")
struct LossGradientTests {
  struct Record: Sendable, CustomTestStringConvertible {
    let name: String
    let inputs: [Tensor]
    let function: @Sendable ([Tensor], Reduction) -> Tensor

    init(_ name: String, _ inputs: Tensor..., function: @escaping @Sendable ([Tensor], Reduction) -> Tensor) {
      self.name = name
      self.inputs = inputs
      self.function = function
    }

    var testDescription: String { name }
  }

  static let (x, y, z) = (samples([2, 3], seed: 1), samples([2, 3], seed: 2), samples([2, 3], seed: 3))
  static let p = samples([2, 3], seed: 4) / 5 + 0.5
  static let weight = samples([2, 3], seed: 5).abs() + 0.3
  static let sign = Tensor([[1, -1, 1], [-1, -1, 1]])
  static let lists = Tensor([[2, 0, -1], [1, -1, 1]])

  static let records: [Record] = [
    Record("l1", x, y, weight) { l1Loss($0[0], $0[1], weight: $0[2], reduction: $1) },
    Record("mse", x, y, weight) { mseLoss($0[0], $0[1], weight: $0[2], reduction: $1) },
    Record("smoothL1", x, y) { smoothL1Loss($0[0], $0[1], beta: 1.2, reduction: $1) },
    Record("huber", x, y, weight) { huberLoss($0[0], $0[1], delta: 0.9, weight: $0[2], reduction: $1) },
    Record("bce", p, p * p, weight) { binaryCrossEntropy($0[0], $0[1], weight: $0[2], reduction: $1) },
    Record("logits", x, p, weight, weight + 1) {
      binaryCrossEntropyWithLogits($0[0], $0[1], weight: $0[2], posWeight: $0[3], reduction: $1)
    },
    Record("focal", x, p) { sigmoidFocalLoss($0[0], $0[1], gamma: 1.5, reduction: $1) },
    Record("kl", x, p) { klDiv($0[0], $0[1], reduction: KLDivReduction(rawValue: $1.rawValue)!) },
    Record("kl logTarget", x, y) { klDiv($0[0], $0[1], logTarget: true, reduction: KLDivReduction(rawValue: $1.rawValue)!) },
    Record("poisson", x, p * 3) { poissonNLLLoss($0[0], $0[1], full: true, reduction: $1) },
    Record("poisson of rates", p, p * 3) { poissonNLLLoss($0[0], $0[1], logInput: false, full: true, reduction: $1) },
    Record("gaussian", x, y, weight) { gaussianNLLLoss($0[0], $0[1], $0[2], full: true, reduction: $1) },
    Record("hinge", x) { hingeEmbeddingLoss($0[0], sign, reduction: $1) },
    Record("soft margin", x, y) { softMarginLoss($0[0], $0[1], reduction: $1) },
    Record("ranking", x, y) { marginRankingLoss($0[0], $0[1], sign, margin: 0.1, reduction: $1) },
    Record("multi", x, weight[0]) { multiMarginLoss($0[0], Tensor([2, 0]), p: 2, weight: $0[1], reduction: $1) },
    Record("multilabel", x) { multilabelMarginLoss($0[0], lists, reduction: $1) },
    Record("multilabel soft", x, p, weight[0]) { multilabelSoftMarginLoss($0[0], $0[1], weight: $0[2], reduction: $1) },
    Record("cosine", x, y) { cosineEmbeddingLoss($0[0], $0[1], Tensor([1, -1]), margin: -0.95, reduction: $1) },
    Record("triplet", x, y, z) { tripletMarginLoss($0[0], $0[1], $0[2], margin: 4, swap: true, reduction: $1) },
    Record("ctc", samples([5, 2, 3], seed: 6)) {
      ctcLoss($0[0], Tensor([1, 2, 2, 1, 1]), inputLengths: [5, 4], targetLengths: [3, 2], reduction: $1)
    },
    Record("ctc with an infinite loss", samples([4, 2, 3], seed: 7)) {
      ctcLoss(
        $0[0].logSoftmax(dim: 2), Tensor([[1, 1], [2, 0]]), inputLengths: [2, 3], targetLengths: [2, 1], reduction: $1,
        zeroInfinity: true)
    },
  ]

  @Test("agree with central differences", arguments: records)
  func centralDifferences(record: Record) throws {
    for reduction in Reduction.allCases {
      try gradientCheck(record.inputs, order: 2) { record.function($0, reduction) }
    }
  }

  @Test("the mean of a divergence over the batch")
  func batchMean() throws {
    try gradientCheck([Self.x, Self.p], order: 2) { klDiv($0[0], $0[1], reduction: .batchMean) }
    #expect(klDiv(Tensor(-1.0), Tensor(0.5), reduction: .batchMean).shape == [])
  }
}
