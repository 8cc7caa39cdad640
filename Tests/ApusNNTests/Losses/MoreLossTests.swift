import ApusCore
import ApusNN
import TestSupport
import Testing

@Suite("more losses")
struct MoreLossTests {
  static func modules() -> [(Module, String)] {
    [
      (L1Loss(), "L1Loss(reduction: mean)"),
      (SmoothL1Loss(beta: 0.5), "SmoothL1Loss(beta: 0.5, reduction: mean)"),
      (HuberLoss(reduction: .sum), "HuberLoss(delta: 1.0, reduction: sum)"),
      (BCELoss(), "BCELoss(reduction: mean)"),
      (BCEWithLogitsLoss(), "BCEWithLogitsLoss(reduction: mean)"),
      (SigmoidFocalLoss(), "SigmoidFocalLoss(alpha: 0.25, gamma: 2.0, reduction: none)"),
      (KLDivLoss(reduction: .batchMean), "KLDivLoss(logTarget: false, reduction: batchMean)"),
      (PoissonNLLLoss(), "PoissonNLLLoss(logInput: true, full: false, eps: 1e-08, reduction: mean)"),
      (GaussianNLLLoss(), "GaussianNLLLoss(full: false, eps: 1e-06, reduction: mean)"),
      (HingeEmbeddingLoss(), "HingeEmbeddingLoss(margin: 1.0, reduction: mean)"),
      (SoftMarginLoss(), "SoftMarginLoss(reduction: mean)"),
      (MarginRankingLoss(), "MarginRankingLoss(margin: 0.0, reduction: mean)"),
      (MultiMarginLoss(), "MultiMarginLoss(p: 1, margin: 1.0, reduction: mean)"),
      (MultiLabelMarginLoss(), "MultiLabelMarginLoss(reduction: mean)"),
      (MultiLabelSoftMarginLoss(), "MultiLabelSoftMarginLoss(reduction: mean)"),
      (CosineEmbeddingLoss(), "CosineEmbeddingLoss(margin: 0.0, reduction: mean)"),
      (TripletMarginLoss(), "TripletMarginLoss(margin: 1.0, p: 2.0, eps: 1e-06, swap: false, reduction: mean)"),
      (TripletMarginWithDistanceLoss(), "TripletMarginWithDistanceLoss(margin: 1.0, swap: false, reduction: mean)"),
      (CTCLoss(), "CTCLoss(blank: 0, reduction: mean, zeroInfinity: false)"),
    ]
  }

  @Test("modules print what they took, and hold no state without weights")
  func printing() {
    for (module, text) in Self.modules() {
      #expect(module.description == text)
      #expect(module.stateDict().isEmpty)
    }
    let weight = Tensor([1.0, 2])
    #expect(BCEWithLogitsLoss(weight: weight, posWeight: weight).stateDict().names == ["weight", "pos_weight"])
    #expect(MultiMarginLoss(weight: weight).stateDict().names == ["weight"])
  }

  @Test("the dtype of the loss is that of the input, whatever the target's")
  func dtypes() {
    for dtype in DType.allCases where dtype.isFloatingPoint {
      let x = (samples([2, 3], seed: 1) / 5 + 0.5).to(dtype)
      for target in [Tensor([[0, 1, 1], [1, 0, 1]]), Tensor([[false, true, true], [true, false, true]])] {
        #expect(binaryCrossEntropy(x, target).dtype == dtype)
        #expect(binaryCrossEntropyWithLogits(x, target).dtype == dtype)
        #expect(sigmoidFocalLoss(x, target, reduction: .mean).dtype == dtype)
        #expect(multilabelSoftMarginLoss(x, target).dtype == dtype)
        #expect(poissonNLLLoss(x, target, full: true).dtype == dtype)
      }
      #expect(l1Loss(x, Tensor([[0, 1, 1], [1, 0, 1]])).dtype == dtype)
      #expect(smoothL1Loss(x, x * 2).dtype == dtype && huberLoss(x, x * 2).dtype == dtype)
      #expect(gaussianNLLLoss(x, x * 2, x, full: true).dtype == dtype)
      #expect(multiMarginLoss(x, Tensor([0, 1])).dtype == dtype)
      #expect(multilabelMarginLoss(x, Tensor([[0, 1, -1], [1, -1, 1]])).dtype == dtype)
      #expect(cosineEmbeddingLoss(x, x, Tensor([1, -1])).dtype == dtype)
      #expect(tripletMarginLoss(x, x * 2, x * 3).dtype == dtype)
      #expect(klDiv(x.log(), x).dtype == dtype)
    }
  }

  @Test("large inputs neither overflow nor lose the gradient")
  func stability() {
    var x = Tensor([1000, -1000, 1e30, -1e30], requiresGrad: true)
    let no = Tensor([0, 0, 0, 0])
    let losses: [(Tensor) -> Tensor] = [
      { binaryCrossEntropyWithLogits($0, no, reduction: .sum) }, { softMarginLoss($0, no - 1, reduction: .sum) },
      { smoothL1Loss($0, no, reduction: .sum) }, { huberLoss($0, no, reduction: .sum) },
      { sigmoidFocalLoss($0, no, reduction: .sum) },
    ]
    for loss in losses {
      x.grad = nil
      let y = loss(x)
      y.backward()
      #expect(y.item().isFinite)
      #expect(x.grad!.isFinite().all().item() == 1 && x.grad![0].item() > 0.5)
    }
    x = Tensor([0.0, 1], requiresGrad: true)
    let y = binaryCrossEntropy(x, Tensor([1.0, 0]), reduction: .sum)
    y.backward()
    #expect(y.item() == 200)
    expectClose(x.grad!, Tensor([-1e12, 1e12]))
  }

  @Test("a variance below eps counts as eps, with its gradient")
  func smallVariance() {
    var v = Tensor([0.0, 1e-9], dtype: .float64)
    v.requiresGrad = true
    let (x, t) = (Tensor([1.0, 1], dtype: .float64), Tensor([1.5, 1], dtype: .float64))
    let loss = gaussianNLLLoss(x, t, v, eps: 0.01, reduction: .none)
    expectClose(loss, gaussianNLLLoss(x, t, Tensor.full([2], 0.01, dtype: .float64), reduction: .none), relative: 1e-12)
    loss.sum().backward()
    expectClose(v.grad!, 0.5 * (1 / Tensor([0.01, 0.01], dtype: .float64) - (x - t).square() / 1e-4), relative: 1e-10)
  }

  @Test("in an autocast scope losses take half types as float32")
  func autocasting() {
    let x = (samples([2, 3], seed: 1) / 5 + 0.5).to(.bfloat16)
    let (weight, one, pair) = (Tensor([1.0, 2, 0.5]), Tensor([0, 2]), Tensor([1, -1]))
    let losses: [(String, (Reduction) -> Tensor)] = [
      ("l1", { l1Loss(x, x * x, reduction: $0) }), ("mse", { mseLoss(x, x * x, reduction: $0) }),
      ("huber", { huberLoss(x, x * x, reduction: $0) }), ("smoothL1", { smoothL1Loss(x, x * x, reduction: $0) }),
      ("bce", { binaryCrossEntropy(x, x * x, reduction: $0) }),
      ("logits", { binaryCrossEntropyWithLogits(x, x * x, reduction: $0) }),
      ("focal", { sigmoidFocalLoss(x, x * x, reduction: $0) }),
      ("kl", { klDiv(x, x * x, reduction: KLDivReduction(rawValue: $0.rawValue)!) }),
      ("poisson", { poissonNLLLoss(x, x * x, reduction: $0) }), ("gaussian", { gaussianNLLLoss(x, x * x, x, reduction: $0) }),
      ("hinge", { hingeEmbeddingLoss(x[0], Tensor([1, -1, 1]), reduction: $0) }),
      ("soft margin", { softMarginLoss(x, x * x, reduction: $0) }),
      ("ranking", { marginRankingLoss(x, x * x, x, reduction: $0) }),
      ("multi", { multiMarginLoss(x, one, weight: weight, reduction: $0) }),
      ("multilabel", { multilabelMarginLoss(x[0], Tensor([0, 2, -1]), reduction: $0) }),
      ("multilabel soft", { multilabelSoftMarginLoss(x, x * x, weight: weight, reduction: $0) }),
      ("cosine", { cosineEmbeddingLoss(x, x * x, pair, reduction: $0) }),
      ("triplet", { tripletMarginLoss(x, x * x, -x, reduction: $0) }),
      ("ctc", { ctcLoss(x, Tensor([1]), inputLengths: [2], targetLengths: [1], reduction: $0) }),
      ("cross-entropy", { crossEntropy(x, one, weight: weight, reduction: $0) }),
      ("negative log likelihood", { nllLoss(x, one, weight: weight, reduction: $0) }),
    ]
    for (name, loss) in losses {
      for reduction in Reduction.allCases {
        #expect(autocast { loss(reduction) }.dtype == .float32, "\(name)")
      }
    }
  }

  @Test("no samples: the mean is NaN, the sum is 0")
  func empty() {
    let x = Tensor.zeros([0, 3])
    #expect(l1Loss(x, x).item().isNaN && l1Loss(x, x, reduction: .sum).item() == 0)
    #expect(binaryCrossEntropy(x, x, reduction: .none).shape == [0, 3])
    #expect(multiMarginLoss(x, Tensor(scalars: [Int]()), reduction: .none).shape == [0])
    #expect(multilabelMarginLoss(x, x.to(.int64), reduction: .sum).item() == 0)
    #expect(tripletMarginLoss(x, x, x, reduction: .none).shape == [0])
    #expect(klDiv(x, x, reduction: .batchMean).item().isNaN)
  }

  @Test("mistakes are named")
  func mistakes() {
    let (x, flat) = (Tensor.zeros([4, 1]), Tensor.zeros([4]))
    let shapes: [(String, (Tensor, Tensor) -> Tensor)] = [
      ("l1Loss", { l1Loss($0, $1) }), ("smoothL1Loss", { smoothL1Loss($0, $1) }), ("huberLoss", { huberLoss($0, $1) }),
      ("binaryCrossEntropy", { binaryCrossEntropy($0, $1) }),
      ("binaryCrossEntropyWithLogits", { binaryCrossEntropyWithLogits($0, $1) }),
      ("sigmoidFocalLoss", { sigmoidFocalLoss($0, $1) }), ("klDiv", { klDiv($0, $1) }),
      ("poissonNLLLoss", { poissonNLLLoss($0, $1) }), ("gaussianNLLLoss", { gaussianNLLLoss($0, $1, $0) }),
      ("hingeEmbeddingLoss", { hingeEmbeddingLoss($0, $1) }), ("softMarginLoss", { softMarginLoss($0, $1) }),
      ("marginRankingLoss", { marginRankingLoss($0, $0, $1) }), ("multilabelMarginLoss", { multilabelMarginLoss($0, $1) }),
      ("multilabelSoftMarginLoss", { multilabelSoftMarginLoss($0, $1) }),
    ]
    for (name, loss) in shapes {
      expectMistake("\(name): [4, 1] and target [4] differ") { _ = loss(x, flat) }
      expectMistake("\(name): is not defined for int64") { _ = loss(x.to(.int64), x) }
    }
    expectMistake("mseLoss: [4, 1] and weight [4] differ") { _ = mseLoss(x, x, weight: flat) }
    expectMistake("smoothL1Loss: beta = -1.0 is negative") { _ = smoothL1Loss(x, x, beta: -1) }
    expectMistake("huberLoss: delta = 0.0 is not greater than 0") { _ = huberLoss(x, x, delta: 0) }
    expectMistake("binaryCrossEntropy: the input has elements outside of 0...1; are they logits?") {
      _ = binaryCrossEntropy(x + 1.5, x)
    }
    expectMistake("binaryCrossEntropy: the input has elements outside of 0...1; are they logits?") {
      _ = binaryCrossEntropy(x + Double.nan, x)
    }
    expectMistake("binaryCrossEntropy: weight [3] does not broadcast to [4, 1]") {
      _ = binaryCrossEntropy(x, x, weight: Tensor.zeros([3]))
    }
    expectMistake("binaryCrossEntropyWithLogits: posWeight [4, 2] does not broadcast to [4, 1]") {
      _ = binaryCrossEntropyWithLogits(x, x, posWeight: Tensor.zeros([4, 2]))
    }
    expectMistake("sigmoidFocalLoss: alpha = 2.0 is greater than 1") { _ = sigmoidFocalLoss(x, x, alpha: 2) }
    expectMistake("sigmoidFocalLoss: gamma = -1.0 is negative") { _ = sigmoidFocalLoss(x, x, gamma: -1) }
    expectMistake("gaussianNLLLoss: a variance is negative") { _ = gaussianNLLLoss(x, x, x - 1) }
    expectMistake("gaussianNLLLoss: variance [2, 1] does not fit [4, 1]") { _ = gaussianNLLLoss(x, x, Tensor.zeros([2, 1])) }
    expectMistake("gaussianNLLLoss: eps = 0.0 is not greater than 0") { _ = gaussianNLLLoss(x, x, x, eps: 0) }
  }

  @Test("mistakes with labels, signs and pairs are named")
  func labelMistakes() {
    let (x, flat) = (Tensor.zeros([4, 1]), Tensor.zeros([4]))
    expectMistake("hingeEmbeddingLoss: targets are 1 or -1") { _ = hingeEmbeddingLoss(x, x) }
    expectMistake("cosineEmbeddingLoss: targets are 1 or -1") { _ = cosineEmbeddingLoss(x, x, flat) }
    expectMistake("cosineEmbeddingLoss: target [4, 1] for inputs [4, 1]: one sign for each pair") {
      _ = cosineEmbeddingLoss(x, x, x)
    }
    expectMistake("cosineEmbeddingLoss: inputs are [D] or [N, D], not []") {
      _ = cosineEmbeddingLoss(Tensor(1.0), Tensor(1.0), Tensor(1))
    }
    expectMistake("marginRankingLoss: [4, 1] and the other input [4] differ") { _ = marginRankingLoss(x, flat, x) }
    expectMistake("tripletMarginLoss: [4, 1] and negative [4] differ") { _ = tripletMarginLoss(x, x, flat) }
    expectMistake("tripletMarginLoss: margin = 0.0 is not greater than 0") { _ = tripletMarginLoss(x, x, x, margin: 0) }
    expectMistake("tripletMarginWithDistanceLoss: inputs without axes are no vectors") {
      _ = tripletMarginWithDistanceLoss(Tensor(1.0), Tensor(1.0), Tensor(1.0))
    }
    expectMistake("multiMarginLoss: p = 3 is neither 1 nor 2") { _ = multiMarginLoss(x, Tensor([0, 0, 0, 0]), p: 3) }
    expectMistake("multiMarginLoss: scores are [C] or [N, C], not [2, 3, 4]") {
      _ = multiMarginLoss(Tensor.zeros([2, 3, 4]), Tensor([0, 0]))
    }
    expectMistake("multiMarginLoss: label 1 at [2] is not one of the 1 classes (0...0)") {
      _ = multiMarginLoss(x, Tensor([0, 0, 1, 0]))
    }
    expectMistake("multilabelMarginLoss: label 3 at [0] is not one of the 3 classes (0...2)") {
      _ = multilabelMarginLoss(Tensor.zeros([3]), Tensor([3, -1, 5]))
    }
    expectMistake("multilabelMarginLoss: labels are integers, not float32") { _ = multilabelMarginLoss(x, x) }
    expectMistake("multilabelSoftMarginLoss: scores without axes have no classes") {
      _ = multilabelSoftMarginLoss(Tensor(1.0), Tensor(1.0))
    }
  }
}
