import ApusCore
import TestSupport
import Testing

@Suite("automatic differentiation")
struct AutogradTests {
  func leaf(_ values: [Double], dtype: DType = .float64) -> Tensor { Tensor(values, dtype: dtype, requiresGrad: true) }

  @Test("gradients accumulate when a tensor is used again, and over passes")
  func accumulation() {
    let x = leaf([2, 3])
    let y = x * x + x
    y.sum().backward()
    expectClose(x.grad!, Tensor([5.0, 7], dtype: .float64))
    (x * 2).sum().backward()
    expectClose(x.grad!, Tensor([7.0, 9], dtype: .float64))
    x.grad = nil
    #expect(x.grad == nil)
  }

  @Test("copies of a leaf share its gradient; a gradient that was read doesn't change afterwards")
  func sharing() {
    let x = leaf([1])
    let copy = x
    (copy * 3).sum().backward()
    let before = x.grad!
    (x * 4).sum().backward()
    #expect(before.item() == 3 && x.grad!.item() == 7 && copy.grad!.item() == 7)
  }

  @Test("a seed gradient starts the pass")
  func seeds() {
    let x = leaf([1, 2, 3])
    (x * x).backward(Tensor([1.0, 0, 2], dtype: .float64))
    expectClose(x.grad!, Tensor([2.0, 0, 12], dtype: .float64))
    // Of another float dtype too.
    (x * 1).backward(Tensor([1.0, 1, 1]))
    expectMistake("backward: a tensor of shape [3] needs the gradient to start from; only a single element has 1") {
      (x * x).backward()
    }
    expectMistake("backward: gradient of shape [2] for a tensor of shape [3]") { (x * x).backward(Tensor([1.0, 1])) }
    expectMistake("backward: the tensor does not require a gradient: no leaf that does was used to make it") {
      Tensor([1.0]).backward()
    }
  }

  @Test("grad(of:withRespectTo:) touches nobody's grad, and answers zeros for what doesn't matter")
  func functional() {
    let (x, z) = (leaf([2, 3]), leaf([1]))
    let inner = x * x
    let y = (inner * 3).sum()
    let g = grad(of: y, withRespectTo: [x, inner, z], retainGraph: true)
    expectClose(g[0], Tensor([12.0, 18], dtype: .float64))
    expectClose(g[1], Tensor([3.0, 3], dtype: .float64))
    expectClose(g[2], Tensor([0.0], dtype: .float64))
    #expect(x.grad == nil && z.grad == nil)
    expectMistake("grad: tensor 0 to differentiate by does not require a gradient") {
      _ = grad(of: y, withRespectTo: [Tensor([1.0])])
    }
  }

  @Test("derivatives of any order")
  func higherOrder() {
    // d⁴/dx⁴ x⁵ = 120 x
    let x = leaf([1.5])
    var y = (x.pow(5)).sum()
    for _ in 0..<4 { y = grad(of: y, withRespectTo: [x], createGraph: true)[0].sum() }
    #expect(abs(y.item() - 180) < 1e-9)
    // By backward(createGraph:) as well: (dy/dx)³ + y with y = x² at 2 has the derivative 24 x² + 2 x = 100.
    let z = leaf([2])
    let square = z * z
    square.sum().backward(createGraph: true)
    let first = z.grad!
    z.grad = nil
    (first.pow(3) + square).sum().backward()
    #expect(z.grad!.item() == 100)
  }

  @Test("the graph is given up after a pass unless it is kept")
  func releasing() {
    let x = leaf([2])
    let y = (x * x).sum()
    y.backward(retainGraph: true)
    y.backward()
    #expect(x.grad!.item() == 8)
    expectMistake("backward: the graph of 'mul' was given up by an earlier pass; pass retainGraph: true to that one") {
      y.backward()
    }
    // What a rule doesn't need can't be missed.
    let sum = x + x
    sum.backward()
    sum.backward()
  }

  @Test("noGrad records nothing, enableGrad does again, and both nest and end with their scope")
  func modes() {
    let x = leaf([1])
    noGrad {
      #expect(!(x * 2).requiresGrad && !isGradEnabled)
      enableGrad { #expect((x * 2).requiresGrad) }
      #expect(!(x * 2).requiresGrad)
    }
    #expect((x * 2).requiresGrad && isGradEnabled)
    #expect(!(x * 2).detach().requiresGrad)
    #expect(!(x .> 0).requiresGrad && !x.to(.int64).requiresGrad && !x.argmax().requiresGrad)
    #expect(x.floor().requiresGrad)
    x.floor().sum().backward()
    #expect(x.grad!.item() == 0)
  }

  @Test("requiresGrad makes and unmakes leaves")
  func leaves() {
    var x = Tensor([1.0])
    #expect(!x.requiresGrad && x.isLeaf)
    x.requiresGrad = true
    #expect(x.requiresGrad && x.isLeaf && !(x * 1).isLeaf)
    x.requiresGrad = false
    #expect(!x.requiresGrad)
    expectMistake("requiresGrad: only floating-point tensors have gradients, not int64") {
      var y = Tensor([1])
      y.requiresGrad = true
    }
  }

  @Test("hooks see and replace the gradient, retainGrad keeps it, and removed hooks are silent")
  func hooks() {
    let x = leaf([1, 2])
    let y = x * 3
    y.retainGrad()
    nonisolated(unsafe) var seen: [Double] = []
    let hook = y.registerHook { g in
      seen = g.scalars(as: Double.self)
      return g * 10
    }
    (y * Tensor([1.0, 2], dtype: .float64)).sum().backward()
    #expect(seen == [1, 2])
    expectClose(y.grad!, Tensor([10.0, 20], dtype: .float64))
    expectClose(x.grad!, Tensor([30.0, 60], dtype: .float64))
    hook.remove()
    seen = []
    x.grad = nil
    (x * 3).sum().backward()
    #expect(seen.isEmpty)
    let leafHook = x.registerHook { _ in nil }
    (x * 1).sum().backward()
    expectClose(x.grad!, Tensor([4.0, 4], dtype: .float64))
    leafHook.remove()
    expectMistake("gradient hook: returned shape [1] for a gradient of shape [2]") {
      let z = x * 1
      z.registerHook { _ in Tensor([1.0]) }
      z.sum().backward()
    }
    expectMistake("retainGrad: the tensor does not require a gradient") { Tensor([1.0]).retainGrad() }
    expectMistake("registerHook: the tensor does not require a gradient") { Tensor([1.0]).registerHook { _ in nil } }
  }

  @Test("unchain cuts the history and keeps the values")
  func unchain() {
    let w = leaf([2])
    var state = Tensor([1.0], dtype: .float64)
    for _ in 0..<3 { state = state * w }  // w³
    state.sum().backward(retainGraph: true)
    #expect(w.grad!.item() == 12)
    state.unchain()
    w.grad = nil
    state = state * w  // 8 w
    state.sum().backward()
    #expect(w.grad!.item() == 8 && state.item() == 16)
  }

  @Test("100,000 chained ops: forward, backward and release without deep recursion")
  func longChain() {
    let x = leaf([1])
    var y = x
    for _ in 0..<100_000 { y = y * 1.00001 }
    y.sum().backward(retainGraph: true)
    #expect(abs(x.grad!.item() - C.pow(1.00001, 100_000)) < 1e-9)
    y = Tensor([0.0])  // releases the chain
    var z = x
    for _ in 0..<100_000 { z = z + 1 }
    z.unchain()
  }

  @Test("the graph is released with its last tensor")
  func release() {
    weak var node: Node?
    weak var data: TensorData?
    do {
      let x = leaf([1])
      let y = (x * x).exp()
      node = y.node
      data = y.data
      #expect(node != nil)
    }
    #expect(node == nil && data == nil)
  }

  @Test("user-defined functions take part in everything")
  func userDefined() throws {
    struct Cube: DifferentiableFunction {
      func forward(_ x: [Tensor]) -> Tensor { x[0] * x[0] * x[0] }
      var rule: Rule { .fromInputs { dy, x in [dy * 3 * x[0] * x[0]] } }
    }
    struct ScaledSum: DifferentiableFunction {
      let factor: Double
      func forward(_ x: [Tensor]) -> Tensor { x[0] + factor * x[1] }
      var rule: Rule { .linear { dy in [dy, factor * dy] } }
    }
    try gradientCheck([samples([2, 3, 2], in: -1...1)], order: 2) { Cube()($0[0]) * $0[0] }
    try gradientCheck([samples([2, 3], in: -1...1), samples([3], in: -1...1)], order: 2) { ScaledSum(factor: 2)($0[0], $0[1]) }
    #expect(!Cube()(Tensor([1.0])).requiresGrad)
    #expect("\(Cube()(leaf([1])))".contains("gradient=Cube"))
  }

  @Test("gradients keep the dtype of their input")
  func dtypes() {
    for dtype in [DType.float16, .bfloat16, .float32, .float64] {
      let x = Tensor([1.0, 2], dtype: dtype, requiresGrad: true)
      (x * Tensor([1.0, 2], dtype: .float64) + Tensor([1])).sum().backward()
      #expect(x.grad!.dtype == dtype)
      expectClose(x.grad!, Tensor([1.0, 2]).to(dtype))
    }
  }

  @Test("several threads may differentiate through the same leaves")
  func threads() async {
    let x = leaf([3])
    await withTaskGroup(of: Void.self) { group in
      for _ in 0..<8 {
        group.addTask { for _ in 0..<50 { (x * x).sum().backward() } }
      }
    }
    #expect(x.grad!.item() == 2400)
  }

  @Test("the graph as DOT names ops, shapes, dtypes and leaves")
  func dot() {
    let w = Tensor([[1.0, 2]], requiresGrad: true)
    w.name = "weight \"w\""
    let b = Tensor([1.0], requiresGrad: true)
    let text = graph(of: Tensor([[3.0], [4]]).T.matmul(w.T).squeeze(dim: 1) + b, names: ["bias": b])
    #expect(text.hasPrefix("digraph apus {") && text.hasSuffix("}\n"))
    for part in [
      "label=\"matmul\"", "label=\"add\"", "weight \\\"w\\\"\\n[1, 2] float32", "bias\\n[1] float32",
      "[1, 2] float32\", shape=oval, style=dashed",
      "label=\"[1] float32\", shape=oval, style=bold",
    ] { #expect(text.contains(part), "\(part) in \(text)") }
    #expect(graph(of: Tensor([1.0])).contains("[1] float32"))
  }
}
