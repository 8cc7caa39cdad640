import ApusCore
import ApusNN
import TestSupport
import Testing

@Suite("layers")
struct LayerTests {
  /// One of each kind, with an input that it takes and what it prints. A new layer goes here.
  static func all() -> [(layer: any Layer, input: Tensor, text: String)] {
    let (matrix, images) = (samples([3, 4], seed: 1), samples([2, 3, 4], seed: 2))
    return [
      (Linear(4, 5, dtype: .float64, generator: Generator(seed: 1)), matrix, "Linear(in: 4, out: 5, bias: true)"),
      (Linear(4, 5, bias: false, dtype: .float64, generator: Generator(seed: 1)), images, "Linear(in: 4, out: 5, bias: false)"),
      (Flatten(), images, "Flatten(startDim: 1, endDim: -1)"),
      (Identity(), matrix, "Identity()"),
      (Dropout(0.25, generator: Generator(seed: 1)), matrix, "Dropout(p: 0.25)"),
      (ReLU(), matrix, "ReLU()"),
      (Sigmoid(), matrix, "Sigmoid()"),
      (Tanh(), matrix, "Tanh()"),
      (Softmax(dim: -1), matrix, "Softmax(dim: -1)"),
      (LogSoftmax(dim: 1), images, "LogSoftmax(dim: 1)"),
      (
        Sequential {
          Linear(4, 2, dtype: .float64, generator: Generator(seed: 3)); Tanh()
        }, matrix,
        "Sequential(\n  (0): Linear(in: 4, out: 2, bias: true)\n  (1): Tanh()\n)"
      ),
    ] + AttentionLayerTests.all() + ConvLayerTests.all() + SmallLayerTests.all() + NormalizationLayerTests.all()
  }

  @Test("every layer prints what its constructor took")
  func printing() {
    for (layer, _, text) in Self.all() { #expect(layer.description == text) }
  }

  @Test("every parameter and the input get a finite, non-zero gradient")
  func gradients() {
    for (layer, input, text) in Self.all() {
      var x = input
      x.requiresGrad = true
      let y = layer(x)
      #expect(y.dtype == .float64)
      (y * samples(y.shape, seed: 9)).sum().backward()
      let gradients = [x.grad] + layer.parameters().map(\.grad)
      for gradient in gradients {
        #expect(gradient.map { $0.isFinite().all().item() == 1 && $0.abs().sum().item() > 0 } == true, "\(text)")
      }
    }
  }

  @Test("gradients of the layers' functions, first and second order")
  func functionGradients() throws {
    let (w, b) = (samples([2, 4], seed: 4), samples([2], seed: 5))
    for shape: Shape in [[4], [3, 4], [2, 1, 3, 4], [0, 4]] {
      let x = samples(shape, seed: 3)
      try gradientCheck([x, w, b], order: 2) { linear($0[0], $0[1], $0[2]) }
      try gradientCheck([x, w], order: 2) { linear($0[0], $0[1]) }
      try gradientCheck([x, w[0]], order: 2) { linear($0[0], $0[1]) }
    }
    try gradientCheck([w.narrow(dim: 1, start: 0, count: 2)], order: 2) { linear($0[0], $0[0], $0[0][0]) }
    try gradientCheck([samples([3, 4], seed: 6)], order: 2) { dropout($0[0], p: 0.3, generator: Generator(seed: 1)) }
  }

  @Test("linear agrees with its twin in value and gradients, whatever the layout")
  func twin() {
    for shape: Shape in [[4], [3, 4], [2, 3, 4], [0, 4]] {
      for dtype in [DType.float32, .float64, .float16, .bfloat16] {
        var x = samples(shape, seed: 1).to(dtype).mT2()
        var (w, b) = (samples([4, 2], seed: 2).to(dtype).T, samples([2], seed: 3).to(dtype))
        (x.requiresGrad, w.requiresGrad, b.requiresGrad) = (true, true, true)
        let ys = [linear(x, w, b), linearTwin(x, w, b)]
        let tolerance = dtype == .float64 ? 1e-13 : dtype == .float32 ? 1e-6 : dtype == .float16 ? 4e-3 : 3e-2
        expectClose(ys[0], ys[1], relative: tolerance, absolute: tolerance)
        let gradients = ys.map { grad(of: ($0 * $0).sum(), withRespectTo: [x, w, b]) }
        for (fused, plain) in zip(gradients[0], gradients[1]) {
          expectClose(fused, plain, relative: 4 * tolerance, absolute: 16 * tolerance, "\(shape) \(dtype)")
        }
      }
    }
  }

  @Test("a bias that goes to memory with the sums is added as by itself, bit for bit", arguments: [DType.float32, .float64])
  func biasOfBlocks(dtype: DType) {
    // Small, one block, edges of tiles, several blocks along each axis.
    for (m, k, n) in [(2, 3, 4), (13, 40, 37), (1, 600, 70), (50, 1100, 70), (200, 30, 2100)] {
      let (x, w, b) = (samples([m, k], seed: 1).to(dtype), samples([n, k], seed: 2).to(dtype), samples([n], seed: 3).to(dtype))
      expectClose(linear(x, w, b), linearTwin(x, w, b), relative: 0, absolute: 0, "\(m) \(k) \(n)")
    }
  }

  @Test("the gradient of a linear weight lies in the weight's own order")
  func gradientLayout() {
    let layer = Linear(3, 2)
    layer(Tensor.ones([5, 3])).sum().backward()
    #expect(layer.$weight.grad?.isContiguous == true)
  }

  @Test("linear starts evenly over ±1/√in, from the generator that it is given")
  func linearStart() {
    let layer = Linear(400, 300, generator: Generator(seed: 7))
    for values in [layer.weight, layer.bias!] {
      #expect(values.abs().max().item() <= 0.05)
      #expect(values.abs().max().item() > 0.049)
      #expect(abs(values.mean().item()) < 0.005)
    }
    // A uniform distribution over ±b has the variance b²/3.
    #expect(abs(layer.weight.var().item() / (0.0025 / 3) - 1) < 0.02)
    let again = Linear(400, 300, generator: Generator(seed: 7))
    #expect((layer.weight .== again.weight).all().item() == 1)
    #expect(Linear(0, 2)(Tensor.zeros([3, 0])).shape == [3, 2])
  }

  @Test("dropout drops a share of p, scales the rest, and keeps the mean")
  func dropoutStatistics() {
    let x = Tensor.ones([200, 500], dtype: .float64)
    for p in [0.1, 0.5, 0.9] {
      let y = dropout(x, p: p, generator: Generator(seed: 3))
      let dropped = (y .== 0).to(.float64).mean().item()
      #expect(abs(dropped - p) < 0.005)
      #expect(abs(y.mean().item() - 1) < 0.02)
      let kept = y.maskedSelect(y .!= 0)
      let scale: Double = 1 / (1 - p)
      expectClose(kept, Tensor.ones(kept.shape, dtype: .float64) * scale, relative: 1e-12)
    }
  }

  @Test("dropout is the identity in evaluation, for p = 0, and nothing for p = 1")
  func dropoutEdges() {
    let x = samples([4, 4], seed: 1)
    expectClose(dropout(x, p: 0), x, relative: 0)
    expectClose(dropout(x, p: 0.9, isTraining: false), x, relative: 0)
    expectClose(dropout(x, p: 1), Tensor.zerosLike(x), relative: 0)
    let layer = Dropout(0.9)
    layer.eval()
    expectClose(layer(x), x, relative: 0)
    for dtype in [DType.float16, .bfloat16, .float32] { #expect(dropout(x.to(dtype), p: 0.3).dtype == dtype) }
  }

  @Test("dropout from one seed is the same twice and differs from call to call")
  func dropoutSeeds() {
    let x = Tensor.ones([64])
    let (a, b) = (Dropout(0.5, generator: Generator(seed: 5)), Dropout(0.5, generator: Generator(seed: 5)))
    let (first, second) = (a(x), a(x))
    expectClose(b(x), first, relative: 0)
    #expect((first .!= second).any().item() == 1)
  }

  @Test("a sequence takes conditions, loops and arrays")
  func builder() {
    func make(depth: Int, isDeep: Bool, activation: String) -> Sequential {
      Sequential {
        Flatten()
        for _ in 0..<depth { Linear(4, 4) }
        if isDeep { Dropout(0.1) }
        switch activation {
        case "tanh": Tanh()
        default: [ReLU(), Identity()]
        }
        if depth > 1 { Linear(4, 1) } else { Linear(4, 2) }
      }
    }
    let kinds = { (model: Sequential) in model.layers.map { "\(type(of: $0))" } }
    #expect(
      kinds(make(depth: 2, isDeep: true, activation: "tanh")) == ["Flatten", "Linear", "Linear", "Dropout", "Tanh", "Linear"])
    #expect(kinds(make(depth: 0, isDeep: false, activation: "relu")) == ["Flatten", "ReLU", "Identity", "Linear"])
    let model = Sequential([Linear(2, 3), Tanh()])
    #expect(model.count == 2)
    #expect(model[1] is Tanh)
    #expect(model.stateDict().names == ["0.weight", "0.bias"])
    #expect(Sequential([])(Tensor([1.0])).item() == 1)
  }

  @Test("mistakes are named")
  func mistakes() {
    expectMistake("linear: input [2, 5] and weight [3, 4]: the last axis must have 4 features") {
      _ = Linear(4, 3)(Tensor.zeros([2, 5]))
    }
    expectMistake("linear: input [] and weight [3, 4]: the last axis must have 4 features") { _ = Linear(4, 3)(Tensor(1.0)) }
    expectMistake("linear: bias [4] does not fit weight [3, 4]") {
      _ = linear(Tensor.zeros([2, 4]), Tensor.zeros([3, 4]), Tensor.zeros([4]))
    }
    expectMistake("linear: weight [1, 3, 4] is neither [out, in] nor [in]") {
      _ = linear(Tensor.zeros([4]), Tensor.zeros([1, 3, 4]))
    }
    expectMistake("Linear: -1 → 3 features") { _ = Linear(-1, 3) }
    expectMistake("dropout: p = 1.5 is not in 0...1") { _ = dropout(Tensor([1.0]), p: 1.5) }
    expectMistake("Dropout: p = -0.5 is not in 0...1") { _ = Dropout(-0.5) }
    expectMistake("Dropout: p = nan is not in 0...1") { _ = Dropout(.nan) }
    expectMistake("dropout: int64 is not floating-point") { _ = dropout(Tensor([1, 2])) }
    expectMistake("flatten: axis 3 is not in -2..<2 (shape [2, 3])") { _ = Flatten(startDim: 3)(Tensor.zeros([2, 3])) }
  }
}

extension Tensor {
  /// The same numbers with the memory of the last two axes across the grain.
  fileprivate func mT2() -> Tensor { rank < 2 ? self : mT.contiguous().mT }
}
