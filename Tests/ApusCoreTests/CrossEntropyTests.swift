import ApusCore
import TestSupport
import Testing

/// The fused cross-entropy with labels. Its values against PyTorch's are among the losses of ApusNN.
@Suite("fused cross-entropy")
struct CrossEntropyTests {
  static let shapes: [(Shape, dim: Int)] = [
    ([5], 0), ([3, 5], 1), ([2, 5, 3], 1), ([2, 5, 1, 2], 1), ([4, 3], 0), ([0, 5], 1),
  ]

  /// Labels from `0 ..< 3`.
  static func labels(for shape: Shape, _ dim: Int) -> Tensor {
    var sizes = Array(shape)
    sizes.remove(at: dim)
    return Tensor.randint(0, 3, Shape(sizes), generator: Generator(seed: 7))
  }

  @Test("agrees with its readable twin in value and gradient, whatever the layout", arguments: [0, 0.25, 1])
  func twin(smoothing: Double) {
    for (shape, dim) in Self.shapes {
      let labels = Self.labels(for: shape, dim)
      for layout in Layout.allCases {
        for dtype in [DType.float32, .float64, .float16, .bfloat16] {
          let values = layout.tensor(samples(shape, in: -3...3).to(dtype))
          let seed = samples(labels.shape, in: -1...1, seed: 5).to(dtype)
          func run(_ f: (Tensor) -> Tensor) -> (Tensor, Tensor) {
            var x = values
            x.requiresGrad = true
            let y = f(x)
            return (y.detach(), grad(of: y, withRespectTo: [x], gradient: seed)[0])
          }
          let fused = run { $0.crossEntropy(labels: labels, dim: dim, smoothing: smoothing) }
          let twin = run { $0.crossEntropyTwin(labels: labels, dim: dim, smoothing: smoothing) }
          let tolerance = dtype == .float64 ? 1e-13 : dtype == .float32 ? 2e-6 : dtype == .float16 ? 5e-3 : 4e-2
          expectClose(fused.0, twin.0, relative: tolerance, absolute: tolerance, "\(shape) \(layout) \(dtype)")
          expectClose(fused.1, twin.1, relative: tolerance, absolute: tolerance, "gradient \(shape) \(layout) \(dtype)")
        }
      }
    }
  }

  @Test("gradients against central differences, first and second order", arguments: [0, 0.25])
  func gradients(smoothing: Double) throws {
    for (shape, dim) in Self.shapes {
      let labels = Self.labels(for: shape, dim)
      let x = samples(shape, in: -2...2)
      try gradientCheck([x]) { $0[0].crossEntropy(labels: labels, dim: dim, smoothing: smoothing) }
      try gradientCheck([x], order: 2) { $0[0].crossEntropy(labels: labels, dim: dim, smoothing: smoothing) * 1.5 }
    }
  }

  @Test("the gradient of the second pass is that of the first")
  func bothPaths() {
    var x = samples([4, 600], in: -3...3).to(.float32)
    x.requiresGrad = true
    let labels = Tensor([0, 599, 512, 7])
    let loss = x.crossEntropy(labels: labels, dim: 1, smoothing: 0.1).sum()
    let kernel = grad(of: loss, withRespectTo: [x], retainGraph: true)[0]
    let ops = grad(of: loss, withRespectTo: [x], createGraph: true)[0]
    #expect(ops.requiresGrad && !kernel.requiresGrad)
    expectClose(kernel, ops.detach(), relative: 1e-5, absolute: 1e-7)
  }

  @Test("lines whose loss gets no gradient are 0, even where their logits are infinite")
  func unused() {
    var x = Tensor([[0.0, 1], [.infinity, 0], [.nan, 0]])
    x.requiresGrad = true
    x.crossEntropy(labels: Tensor([1, 0, 0]), dim: 1, smoothing: 0)[0].backward()
    expectClose(x.grad!, Tensor([[0.26894143, -0.26894143], [0, 0], [0, 0]]), relative: 1e-6)
  }

  @Test("half types are computed in float32")
  func halves() {
    let x = Tensor([[8.0, 8.25, -3], [0.5, 100, 100.5]], dtype: .float16)
    let expected = x.to(.float32).crossEntropy(labels: Tensor([1, 2]), dim: 1, smoothing: 0).to(.float16)
    expectClose(x.crossEntropy(labels: Tensor([1, 2]), dim: 1, smoothing: 0), expected, relative: 0)
  }
}
