import ApusCore
import ApusNN
import TestSupport
import Testing

/// Values and gradients of activations and other small layers against PyTorch's, as `Tests/Golden/make_small_layer_golden.py` wrote them.
@Suite("golden values of small layers")
struct SmallLayerGoldenTests {
  /// A module, and how it is called.
  typealias Model = (module: Module, call: ([Tensor]) -> Tensor)

  struct Case: Decodable {
    let name: String
    let inputs: [GoldenTensor]
    let parameters: [String: GoldenTensor]
    let output: GoldenTensor
    let gradients: [GoldenTensor]

    func check(_ model: Model) {
      let cells = model.module.namedParameters()
      #expect(Set(cells.map(\.name)) == Set(parameters.keys))
      for (key, cell) in cells {
        if let expected = parameters[key]?.tensor {
          #expect(cell.shape == expected.shape)
          cell.value = expected
        }
      }
      var x = inputs.map(\.tensor)
      for i in x.indices { x[i].requiresGrad = true }
      let y = model.call(x)
      let comment = "\(name) \(x[0].dtype)"
      expectGolden(y.detach(), output, comment)
      let weights = (Tensor.arange(1.0, Double(y.count) + 0.5, dtype: y.dtype) / 10).reshape(y.shape)
      let found = grad(of: y, withRespectTo: x + cells.map(\.cell.value), gradient: weights)
      #expect(found.count == gradients.count)
      for (gradient, expected) in zip(found, gradients) { expectGolden(gradient, expected, "gradient of \(comment)") }
    }
  }

  private func check(_ file: String, _ models: [String: () -> Model]) throws {
    let cases = try Golden<Case>.load(file, file: #filePath.replacing("/Layers", with: ""))
    #expect(Set(cases.map(\.name)) == Set(models.keys))
    for golden in cases {
      if let make = models[golden.name] { golden.check(make()) }
    }
  }

  private func layer(_ make: @escaping @autoclosure () -> any Layer) -> () -> Model {
    {
      let layer = make()
      return (layer, { layer($0[0]) })
    }
  }

  @Test("activations")
  func activations() throws {
    try check(
      "activationLayers",
      [
        "ReLU6": layer(ReLU6()), "LeakyReLU": layer(LeakyReLU()), "LeakyReLU 0.2": layer(LeakyReLU(negativeSlope: 0.2)),
        "Hardtanh": layer(Hardtanh()), "Hardtanh -2 0.5": layer(Hardtanh(minVal: -2, maxVal: 0.5)),
        "Hardsigmoid": layer(Hardsigmoid()), "Hardswish": layer(Hardswish()), "Hardshrink": layer(Hardshrink()),
        "Softshrink 1": layer(Softshrink(1)), "Threshold 0.5 2": layer(Threshold(0.5, 2)), "ELU": layer(ELU()),
        "ELU 0.5": layer(ELU(alpha: 0.5)), "CELU": layer(CELU()), "CELU 2": layer(CELU(alpha: 2)), "SELU": layer(SELU()),
        "GELU": layer(GELU()), "GELU tanh": layer(GELU(approximate: .tanh)), "SiLU": layer(SiLU()), "Mish": layer(Mish()),
        "Softplus": layer(Softplus()), "Softplus 2 3": layer(Softplus(beta: 2, threshold: 3)), "Softsign": layer(Softsign()),
        "Tanhshrink": layer(Tanhshrink()), "LogSigmoid": layer(LogSigmoid()), "Softmin": layer(Softmin(dim: 1)),
        "GLU": layer(GLU()), "GLU 0": layer(GLU(dim: 0)),
        "RReLU": {
          let rrelu = RReLU().eval()
          return (rrelu, { rrelu($0[0]) })
        }, "PReLU": layer(PReLU()), "PReLU 4": layer(PReLU(numParameters: 4, initial: 0.5)),
      ])
  }

  @Test("other small layers")
  func small() throws {
    func bilinear(_ in1: Int, _ in2: Int, _ out: Int, bias: Bool = true) -> () -> Model {
      {
        let map = Bilinear(in1, in2, out, bias: bias)
        return (map, { map($0[0], $0[1]) })
      }
    }
    func similarity(_ module: CosineSimilarity) -> () -> Model { { (module, { module($0[0], $0[1]) }) } }
    func distance(_ module: PairwiseDistance) -> () -> Model { { (module, { module($0[0], $0[1]) }) } }
    try check(
      "smallLayers",
      [
        "Softmax2d": layer(Softmax2d()), "Softmax2d of a batch": layer(Softmax2d()),
        "PReLU of images": layer(PReLU(numParameters: 3)), "SwiGLU": layer(SwiGLU(3, 4)),
        "SwiGLU with bias": layer(SwiGLU(3, 2, outFeatures: 1, bias: true)), "Bilinear": bilinear(3, 2, 2),
        "Bilinear of one, without bias": bilinear(3, 2, 2, bias: false), "Bilinear of batches": bilinear(2, 2, 3),
        "CosineSimilarity": similarity(CosineSimilarity()), "CosineSimilarity 0": similarity(CosineSimilarity(dim: 0)),
        "PairwiseDistance": distance(PairwiseDistance()),
        "PairwiseDistance 1": distance(PairwiseDistance(p: 1, eps: 0.01, keepDim: true)),
        "Unflatten": layer(Unflatten(1, [2, -1])),
      ])
  }
}
