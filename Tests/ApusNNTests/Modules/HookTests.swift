import ApusCore
import ApusNN
import TestSupport
import Testing

@Suite("hooks on modules")
struct HookTests {
  @Test("hooks see inputs and outputs, in order, and can replace them")
  func replacing() {
    let layer = ReLU()
    var log: [String] = []
    let first = layer.registerForwardPreHook { module, inputs in
      log.append("pre \(module === layer) \(inputs[0].item())")
      return [inputs[0] * 2]
    }
    let second = layer.registerForwardHook { _, inputs, outputs in
      log.append("post \(inputs[0].item()) \(outputs[0].item())")
      return [outputs[0] + 1]
    }
    layer.registerForwardHook { _, _, outputs in
      log.append("last \(outputs[0].item())")
      return nil
    }
    #expect(layer(Tensor(3.0)).item() == 7)
    #expect(log == ["pre true 3.0", "post 6.0 6.0", "last 7.0"])
    first.remove()
    second.remove()
    second.remove()
    log = []
    #expect(layer(Tensor(3.0)).item() == 3)
    #expect(log == ["last 3.0"])
  }

  @Test("hooks run inside a sequence, and for modules that are no layers")
  func others() {
    final class Pair: Module {
      func callAsFunction(_ a: Tensor, _ b: Tensor) -> (Tensor, Tensor) {
        let y = hooked([a, b]) { x in [x[0] + x[1], x[0] - x[1]] }
        return (y[0], y[1])
      }
    }
    let pair = Pair()
    pair.registerForwardPreHook { _, inputs in inputs.map { $0 * 10 } }
    pair.registerForwardHook { _, _, outputs in outputs.reversed() }
    let (a, b) = pair(Tensor(3.0), Tensor(1.0))
    #expect(a.item() == 20 && b.item() == 40)
    let model = Sequential([Tanh(), ReLU()])
    var seen = 0
    model[0].registerForwardHook { _, _, outputs in
      seen += outputs.count
      return nil
    }
    _ = model(Tensor([1.0]))
    #expect(seen == 1)
  }

  @Test("gradients flow through what hooks replace")
  func gradients() throws {
    let layer = Tanh()
    layer.registerForwardPreHook { _, x in [x[0] * x[0]] }
    layer.registerForwardHook { _, x, y in [y[0] * x[0]] }
    layer.registerBackwardHook { _, dx, _ in dx }
    try gradientCheck([samples([3], seed: 1)], order: 2) { layer($0[0]) }
  }

  @Test("a backward hook sees both gradients and can replace the input's")
  func backward() {
    let layer = Linear(2, 1, bias: false)
    layer.weight = Tensor([[3.0, 4]])
    var seen: [[Float]] = []
    let hook = layer.registerBackwardHook { module, dx, dy in
      #expect(module === layer)
      seen.append(dy.scalars(as: Float.self) + (dx?.scalars(as: Float.self) ?? []))
      return dx.map { $0 * 10 }
    }
    let x = Tensor([[1.0, 2]], requiresGrad: true)
    (layer(x) * 2).sum().backward()
    #expect(seen == [[2, 6, 8]])
    #expect(x.grad?.scalars(as: Float.self) == [60, 80])
    #expect(layer.weight.grad?.scalars(as: Float.self) == [2, 4])
    // An input without a gradient has none to report.
    layer(Tensor([[1.0, 2]])).sum().backward()
    #expect(seen.last == [1])
    hook.remove()
    layer(x).sum().backward()
    #expect(seen.count == 2)
  }

  @Test("hooks that return the wrong number or shape are mistakes")
  func mistakes() {
    let layer = ReLU()
    let hook = layer.registerForwardHook { _, _, _ in [] }
    expectMistake("ReLU: a forward hook returned 0 tensors in place of 1") { _ = layer(Tensor([1.0])) }
    hook.remove()
    let before = layer.registerForwardPreHook { _, x in x + x }
    expectMistake("ReLU: a forward pre-hook returned 2 tensors in place of 1") { _ = layer(Tensor([1.0])) }
    before.remove()
    layer.registerBackwardHook { _, _, _ in Tensor.zeros([2]) }
    let x = Tensor([1.0, 2, 3], requiresGrad: true)
    expectMistake("ReLU: a backward hook returned shape [2] for a gradient of shape [3]") { layer(x).sum().backward() }
  }

  @Test("hooks keep neither module nor themselves alive")
  func lifetime() {
    weak var module: Module?
    var hook: ModuleHook?
    do {
      let layer = ReLU()
      hook = layer.registerForwardHook { _, _, _ in nil }
      module = layer
    }
    #expect(module == nil)
    hook?.remove()
  }
}
