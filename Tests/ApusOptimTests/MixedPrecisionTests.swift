import ApusCore
import ApusNN
import ApusOptim
import TestSupport
import Testing

@Suite("mixed precision")
struct MixedPrecisionTests {
  // MARK: GradScaler

  @Test("the scale falls after an infinity, whose step is left out, and grows after a while without")
  func scale() {
    let cell = ParameterCell(Tensor([1.0]))
    let optimizer = SGD([cell], lr: 1)
    let scaler = GradScaler(initScale: 8, growthFactor: 4, backoffFactor: 0.25, growthInterval: 2)
    func iteration(_ gradient: Float) -> Bool {
      optimizer.zeroGrad()
      scaler.scale(cell.value.sum() * gradient).backward()
      defer { scaler.update() }
      return scaler.step(optimizer)
    }
    #expect(iteration(0.5) && scaler.scale == 8 && cell.value.item() == 0.5)
    #expect(iteration(0.5) && scaler.scale == 32 && cell.value.item() == 0)
    #expect(iteration(0.5) && scaler.growthTracker == 1)
    #expect(!iteration(.infinity) && scaler.scale == 8 && scaler.growthTracker == 0 && cell.value.item() == -0.5)
    #expect(!iteration(.nan) && scaler.scale == 2)
    #expect(iteration(1) && cell.value.item() == -1.5)
    cell.grad = Tensor([2.0])
    #expect(scaler.step(optimizer))
    scaler.update(newScale: 100)
    #expect(scaler.scale == 100)
  }

  @Test("gradients can be clipped between unscale and step")
  func clipping() {
    let cells = OptimizerTests.cells(1, dtype: .float32)
    let optimizer = SGD(cells, lr: 1)
    let scaler = GradScaler(initScale: 1024)
    OptimizerTests.setGradients(cells, 1)
    let expected = cells.map { $0.grad! }
    for cell in cells { cell.grad = cell.grad! * 1024 }
    scaler.unscale(optimizer)
    for (cell, gradient) in zip(cells, expected) { expectClose(cell.grad!, gradient, relative: 0) }
    let before = cells.map { $0.value.detach() }
    let norm = clipGradNorm(cells, maxNorm: 0.1)
    scaler.step(optimizer)
    scaler.update()
    for i in cells.indices {
      expectClose(cells[i].value.detach(), before[i] - expected[i] * (0.1 / norm), relative: 1e-4, absolute: 1e-5)
    }
  }

  @Test("what doesn't follow the order of calls is an error; without being enabled nothing happens")
  func scalerMistakes() {
    let cell = ParameterCell(Tensor([1.0]))
    let optimizer = SGD([cell], lr: 1)
    cell.grad = Tensor([1.0])
    let scaler = GradScaler(initScale: 2)
    expectMistake("GradScaler.update: no step() or unscale() since the last update()") { scaler.update() }
    scaler.unscale(optimizer)
    expectMistake("GradScaler.unscale: called twice since the last update()") { scaler.unscale(optimizer) }
    scaler.step(optimizer)
    expectMistake("GradScaler.step: called twice since the last update()") { scaler.step(optimizer) }
    expectMistake("GradScaler.unscale: after step(); call update() first") { scaler.unscale(optimizer) }
    expectMistake("GradScaler: backoffFactor = 1.0 is not between 0 and 1") { _ = GradScaler(backoffFactor: 1) }
    expectMistake("GradScaler: growthFactor = 1.0 is not greater than 1") { _ = GradScaler(growthFactor: 1) }
    let half = ParameterCell(Tensor([1.0], dtype: .float16))
    half.grad = Tensor([1.0], dtype: .float16)
    expectMistake(
      "GradScaler.unscale: gradients of float16 parameters cannot be unscaled in float16; set the optimizer's keepsMasterWeights, "
        + "or keep the parameters in float32 and use autocast"
    ) { GradScaler().unscale(SGD([half])) }
    let off = GradScaler(isEnabled: false)
    cell.grad = Tensor([0.5])
    let before: Double = cell.value.item()
    #expect(off.scale(cell.value).item() == before && off.step(optimizer) && cell.value.item() == before - 0.5)
    off.update()
  }

  @Test("the scaler's state")
  func scalerState() throws {
    let scaler = GradScaler(initScale: 4, growthInterval: 3)
    let optimizer = SGD([ParameterCell(Tensor([1.0]))])
    scaler.step(optimizer)
    scaler.update()
    let other = GradScaler()
    try other.loadStateDict(scaler.stateDict())
    #expect(other.scale == 4 && other.growthTracker == 1)
    var state = scaler.stateDict()
    (state.numbers["scale"], state.numbers["_growth_tracker"], state.numbers["more"]) = (-1, nil, 1)
    let error = #expect(throws: OptimizerStateError.self) { try other.loadStateDict(state) }
    #expect(
      error?.problems == [
        .missing(name: "_growth_tracker"), .value(name: "scale", found: -1, rule: "is not greater than 0"),
        .unexpected(name: "more"),
      ])
    #expect(other.scale == 4)
  }

  @Test("a network learns with autocast and a scaler", arguments: [DType.float16, .bfloat16])
  func training(dtype: DType) {
    let generator = Generator(seed: 3)
    let model = Sequential {
      Linear(2, 8, generator: generator); Tanh(); Linear(8, 2, generator: generator)
    }
    let (x, y) = (Tensor([[0.0, 0], [0, 1], [1, 0], [1, 1]]), Tensor([0, 1, 1, 0]))
    let (optimizer, scaler) = (Adam(model.parameters(), lr: 0.05), GradScaler())
    for _ in 0..<200 {
      let loss = autocast(to: dtype) {
        let logits = model(x)
        #expect(logits.dtype == dtype)
        return crossEntropy(logits.to(.float32), y)
      }
      optimizer.zeroGrad()
      scaler.scale(loss).backward()
      #expect(model.parameters().allSatisfy { $0.grad!.dtype == .float32 })
      scaler.step(optimizer)
      scaler.update()
    }
    #expect(model(x).argmax(dim: 1).scalars(as: Int.self) == [0, 1, 1, 0])
  }

  // MARK: Master weights

  @Test("with master weights half parameters follow the float32 ones", arguments: OptimizerKind.all)
  func masters(kind: OptimizerKind) throws {
    for dtype in [DType.float16, .bfloat16] {
      let cells = kind.cells(1, dtype: dtype)
      let wide = cells.map { ParameterCell($0.value.detach().to(.float32)) }
      let (optimizer, reference) = (kind.make(cells), kind.make(wide))
      optimizer.keepsMasterWeights = true
      for step in 1...20 {
        OptimizerTests.setGradients(cells, step)
        for (a, b) in zip(cells, wide) { b.grad = a.grad!.to(.float32) }
        optimizer.step()
        reference.step()
        for (a, b) in zip(cells, wide) {
          expectClose(a.value.detach(), b.value.detach().to(dtype), relative: 0, absolute: 0, "\(dtype) step \(step)")
          #expect(a.value.isLeaf && a.requiresGrad)
        }
      }
      let state = optimizer.stateDict()
      #expect(state.tensors.names.filter { $0.hasSuffix("master") } == ["state.0.master", "state.1.master"])
      #expect(state.tensors.allSatisfy { $0.tensor.dtype == .float32 })
    }
  }

  @Test("steps too small for bfloat16 add up")
  func smallSteps() {
    func moved(_ keepsMasterWeights: Bool) -> Double {
      let cell = ParameterCell(Tensor([1.0], dtype: .bfloat16))
      let optimizer = SGD([cell], lr: 1e-4)
      optimizer.keepsMasterWeights = keepsMasterWeights
      for _ in 0..<1000 {
        cell.grad = Tensor([1.0], dtype: .bfloat16)
        optimizer.step()
      }
      return cell.value.item()
    }
    #expect(moved(false) == 1 && abs(moved(true) - 0.9) < 0.004)
  }

  @Test("copies are saved and loaded with the state, in float32")
  func masterState() throws {
    let cells = OptimizerTests.cells(1, dtype: .bfloat16)
    let optimizer = Adam(cells, lr: 0.01)
    optimizer.keepsMasterWeights = true
    for step in 1...5 {
      OptimizerTests.setGradients(cells, step)
      optimizer.step()
    }
    let copies = cells.map { ParameterCell($0.value.detach().clone()) }
    let resumed = Adam(copies, lr: 0.01)
    resumed.keepsMasterWeights = true
    try resumed.loadStateDict(optimizer.stateDict())
    for step in 6...10 {
      for (cells, optimizer) in [(cells, optimizer), (copies, resumed)] {
        OptimizerTests.setGradients(cells, step)
        optimizer.step()
      }
    }
    let (a, b) = (optimizer.stateDict(), resumed.stateDict())
    for (name, tensor) in a.tensors { expectClose(b.tensors[name]!, tensor, relative: 0, absolute: 0, name) }
    #expect(throws: OptimizerStateError.self) { try Adam(copies).loadStateDict(a) }
  }

  @Test("a parameter that somebody changed is not changed back")
  func changedParameter() throws {
    let cell = ParameterCell(Tensor([1.0, 1], dtype: .bfloat16))
    let optimizer = SGD([cell], lr: 0.5)
    optimizer.keepsMasterWeights = true
    cell.grad = Tensor([1.0, 1], dtype: .bfloat16)
    optimizer.step()
    noGrad { cell.value += 4 }
    optimizer.step()
    #expect(cell.value.scalars(as: Float.self) == [4, 4])
    // In a checkpoint that belongs to other weights too.
    let other = ParameterCell(Tensor([7.0, 7], dtype: .bfloat16))
    let loaded = SGD([other], lr: 0.5)
    loaded.keepsMasterWeights = true
    try loaded.loadStateDict(optimizer.stateDict())
    other.grad = Tensor([1.0, 1], dtype: .bfloat16)
    loaded.step()
    #expect(other.value.scalars(as: Float.self) == [6.5, 6.5])
  }

  @Test("a scaler with float16 parameters unscales in float32")
  func scaledMasters() {
    let cell = ParameterCell(Tensor([1.0], dtype: .float16))
    let optimizer = SGD([cell], lr: 1e6)
    optimizer.keepsMasterWeights = true
    let scaler = GradScaler(initScale: 65536)
    // A gradient of 2⁻³⁰, which float16 doesn't know.
    cell.grad = Tensor([Double(0x1p-14)], dtype: .float16)
    #expect(scaler.step(optimizer))
    expectClose(cell.value.detach(), Tensor([1 - 1e6 * Double(0x1p-30)], dtype: .float16), relative: 1e-3)
  }
}
