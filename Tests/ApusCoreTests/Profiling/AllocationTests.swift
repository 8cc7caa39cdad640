import ApusCore
import Testing

/// How many blocks of memory `body` asks for, the second time: what is made once (small constants, for one) doesn't count.
func blocks(_ body: () -> Void) -> Int {
  body()
  return Profiler.record(body).blocks
}

/// What an op asks of the allocator, as fixed numbers: time is noisy, these are not. If a number falls, lower it here.
@Suite("allocations of ops")
struct AllocationTests {
  let x = Tensor.rand([8, 8])
  let tracked = Tensor.rand([8, 8], requiresGrad: true)

  @Test("a unary op takes one block, its result", arguments: Unary.allCases.filter { $0 != .bitwiseNot })
  func unary(_ op: Unary) { #expect(blocks { _ = CPUBackend.shared.unary(op, x.data) } == 1) }

  @Test("a binary op takes one block, also when it broadcasts")
  func binary() {
    let row = Tensor.rand([8])
    #expect(blocks { _ = x + x } == 1)
    #expect(blocks { _ = x * row } == 1)
    #expect(blocks { _ = x * 2.6 } <= 2)  // and one for the number
    // Small whole numbers are there already, and halves of them.
    #expect(blocks { _ = 1 - x } == 1)
    #expect(blocks { _ = x * 2.5 } == 1)
  }

  @Test("a history takes no block")
  func history() { #expect(blocks { _ = (tracked * x).tanh() } == 2) }

  @Test("a view takes no block")
  func views() {
    #expect(blocks { _ = x.transpose(0, 1) } == 0)
    #expect(blocks { _ = x.reshape(4, 16) } == 0)
    #expect(blocks { _ = x[1..<3] } == 0)
    #expect(blocks { _ = x.unsqueeze(dim: 0).expand(5, 8, 8) } == 0)
  }

  @Test("an update in place takes no block")
  func inPlace() {
    var y = x.clone()
    #expect(blocks { y += x } == 0)
  }

  @Test("a product, a reduction, a softmax take one")
  func single() {
    #expect(blocks { _ = x.matmul(x) } == 1)
    #expect(blocks { _ = x.sum() } == 1)
    #expect(blocks { _ = x.sum(dim: 1) } == 1)
    #expect(blocks { _ = x.softmax(dim: 1) } == 1)
  }

  @Test("backward through a product and a sum")
  func backward() {
    let (a, b) = (Tensor.rand([8, 8], requiresGrad: true), Tensor.rand([8, 8], requiresGrad: true))
    let taken = blocks {
      (a.grad, b.grad) = (nil, nil)
      a.matmul(b).sum().backward()
    }
    // Forward the product and the sum; backward the seed, and for each input its gradient and the repeated seed in rows.
    #expect(taken <= 7)
  }
}
