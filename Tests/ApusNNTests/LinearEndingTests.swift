import ApusCore
import ApusNN
import TestSupport
import Testing

/// A linear layer with what comes after it in one op.
@Suite("linear layers with an ending")
struct LinearEndingTests {
  private let activations: [any Layer] = [ReLU(), Tanh(), Sigmoid()]

  @Test("it agrees with the layers in turn, bit for bit: one row, few, whole blocks; float and half", arguments: [1, 3, 20, 300])
  func values(rows: Int) {
    for dtype in [DType.float32, .float64, .bfloat16] {
      for (features, bias) in [(9, true), (130, false), (530, true)] {
        let linear = Linear(features, 70, bias: bias, dtype: dtype, generator: Generator(seed: 1))
        let x = samples([rows, features], seed: 2).to(dtype)
        let residual = samples([rows, 70], seed: 3).to(dtype)
        let y = linear(x)
        for activation in activations {
          expectClose(linear(x, then: activation), activation(y), relative: 0, absolute: 0, "\(dtype) \(activation)")
          expectClose(linear(x, adding: residual, then: activation), activation(y + residual), relative: 0, absolute: 0)
          expectClose(Sequential([linear, activation])(x), activation(y), relative: 0, absolute: 0)
        }
        expectClose(linear(x, adding: residual), y + residual, relative: 0, absolute: 0)
      }
    }
  }

  @Test("more axes, and a residual that lies otherwise")
  func axes() {
    let linear = Linear(5, 8, generator: Generator(seed: 1))
    let (x, residual) = (samples([3, 4, 5], seed: 2).to(.float32), samples([8, 4, 3], seed: 3).to(.float32).permute(2, 1, 0))
    expectClose(linear(x, adding: residual), linear(x) + residual, relative: 0, absolute: 0)
    #expect(linear(x, adding: residual).shape == [3, 4, 8])
    expectClose(linear(samples([5], seed: 4).to(.float32), then: Tanh()), linear(samples([5], seed: 4).to(.float32)).tanh())
  }

  @Test("gradients of all that goes in, first and second order")
  func gradients() throws {
    for activation in activations {
      let linear = Linear(3, 4, dtype: .float64, generator: Generator(seed: 1))
      let inputs = [samples([2, 3], seed: 2), samples([4, 3], seed: 3), samples([4], seed: 4), samples([2, 4], seed: 5)]
      try gradientCheck(inputs, order: 2) { x in
        (linear.weight, linear.bias) = (x[1], x[2])
        return linear(x[0], adding: x[3], then: activation)
      }
    }
  }

  @Test("hooks see what is between, autocast its dtype, other activations are layers; what doesn't fit is an error as ever")
  func inTurn() {
    let (linear, relu) = (Linear(3, 4, generator: Generator(seed: 1)), ReLU())
    let x = samples([2, 3], seed: 2).to(.float32)
    var seen: [Shape] = []
    let note = { (module: Module) in
      module.registerForwardHook { _, _, outputs in
        seen.append(outputs[0].shape)
        return nil
      }
    }
    let hooks = [note(linear), note(relu)]
    _ = Sequential([linear, relu])(x)
    #expect(seen == [[2, 4], [2, 4]])
    hooks.forEach { $0.remove() }
    autocast(to: .bfloat16) { #expect(linear(x, then: relu).dtype == .bfloat16) }
    #expect(graph(of: linear(x, then: relu)).contains("label=\"linear+relu\""))
    expectClose(linear(x, then: GELU()), linear(x).gelu(), relative: 0, absolute: 0)
    expectClose(linear(x, adding: Tensor(2.0)), linear(x) + 2, relative: 0, absolute: 0)
    expectMistake("linear: input [2, 4] and weight [4, 3]: the last axis must have 3 features") {
      _ = linear(Tensor.ones([2, 4]), then: relu)
    }
    expectMistake("add: [2, 4] and [3, 4] do not broadcast: axis −2 has sizes 2 and 3, which differ and are not 1") {
      _ = linear(x, adding: Tensor.ones([3, 4]))
    }
  }
}
