import ApusCore
import TestSupport
import Testing

@Suite("checkpointing")
struct CheckpointTests {
  static func leaf(_ shape: Shape, _ seed: UInt64, _ dtype: DType = .float32) -> Tensor {
    var x = samples(shape, seed: seed).to(dtype)
    x.requiresGrad = true
    return x
  }

  /// A block with parameters, branches and random numbers.
  static func block(_ x: Tensor, _ w: Tensor, _ generator: Generator) -> Tensor {
    let h = x.matmul(w).tanh()
    let mask = (Tensor.rand(h.shape, generator: generator) .> 0.5).to(h.dtype)
    return (h * mask).exp().matmul(w) + h.square()
  }

  @Test("values and gradients are the same bits, with random numbers, in a chain of blocks")
  func bits() {
    let (x, w) = (Self.leaf([5, 4], 1), (2...4).map { Self.leaf([4, 4], $0) })
    func run(_ isCheckpointed: Bool) -> [[Float]] {
      let generator = Generator(seed: 7)
      var y = x
      for weight in w {
        y =
          isCheckpointed
          ? checkpoint(y, preserving: [generator]) { Self.block($0, weight, generator) } : Self.block(y, weight, generator)
      }
      let after = generator.state
      y.square().sum().backward()
      #expect(generator.state == after)
      defer { for leaf in [x] + w { leaf.grad = nil } }
      return [y.scalars(as: Float.self)] + ([x] + w).map { $0.grad!.scalars(as: Float.self) }
    }
    #expect(run(true) == run(false))
  }

  @Test("several inputs and results; what is not differentiable stays so")
  func several() {
    let (a, b) = (Self.leaf([3], 1), Self.leaf([3], 2))
    let index = Tensor([2, 0, 1])
    let body = { (x: [Tensor]) in [x[0] * x[1], x[1].exp().indexSelect(dim: 0, index: x[2]), x[2]] }
    func gradients(_ ys: [Tensor]) -> [Tensor] {
      #expect(!ys[2].requiresGrad && ys[2].scalars(as: Int.self) == [2, 0, 1])
      return grad(of: (ys[0] * ys[1]).sum() + 3 * ys[1].sum(), withRespectTo: [a, b])
    }
    for (x, y) in zip(gradients(checkpoint([a, b, index], body)), gradients(body([a, b, index]))) {
      expectClose(x, y, relative: 0, absolute: 0)
    }
    // One result alone is enough.
    expectClose(grad(of: checkpoint([a, b, index], body)[1].sum(), withRespectTo: [b])[0], b.detach().exp())
  }

  @Test("gradients reach what the body captures: parameters, and tensors with a history")
  func captures() {
    let (x, w) = (Self.leaf([3], 1), Self.leaf([3], 2))
    let hidden = (w * 2).sin()
    let expected = grad(of: (x * hidden * w).sum(), withRespectTo: [x, w], retainGraph: true)
    let y = checkpoint(x) { $0 * hidden * w }
    for (a, b) in zip(grad(of: y.sum(), withRespectTo: [x, w], retainGraph: true), expected) { expectClose(a, b) }
    // Without an input that has a gradient, and with the captured tensor itself as the result.
    let z = checkpoint(Tensor.ones([3])) { $0 * w }
    expectClose(grad(of: z.sum(), withRespectTo: [w])[0], Tensor.ones([3]))
    expectClose(
      grad(of: checkpoint(x) { _ in hidden }.sum(), withRespectTo: [w], retainGraph: true)[0], 2 * (2 * w.detach()).cos())
    expectClose(grad(of: checkpoint(x) { $0 }.sum(), withRespectTo: [x])[0], Tensor.ones([3]))
    #expect(!checkpoint(x.detach()) { $0 * 2 }.requiresGrad)
    #expect(!noGrad { checkpoint(x) { $0 * w } }.requiresGrad)
  }

  @Test("checkpoints inside of checkpoints")
  func nested() {
    let (x, w) = (Self.leaf([4, 4], 1), Self.leaf([4, 4], 2))
    func run(_ isCheckpointed: Bool) -> [[Float]] {
      let generator = Generator(seed: 1)
      func inner(_ x: Tensor) -> Tensor { checkpoint(x, preserving: [generator]) { Self.block($0, w, generator) } }
      let both = { (x: Tensor) in inner(inner(x).tanh()) }
      let y = isCheckpointed ? checkpoint(x, preserving: [generator], both) : both(x)
      y.sum().backward()
      defer { (x.grad, w.grad) = (nil, nil) }
      return [x.grad!, w.grad!].map { $0.scalars(as: Float.self) }
    }
    func plain(_ x: Tensor) -> [[Float]] {
      let generator = Generator(seed: 1)
      Self.block(Self.block(x, w, generator).tanh(), w, generator).sum().backward()
      defer { (x.grad, w.grad) = (nil, nil) }
      return [x.grad!, w.grad!].map { $0.scalars(as: Float.self) }
    }
    #expect(run(true) == run(false))
    for (a, b) in zip(run(true), plain(x)) {
      // w is shared by two blocks: its gradient is summed in another order.
      expectClose(Tensor(a), Tensor(b), relative: 1e-4, absolute: 1e-4)
    }
  }

  @Test("derivatives of any order")
  func higherOrder() throws {
    let (x, w) = (samples([2, 2], seed: 1), samples([2, 2], seed: 2))
    try gradientCheck([x, w], order: 2) { x in checkpoint(x[0]) { $0.matmul(x[1]).tanh() * $0 } }
    try gradientCheck([x, w], order: 2) {
      checkpoint($0) { [$0[0].matmul($0[1]).sin(), $0[0].exp()] }.reduce(0) { $0 + $1.sum() }
    }
    let y = hessian(at: x) { x in checkpoint(x) { $0.matmul(w).tanh() }.square().sum() }
    expectClose(y, hessian(at: x) { $0.matmul(w).tanh().square().sum() }, relative: 1e-12)
  }

  @Test("a hook is called once, and a graph is given up once")
  func hooks() {
    let (x, w) = (Self.leaf([2], 1), Self.leaf([2], 2))
    var calls = 0
    w.registerHook {
      calls += 1; return $0 * 2
    }
    let y = checkpoint(x) { $0 * w }.sum()
    y.backward()
    #expect(calls == 1)
    expectClose(w.grad!, 2 * x.detach())
    expectMistake("backward: the graph of 'checkpoint' was given up by an earlier pass; pass retainGraph: true to that one") {
      y.backward()
    }
  }

  @Test("a body that is not the same twice is an error")
  func mistakes() {
    let x = Self.leaf([3], 1)
    var runs = 0
    let y = checkpoint(x) { x in
      runs += 1
      return runs == 1 ? x * 2 : x.narrow(dim: 0, start: 0, count: 2)
    }
    expectMistake("checkpoint: the body returned shape [3] first and [2] when it was run again") { y.sum().backward() }
    expectMistake("matmul: [3] × [2]: inner sizes 3 and 2 differ") { _ = checkpoint(x) { $0.matmul(Tensor.ones([2])) } }
  }

  @Test("the memory held between the passes falls to the inputs of the blocks")
  func memory() async {
    // In a process of its own: the numbers are those of all tensors that there are.
    await #expect(processExitsWith: .success) {
      func heldBytes(_ isCheckpointed: Bool) -> (held: Int, peak: Int) {
        let x = CheckpointTests.leaf([256, 64], 1)
        let before = Memory.inUse
        Memory.resetPeak()
        var y = x
        for _ in 0..<8 {
          let block = { (x: Tensor) in (0..<8).reduce(x) { y, _ in (y * 0.5).tanh().exp() } }
          y = isCheckpointed ? checkpoint(y, block) : block(y)
        }
        let held = Memory.inUse - before
        y.sum().backward()
        return (held, Memory.peak - before)
      }
      let (all, few) = (heldBytes(false), heldBytes(true))
      let size = 256 * 64 * 4
      // Deferred ops hold on to their operands until somebody looks.
      guard DeferredOp.threshold > 256 * 64 else { return }
      // 128 outputs are kept by the rules of tanh and exp, or 8 inputs and the result.
      precondition(all.held >= 128 * size && few.held <= 10 * size, "\(all) \(few)")
      precondition(few.peak * 3 < all.peak, "\(all) \(few)")
    }
  }
}
