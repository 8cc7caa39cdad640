import ApusCore
import ApusNN
import Testing

@Suite("Graph of a model")
struct ModelGraphTests {
  /// x + f(x), and a dropout whose place is only seen in training.
  private final class Residual: Module, Layer {
    let body = Sequential([Conv2d(3, 3, kernelSize: 3, padding: 1), BatchNorm2d(3), ReLU()])
    let drop = Dropout(0.5)
    func forward(_ x: Tensor) -> Tensor { drop(x + body(x)) }
  }

  @Test("layers and the ops between them, in order, with what flows where")
  func residual() {
    let model = Residual()
    let graph = ModelGraph(of: model, input: Tensor.ones([2, 3, 4, 4]))
    #expect(graph.nodes.map(\.name) == ["input", "Conv2d", "BatchNorm2d", "ReLU", "add", "Dropout", "output"])
    #expect(graph.nodes.map(\.path) == ["", "body.0", "body.1", "body.2", "", "drop", ""])
    #expect(graph.edges.map { [$0.from, $0.to] } == [[0, 1], [0, 4], [1, 2], [2, 3], [3, 4], [4, 5], [5, 6]])
    #expect(graph.nodes[1].parameterCount == 84 && graph.text(of: graph.nodes[1].shape) == "[N, 3, 4, 4]")
  }

  @Test("the model is as it was")
  func undisturbed() throws {
    let model = Residual()
    model.eval()
    let before = model.stateDict()
    _ = ModelGraph(of: model, input: Tensor.randn([2, 3, 4, 4], generator: Generator(seed: 1)))
    // Not the state of the default generator: tests that run at the same time draw from it.
    #expect(!model.isTraining && !model.drop.isTraining)
    for (name, tensor) in model.stateDict() {
      #expect(tensor.scalars(as: Double.self) == before[name]?.scalars(as: Double.self), "\(name)")
    }
    #expect(model.parameters().allSatisfy { $0.grad == nil })
  }

  @Test("indices lead to the embedding that looks them up")
  func embedding() {
    let model = Sequential([Embedding(10, 4), Flatten(), Linear(12, 2)])
    let graph = ModelGraph(of: model, input: Tensor.zeros([2, 3], dtype: .int64))
    #expect(graph.edges.map { [$0.from, $0.to] } == [[0, 1], [1, 2], [2, 3], [3, 4]])
  }

  @Test("DOT text names nodes, shapes and edges")
  func dot() {
    let graph = ModelGraph(of: Sequential([Linear(3, 2)]), input: Tensor.zeros([5, 3]))
    #expect(
      graph.dot(title: "a \"b\"") == """
        digraph "a \\"b\\"" {
          node [fontname="Helvetica", shape=box, style=rounded];
          edge [fontname="Helvetica", fontsize=10];
          n0 [label="input", shape=oval, style=bold];
          n1 [label="0: Linear\\nin: 3, out: 2, bias: true\\n8 parameters"];
          n2 [label="output", shape=oval, style=bold];
          n0 -> n1 [label="[N, 3]"];
          n1 -> n2 [label="[N, 2]"];
        }

        """)
  }
}
