import Apus
import Testing

@Suite("MLP")
struct MLPTests {
  @Test("PyTorch's names and shapes for the same Sequential")
  func names() {
    let state = MLP(784, 128, 10).stateDict()
    #expect(state.names == ["0.weight", "0.bias", "2.weight", "2.bias"])
    #expect(state.map(\.tensor.shape) == [[128, 784], [128], [10, 128], [10]])
    #expect(MLP([2, 3, 4, 1]).stateDict().names == ["0.weight", "0.bias", "2.weight", "2.bias", "4.weight", "4.bias"])
  }

  @Test("prints as a tree")
  func tree() {
    let text = """
      MLP(
        (0): Linear(in: 2, out: 3, bias: true)
        (1): ReLU()
        (2): Linear(in: 3, out: 1, bias: true)
      )
      """
    #expect(MLP(2, 3, 1).description == text)
  }

  @Test("pictures are flattened; every parameter gets a gradient")
  func gradients() {
    let generator = Generator(seed: 5)
    let model = MLP(12, 8, 8, 3, generator: generator)
    let x = Tensor.randn([16, 1, 3, 4], generator: generator)
    let y = model(x)
    #expect(y.shape == [16, 3])
    #expect(y.scalars(as: Float.self) == model(x.reshape(16, 12)).scalars(as: Float.self))
    crossEntropy(y, Tensor.arange(16).remainder(3)).backward()
    for (name, cell) in model.namedParameters() {
      let size = cell.grad.map { $0.abs().sum().item() } ?? 0
      #expect(size.isFinite && size > 0, "\(name)")
    }
  }

  @Test("the same generator gives the same parameters")
  func seeded() {
    let models = (0..<2).map { _ in MLP(4, 3, generator: Generator(seed: 9)) }
    #expect(
      models[0].stateDict()["0.weight"]!.scalars(as: Float.self) == models[1].stateDict()["0.weight"]!.scalars(as: Float.self))
  }

  @Test("sizes that make no network are a mistake")
  func mistakes() {
    for sizes in [[], [3], [3, 0], [-1, 2]] {
      #expect(throws: TensorError.self) { try catching { _ = MLP(sizes) } }
    }
  }
}
