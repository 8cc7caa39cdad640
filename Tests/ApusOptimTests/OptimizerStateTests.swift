import ApusCore
import ApusNN
import ApusOptim
import TestSupport
import Testing

@Suite("optimizer state")
struct OptimizerStateTests {
  @Test("a loaded optimizer goes on as the saved one would", arguments: OptimizerKind.all)
  func resuming(kind: OptimizerKind) throws {
    let make = kind.make
    let cells = kind.cells(1)
    let optimizer = make(cells)
    optimizer.lr = 0.03
    for step in 1...3 {
      OptimizerTests.setGradients(cells, step)
      optimizer.step()
    }
    let saved = (optimizer.stateDict(), cells.map { $0.value.detach() })
    #expect(Set(saved.0.tensors.names) == Set([0, 1].flatMap { i in kind.state.map { "state.\(i).\($0)" } }))
    let others = saved.1.map { ParameterCell($0.clone()) }
    let resumed = make(others)
    try resumed.loadStateDict(saved.0)
    #expect(resumed.lr == 0.03)
    for step in 4...8 {
      for (cells, optimizer) in [(cells, optimizer), (others, resumed)] {
        OptimizerTests.setGradients(cells, step)
        optimizer.step()
      }
    }
    for (a, b) in zip(cells, others) { expectClose(b.value.detach(), a.value.detach(), relative: 0, absolute: 0) }
  }

  @Test("names of tensors and numbers")
  func names() {
    let cells = OptimizerTests.cells(1)
    let adam = Adam([ParameterGroup([cells[0]], [.lr: 0.5]), ParameterGroup([cells[1]])], amsgrad: true)
    OptimizerTests.setGradients(cells, 1)
    adam.step()
    let state = adam.stateDict()
    #expect(
      state.tensors.names == [
        "state.0.exp_avg", "state.0.exp_avg_sq", "state.0.max_exp_avg_sq", "state.1.exp_avg", "state.1.exp_avg_sq",
        "state.1.max_exp_avg_sq",
      ])
    #expect(state.tensors.map(\.tensor.shape) == [[3, 2], [3, 2], [3, 2], [4], [4], [4]])
    #expect(state.numbers["groups.0.lr"] == 0.5 && state.numbers["groups.1.lr"] == 1e-3)
    #expect(state.numbers["groups.1.amsgrad"] == 1 && state.numbers["groups.1.parameters"] == 1)
    #expect(state.numbers["state.1.step"] == 1)
    let sgd = SGD(cells, momentum: 0.9)
    sgd.step()
    #expect(sgd.stateDict().tensors.names == ["state.0.momentum_buffer", "state.1.momentum_buffer"])
  }

  @Test("what was taken out does not change when training goes on")
  func snapshot() {
    let cells = OptimizerTests.cells(1)
    let optimizer = Adam(cells)
    OptimizerTests.setGradients(cells, 1)
    optimizer.step()
    let tensor = optimizer.stateDict().tensors["state.0.exp_avg"]!
    let before = tensor.scalars(as: Double.self)
    optimizer.step()
    #expect(tensor.scalars(as: Double.self) == before)
  }

  @Test("everything that does not fit is named, and nothing is taken")
  func problems() {
    let cells = OptimizerTests.cells(1)
    let optimizer = Adam(cells, lr: 0.1)
    OptimizerTests.setGradients(cells, 1)
    optimizer.step()
    var state = optimizer.stateDict()
    state.numbers["groups.0.lr"] = -1
    state.numbers["groups.0.eps"] = nil
    state.numbers["groups.0.parameters"] = 3
    state.numbers["groups.1.lr"] = 1
    state.numbers["state.1.step"] = 1.5
    state.tensors["state.0.exp_avg"] = Tensor.zeros([2, 3])
    state.tensors["state.1.exp_avg"] = nil
    state.tensors["state.2.exp_avg"] = Tensor.zeros([2])
    state.tensors["state.0.exp_avg_sq"] = Tensor.zeros([3, 2], dtype: .int64)
    let error = #expect(throws: OptimizerStateError.self) { try optimizer.loadStateDict(state) }
    #expect(
      error?.description == """
        the saved state does not fit Adam:
          group 0 has 2 parameters, the state 3.0
          value: groups.0.lr = -1.0 is not 0 or more
          missing: groups.0.eps
          shape: state.0.exp_avg is [2, 3], the parameter has [3, 2]
          dtype: state.0.exp_avg_sq is int64, not floating-point
          value: state.1.step = 1.5 is not a number of steps
          missing: state.1.exp_avg
          unexpected: state.2.exp_avg
          unexpected: groups.1.lr
        """)
    #expect(optimizer.lr == 0.1)
    #expect(throws: OptimizerStateError.self) { try SGD(cells).loadStateDict(optimizer.stateDict()) }
  }
}
