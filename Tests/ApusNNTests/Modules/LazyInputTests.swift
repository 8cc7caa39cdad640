import ApusCore
import ApusNN
import TestSupport
import Testing

@Suite("layers whose input size is left open")
struct LazyInputTests {
  static func model(_ dtype: DType = .float32) -> Sequential {
    let generator = Generator(seed: 1)
    return Sequential {
      Linear(nil, 3, dtype: dtype, generator: generator); Tanh(); Linear(nil, 2, bias: false, dtype: dtype, generator: generator)
    }
  }

  @Test("the first input decides the size, and draws the same numbers as if it had been given")
  func firstInput() {
    let (lazy, generator) = (Self.model(), Generator(seed: 1))
    let eager = Sequential {
      Linear(4, 3, generator: generator); Tanh(); Linear(3, 2, bias: false, generator: generator)
    }
    let x = Tensor.ones([5, 4])
    let y = lazy(x)
    expectClose(y, eager(x), relative: 0)
    #expect(lazy.stateDict().names == ["0.weight", "0.bias", "2.weight"])
    #expect((lazy[0] as? Linear)?.inFeatures == 4)
    y.sum().backward()
    #expect(lazy.parameters().allSatisfy { $0.grad != nil })
    expectMistake("linear: input [1, 5] and weight [3, 4]: the last axis must have 4 features") {
      _ = lazy(Tensor.zeros([1, 5]))
    }
  }

  @Test("printing shows what is not known yet")
  func printing() {
    let model = Self.model()
    #expect(
      model.parameterTree() == """
        Sequential(
          (0): Linear(in: ?, out: 3, bias: true)   3
          (1): Tanh()
          (2): Linear(in: ?, out: 2, bias: false)
        )
        3 parameters
        and those of 2 layers without an input so far
        """)
    _ = model(Tensor.zeros([1, 7]))
    #expect(model[0].description == "Linear(in: 7, out: 3, bias: true)")
    #expect(model.parameterTree().hasSuffix("30 parameters"))
  }

  @Test("what needs the parameters says what to do first")
  func tooEarly() {
    let model = Self.model()
    let text =
      "'0', Linear(in: ?, out: 3, bias: true), takes its input size from its first input and has had none; "
      + "call the model once or load a state dictionary before"
    expectMistake("parameters: \(text)") { _ = model.parameters() }
    expectMistake("stateDict: \(text)") { _ = model.stateDict() }
    expectMistake("buffers: \(text)") { _ = model.buffers() }
    let layer = Linear(nil, 2)
    expectMistake("Linear: \(text.dropFirst(5).replacing("out: 3", with: "out: 2"))") { _ = layer.inFeatures }
    expectMistake("Linear: an input of shape [] has no axis -1") { _ = Linear(nil, 2)(Tensor(1.0)) }
    #expect(layer.awaitsInput)
  }

  @Test("dtype, freezing and mode set before hold for what comes")
  func settings() {
    let model = Self.model().to(.float64).requiresGrad(false).eval()
    let y = model(Tensor.ones([1, 4], dtype: .float64))
    #expect(y.dtype == .float64 && !y.requiresGrad)
    #expect(model.parameters().allSatisfy { $0.dtype == .float64 && !$0.requiresGrad })
    #expect(!model[0].isTraining)
  }

  @Test("loading a state dictionary decides the size too, all or nothing")
  func loading() throws {
    let (source, target) = (Self.model(), Self.model())
    _ = source(Tensor.zeros([1, 4]))
    var state = source.stateDict()
    state["2.weight"] = nil
    state["0.bias"] = Tensor.zeros([9])
    let error = #expect(throws: StateDictError.self) { try target.loadStateDict(state) }
    #expect(
      error?.description == """
        the state dictionary does not fit Sequential:
          missing: 2.weight
          shape: 0.bias is [9], the model has [3]
        """)
    #expect((target[0] as? Linear)?.awaitsInput == true)
    try target.loadStateDict(source.stateDict())
    let x = samples([2, 4], seed: 1).to(.float32)
    expectClose(target(x), source(x), relative: 0)
  }

  @Test("hooks and tied parameters go with it")
  func together() {
    let (a, b) = (Linear(nil, 3, bias: false), Linear(nil, 3, bias: false))
    b.$weight = a.$weight
    var shape: Shape?
    a.registerForwardHook { _, inputs, _ in
      shape = inputs[0].shape
      return nil
    }
    _ = a(Tensor.zeros([2, 4]))
    #expect(shape == [2, 4])
    _ = b(Tensor.zeros([2, 4]))
    #expect(a.$weight === b.$weight && a.inFeatures == 4 && b.inFeatures == 4)
  }
}
