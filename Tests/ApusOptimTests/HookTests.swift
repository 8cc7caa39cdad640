import ApusCore
import ApusNN
import ApusOptim
import TestSupport
import Testing

@Suite("optimizer hooks")
struct HookTests {
  @Test("weight decay as a hook is weight decay as an option")
  func weightDecay() {
    let (a, b) = (OptimizerTests.cells(1), OptimizerTests.cells(1))
    let optimizers = [SGD(a, lr: 0.1, momentum: 0.9), SGD(b, lr: 0.1, momentum: 0.9, weightDecay: 0.3)]
    optimizers[0].addHook(WeightDecay(0.3))
    for step in 1...3 {
      for cells in [a, b] { OptimizerTests.setGradients(cells, step) }
      for optimizer in optimizers { optimizer.step() }
    }
    for (x, y) in zip(a, b) { expectClose(x.value.detach(), y.value.detach(), relative: 1e-14) }
    // For one parameter only.
    let (cells, before) = (OptimizerTests.cells(1), OptimizerTests.cells(1).map { $0.value.detach() })
    let optimizer = SGD(cells, lr: 1)
    optimizer.addHook(WeightDecay(0.25, [cells[1]]))
    for cell in cells { cell.grad = Tensor.zerosLike(cell.value.detach()) }
    optimizer.step()
    expectClose(cells[0].value.detach(), before[0], relative: 0)
    expectClose(cells[1].value.detach(), 0.75 * before[1], relative: 1e-14)
    expectMistake("WeightDecay: rate = -1.0 is not 0 or more") { _ = WeightDecay(-1) }
  }

  @Test("gradients are clipped before the step")
  func clipping() {
    let cell = ParameterCell(Tensor([0.0, 0], dtype: .float64))
    let optimizer = SGD([cell], lr: 1)
    let handle = optimizer.addHook(GradientClipping(maxNorm: 1))
    cell.grad = Tensor([3.0, -4], dtype: .float64)
    optimizer.step()
    expectClose(cell.value.detach(), Tensor([-0.6, 0.8], dtype: .float64), relative: 1e-6)
    handle.remove()
    handle.remove()
    optimizer.addHook(GradientClipping(clipValue: 0.5))
    cell.value = Tensor([0.0, 0], dtype: .float64)
    cell.grad = Tensor([3.0, -0.25], dtype: .float64)
    optimizer.step()
    expectClose(cell.value.detach(), Tensor([-0.5, 0.25], dtype: .float64), relative: 0)
  }

  @Test("frozen parameters stay, the others go on")
  func freezing() {
    let model = Sequential {
      Linear(2, 3); Linear(3, 1)
    }
    let optimizer = Adam(model.parameters())
    let freeze = optimizer.addHook(Freeze(model[0]))
    let step = {
      let before = model.parameters().map { $0.value.scalars(as: Float.self) }
      optimizer.zeroGrad()
      model(Tensor([[1.0, 2]])).sum().backward()
      optimizer.step()
      return zip(before, model.parameters()).map { $0 != $1.value.scalars(as: Float.self) }
    }
    #expect(step() == [false, false, true, true])
    freeze.remove()
    #expect(step() == [true, true, true, true])
    optimizer.addHook(Freeze([model.parameters()[3]]))
    #expect(step() == [true, true, true, false])
  }

  @Test("hooks run in their order, before and after the change; a removed one doesn't")
  func order() {
    let cell = ParameterCell(Tensor([1.0]))
    let optimizer = SGD([cell], lr: 1)
    var events: [String] = []
    let note = { (name: String) in { (_: Optimizer) in events.append("\(name) at \(cell.value.item())") } }
    optimizer.registerStepPreHook(note("first"))
    let second = optimizer.registerStepPreHook(note("second"))
    optimizer.registerStepPostHook(note("after"))
    cell.grad = Tensor([1.0])
    optimizer.step()
    #expect(events == ["first at 1.0", "second at 1.0", "after at 0.0"])
    second.remove()
    events = []
    let loss = optimizer.step {
      cell.grad = nil
      let loss = cell.value.sum() * 2
      loss.backward()
      return loss
    }
    #expect(events == ["first at 0.0", "after at -2.0"] && loss.item() == 0)
  }
}
