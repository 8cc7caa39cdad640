import ApusCore
import ApusNN
import ApusOptim
import TestSupport
import Testing

@Suite("optimizers")
struct OptimizerTests {
  static func cells(_ seed: UInt64, dtype: DType = .float64) -> [ParameterCell] {
    [ParameterCell(samples([3, 2], seed: seed).to(dtype)), ParameterCell(samples([4], seed: seed + 1).to(dtype))]
  }

  /// Gives every cell a gradient, another one for each number.
  static func setGradients(_ cells: [ParameterCell], _ number: Int) {
    for (i, cell) in cells.enumerated() { cell.grad = samples(cell.shape, seed: UInt64(100 * number + i)).to(cell.dtype) }
  }

  @Test("every optimizer goes downhill", arguments: OptimizerKind.all)
  func downhill(kind: OptimizerKind) {
    let cell = ParameterCell(Tensor([[3.0, -2]], dtype: .float64))
    let optimizer = kind.make([cell])
    for _ in 0..<300 {
      optimizer.zeroGrad()
      cell.value.square().sum().backward()
      optimizer.step()
    }
    #expect(cell.value.abs().max().item() < (kind.isCommon ? 0.1 : 0.15))
  }

  // MARK: The fused step and its twin

  @Test("SGD's fused step agrees with its twin")
  func sgdTwin() {
    for (momentum, dampening, isNesterov) in [(0.0, 0.0, false), (0.9, 0, false), (0.9, 0.3, false), (0.8, 0, true)] {
      for weightDecay in [0, 0.1] {
        for maximize in [false, true] {
          let rule = SGDRule(
            lr: 0.1, momentum: momentum, dampening: dampening, weightDecay: weightDecay, isNesterov: isNesterov,
            maximize: maximize)
          expectTwins({ rule.note(&$0, $1, &$2, in: &$3) }, { rule.apply(&$0, $1, &$2) }, "\(rule)")
        }
      }
    }
  }

  @Test("Adam's and AdamW's fused steps agree with their twin")
  func adamTwin() {
    for amsgrad in [false, true] {
      for weightDecay in [0, 0.1] {
        for maximize in [false, true] {
          for isDecoupled in [false, true] {
            let optimizer = Adam(Self.cells(1), weightDecay: weightDecay, amsgrad: amsgrad, maximize: maximize)
            let rule = AdamRule(optimizer.groups[0], isDecoupled: isDecoupled)
            let bias = { (beta: Double, t: Int) in 1 - (0..<t).reduce(1) { product, _ in product * beta } }
            expectTwins(
              { rule.note(&$0, $1, &$2, bias(0.9, $2.step), bias(0.999, $2.step), in: &$3) },
              { rule.apply(&$0, $1, &$2, bias(0.9, $2.step), bias(0.999, $2.step)) }, "\(rule)")
          }
        }
      }
    }
  }

  @Test("parameters are updated together as each by itself, whatever their sizes")
  func together() {
    let shapes: [Shape] = [[3], [40_000], [5, 7], [2, 50_000], [1], [0], [32_768]]
    for make in [{ Adam($0, lr: 0.1) }, { SGD($0, lr: 0.1, momentum: 0.9) }] as [([ParameterCell]) -> Optimizer] {
      func cells() -> [ParameterCell] { shapes.enumerated().map { ParameterCell(samples($1, seed: UInt64($0))) } }
      let (joint, single) = (cells(), cells())
      let (optimizer, optimizers) = (make(joint), single.map { make([$0]) })
      for step in 0..<3 {
        for (i, shape) in shapes.enumerated() {
          let gradient = samples(shape, seed: UInt64(100 * step + i))
          (joint[i].grad, single[i].grad) = (gradient, gradient)
        }
        optimizer.step()
        for optimizer in optimizers { optimizer.step() }
      }
      for (a, b) in zip(joint, single) { expectClose(a.value, b.value, relative: 0, absolute: 0) }
    }
  }

  /// Four steps of both ways, in both dtypes, with more elements than one vector holds.
  func expectTwins(
    _ fused: (inout Tensor, Tensor, inout ParameterState, inout ParameterSteps) -> Void,
    _ plain: (inout Tensor, Tensor, inout ParameterState) -> Void, _ comment: String
  ) {
    for dtype in [DType.float32, .float64] {
      let tolerance = dtype == .float32 ? 1e-5 : 1e-13
      var (p, q) = (samples([7, 11], seed: 1).to(dtype), samples([7, 11], seed: 1).to(dtype))
      var (s, t) = (ParameterState(), ParameterState())
      for step in 1...4 {
        let gradient = samples([7, 11], seed: UInt64(step + 10)).to(dtype)
        (s.step, t.step) = (step, step)
        var steps = ParameterSteps(1)
        fused(&p, gradient, &s, &steps)
        steps.take()
        plain(&q, gradient, &t)
      }
      expectClose(p, q, relative: tolerance, absolute: tolerance, comment)
      #expect(s.tensors.count == t.tensors.count)
      for (a, b) in zip(s.tensors, t.tensors) { expectClose(a, b, relative: tolerance, absolute: tolerance, comment) }
    }
  }

  @Test("half types are updated in tensor ops, in their own dtype", arguments: OptimizerKind.all)
  func halves(kind: OptimizerKind) {
    for dtype in [DType.float16, .bfloat16] {
      let (cells, reference) = (kind.cells(1, dtype: dtype), kind.cells(1))
      let optimizers = [kind.make(cells), kind.make(reference)]
      for step in 1...3 {
        Self.setGradients(cells, step)
        Self.setGradients(reference, step)
        for optimizer in optimizers { optimizer.step() }
      }
      for (cell, expected) in zip(cells, reference) {
        #expect(cell.value.requiresGrad && cell.value.isLeaf && cell.value.dtype == dtype)
        let tolerance = kind.isCommon ? 0.05 : 0.1
        expectClose(cell.value.detach(), expected.value.detach().to(dtype), relative: tolerance, absolute: tolerance)
      }
    }
  }

  @Test("parameters and gradients may lie in memory in any order", arguments: OptimizerKind.all)
  func layouts(kind: OptimizerKind) {
    let plain = ParameterCell(samples([3, 2], seed: 1))
    let turned = ParameterCell(samples([3, 2], seed: 1).T.contiguous().T)
    let optimizers = [kind.make([plain]), kind.make([turned])]
    for step in 0..<3 {
      plain.grad = samples([3, 2], seed: UInt64(20 + step))
      turned.grad = samples([3, 2], seed: UInt64(20 + step))
      if step == 1 { plain.grad = plain.grad!.T.contiguous().T }
      for optimizer in optimizers { optimizer.step() }
    }
    expectClose(turned.value.detach(), plain.value.detach(), relative: 1e-13)
  }

  @Test("a step writes in place and leaves the variable what it was", arguments: OptimizerKind.all)
  func inPlace(kind: OptimizerKind) {
    let layer = Linear(3, 2, bias: !kind.isForMatrices)
    let optimizer = kind.make(layer.parameters())
    let address = layer.weight.withUnsafeBytes { $0.baseAddress }
    for _ in 0..<3 {
      optimizer.zeroGrad()
      layer(Tensor.ones([1, 3])).sum().backward()
      optimizer.step()
    }
    #expect(layer.weight.withUnsafeBytes { $0.baseAddress } == address)
    #expect(layer.weight.isLeaf && layer.weight.requiresGrad)
    #expect(optimizer.stateDict().tensors.allSatisfy { !$0.tensor.requiresGrad })
    // Somebody else's copy is not changed.
    let copy = layer.weight
    let before = copy.scalars(as: Float.self)
    layer(Tensor.ones([1, 3])).sum().backward()
    optimizer.step()
    #expect(copy.scalars(as: Float.self) == before && layer.weight.scalars(as: Float.self) != before)
  }

  @Test("a parameter without a gradient is left alone", arguments: OptimizerKind.all)
  func skipping(kind: OptimizerKind) {
    let cells = kind.cells(1)
    let optimizer = kind.make(cells)
    let before = cells[0].value.scalars(as: Double.self)
    cells[1].grad = Tensor.onesLike(cells[1].value)
    optimizer.step()
    #expect(cells[0].value.scalars(as: Double.self) == before)
    #expect(optimizer.stateDict().numbers["state.0.step"] == nil)
    #expect(optimizer.stateDict().numbers["state.1.step"] == 1)
  }

  @Test("Adam with decoupled weight decay is AdamW")
  func decoupled() {
    let (a, b) = (Self.cells(1), Self.cells(1))
    let optimizers = [Adam(a, lr: 0.1, weightDecay: 0.3, decoupledWeightDecay: true), AdamW(b, lr: 0.1, weightDecay: 0.3)]
    for step in 1...3 {
      for cells in [a, b] { Self.setGradients(cells, step) }
      for optimizer in optimizers { optimizer.step() }
    }
    for (x, y) in zip(a, b) { expectClose(x.value.detach(), y.value.detach(), relative: 0, absolute: 0) }
  }

  @Test("the optimizer learns XOR")
  func xor() {
    let generator = Generator(seed: 3)
    let model = Sequential {
      Linear(2, 3, generator: generator); Tanh(); Linear(3, 1, generator: generator); Sigmoid()
    }
    let (x, y) = (Tensor([[0.0, 0], [0, 1], [1, 0], [1, 1]]), Tensor([[0.0], [1], [1], [0]]))
    let optimizer = Adam(model.parameters(), lr: 0.05)
    for _ in 0..<1000 {
      optimizer.zeroGrad()
      mseLoss(model(x), y).backward()
      optimizer.step()
    }
    #expect((model(x) .> 0.5).scalars(as: Int.self) == [0, 1, 1, 0])
  }

  // MARK: Groups

  @Test("a group's options come before the optimizer's")
  func groups() {
    let cells = Self.cells(1)
    let given = [ParameterGroup([cells[0]], [.lr: 0.5, .weightDecay: 0]), ParameterGroup([cells[1]])]
    let optimizer = SGD(given, lr: 0.1, weightDecay: 0.2)
    #expect(optimizer.groups.map(\.lr) == [0.5, 0.1])
    #expect(optimizer.groups.map { $0[.weightDecay] } == [0, 0.2])
    let before = cells.map { $0.value.detach() }
    for cell in cells { cell.grad = Tensor.onesLike(cell.value) }
    optimizer.step()
    expectClose(cells[0].value.detach(), before[0] - 0.5, relative: 1e-14)
    expectClose(cells[1].value.detach(), before[1] - 0.1 * (1 + 0.2 * before[1]), relative: 1e-14)
    optimizer.groups[0].lr = 0
    #expect(optimizer.lr == 0)
    optimizer.lr = 0.25
    #expect(optimizer.groups.map(\.lr) == [0.25, 0.25])
    let late = ParameterCell(Tensor([1.0]))
    optimizer.add(ParameterGroup([late], [.momentum: 0.9]))
    #expect(optimizer.groups[2].lr == 0.1 && optimizer.groups[2][.momentum] == 0.9)
    #expect(optimizer.groups.map(\.parameters.count) == [1, 1, 1])
  }

  @Test("a tied parameter is updated once")
  func tied() {
    let (a, b) = (Linear(2, 2, bias: false), Linear(2, 2, bias: false))
    b.$weight = a.$weight
    let model = Sequential([a, b])
    #expect(SGD(model.parameters()).groups[0].parameters.count == 1)
  }

  @Test("gradients are forgotten, or set to zeros")
  func zeroGrad() {
    let cells = Self.cells(1)
    let optimizer = SGD(cells)
    cells[0].grad = Tensor.onesLike(cells[0].value)
    optimizer.zeroGrad(setToNone: false)
    #expect(cells[0].grad?.sum().item() == 0 && cells[1].grad == nil)
    optimizer.zeroGrad()
    #expect(cells[0].grad == nil)
  }

  @Test("mistakes are named")
  func mistakes() {
    let cells = Self.cells(1)
    expectMistake("SGD: lr = -1.0 is not 0 or more") { _ = SGD(cells, lr: -1) }
    expectMistake("SGD: lr = nan is not 0 or more") { _ = SGD(cells, lr: .nan) }
    expectMistake("SGD: momentum = -0.5 is not 0 or more") { _ = SGD(cells, momentum: -0.5) }
    expectMistake("SGD: weight_decay = -0.5 is not 0 or more") { _ = SGD(cells, weightDecay: -0.5) }
    expectMistake("SGD: nesterov needs a momentum (0.0) and no dampening (0.0)") { _ = SGD(cells, nesterov: true) }
    expectMistake("SGD: nesterov needs a momentum (0.9) and no dampening (0.1)") {
      _ = SGD(cells, momentum: 0.9, dampening: 0.1, nesterov: true)
    }
    expectMistake("Adam: beta1 = 1.0 is not in 0..<1") { _ = Adam(cells, betas: (1, 0.9)) }
    expectMistake("Adam: beta2 = -0.1 is not in 0..<1") { _ = Adam(cells, betas: (0.9, -0.1)) }
    expectMistake("AdamW: eps = -1.0 is not 0 or more") { _ = AdamW(cells, eps: -1) }
    expectMistake("RMSprop: alpha = 1.0 is not in 0..<1") { _ = RMSprop(cells, alpha: 1) }
    expectMistake("Adagrad: lr_decay = -1.0 is not 0 or more") { _ = Adagrad(cells, lrDecay: -1) }
    expectMistake("Adadelta: rho = 1.5 is not in 0..<1") { _ = Adadelta(cells, rho: 1.5) }
    expectMistake("NAdam: momentum_decay = -0.5 is not 0 or more") { _ = NAdam(cells, momentumDecay: -0.5) }
    expectMistake("Lion: beta2 = 1.0 is not in 0..<1") { _ = Lion(cells, betas: (0.9, 1)) }
    expectMistake("SGD: there are no parameters to train") { _ = SGD([ParameterCell]()) }
    expectMistake("Adam: a parameter was given more than once; it would be updated more than once in each step") {
      _ = Adam([ParameterGroup([cells[0]]), ParameterGroup([cells[1], cells[0]])])
    }
    expectMistake(
      "AdamW: takes no option 'momentum' (given 0.9); it takes: lr, beta1, beta2, eps, weight_decay, amsgrad, maximize"
    ) { _ = AdamW([ParameterGroup(cells, [.momentum: 0.9])]) }
    let optimizer = SGD(cells)
    expectMistake("ParameterGroup: lr = -2.0 is not 0 or more") { optimizer.lr = -2 }
    expectMistake(
      "ParameterGroup: there is no option 'beta1'; there are: lr, momentum, dampening, weight_decay, nesterov, maximize"
    ) { _ = optimizer.groups[0][.beta1] }
    expectMistake("ParameterGroup: nesterov = 0.5 is neither 0 nor 1") { optimizer.groups[0][.nesterov] = 0.5 }
    #expect(optimizer.lr == 1e-3)
  }

  // MARK: An optimizer of one's own

  /// Moves every parameter by lr against the sign of its gradient, and counts.
  final class SignDescent: Optimizer {
    init(_ parameters: some ParameterSource, lr: Double) { super.init(parameters, defaults: [.lr: lr]) }
    override var stateNames: [String] { ["sum"] }
    override func update(_ group: ParameterGroup) {
      noGrad {
        group.updateEach { p, gradient, state in
          state.step += 1
          state.tensors = [(state.tensors.first ?? Tensor.zerosLike(p.detach())) + gradient]
          p -= group.lr * gradient.sign()
        }
      }
    }
  }

  @Test("an optimizer of one's own needs one method")
  func custom() throws {
    let cell = ParameterCell(Tensor([1.0, -1]))
    let optimizer = SignDescent([cell], lr: 0.5)
    cell.grad = Tensor([3.0, -0.1])
    optimizer.step()
    #expect(cell.value.scalars(as: Float.self) == [0.5, -0.5])
    try optimizer.loadStateDict(optimizer.stateDict())
    #expect(optimizer.stateDict().tensors["state.0.sum"]?.scalars(as: Float.self) == [3, -0.1])
    expectMistake("Optimizer: does not override update(_:)") { Optimizer([cell], defaults: [.lr: 1]).step() }
  }
}
