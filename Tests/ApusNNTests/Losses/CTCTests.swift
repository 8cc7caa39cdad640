import ApusCore
import ApusNN
import TestSupport
import Testing

@Suite("connectionist temporal classification")
struct CTCTests {
  /// −ln of the sum over all readings that give `target`, one by one.
  static func sumOverReadings(_ p: Tensor, _ target: [Int], blank: Int) -> Double {
    let (steps, classes) = (p.shape[0], p.shape[1])
    let table = p.array(as: [[Double]].self)
    var total = 0.0
    var reading = [Int](repeating: 0, count: steps)
    func collapsed() -> [Int] {
      reading.indices.filter { $0 == 0 || reading[$0] != reading[$0 - 1] }.map { reading[$0] }.filter { $0 != blank }
    }
    func walk(_ t: Int, _ probability: Double) {
      if t == steps {
        if collapsed() == target { total += probability }
        return
      }
      for c in 0..<classes {
        reading[t] = c
        walk(t + 1, probability * table[t][c])
      }
    }
    walk(0, 1)
    return -Tensor(total, dtype: .float64).log().item()
  }

  @Test("is the sum over all readings of the target")
  func readings() {
    let x = samples([5, 3], seed: 1).logSoftmax(dim: 1)
    for (target, blank) in [
      ([1, 2], 0), ([1, 1], 0), ([2], 0), ([], 0), ([0, 0, 2], 1), ([1, 1, 1], 0), ([0, 1, 0, 1, 0], 2),
    ] {
      let loss = ctcLoss(
        x, Tensor(scalars: target), inputLengths: [5], targetLengths: [target.count], blank: blank, reduction: .none)
      let expected = Self.sumOverReadings(x.exp(), target, blank: blank)
      expectClose(loss, Tensor(expected, dtype: .float64), relative: 1e-12, "\(target)")
    }
  }

  @Test("targets may be padded or joined, of any integer dtype")
  func targets() {
    let x = samples([6, 3, 4], seed: 2).logSoftmax(dim: 2)
    let (inputs, lengths) = ([6, 4, 5], [2, 0, 3])
    let joined = ctcLoss(x, Tensor([1, 3, 2, 2, 1]), inputLengths: inputs, targetLengths: lengths, reduction: .none)
    for dtype in [DType.int64, .int32, .uint8] {
      let padded = Tensor([[1, 3, 0, 0], [3, 3, 3, 3], [2, 2, 1, 0]], dtype: dtype)
      expectClose(ctcLoss(x, padded, inputLengths: inputs, targetLengths: lengths, reduction: .none), joined, relative: 0)
    }
  }

  @Test("a target that does not fit has an infinite loss and no gradient, not even NaN")
  func infinite() {
    for zeroInfinity in [false, true] {
      var x = samples([3, 2, 3], seed: 3)
      x.requiresGrad = true
      let losses = ctcLoss(
        x.logSoftmax(dim: 2), Tensor([[1, 1], [1, 2]]), inputLengths: [2, 3], targetLengths: [2, 2], reduction: .none,
        zeroInfinity: zeroInfinity)
      #expect(losses[0].item() == (zeroInfinity ? 0 : .infinity))
      #expect(losses[1].item().isFinite)
      losses.sum().backward()
      let gradient = x.grad!
      #expect(gradient.isFinite().all().item() == 1)
      #expect(gradient.select(dim: 1, index: 0).abs().sum().item() == 0)
      #expect(gradient.select(dim: 1, index: 1).abs().sum().item() > 0)
    }
  }

  @Test("sequences without steps read nothing")
  func noSteps() {
    let x = Tensor.zeros([2, 2, 3])
    let losses = ctcLoss(x, Tensor([[1], [0]]), inputLengths: [0, 0], targetLengths: [1, 0], reduction: .none)
    #expect(losses.scalars(as: Double.self) == [.infinity, 0])
    #expect(
      ctcLoss(Tensor.zeros([2, 0, 3]), Tensor(scalars: [Int]()), inputLengths: [], targetLengths: [], reduction: .sum).item() == 0
    )
  }

  @Test("classes of probability 0 are readings that do not count")
  func impossibleClasses() {
    var x = Tensor([[[0.5, 0.5, 0.0]], [[0.25, 0.75, 0.0]], [[1.0, 0.0, 0.0]]], dtype: .float64).log()
    x.requiresGrad = true
    let loss = ctcLoss(x, Tensor([[1]]), inputLengths: [3], targetLengths: [1], reduction: .sum)
    expectClose(loss, -Tensor(0.5 * 0.25 + 0.5 * 0.75 + 0.5 * 0.75, dtype: .float64).log(), relative: 1e-14)
    loss.backward()
    #expect(x.grad!.isFinite().all().item() == 1)
  }

  @Test("NaN stays NaN")
  func notANumber() {
    let x = Tensor.full([3, 1, 2], Double.nan)
    #expect(ctcLoss(x, Tensor([[1]]), inputLengths: [3], targetLengths: [1]).item().isNaN)
  }

  @Test("the fused loss agrees with its twin, and so do their gradients", arguments: [1, 2])
  func twin(seed: UInt64) {
    // A second derivative runs through the twin; its value is that of the fused rule.
    var x = samples([7, 3, 4], seed: seed)
    x.requiresGrad = true
    let loss = ctcLoss(
      x.logSoftmax(dim: 2), Tensor([[1, 2, 2], [3, 1, 0], [1, 0, 0]]), inputLengths: [7, 5, 1], targetLengths: [3, 2, 1])
    let fused = grad(of: loss, withRespectTo: [x], retainGraph: true)[0]
    let plain = grad(of: loss, withRespectTo: [x], createGraph: true)[0]
    #expect(plain.requiresGrad && !fused.requiresGrad)
    expectClose(fused, plain.detach(), relative: 1e-11, absolute: 1e-14)
  }

  @Test("dtypes of the scores are kept")
  func dtypes() {
    for dtype in [DType.float16, .bfloat16, .float32, .float64] {
      var x = samples([4, 2, 3], seed: 5).to(dtype)
      x.requiresGrad = true
      let loss = ctcLoss(x.logSoftmax(dim: 2), Tensor([[1], [2]]), inputLengths: [4, 4], targetLengths: [1, 1])
      loss.backward()
      #expect(loss.dtype == dtype && x.grad!.dtype == dtype)
    }
  }

  @Test("mistakes are named")
  func mistakes() {
    let x = Tensor.zeros([4, 2, 3])
    func loss(_ targets: Tensor, _ inputs: [Int] = [4, 4], _ lengths: [Int] = [1, 2], blank: Int = 0, x: Tensor? = nil) {
      _ = ctcLoss(x ?? Tensor.zeros([4, 2, 3]), targets, inputLengths: inputs, targetLengths: lengths, blank: blank)
    }
    expectMistake("ctcLoss: blank = 3 is not one of the 3 classes") { loss(Tensor([1, 1, 2]), blank: 3) }
    expectMistake("ctcLoss: label 3 is not one of the 3 classes") { loss(Tensor([1, 1, 3])) }
    expectMistake("ctcLoss: targets [4] for 2 sequences of lengths [1, 2]") { loss(Tensor([1, 1, 2, 2])) }
    expectMistake("ctcLoss: targets [2, 1] for 2 sequences of lengths [1, 2]") { loss(Tensor([[1], [1]])) }
    expectMistake("ctcLoss: targets are integers, not float32") { loss(Tensor([1.0, 1, 2])) }
    expectMistake("ctcLoss: input lengths [4, 5] for 4 steps") { loss(Tensor([1, 1, 2]), [4, 5]) }
    expectMistake("ctcLoss: 1 input lengths and 2 target lengths for 2 sequences") { loss(Tensor([1, 1, 2]), [4]) }
    expectMistake("ctcLoss: log-probabilities are [T, N, C] or [T, C], not [4]") { loss(Tensor([1]), x: Tensor.zeros([4])) }
    expectMistake("ctcLoss: targets [1, 1] for one sequence, which has [S]") { loss(Tensor([[1]]), x: Tensor.zeros([4, 3])) }
    expectMistake("ctcLoss: is not defined for int64") { loss(Tensor([1]), x: x.to(.int64)) }
  }
}
