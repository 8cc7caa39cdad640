import ApusCore
import ApusNN
import TestSupport
import Testing

/// Activations, dropouts and other small layers.
@Suite("small layers")
struct SmallLayerTests {
  /// One of each kind, for `LayerTests.all`.
  static func all() -> [(layer: any Layer, input: Tensor, text: String)] {
    let (matrix, sequences, images) = (samples([3, 4], seed: 1), samples([2, 3, 4], seed: 2), samples([2, 3, 2, 2], seed: 3))
    let g = Generator(seed: 1)
    return [
      (ReLU6(), matrix, "ReLU6()"), (LeakyReLU(), matrix, "LeakyReLU(negativeSlope: 0.01)"),
      (Hardtanh(), matrix, "Hardtanh(minVal: -1.0, maxVal: 1.0)"), (Hardsigmoid(), matrix, "Hardsigmoid()"),
      (Hardswish(), matrix, "Hardswish()"), (Hardshrink(), matrix, "Hardshrink(0.5)"),
      (Softshrink(0.25), matrix, "Softshrink(0.25)"), (Threshold(0.1, 2), matrix, "Threshold(threshold: 0.1, value: 2.0)"),
      (ELU(), matrix, "ELU(alpha: 1.0)"), (CELU(alpha: 2), matrix, "CELU(alpha: 2.0)"), (SELU(), matrix, "SELU()"),
      (GELU(), matrix, "GELU(approximate: none)"), (GELU(approximate: .tanh), matrix, "GELU(approximate: tanh)"),
      (SiLU(), matrix, "SiLU()"), (Mish(), matrix, "Mish()"), (Softplus(), matrix, "Softplus(beta: 1.0, threshold: 20.0)"),
      (Softsign(), matrix, "Softsign()"), (Tanhshrink(), matrix, "Tanhshrink()"), (LogSigmoid(), matrix, "LogSigmoid()"),
      (Softmin(dim: 0), matrix, "Softmin(dim: 0)"), (Softmax2d(), images, "Softmax2d()"), (GLU(), matrix, "GLU(dim: -1)"),
      (PReLU(dtype: .float64), images, "PReLU(numParameters: 1)"),
      (PReLU(numParameters: 3, dtype: .float64), images, "PReLU(numParameters: 3)"),
      (RReLU(lower: 0.25, upper: 0.5, generator: g), matrix, "RReLU(lower: 0.25, upper: 0.5)"),
      (
        SwiGLU(4, 3, dtype: .float64, generator: g), matrix,
        """
        SwiGLU(
          (w1): Linear(in: 4, out: 3, bias: false)
          (w2): Linear(in: 3, out: 4, bias: false)
          (w3): Linear(in: 4, out: 3, bias: false)
        )
        """
      ),
      (Dropout1d(0.5, generator: g), sequences, "Dropout1d(p: 0.5)"),
      (Dropout2d(0.25, generator: g), images, "Dropout2d(p: 0.25)"),
      (Dropout3d(0.25, generator: g), images.unsqueeze(dim: 2), "Dropout3d(p: 0.25)"),
      (AlphaDropout(0.25, generator: g), matrix, "AlphaDropout(p: 0.25)"),
      (FeatureAlphaDropout(0.25, generator: g), images, "FeatureAlphaDropout(p: 0.25)"),
      (Unflatten(1, [2, 2]), matrix, "Unflatten(dim: 1, sizes: [2, 2])"),
    ]
  }

  @Test("modules of two inputs print what they took, and all that they hold gets a gradient")
  func pairs() {
    let map = Bilinear(3, 2, 4, dtype: .float64, generator: Generator(seed: 1))
    #expect("\(map)" == "Bilinear(in1: 3, in2: 2, out: 4, bias: true)")
    #expect(map.stateDict().names == ["weight", "bias"])
    #expect("\(CosineSimilarity())" == "CosineSimilarity(dim: 1, eps: 1e-08)")
    #expect("\(PairwiseDistance())" == "PairwiseDistance(p: 2.0, eps: 1e-06, keepDim: false)")
    map(samples([5, 3], seed: 2), samples([5, 2], seed: 3)).sum().backward()
    for cell in map.parameters() {
      #expect(cell.grad!.isFinite().all().item() == 1 && cell.grad!.abs().sum().item() > 0)
    }
    #expect(Bilinear(100, 3, 50).weight.abs().max().item() <= 0.1)
  }

  @Test("gradients, first and second order")
  func gradients() throws {
    let (a, b, w) = (samples([2, 3, 3], seed: 1), samples([2, 3, 2], seed: 2), samples([4, 3, 2], seed: 3))
    try gradientCheck([a, b, w, samples([4], seed: 4)], order: 2) { bilinear($0[0], $0[1], $0[2], $0[3]) }
    try gradientCheck([a[0, 0], b[0, 0], w], order: 2) { bilinear($0[0], $0[1], $0[2]) }
    try gradientCheck([a], order: 2) { rrelu($0[0], isTraining: true, generator: Generator(seed: 1)) * $0[0] }
    try gradientCheck([a], order: 2) { dropout1d($0[0], generator: Generator(seed: 1)) * $0[0] }
    try gradientCheck([a], order: 2) { alphaDropout($0[0], p: 0.3, generator: Generator(seed: 1)) * $0[0] }
    try gradientCheck([a], order: 2) { featureAlphaDropout($0[0], p: 0.3, generator: Generator(seed: 1)) * $0[0] }
  }

  @Test("dropout has the layout of its input, and its gradient passes where the element did", arguments: [6, 60])
  func dropoutLayout(size: Int) {
    var x = (Tensor.rand([3, 5, size, size]) + 1).movedim(1, -1).contiguous().movedim(-1, 1)
    x.requiresGrad = true
    for p in [0.25, 1] {
      let y = dropout(x, p: p, generator: Generator(seed: 3))
      #expect(y.data.strides == x.data.strides)
      let kept = (y .!= 0).to(.float32)
      #expect(abs(kept.mean().item() - (1 - p)) < 0.08)
      let scale: Double = p < 1 ? 1 / (1 - p) : 0
      expectClose(y, x.detach() * kept * scale)
      expectClose(grad(of: (y * 3).sum(), withRespectTo: [x])[0], 3 * scale * kept)
    }
  }

  @Test("channel dropout drops a share of p of the channels, each as a whole, and scales the rest")
  func channelDropout() {
    let cases: [(Shape, [Int], (Tensor, Double, Generator) -> Tensor)] = [
      ([200, 50, 3], [2], { dropout1d($0, p: $1, generator: $2) }),
      ([10_000, 3], [1], { dropout1d($0, p: $1, generator: $2) }),
      ([200, 50, 2, 3], [2, 3], { dropout2d($0, p: $1, generator: $2) }),
      ([200, 50, 2, 1, 3], [2, 3, 4], { dropout3d($0, p: $1, generator: $2) }),
      ([10_000, 2, 1, 3], [1, 2, 3], { dropout3d($0, p: $1, generator: $2) }),
    ]
    for (shape, inner, drop) in cases {
      for p in [0.2, 0.5] {
        let y = drop(Tensor.ones(shape, dtype: .float64), p, Generator(seed: 4))
        let channels = y.mean(dims: inner)
        let scale: Double = 1 / (1 - p)
        expectClose(
          channels.unsqueeze(dim: -1), y.flatten(startDim: shape.rank - inner.count).narrow(dim: -1, start: 0, count: 1))
        #expect(((y .== 0) .| (y .== scale)).all().item() == 1)
        #expect(abs((channels .== 0).to(.float64).mean().item() - p) < 0.02, "\(shape) \(p)")
      }
    }
  }

  @Test("alpha dropout keeps mean 0 and variance 1, of elements and of channels")
  func alphaDropoutStatistics() {
    let x = Tensor.randn([400, 500], dtype: .float64, generator: Generator(seed: 5))
    for p in [0.1, 0.5, 0.8] {
      let y = alphaDropout(x, p: p, generator: Generator(seed: 6))
      #expect(abs(y.mean().item()) < 0.01 && abs(y.var().item() - 1) < 0.02, "\(p)")
      let channels = featureAlphaDropout(x.unsqueeze(dim: -1), p: p, generator: Generator(seed: 6))
      expectClose(channels.squeeze(dim: -1), y, relative: 0)
    }
  }

  /// torch.nn.functional.alpha_dropout keeps x·a + a·α·p and drops to −a·α·(1 − p), for p = 0.3 a = 0.8609136 (with α = 1.7580993408473766).
  @Test("alpha dropout's two lines")
  func alphaDropoutValues() {
    let x = Tensor.ones([1000], dtype: .float64)
    let y = alphaDropout(x, p: 0.3, generator: Generator(seed: 1))
    let a: Double = 1 / (0.7 * (1 + 0.3 * 1.7580993408473766 * 1.7580993408473766)).squareRoot()
    let (kept, gone): (Double, Double) = (a + a * 1.7580993408473766 * 0.3, -a * 1.7580993408473766 * 0.7)
    let isGone = (y - gone).abs() .< 1e-12
    #expect((isGone .| ((y - kept).abs() .< 1e-12)).all().item() == 1)
    #expect(abs(isGone.to(.float64).mean().item() - 0.3) < 0.05)
  }

  @Test("dropouts are the identity in evaluation and for p = 0, nothing for p = 1, and keep the dtype")
  func dropoutEdges() {
    let x = samples([2, 3, 2, 2], seed: 1)
    let kinds: [(Tensor, Double, Bool) -> Tensor] = [
      { dropout2d($0, p: $1, isTraining: $2) }, { dropout3d($0, p: $1, isTraining: $2) },
      { alphaDropout($0, p: $1, isTraining: $2) }, { featureAlphaDropout($0, p: $1, isTraining: $2) },
      { dropout1d($0.flatten(startDim: 2), p: $1, isTraining: $2).reshape($0.shape) },
    ]
    for drop in kinds {
      expectClose(drop(x, 0, true), x, relative: 0)
      expectClose(drop(x, 0.9, false), x, relative: 0)
      expectClose(drop(x, 1, true), Tensor.zerosLike(x), relative: 0)
      for dtype in [DType.float16, .bfloat16, .float32] { #expect(drop(x.to(dtype), 0.3, true).dtype == dtype) }
    }
    for layer in [Dropout2d(0.9), Dropout3d(0.9), AlphaDropout(0.9), FeatureAlphaDropout(0.9)] as [any Layer] {
      layer.eval()
      expectClose(layer(x), x, relative: 0)
    }
  }

  @Test("rrelu draws its slopes evenly, and has their mean in evaluation")
  func randomSlopes() {
    let x = -Tensor.ones([20_000], dtype: .float64)
    let slopes = -rrelu(x, lower: 0.1, upper: 0.5, isTraining: true, generator: Generator(seed: 2))
    #expect(slopes.min().item() >= 0.1 && slopes.max().item() <= 0.5)
    #expect(abs(slopes.mean().item() - 0.3) < 0.005 && abs(slopes.var().item() - 0.16 / 12) < 0.001)
    expectClose(rrelu(x, lower: 0.1, upper: 0.5), x * 0.3)
    expectClose(rrelu(-x, isTraining: true), -x, relative: 0)
  }

  @Test("mistakes are named")
  func mistakes() {
    let x = Tensor.zeros([2, 3, 4])
    expectMistake("dropout2d: takes [N, C, H, W], not [2, 3, 4]") { _ = Dropout2d()(x) }
    expectMistake("dropout1d: takes [N, C, L] or [C, L], not [4]") { _ = dropout1d(x[0, 0]) }
    expectMistake("dropout3d: takes [N, C, D, H, W] or [C, D, H, W], not [2, 3, 4]") { _ = dropout3d(x) }
    expectMistake("featureAlphaDropout: takes [N, C, …], not [4]") { _ = featureAlphaDropout(x[0, 0]) }
    expectMistake("alphaDropout: p = 2.0 is not in 0...1") { _ = alphaDropout(x, p: 2) }
    expectMistake("Dropout2d: p = -0.5 is not in 0...1") { _ = Dropout2d(-0.5) }
    expectMistake("dropout1d: is not defined for int64") { _ = dropout1d(x.to(.int64)) }
    expectMistake("Softmax2d: takes [N, C, H, W] or [C, H, W], not [2, 3]") { _ = Softmax2d()(Tensor.zeros([2, 3])) }
    expectMistake("rrelu: no slopes from 0.5 to 0.1") { _ = rrelu(x, lower: 0.5, upper: 0.1) }
    expectMistake("PReLU: 0 parameters") { _ = PReLU(numParameters: 0) }
    expectMistake("prelu: a weight of shape [2] for a tensor of shape [2, 3, 4]") { _ = PReLU(numParameters: 2)(x) }
    expectMistake("Bilinear: 0 × 2 → 3 features") { _ = Bilinear(0, 2, 3) }
    let map = Bilinear(3, 2, 4)
    expectMistake("bilinear: inputs [5, 3] and [4, 2] differ in other axes than the last") {
      _ = map(Tensor.zeros([5, 3]), Tensor.zeros([4, 2]))
    }
    expectMistake("bilinear: inputs [5, 2] and [5, 2] do not fit weight [4, 3, 2]") {
      _ = map(Tensor.zeros([5, 2]), Tensor.zeros([5, 2]))
    }
    expectMistake("bilinear: bias [3] does not fit weight [4, 3, 2]") {
      _ = bilinear(Tensor.zeros([5, 3]), Tensor.zeros([5, 2]), map.weight, Tensor.zeros([3]))
    }
    expectMistake("bilinear: weight [3, 2] is not [out, in1, in2]") {
      _ = bilinear(Tensor.zeros([5, 3]), Tensor.zeros([5, 2]), Tensor.zeros([3, 2]))
    }
  }
}
