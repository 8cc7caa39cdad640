import ApusCore
import TestSupport
import Testing

@Suite("autocast")
struct AutocastTests {
  let a = samples([3, 4], seed: 1).to(.float32)
  let b = samples([4, 2], seed: 2).to(.float32)

  @Test("matrix products compute in the low dtype", arguments: [DType.bfloat16, .float16])
  func lower(dtype: DType) {
    autocast(to: dtype) {
      #expect(autocastType == dtype)
      expectClose(a.matmul(b), a.to(dtype).matmul(b.to(dtype)), relative: 0)
      for y in [a.mm(b), a.mv(b[.all, 0]), b[.all, 0].dot(b[.all, 1]), einsum("ij,jk->ik", a, b), tensordot(a, b, dims: 1)] {
        #expect(y.dtype == dtype)
      }
      #expect(Tensor.ones([2]).addmm(a, b).dtype == dtype)
      #expect(a.unsqueeze(dim: 0).bmm(b.unsqueeze(dim: 0)).dtype == dtype)
      #expect(a.to(.float64).matmul(b.to(.float64)).dtype == .float64)
    }
    #expect(autocastType == nil && a.matmul(b).dtype == .float32)
  }

  @Test("ops that need range or digits take half types as float32")
  func wider() {
    let ops: [(String, (Tensor) -> Tensor)] = [
      ("exp", { $0.exp() }), ("log", { $0.log() }), ("pow", { $0.pow(3) }), ("pow of tensors", { $0.pow($0) }),
      ("rsqrt", { $0.rsqrt() }), ("sum", { $0.sum() }), ("sum of rows", { $0.sum(dim: 1) }), ("prod", { $0.prod(dim: 0) }),
      ("cumsum", { $0.cumsum(dim: 0) }), ("cumprod", { $0.cumprod(dim: 1) }), ("softmax", { $0.softmax(dim: 1) }),
      ("logSoftmax", { $0.logSoftmax(dim: -1) }), ("logsumexp", { $0.logsumexp(dim: 1) }), ("norm", { $0.norm() }),
    ]
    for dtype in [DType.bfloat16, .float16] {
      let x = a.to(dtype).abs()
      for (name, f) in ops {
        #expect(f(x).dtype == dtype, "\(name) outside of the scope")
        expectClose(autocast(to: dtype) { f(x) }, f(x.to(.float32)), relative: 1e-6, name)
        #expect(autocast { f(a.abs().to(.float64)) }.dtype == .float64, "\(name)")
      }
      autocast(to: dtype) { #expect(x.relu().dtype == dtype && (x * x).dtype == dtype && (x + a).dtype == .float32) }
    }
  }

  @Test("scopes nest, and a part can be left out")
  func nesting() {
    autocast(to: .bfloat16) {
      #expect(a.matmul(b).dtype == .bfloat16)
      autocast(isEnabled: false) { #expect(a.matmul(b).dtype == .float32 && autocastType == nil) }
      autocast(to: .float16) { #expect(a.matmul(b).dtype == .float16) }
      #expect(a.matmul(b).dtype == .bfloat16)
    }
    expectMistake("autocast: float32 is neither bfloat16 nor float16") { autocast(to: .float32) {} }
  }

  @Test("gradients come back in the parameters' dtype, inside of the scope and outside")
  func gradients() {
    var w = b
    w.requiresGrad = true
    let loss = { (self.a.matmul(w)).softmax(dim: 1).square().sum() }
    let exact = grad(of: loss(), withRespectTo: [w])[0]
    let outside = autocast { loss() }
    #expect(outside.dtype == .float32)
    let first = grad(of: outside, withRespectTo: [w])[0]
    let second = autocast { grad(of: loss(), withRespectTo: [w])[0] }
    expectClose(first, exact, relative: 0.02, absolute: 0.01)
    expectClose(first, second, relative: 0, absolute: 0)
  }

  @Test("a parameter is converted once in a scope, again after it changed, and for the graph apart from noGrad")
  func cache() {
    var w = b
    w.requiresGrad = true
    autocast {
      #expect(autocasted(w).data === autocasted(w).data)
      let before = autocasted(w)
      _ = noGrad { a.matmul(w) }
      #expect(a.matmul(w).requiresGrad && noGrad { !autocasted(w).requiresGrad })
      noGrad { w += 1 }
      expectClose(autocasted(w), (b + 1).to(.bfloat16), relative: 0)
      expectClose(before, b.to(.bfloat16), relative: 0)
      // Used twice: the gradients of both uses arrive.
      let y = a.matmul(w).sum() + a.matmul(w).sum()
      y.backward()
    }
    expectClose(w.grad!, 2 * a.sum(dim: 0).unsqueeze(dim: 1).expand([4, 2]), relative: 0.02, absolute: 0.02)
    #expect(autocasted(a).dtype == .float32 && autocasted([a, b]).map(\.dtype) == [.float32, .float32])
  }

  @Test("a checkpoint computes in the dtypes of its first run")
  func checkpoints() {
    var w = b
    w.requiresGrad = true
    let f = { (x: Tensor) in x.matmul(w).exp().sum() }
    let y = autocast { checkpoint(a, f) }
    let gradient = grad(of: y, withRespectTo: [w])[0]
    let expected = autocast { grad(of: f(a), withRespectTo: [w])[0] }
    expectClose(gradient, expected, relative: 0, absolute: 0)
  }
}
