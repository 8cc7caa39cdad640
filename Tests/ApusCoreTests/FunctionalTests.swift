import ApusCore
import TestSupport
import Testing

/// Derivatives of functions, against torch.autograd.functional; `Tests/Golden/make_functional_golden.py` made the numbers.
@Suite("functional differentiation")
struct FunctionalTests {
  struct Case: Decodable {
    let name: String
    let inputs: [GoldenTensor]
    let along: [GoldenTensor]
    let vectors: [GoldenTensor]
    let results: [String: [[GoldenTensor]]]
  }

  static let maps: [String: @Sendable ([Tensor]) -> [Tensor]] = [
    "cubes": { x in [x[0].pow(3) * 2] },
    "layer": { x in [x[0].matmul(x[1]).tanh(), x[0].exp().sum(dim: 0)] },
    "constant": { x in [x[1].sin(), Tensor.ones([2], dtype: x[0].dtype)] },
  ]

  static let numbers: [String: @Sendable ([Tensor]) -> Tensor] = [
    "energy": { x in x[0].matmul(x[1]).tanh().square().sum() + x[0].exp().mean() },
    "quartic": { x in x[0].pow(4).sum() * x[1][0, 0] },
  ]

  /// The golden numbers of float32 second derivatives have seen several roundings.
  func expect(_ found: [[Tensor]], _ expected: [[GoldenTensor]]?, _ comment: String) throws {
    let expected = try #require(expected)
    #expect(found.map(\.count) == expected.map(\.count))
    for (row, golden) in zip(found.joined(), expected.joined()) {
      let (relative, absolute) = golden.tensor.dtype.goldenTolerance
      expectClose(row, golden.tensor, relative: relative, absolute: 5 * absolute, comment)
      #expect(!row.requiresGrad)
    }
  }

  @Test("PyTorch's values")
  func golden() throws {
    for golden in try Golden<Case>.load("functional") {
      let (xs, us) = (golden.inputs.map(\.tensor), golden.along.map(\.tensor))
      if let f = Self.maps[golden.name] {
        let (values, products) = vjp(at: xs, along: golden.vectors.map(\.tensor), f)
        try expect([values], golden.results["value"], "\(golden.name), value")
        try expect([products], golden.results["vjp"], "\(golden.name), vjp")
        try expect([jvp(at: xs, along: us, f).values], golden.results["value"], "\(golden.name), value of jvp")
        try expect([jvp(at: xs, along: us, f).products], golden.results["jvp"], "\(golden.name), jvp")
        try expect(jacobian(at: xs, f), golden.results["jacobian"], "\(golden.name), jacobian")
      } else {
        let f = try #require(Self.numbers[golden.name])
        let (value, gradients) = valueAndGrad(at: xs, f)
        try expect([[value]], golden.results["value"], "\(golden.name), value")
        try expect([gradients], golden.results["grad"], "\(golden.name), grad")
        for (value, products) in [vhp(at: xs, along: us, f), hvp(at: xs, along: us, f)] {
          try expect([[value]], golden.results["value"], "\(golden.name), value")
          try expect([products], golden.results["vhp"], "\(golden.name), product with the Hessian")
        }
        try expect(hessian(at: xs, f), golden.results["hessian"], "\(golden.name), hessian")
      }
    }
  }

  @Test("one tensor in, one out")
  func single() {
    let (x, v) = (samples([3], seed: 1), samples([3], seed: 2))
    let f = { (x: Tensor) in x.exp() * x.sum() }
    let j = jacobian(at: x, f)
    #expect(j.shape == [3, 3])
    expectClose(vjp(at: x, along: v, f).product, v.matmul(j), relative: 1e-12)
    expectClose(jvp(at: x, along: v, f).product, j.matmul(v), relative: 1e-12)
    expectClose(jvp(at: x, along: v, f).value, f(x), relative: 0)
    let g = { (x: Tensor) in f(x).square().sum() }
    let h = hessian(at: x, g)
    expectClose(h, h.T.contiguous(), relative: 1e-12)
    expectClose(vhp(at: x, along: v, g).product, v.matmul(h), relative: 1e-12)
    expectClose(hvp(at: x, along: v, g).product, h.matmul(v), relative: 1e-12)
    expectClose(valueAndGrad(at: x, g).value, g(x), relative: 0)
    expectClose(grad(at: x, g), 2 * f(x).matmul(j), relative: 1e-12)
  }

  @Test("shapes of Jacobians: the value's before the input's")
  func shapes() {
    let x = samples([2, 3], seed: 1)
    #expect(jacobian(at: x) { $0.sum(dim: 0) }.shape == [3, 2, 3])
    #expect(jacobian(at: x) { $0.sum() }.shape == [2, 3])
    #expect(jacobian(at: x) { $0.narrow(dim: 0, start: 0, count: 0) }.shape == [0, 3, 2, 3])
    #expect(hessian(at: x) { $0.square().sum() }.shape == [2, 3, 2, 3])
    expectClose(hessian(at: Tensor(2.0, dtype: .float64)) { $0.pow(3) }, Tensor(12.0, dtype: .float64))
  }

  @Test("nobody's gradient is touched, inside noGrad too, and the results have no history")
  func purity() {
    let (x, w) = (Tensor([1.0, 2], requiresGrad: true), Tensor([3.0, 4], requiresGrad: true))
    let (value, gradient) = noGrad { valueAndGrad(at: x) { ($0 * w).sum() } }
    #expect(gradient.scalars(as: Float.self) == [3, 4] && value.item() == 11)
    #expect(!value.requiresGrad && !gradient.requiresGrad && x.grad == nil && w.grad == nil)
  }

  @Test("with createGraph the derivative can be differentiated again, by the input and by what was captured")
  func createGraph() {
    let x = Tensor([1.5, -2], dtype: .float64, requiresGrad: true)
    let w = Tensor([3.0, 4], dtype: .float64, requiresGrad: true)
    let gradient = grad(at: x, createGraph: true) { ($0.pow(3) * w).sum() }  // 3 w x²
    gradient.sum().backward()
    expectClose(x.grad!, 6 * w.detach() * x.detach())
    expectClose(w.grad!, 3 * x.detach().square())
    (x.grad, w.grad) = (nil, nil)
    jvp(at: x, along: Tensor([1.0, 2], dtype: .float64), createGraph: true) { $0.pow(3) * w }.product.sum().backward()
    expectClose(x.grad!, 6 * w.detach() * x.detach() * Tensor([1.0, 2], dtype: .float64))
    // By hand to the third order: d³/dx³ x⁴ = 24 x.
    let third = grad(at: x.detach()) { x in
      grad(at: x, createGraph: true) { x in grad(at: x, createGraph: true) { $0.pow(4).sum() }.sum() }.sum()
    }
    expectClose(third, 24 * x.detach(), relative: 1e-12)
  }

  @Test("derivatives of derivatives are right, by central differences")
  func secondOrder() throws {
    let (x, v) = (samples([2, 2], seed: 3), samples([2, 2], seed: 4))
    let f = { (x: Tensor) in x.matmul(x).tanh() }
    try gradientCheck([x, v], order: 2) { vjp(at: $0[0], along: $0[1], createGraph: true, f).product }
    try gradientCheck([x, v], order: 2) { jvp(at: $0[0], along: $0[1], createGraph: true, f).product }
    try gradientCheck([x]) { hessian(at: $0[0], createGraph: true) { f($0).sum() } }
    try gradientCheck([x, v]) { hvp(at: $0[0], along: $0[1], createGraph: true) { f($0).sum() }.product }
    try gradientCheck([x, v]) { vhp(at: $0[0], along: $0[1], createGraph: true) { f($0).sum() }.product }
  }

  @Test("mistakes are named")
  func mistakes() {
    let x = Tensor([1.0, 2])
    expectMistake("valueAndGrad: the function returns shape [2]; only a single element has a gradient, see jacobian") {
      _ = grad(at: x) { $0 * 2 }
    }
    expectMistake("vjp: vector 0 is [3], the value [2]") { _ = vjp(at: x, along: Tensor.ones([3])) { $0 * 2 } }
    expectMistake("jvp: vector 0 is [1], the input [2]") { _ = jvp(at: x, along: Tensor.ones([1])) { $0 * 2 } }
    expectMistake("vjp: 2 vectors for 1 values") { _ = vjp(at: [x], along: [x, x]) { [$0[0] * 2] } }
    expectMistake("jacobian: input 0 is int64; only floating-point tensors have gradients") {
      _ = jacobian(at: Tensor([1, 2])) { $0 * 2 }
    }
    expectMistake("matmul: [2] × [3]: inner sizes 2 and 3 differ") {
      _ = hessian(at: x) { $0.matmul(Tensor.ones([3])) }
    }
  }
}
