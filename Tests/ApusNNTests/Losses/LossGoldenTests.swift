import ApusCore
import ApusNN
import TestSupport
import Testing

/// Values and gradients of the losses against PyTorch's, as `Tests/Golden/make_loss_golden.py` wrote them.
@Suite("golden values of losses")
struct LossGoldenTests {
  typealias Function = ([Tensor], Reduction) -> Tensor

  struct Case: Decodable {
    let name: String
    /// Inputs without a gradient.
    let frozen: [Int]
    let inputs: [GoldenTensor]
    let results: [String: Result]

    struct Result: Decodable {
      let output: GoldenTensor
      let gradients: [GoldenTensor]
    }

    func check(_ function: ([Tensor], String) -> Tensor) {
      for (reduction, result) in results {
        var x = inputs.map(\.tensor)
        for i in x.indices where x[i].dtype.isFloatingPoint && !frozen.contains(i) { x[i].requiresGrad = true }
        let comment = "\(name) \(reduction) \(x[0].dtype)"
        let y = function(x, reduction)
        expectGolden(y.detach(), result.output, comment)
        let weights = (Tensor.arange(1.0, Double(y.count) + 0.5, dtype: y.dtype) / 10).reshape(y.shape)
        let found = grad(of: y, withRespectTo: x.filter(\.requiresGrad), gradient: weights)
        #expect(found.count == result.gradients.count)
        for (gradient, expected) in zip(found, result.gradients) { expectGolden(gradient, expected, "gradient of \(comment)") }
      }
    }
  }

  /// Every case has a function and every function a case.
  private func check(_ family: String, _ functions: [String: Function]) throws {
    let cases = try Golden<Case>.load(family, file: #filePath.replacing("/Losses", with: ""))
    #expect(Set(cases.map(\.name)) == Set(functions.keys))
    for golden in cases {
      guard let function = functions[golden.name] else { continue }
      golden.check { function($0, Reduction(rawValue: $1)!) }
    }
  }

  @Test("of losses of numbers")
  func regression() throws {
    try check(
      "regressionLosses",
      [
        "l1": { L1Loss(reduction: $1)($0[0], $0[1]) },
        "l1 weighted": { L1Loss(reduction: $1)($0[0], $0[1], weight: $0[2]) },
        "mse weighted": { MSELoss(reduction: $1)($0[0], $0[1], weight: $0[2]) },
        "smoothL1": { SmoothL1Loss(reduction: $1)($0[0], $0[1]) },
        "smoothL1 beta 0.4": { SmoothL1Loss(beta: 0.4, reduction: $1)($0[0], $0[1]) },
        "smoothL1 beta 0": { smoothL1Loss($0[0], $0[1], beta: 0, reduction: $1) },
        "huber": { HuberLoss(reduction: $1)($0[0], $0[1]) },
        "huber delta 0.3": { HuberLoss(delta: 0.3, reduction: $1)($0[0], $0[1]) },
        "huber weighted": { HuberLoss(delta: 2.5, reduction: $1)($0[0], $0[1], weight: $0[2]) },
        "huber of scalars": { huberLoss($0[0], $0[1], reduction: $1) },
      ])
  }

  @Test("of likelihoods")
  func likelihood() throws {
    try check(
      "likelihoodLosses",
      [
        "gaussian": { GaussianNLLLoss(reduction: $1)($0[0], $0[1], $0[2]) },
        "gaussian full": { GaussianNLLLoss(full: true, eps: 0.5, reduction: $1)($0[0], $0[1], $0[2]) },
        "gaussian, a variance for each row": { gaussianNLLLoss($0[0], $0[1], $0[2], reduction: $1) },
        "gaussian, a variance for each row of one": { gaussianNLLLoss($0[0], $0[1], $0[2], reduction: $1) },
        "poisson": { PoissonNLLLoss(reduction: $1)($0[0], $0[1]) },
        "poisson full": { PoissonNLLLoss(full: true, reduction: $1)($0[0], $0[1]) },
        "poisson of rates": { PoissonNLLLoss(logInput: false, eps: 0.01, reduction: $1)($0[0], $0[1]) },
        "poisson of rates full": { poissonNLLLoss($0[0], $0[1], logInput: false, full: true, reduction: $1) },
      ])
  }

  @Test("of losses of yes and no")
  func binary() throws {
    try check(
      "binaryLosses",
      [
        "bce": { BCELoss(reduction: $1)($0[0], $0[1]) },
        "bce weighted": { BCELoss(weight: $0[2], reduction: $1)($0[0], $0[1]) },
        "bce at its edges": { binaryCrossEntropy($0[0], $0[1], reduction: $1) },
        "logits": { BCEWithLogitsLoss(reduction: $1)($0[0], $0[1]) },
        "logits weighted": { BCEWithLogitsLoss(weight: $0[2], reduction: $1)($0[0], $0[1]) },
        "logits posWeight": { BCEWithLogitsLoss(posWeight: $0[2], reduction: $1)($0[0], $0[1]) },
        "logits both": { binaryCrossEntropyWithLogits($0[0], $0[1], weight: $0[2], posWeight: $0[3], reduction: $1) },
        "focal": { SigmoidFocalLoss(reduction: $1)($0[0], $0[1]) },
        "focal without alpha": { SigmoidFocalLoss(alpha: -1, gamma: 1.5, reduction: $1)($0[0], $0[1]) },
        "focal gamma 0": { sigmoidFocalLoss($0[0], $0[1], alpha: 0.7, gamma: 0, reduction: $1) },
      ])
  }

  @Test("of divergences")
  func divergence() throws {
    for golden in try Golden<Case>.load("divergences", file: #filePath.replacing("/Losses", with: "")) {
      let isLogarithm = golden.name == "kl logTarget"
      golden.check { x, name in
        let reduction = KLDivReduction(rawValue: name == "batchmean" ? "batchMean" : name)!
        return KLDivLoss(logTarget: isLogarithm, reduction: reduction)(x[0], isLogarithm ? x[1].log() : x[1])
      }
    }
  }

  @Test("of margins")
  func margins() throws {
    try check(
      "marginLosses",
      [
        "hinge": { HingeEmbeddingLoss(reduction: $1)($0[0], $0[1]) },
        "hinge margin 2": { HingeEmbeddingLoss(margin: 2, reduction: $1)($0[0], $0[1]) },
        "soft": { SoftMarginLoss(reduction: $1)($0[0], $0[1]) },
        "ranking": { MarginRankingLoss(reduction: $1)($0[0], $0[1], $0[2]) },
        "ranking margin 1": { MarginRankingLoss(margin: 1, reduction: $1)($0[0], $0[1], $0[2]) },
        "multi": { MultiMarginLoss(reduction: $1)($0[0], $0[1]) },
        "multi squared": { MultiMarginLoss(p: 2, margin: 0.5, reduction: $1)($0[0], $0[1]) },
        "multi weighted": { MultiMarginLoss(p: 2, weight: $0[2], reduction: $1)($0[0], $0[1]) },
        "multi of one": { multiMarginLoss($0[0], $0[1], reduction: $1) },
        "multilabel": { MultiLabelMarginLoss(reduction: $1)($0[0], $0[1]) },
        "multilabel of one": { multilabelMarginLoss($0[0], $0[1], reduction: $1) },
        "multilabel soft": { MultiLabelSoftMarginLoss(reduction: $1)($0[0], $0[1]) },
        "multilabel soft weighted": { MultiLabelSoftMarginLoss(weight: $0[2], reduction: $1)($0[0], $0[1]) },
        "multilabel soft of one": { multilabelSoftMarginLoss($0[0], $0[1], reduction: $1) },
      ])
  }

  @Test("of embeddings")
  func embeddings() throws {
    let squares = { (a: Tensor, b: Tensor) in (a - b).square().sum(dim: -1) }
    try check(
      "embeddingLosses",
      [
        "cosine": { CosineEmbeddingLoss(reduction: $1)($0[0], $0[1], $0[2]) },
        "cosine margin": { CosineEmbeddingLoss(margin: -0.9, reduction: $1)($0[0], $0[1], $0[2]) },
        "cosine of one": { cosineEmbeddingLoss($0[0], $0[1], $0[2], reduction: $1) },
        "triplet": { TripletMarginLoss(reduction: $1)($0[0], $0[1], $0[2]) },
        "triplet swap": { TripletMarginLoss(margin: 3, swap: true, reduction: $1)($0[0], $0[1], $0[2]) },
        "triplet p 1": { TripletMarginLoss(p: 1, eps: 0.01, reduction: $1)($0[0], $0[1], $0[2]) },
        "triplet p 3 of one": { tripletMarginLoss($0[0], $0[1], $0[2], p: 3, reduction: $1) },
        "triplet with distance": { TripletMarginWithDistanceLoss(reduction: $1)($0[0], $0[1], $0[2]) },
        "triplet of squares": {
          TripletMarginWithDistanceLoss(distance: squares, margin: 2, swap: true, reduction: $1)($0[0], $0[1], $0[2])
        },
      ])
  }

  @Test("of sequences")
  func ctc() throws {
    func loss(
      _ inputs: [Int], _ targets: [Int], blank: Int = 0, zeroInfinity: Bool = false
    ) -> Function {
      { x, reduction in
        CTCLoss(blank: blank, reduction: reduction, zeroInfinity: zeroInfinity)(
          x[0].logSoftmax(dim: -1), x[1], inputLengths: inputs, targetLengths: targets)
      }
    }
    try check(
      "ctcLosses",
      [
        "padded": loss([5, 4], [3, 2]),
        "joined, blank 3": loss([5, 5], [2, 3], blank: 3),
        "one": loss([4], [3]),
        "no labels": loss([5, 3], [2, 0]),
        "zero infinity": loss([3, 5], [3, 2], zeroInfinity: true),
      ])
  }
}
