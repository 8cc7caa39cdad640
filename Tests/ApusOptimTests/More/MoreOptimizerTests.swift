import ApusCore
import ApusNN
import ApusOptim
import TestSupport
import Testing

@Suite("more optimizers")
struct MoreOptimizerTests {
  /// All of them, with options at work and what they remember.
  static let kinds: [(make: @Sendable ([ParameterCell]) -> Optimizer, state: [String])] = [
    ({ RMSprop($0, lr: 0.02) }, ["square_avg"]),
    ({ RMSprop($0, lr: 0.02, momentum: 0.5) }, ["square_avg", "momentum_buffer"]),
    ({ RMSprop($0, lr: 0.02, weightDecay: 0.1, centered: true) }, ["square_avg", "momentum_buffer", "grad_avg"]),
    ({ Adagrad($0, lr: 0.5, initialAccumulatorValue: 0.1) }, ["sum"]),
    ({ Adadelta($0, eps: 1e-2, weightDecay: 0.1) }, ["square_avg", "acc_delta"]),
    ({ Adamax($0, lr: 0.1) }, ["exp_avg", "exp_inf"]),
    ({ NAdam($0, lr: 0.1, weightDecay: 0.1, decoupledWeightDecay: true) }, ["exp_avg", "exp_avg_sq"]),
    ({ RAdam($0, lr: 0.1, weightDecay: 0.1, decoupledWeightDecay: true) }, ["exp_avg", "exp_avg_sq"]),
    ({ Lion($0, lr: 0.05, weightDecay: 0.1) }, ["exp_avg"]),
    ({ LAMB($0, lr: 0.05) }, ["exp_avg", "exp_avg_sq"]),
  ]

  @Test("every optimizer goes downhill", arguments: 0..<10)
  func downhill(kind: Int) {
    let cell = ParameterCell(Tensor([3.0, -2], dtype: .float64))
    let optimizer = Self.kinds[kind].make([cell])
    for _ in 0..<300 {
      optimizer.zeroGrad()
      cell.value.square().sum().backward()
      optimizer.step()
    }
    #expect(cell.value.abs().max().item() < 0.15)
  }

  @Test("half types are updated in their own dtype", arguments: 0..<10)
  func halves(kind: Int) {
    for dtype in [DType.float16, .bfloat16] {
      let (cells, reference) = (OptimizerTests.cells(1, dtype: dtype), OptimizerTests.cells(1))
      let optimizers = [Self.kinds[kind].make(cells), Self.kinds[kind].make(reference)]
      for step in 1...3 {
        OptimizerTests.setGradients(cells, step)
        OptimizerTests.setGradients(reference, step)
        for optimizer in optimizers { optimizer.step() }
      }
      for (cell, expected) in zip(cells, reference) {
        #expect(cell.value.requiresGrad && cell.value.isLeaf && cell.value.dtype == dtype)
        expectClose(cell.value.detach(), expected.value.detach().to(dtype), relative: 0.1, absolute: 0.1)
      }
    }
  }

  @Test("a step writes in place and leaves the variable what it was", arguments: 0..<10)
  func inPlace(kind: Int) {
    let layer = Linear(3, 2)
    let optimizer = Self.kinds[kind].make(layer.parameters())
    let address = layer.weight.withUnsafeBytes { $0.baseAddress }
    for _ in 0..<3 {
      optimizer.zeroGrad()
      layer(Tensor.ones([1, 3])).sum().backward()
      optimizer.step()
    }
    #expect(layer.weight.withUnsafeBytes { $0.baseAddress } == address)
    #expect(layer.weight.isLeaf && layer.weight.requiresGrad)
    #expect(optimizer.stateDict().tensors.names.allSatisfy { optimizer.stateDict().tensors[$0]!.requiresGrad == false })
  }

  @Test("a parameter without a gradient is left alone", arguments: 0..<10)
  func skipping(kind: Int) {
    let cells = OptimizerTests.cells(1)
    let optimizer = Self.kinds[kind].make(cells)
    let before = cells[0].value.scalars(as: Double.self)
    cells[1].grad = Tensor.onesLike(cells[1].value)
    optimizer.step()
    #expect(cells[0].value.scalars(as: Double.self) == before)
    #expect(optimizer.stateDict().numbers["state.0.step"] == nil)
    #expect(optimizer.stateDict().numbers["state.1.step"] == 1)
  }

  @Test("a loaded state goes on like the saved one", arguments: 0..<10)
  func roundTrip(kind: Int) throws {
    let (cells, copies) = (OptimizerTests.cells(1), OptimizerTests.cells(1))
    let (first, second) = (Self.kinds[kind].make(cells), Self.kinds[kind].make(copies))
    for step in 1...4 {
      OptimizerTests.setGradients(cells, step)
      first.step()
    }
    let saved = first.stateDict()
    #expect(Set(saved.tensors.names) == Set([0, 1].flatMap { i in Self.kinds[kind].state.map { "state.\(i).\($0)" } }))
    try second.loadStateDict(saved)
    for (cell, copy) in zip(cells, copies) { copy.value = cell.value.detach().clone() }
    for step in 5...8 {
      OptimizerTests.setGradients(cells, step)
      OptimizerTests.setGradients(copies, step)
      first.step()
      second.step()
    }
    for (cell, copy) in zip(cells, copies) {
      #expect(cell.value.scalars(as: Double.self) == copy.value.scalars(as: Double.self))
    }
  }

  @Test("mistakes are named")
  func mistakes() {
    let cells = OptimizerTests.cells(1)
    expectMistake("RMSprop: alpha = 1.0 is not in 0..<1") { _ = RMSprop(cells, alpha: 1) }
    expectMistake("Adagrad: lr_decay = -1.0 is not 0 or more") { _ = Adagrad(cells, lrDecay: -1) }
    expectMistake("Adadelta: rho = 1.5 is not in 0..<1") { _ = Adadelta(cells, rho: 1.5) }
    expectMistake("NAdam: momentum_decay = -0.5 is not 0 or more") { _ = NAdam(cells, momentumDecay: -0.5) }
    expectMistake("Lion: beta2 = 1.0 is not in 0..<1") { _ = Lion(cells, betas: (0.9, 1)) }
  }

  // MARK: Lion and LAMB, which PyTorch has not, against arrays

  /// Six steps with the gradients of `setGradients`, by `rule` on each parameter's numbers.
  func expectRule(
    _ optimizer: Optimizer, _ cells: [ParameterCell],
    _ rule: (_ p: inout [Double], _ g: [Double], _ m: inout [Double], _ v: inout [Double], _ t: Int) -> Void
  ) {
    var p = cells.map { $0.value.scalars(as: Double.self) }
    var m = p.map { $0.map { _ in 0.0 } }
    var v = m
    for step in 1...6 {
      OptimizerTests.setGradients(cells, step)
      optimizer.step()
      for (i, cell) in cells.enumerated() {
        rule(&p[i], cell.grad!.scalars(as: Double.self), &m[i], &v[i], step)
        expectClose(
          cell.value.detach(), Tensor(scalars: p[i], shape: cell.shape, dtype: .float64), relative: 1e-12, absolute: 1e-13,
          "step \(step)")
      }
    }
  }

  @Test("Lion follows its rule", arguments: [false, true])
  func lion(maximize: Bool) {
    let cells = OptimizerTests.cells(7)
    expectRule(Lion(cells, lr: 0.1, betas: (0.8, 0.95), weightDecay: 0.3, maximize: maximize), cells) { p, g, m, _, _ in
      for i in p.indices {
        let gradient = maximize ? -g[i] : g[i]
        let direction = 0.8 * m[i] + 0.2 * gradient
        p[i] -= 0.1 * ((direction > 0 ? 1 : direction < 0 ? -1 : 0) + 0.3 * p[i])
        m[i] = 0.95 * m[i] + 0.05 * gradient
      }
    }
  }

  @Test("LAMB follows its rule", arguments: [false, true])
  func lamb(maximize: Bool) {
    let cells = OptimizerTests.cells(7) + [ParameterCell(Tensor.zeros([2], dtype: .float64))]
    let optimizer = LAMB(cells, lr: 0.1, betas: (0.8, 0.95), eps: 1e-3, weightDecay: 0.3, maximize: maximize)
    expectRule(optimizer, cells) { p, g, m, v, t in
      let bias = { (beta: Double) in 1 - (0..<t).reduce(1.0) { product, _ in product * beta } }
      var r = p
      for i in p.indices {
        let gradient = maximize ? -g[i] : g[i]
        m[i] = 0.8 * m[i] + 0.2 * gradient
        v[i] = 0.95 * v[i] + 0.05 * gradient * gradient
        r[i] = m[i] / bias(0.8) / ((v[i] / bias(0.95)).squareRoot() + 1e-3) + 0.3 * p[i]
      }
      let norm = { (x: [Double]) in x.reduce(0) { $0 + $1 * $1 }.squareRoot() }
      let ratio = norm(p) > 0 && norm(r) > 0 ? norm(p) / norm(r) : 1
      for i in p.indices { p[i] -= 0.1 * ratio * r[i] }
    }
  }
}
