import ApusCore
import TestSupport
import Testing

/// Edges and laws of the composites that no golden value shows.
@Suite("composites")
struct CompositeTests {
  @Test("keep the half types, and compute in float32 where they would overflow", arguments: [DType.float16, .bfloat16])
  func halfTypes(dtype: DType) {
    let x = Tensor([200.0, 300], dtype: dtype)
    expectClose(x.norm(), Tensor(130_000, dtype: .float64).sqrt().to(dtype), relative: 1e-2)
    expectClose(Tensor([[2.0, 3], [4, 0.5]]).to(dtype).cumprod(dim: 1), Tensor([[2.0, 6], [4, 2]]).to(dtype))
    let activations: [Tensor] = [
      x.gelu(), x.silu(), x.mish(), x.elu(), x.celu(), x.selu(), x.softplus(), x.hardtanh(), x.relu6(), x.hardswish(),
      x.hardsigmoid(),
      x.leakyRelu(), x.softshrink(), x.hardshrink(), x.softsign(), x.tanhshrink(), x.threshold(1, 0), x.glu(),
    ]
    for y in activations { #expect(y.dtype == dtype && y.isFinite().all().item(as: Bool.self)) }
  }

  @Test("gelu is its readable twin, in value and gradient")
  func gelu() {
    var x = Tensor.linspace(-6, 6, 97, dtype: .float64)
    x.requiresGrad = true
    let (fast, twin) = (x.gelu(), x.geluTwin())
    expectClose(fast.detach(), twin.detach(), relative: 1e-14)
    let gradients = [fast, twin].map { grad(of: $0.sum(), withRespectTo: [x])[0] }
    expectClose(gradients[0], gradients[1], relative: 1e-13)
  }

  @Test("every dtype goes through sorting and searching")
  func dtypes() {
    for dtype in DType.allCases where dtype != .bool {
      let x = Tensor([3, 1, 2, 3], dtype: dtype)
      #expect(x.unique().values.scalars(as: Int.self) == [1, 2, 3] && x.unique().values.dtype == dtype)
      #expect(x.median().item() == 2 && x.mode().values.item() == 3 && x.mode().indices.item() == 3)
      #expect(x.cummax(dim: 0).values.scalars(as: Int.self) == [3, 3, 3, 3])
      #expect(x.cummin(dim: 0).indices.scalars(as: Int.self) == [0, 1, 1, 1])
      #expect(isin(x, Tensor([3], dtype: dtype)).scalars(as: Bool.self) == [true, false, false, true])
      #expect(searchsorted(Tensor([1, 2, 3], dtype: dtype), x).scalars(as: Int.self) == [2, 0, 1, 2])
      let reduced = x.scatterReduce(dim: 0, index: Tensor([0, 0]), Tensor([5, 4], dtype: dtype), .amax)
      #expect(reduced.scalars(as: Int.self) == [5, 1, 2, 3] && reduced.dtype == dtype)
      let product = x.scatterReduce(dim: 0, index: Tensor([0, 0]), Tensor([5, 4], dtype: dtype), .prod, includeSelf: false)
      #expect(product.scalars(as: Int.self) == [20, 1, 2, 3] && product.dtype == dtype)
    }
    #expect(Tensor([true, false, true]).unique().values.scalars(as: Bool.self) == [false, true])
  }

  @Test("NaN differs from itself in unique, and is greatest in searchsorted")
  func nan() {
    let x = Tensor([Double.nan, 1, Double.nan])
    #expect(x.unique().counts.scalars(as: Int.self) == [1, 1, 1])
    #expect(searchsorted(Tensor([1.0, 2, Double.nan]), Tensor([Double.nan, 3])).scalars(as: Int.self) == [2, 2])
    let y = Tensor([-Double.infinity, -.infinity, 1]).logcumsumexp(dim: 0)
    #expect(y.scalars(as: Double.self) == [-.infinity, -.infinity, 1])
    #expect(Tensor([0.0, 0]).xlogy(Tensor([0.0, .infinity])).scalars(as: Double.self) == [0, 0])
    #expect(x.median().item().isNaN && Tensor.zeros([0]).median().item().isNaN)
  }

  @Test("activations pass NaN on")
  func nanThroughActivations() {
    let x = Tensor([Double.nan])
    let activations: [Tensor] = [
      x.gelu(), x.gelu(approximate: .tanh), x.silu(), x.mish(), x.elu(), x.celu(), x.selu(), x.softplus(), x.hardtanh(),
      x.relu6(),
      x.hardswish(), x.hardsigmoid(), x.leakyRelu(), x.softshrink(), x.hardshrink(), x.softsign(), x.tanhshrink(),
      x.threshold(1, 0),
      prelu(x, Tensor([0.5])), x.softmin(dim: 0),
    ]
    for (i, y) in activations.enumerated() { #expect(y.item().isNaN, "activation \(i)") }
  }

  @Test("scalars and empty tensors")
  func edges() {
    let scalar = Tensor(2.5)
    #expect(scalar.cumprod(dim: 0).item() == 2.5 && scalar.cummax(dim: -1).values.item() == 2.5)
    #expect(
      scalar.median(dim: 0).values.shape == [] && scalar.kthvalue(1).indices.item() == 0 && scalar.mode().values.item() == 2.5)
    #expect(scalar.norm(dim: 0).item() == 2.5 && scalar.logcumsumexp(dim: 0).item() == 2.5)
    #expect(scalar.quantile(0.5).item() == 2.5 && scalar.unique().inverse.shape == [])
    #expect(scalar.take(Tensor([0, -1])).scalars(as: Float.self) == [2.5, 2.5])
    #expect(scalar.scatterReduce(dim: 0, index: Tensor(0), Tensor(4.0), .prod).item() == 10)
    let empty = Tensor.zeros([2, 0])
    #expect(empty.cumprod(dim: 1).shape == [2, 0] && empty.cummax(dim: 1).values.shape == [2, 0])
    #expect(empty.cumprod(dim: 0).shape == [2, 0] && empty.logcumsumexp(dim: 1).shape == [2, 0])
    #expect(empty.norm().item() == 0 && empty.norm(dim: 1).scalars(as: Float.self) == [0, 0])
    #expect(empty.diff().shape == [2, 0] && empty.unique().values.shape == [0])
    #expect(empty.diagonal().shape == [0] && Tensor.zeros([0]).diagEmbed(offset: 1).shape == [1, 1])
    #expect(Tensor.zeros([0], dtype: .int64).bincount().shape == [0] && empty.histc(bins: 2).scalars(as: Int.self) == [0, 0])
    #expect(einsum("ij,jk->ik", empty, Tensor.zeros([0, 3])).scalars(as: Float.self) == [0, 0, 0, 0, 0, 0])
    #expect(cdist(Tensor.zeros([2, 0]), Tensor.zeros([3, 0])).shape == [2, 3])
    #expect(empty.gelu().shape == [2, 0] && empty.scatterReduce(dim: 1, index: empty.to(.int64), empty, .prod).shape == [2, 0])
    #expect(Tensor([1.0, 2]).maskedScatter(Tensor([false, false]), Tensor.zeros([0])).scalars(as: Int.self) == [1, 2])
  }

  @Test("diagonal of a contiguous tensor is a view")
  func diagonalView() {
    #expect(Tensor.arange(12).reshape(3, 4).diagonal().strides == [5])
    #expect(Tensor.eye(3).diagEmbed().diagonal(dim1: 1, dim2: 2).shape == [3, 3])
  }

  @Test("cumulative products match products, running sums of exponentials match their logarithm")
  func laws() {
    let x = samples([3, 37], in: -1.2...1.2)
    expectClose(x.cumprod(dim: 1).select(dim: 1, index: -1), x.prod(dim: 1), relative: 1e-12)
    expectClose(x.logcumsumexp(dim: 1), x.exp().cumsum(dim: 1).log(), relative: 1e-12)
    expectClose(x.cummax(dim: 1).values.select(dim: 1, index: -1), x.amax(dims: [1]))
    expectClose(einsum("ij,kj->ik", x, x), x.matmul(x.T), relative: 1e-12)
    expectClose(x.quantile(0.5), x.flatten().sort().values.narrow(dim: 0, start: 55, count: 1).squeeze())
    #expect(x.equal(x) && x.equal(x.to(.float64)) && !x.equal(x + 1e-3) && !x.equal(x[..<1]) && !x.equal(x * Double.nan))
    #expect(x.allclose(x + 1e-9) && !x.allclose(x + 1e-3) && !x.allclose(x * Double.nan))
  }

  @Test("derivatives of ln Γ far below 0 agree with the recurrence")
  func polygammaReflection() {
    for n in 1...4 {
      // ψₙ(x + 1) = ψₙ(x) + (−1)ⁿ n! / xⁿ⁺¹ leads from the sum (x ≥ −20) to the reflection.
      let x = Tensor([-20.3, -20.75], dtype: .float64)
      let factor = (1...n).reduce(n % 2 == 0 ? 1.0 : -1.0) { $0 * Double($1) }
      expectClose((x + 1).polygamma(n), x.polygamma(n) + factor * x.pow(-n - 1), relative: 1e-12)
    }
  }

  @Test("einsum takes many operands and axes, and contracts before it expands")
  func manyOperands() {
    let letters = "abcdefghij"
    let shape = Shape([Int](repeating: 2, count: 10))
    let x = Tensor.arange(1024, dtype: .float64).reshape(shape)
    #expect(einsum("\(letters)->\(String(letters.reversed()))", x).item(at: 1) == 512)
    let vectors = letters.map { _ in Tensor([1.0, 2]) }
    #expect(einsum(letters.map(String.init).joined(separator: ",") + "->", vectors).item() == 59049)
  }
}

extension Tensor {
  fileprivate func item(at i: Int) -> Double { flatten().select(dim: 0, index: i).item() }
}
