import ApusCore
import ApusNN
import TestSupport
import Testing

@Suite("state dictionaries")
struct StateDictTests {
  static func model(_ seed: UInt64) -> Sequential {
    let generator = Generator(seed: seed)
    return Sequential {
      Linear(2, 3, generator: generator); Tanh(); Linear(3, 1, generator: generator)
    }
  }

  @Test("keys, shapes, and a round trip")
  func roundTrip() throws {
    let (a, b) = (Self.model(1), Self.model(2))
    let state = a.stateDict()
    #expect(state.map { "\($0.name) \($0.tensor.shape)" } == ["0.weight [3, 2]", "0.bias [3]", "2.weight [1, 3]", "2.bias [1]"])
    #expect(state.allSatisfy { !$0.tensor.requiresGrad })
    let cells = b.parameters()
    let report = try b.loadStateDict(state)
    #expect(report.missing.isEmpty && report.unexpected.isEmpty)
    #expect(zip(cells, b.parameters()).allSatisfy { $0 === $1 })
    let x = samples([5, 2], seed: 1).to(.float32)
    expectClose(a(x), b(x), relative: 0)
  }

  @Test("what was taken out does not change when training goes on")
  func snapshot() {
    let layer = Linear(1, 1)
    layer.weight = Tensor([[1.0]])
    let state = layer.stateDict()
    noGrad { layer.weight += 1 }
    #expect(state["weight"]?.item() == 1)
    #expect(layer.weight.item() == 2)
  }

  @Test("loading keeps the variable: its gradient, and the dtype that it has")
  func variables() throws {
    let layer = Linear(2, 1)
    layer(Tensor.ones([1, 2])).sum().backward()
    try layer.loadStateDict(["weight": Tensor([[1.0, 2]], dtype: .float64), "bias": Tensor([0.5], dtype: .bfloat16)])
    #expect(layer.weight.dtype == .float32 && layer.weight.requiresGrad && layer.weight.grad != nil)
    #expect(layer.weight.scalars(as: Float.self) == [1, 2])
  }

  @Test("strict loading names everything that does not fit, and changes nothing")
  func strict() {
    let model = Self.model(1)
    let before = model.stateDict()
    var state = before
    state["0.weight"] = Tensor.zeros([2, 3])
    state["0.bias"] = nil
    state["2.bias"] = Tensor([1])
    state["2.weight"] = Tensor.ones([1, 3])
    state["3.weight"] = Tensor.ones([1])
    state["extra"] = Tensor.ones([1])
    let error = #expect(throws: StateDictError.self) { try model.loadStateDict(state) }
    #expect(
      error?.description == """
        the state dictionary does not fit Sequential:
          missing: 0.bias
          unexpected: 3.weight
          unexpected: extra
          shape: 0.weight is [2, 3], the model has [3, 2]
          dtype: 2.bias is int64, the model has float32
        """)
    for (name, tensor) in model.stateDict() { expectClose(tensor, before[name]!, relative: 0) }
  }

  @Test("loading that is not strict reports keys and still refuses shapes")
  func lenient() throws {
    let model = Self.model(1)
    let report = try model.loadStateDict(["0.bias": Tensor([1.0, 2, 3]), "head": Tensor([1.0])], strict: false)
    #expect(report.missing == ["0.weight", "2.weight", "2.bias"] && report.unexpected == ["head"])
    #expect(model.stateDict()["0.bias"]?.scalars(as: Float.self) == [1, 2, 3])
    #expect(throws: StateDictError.self) { try model.loadStateDict(["0.bias": Tensor([1.0])], strict: false) }
  }

  @Test("the dictionary keeps its order")
  func dictionary() {
    var state: StateDict = ["b": Tensor(1.0), "a": Tensor(2.0), "c": Tensor(3.0)]
    #expect(state.names == ["b", "a", "c"])
    state["a"] = Tensor(5.0)
    #expect(state.names == ["b", "a", "c"] && state["a"]?.item() == 5)
    state["b"] = nil
    state["nothing"] = nil
    #expect(state.names == ["a", "c"] && state["c"]?.item() == 3 && state["b"] == nil)
    state["d"] = Tensor(4.0)
    #expect(state.map { $0.tensor.item() } == [5, 3, 4])
    #expect(StateDict([("x", Tensor(1.0)), ("x", Tensor(2.0))]).map { $0.tensor.item() } == [2])
  }
}
