import ApusCore
import ApusNN
import TestSupport
import Testing

@Suite("losses")
struct LossTests {
  @Test("gradients of the mean squared error, first and second order", arguments: Reduction.allCases)
  func mseGradients(reduction: Reduction) throws {
    for shape: Shape in [[], [3], [2, 1, 3, 2], [0, 2]] where reduction != .mean || shape.elementCount > 0 {
      try gradientCheck([samples(shape, seed: 1), samples(shape, seed: 2)], order: 2) {
        mseLoss($0[0], $0[1], reduction: reduction)
      }
    }
    let x = samples([2, 3], seed: 3)
    try gradientCheck([x], order: 2) { mseLoss($0[0] * 2, $0[0].square(), reduction: reduction) }
  }

  /// Logits and labels that fit them.
  static let shapes: [(Shape, Shape)] = [([4], []), ([3, 4], [3]), ([2, 4, 3], [2, 3]), ([2, 4, 1, 2], [2, 1, 2])]

  @Test("gradients of cross-entropy with labels, every option", arguments: Reduction.allCases)
  func labelGradients(reduction: Reduction) throws {
    for (i, (shape, labels)) in Self.shapes.enumerated() {
      let target = Tensor.randint(0, 4, labels, generator: Generator(seed: UInt64(i)))
      // The last label is ignored in one of the runs; a mean over nothing is NaN, so not where it is the only one.
      let ignored = labels.rank == 0 ? [-100] : [-100, target.flatten()[-1].item(as: Int.self)]
      for ignoreIndex in ignored where reduction != .mean || (target .!= ignoreIndex).any().item() != 0 {
        for smoothing in [0, 0.2] {
          let x = samples(shape, seed: UInt64(10 + i))
          let weight = samples([4], seed: 5).abs() + 0.3
          try gradientCheck([x], order: 2) {
            crossEntropy($0[0], target, ignoreIndex: ignoreIndex, labelSmoothing: smoothing, reduction: reduction)
          }
          try gradientCheck([x, weight], order: 2) {
            crossEntropy(
              $0[0], target, weight: $0[1], ignoreIndex: ignoreIndex, labelSmoothing: smoothing, reduction: reduction)
          }
        }
      }
    }
  }

  @Test("gradients of cross-entropy with probabilities, every option", arguments: Reduction.allCases)
  func probabilityGradients(reduction: Reduction) throws {
    for (i, (shape, _)) in Self.shapes.enumerated() {
      let x = samples(shape, seed: UInt64(20 + i))
      let q = samples(shape, seed: UInt64(30 + i)).softmax(dim: shape.rank == 1 ? 0 : 1)
      let weight = samples([4], seed: 6).abs() + 0.3
      for smoothing in [0, 0.2] {
        try gradientCheck([x, q], order: 2) { crossEntropy($0[0], $0[1], labelSmoothing: smoothing, reduction: reduction) }
        try gradientCheck([x, q, weight], order: 2) {
          crossEntropy($0[0], $0[1], weight: $0[2], labelSmoothing: smoothing, reduction: reduction)
        }
      }
    }
  }

  @Test("one-hot rows give the loss of their labels")
  func oneHot() {
    let x = samples([3, 4], seed: 1)
    let labels = Tensor([2, 0, 3])
    let rows = labels.oneHot(4)
    for smoothing in [0, 0.3] {
      let expected = crossEntropy(x, labels, labelSmoothing: smoothing)
      expectClose(crossEntropy(x, rows, labelSmoothing: smoothing), expected, relative: 1e-14)
      expectClose(crossEntropy(x, rows.to(.float64), labelSmoothing: smoothing), expected, relative: 1e-14)
    }
  }

  @Test("labels may be of any integer dtype")
  func labelDTypes() {
    let x = samples([3, 4], seed: 1)
    let expected = crossEntropy(x, Tensor([2, 0, 3]))
    for dtype in DType.allCases where dtype.isInteger { expectClose(crossEntropy(x, Tensor([2, 0, 3], dtype: dtype)), expected) }
  }

  @Test("the dtype of the loss is that of the scores")
  func dtypes() {
    for dtype in DType.allCases where dtype.isFloatingPoint {
      let x = samples([3, 4], seed: 1).to(dtype)
      for reduction in Reduction.allCases {
        #expect(crossEntropy(x, Tensor([1, 2, 3]), labelSmoothing: 0.1, reduction: reduction).dtype == dtype)
        #expect(crossEntropy(x, Tensor([1, 2, 3]), ignoreIndex: 2, labelSmoothing: 0.1, reduction: reduction).dtype == dtype)
        #expect(crossEntropy(x, x.softmax(dim: 1), labelSmoothing: 0.1, reduction: reduction).dtype == dtype)
        #expect(mseLoss(x, x * 2, reduction: reduction).dtype == dtype)
      }
    }
  }

  @Test("large logits neither overflow nor lose the gradient")
  func stability() {
    var x = Tensor([[1000, -1000], [-1000, 1000]], dtype: .float32)
    x.requiresGrad = true
    let loss = crossEntropy(x, Tensor([0, 0]))
    loss.backward()
    #expect(loss.item() == 1000)
    expectClose(x.grad!, Tensor([[0, 0], [-0.5, 0.5]]))
  }

  @Test("infinite logits at ignored labels do not matter")
  func ignoredInfinity() {
    var x = Tensor([[0.0, 1], [.infinity, 0]], dtype: .float64)
    x.requiresGrad = true
    let loss = crossEntropy(x, Tensor([1, -100]))
    expectClose(loss, crossEntropy(x[..<1], Tensor([1])))
  }

  @Test("no samples: the mean is NaN, the sum is 0")
  func empty() {
    let (x, target) = (Tensor.zeros([0, 3]), Tensor(scalars: [Int]()))
    #expect(crossEntropy(x, target).item().isNaN)
    #expect(crossEntropy(x, target, reduction: .sum).item() == 0)
    #expect(crossEntropy(x, target, reduction: .none).shape == [0])
    #expect(mseLoss(x, x).item().isNaN)
  }

  @Test("mistakes are named")
  func mistakes() {
    let (x, t) = (Tensor.zeros([2, 3]), Tensor([0, 1]))
    expectMistake("mseLoss: [4, 1] and target [4] differ") { _ = mseLoss(Tensor.zeros([4, 1]), Tensor.zeros([4])) }
    expectMistake("crossEntropy: label 3 at [1] is not one of the 3 classes (0...2)") { _ = crossEntropy(x, Tensor([0, 3])) }
    expectMistake("crossEntropy: label -1 at [1, 0] is not one of the 3 classes (0...2)") {
      _ = crossEntropy(Tensor.zeros([2, 3, 2]), Tensor([[0, 1], [-1, 5]]))
    }
    expectMistake("crossEntropy: label 7 is not one of the 3 classes (0...2)") { _ = crossEntropy(Tensor.zeros([3]), Tensor(7)) }
    expectMistake("crossEntropy: target [3] for scores [2, 3]: class indices have the shape [2]") {
      _ = crossEntropy(x, Tensor([0, 1, 2]))
    }
    expectMistake("crossEntropy: probabilities [3, 2] for logits [2, 3]") { _ = crossEntropy(x, Tensor.zeros([3, 2])) }
    expectMistake("crossEntropy: class indices are integers, not float32; probabilities have the logits' shape") {
      _ = crossEntropy(x, Tensor([0.0, 1]))
    }
    expectMistake("crossEntropy: logits are floating-point, not int64") { _ = crossEntropy(Tensor([[1, 2]]), Tensor([0])) }
    expectMistake("crossEntropy: logits without axes have no classes") { _ = crossEntropy(Tensor(1.5), t) }
    expectMistake("crossEntropy: labelSmoothing = 1.5 is not in 0...1") { _ = crossEntropy(x, t, labelSmoothing: 1.5) }
    expectMistake("crossEntropy: labelSmoothing = nan is not in 0...1") { _ = crossEntropy(x, t, labelSmoothing: .nan) }
    expectMistake("crossEntropy: weight [2] for 3 classes") { _ = crossEntropy(x, t, weight: Tensor([1.0, 2])) }
    expectMistake("crossEntropy: weight is float64, the scores are float32") {
      _ = crossEntropy(x, t, weight: Tensor([1.0, 2, 3], dtype: .float64))
    }
    expectMistake("crossEntropy: ignoreIndex = 1 has no meaning for probabilities") { _ = crossEntropy(x, x, ignoreIndex: 1) }
    expectMistake("nllLoss: log-probabilities are floating-point, not int64") { _ = nllLoss(Tensor([[1, 2]]), Tensor([0])) }
    expectMistake("nllLoss: label 4 at [0] is not one of the 3 classes (0...2)") { _ = nllLoss(x, Tensor([4, 0])) }
  }

  @Test("loss modules print what they took, and their weights are buffers")
  func modules() {
    #expect("\(MSELoss(reduction: .sum))" == "MSELoss(reduction: sum)")
    #expect(
      "\(CrossEntropyLoss(labelSmoothing: 0.1))" == "CrossEntropyLoss(ignoreIndex: -100, labelSmoothing: 0.1, reduction: mean)")
    #expect("\(NLLLoss(ignoreIndex: 0))" == "NLLLoss(ignoreIndex: 0, reduction: mean)")
    #expect(CrossEntropyLoss(weight: Tensor([1.0, 2])).stateDict().names == ["weight"])
    #expect(CrossEntropyLoss().stateDict().isEmpty)
  }
}
