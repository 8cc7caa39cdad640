import ApusCore
import ApusNN
import TestSupport
import Testing

@Suite("functional calls of modules")
struct FunctionalCallTests {
  let x = samples([4, 3], seed: 1)
  let y = samples([4, 2], seed: 2)

  func model() -> Sequential {
    let generator = Generator(seed: 3)
    return Sequential {
      Linear(3, 5, dtype: .float64, generator: generator); Tanh(); Linear(5, 2, dtype: .float64, generator: generator)
    }
  }

  @Test("value and gradients by name are those of backward()")
  func gradients() {
    let model = model()
    let (value, gradients) = noGrad { valueAndGrad(model) { mseLoss($0(x), y) } }
    #expect(gradients.names == ["0.weight", "0.bias", "2.weight", "2.bias"] && !value.requiresGrad)
    #expect(model.parameters().allSatisfy { $0.grad == nil })
    let loss = mseLoss(model(x), y)
    loss.backward()
    expectClose(value, loss.detach(), relative: 0)
    for (name, cell) in model.namedParameters() {
      expectClose(gradients[name]!, cell.grad!, relative: 0, absolute: 0)
      #expect(gradients[name]!.abs().max().item() > 0)
    }
  }

  @Test("frozen parameters are left out; what the loss doesn't depend on has zeros")
  func frozen() {
    let model = model()
    model.namedParameters()[0].cell.requiresGrad = false
    let gradients = valueAndGrad(model) { $0.parameters()[1].value.sum() }.gradients
    #expect(gradients.names == ["0.bias", "2.weight", "2.bias"])
    #expect(gradients["0.bias"]!.sum().item() == 5 && gradients["2.weight"]!.sum().item() == 0)
    expectMistake("grad: a tensor of shape [4, 2] needs the gradient to start from; only a single element has 1") {
      _ = valueAndGrad(model) { $0(x) }
    }
  }

  @Test("tensors take the parameters' places for a call")
  func calling() {
    let model = model()
    let before = model(x)
    let doubled = StateDict([
      ("2.weight", model.namedParameters()[2].cell.value.detach() * 2), ("2.bias", Tensor.zeros([2], dtype: .float64)),
    ])
    let after = functionalCall(model, doubled) { $0(x) }
    let bias = model.namedParameters()[3].cell.value
    expectClose(after.detach(), 2 * (before - bias).detach(), relative: 1e-12)
    expectClose(model(x), before, relative: 0, absolute: 0)
    #expect(model.parameters().allSatisfy { $0.value.isLeaf && $0.requiresGrad })
    expectMistake("functionalCall: Sequential has no '1.weight'") { functionalCall(model, ["1.weight": x]) { _ in } }
    expectMistake("functionalCall: 0.bias is [4, 3], the model has [5]") { functionalCall(model, ["0.bias": x]) { _ in } }
    expectClose(model(x), before, relative: 0, absolute: 0)
  }

  @Test("gradients flow through a step of training")
  func throughStep() throws {
    let model = model()
    // The loss after a step, as a function of the step size and the data.
    try gradientCheck([Tensor(0.1, dtype: .float64), x]) { inputs in
      let (_, gradients) = valueAndGrad(model, createGraph: true) { mseLoss($0(inputs[1]), y) }
      let adapted = model.namedParameters().map { ($0.name, $0.cell.value - inputs[0] * gradients[$0.name]!) }
      return functionalCall(model, StateDict(adapted)) { mseLoss($0(inputs[1]), y) }
    }
  }

  @Test("buffers are put back")
  func buffers() {
    final class Counter: Module, Layer {
      @Buffer var count = Tensor([0.0])
      func forward(_ x: Tensor) -> Tensor {
        count += 1
        return x + count
      }
    }
    let counter = Counter()
    #expect(functionalCall(counter, ["count": Tensor([5.0])]) { $0(Tensor([1.0])) }.item() == 7)
    #expect(functionalCall(counter, [:]) { $0(Tensor([1.0])) }.item() == 2)
    #expect(counter.count.item() == 0)
  }
}
