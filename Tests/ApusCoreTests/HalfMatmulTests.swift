import ApusCore
import TestSupport
import Testing

@Suite("matmul of half types")
struct HalfMatmulTests {
  @Test(
    "sums in float32, rounded once",
    arguments: [(1, 3, 2000), (20, 20, 20), (65, 70, 129), (13, 300, 700), (200, 1, 64)])
  func rounding(m: Int, n: Int, k: Int) {
    for dtype in [DType.float16, .bfloat16] {
      let a = samples([m, k], seed: 1).to(dtype), b = samples([k, n], seed: 2).to(dtype)
      let wide = a.to(.float32).matmul(b.to(.float32)).to(dtype)
      // Products above the size of the unpacked form have the same sums to the bit, but where pairs are multiplied.
      let isSame = m * n * k > 4096 && !isInPairs(dtype)
      for (x, y) in [(a, b), (a.T.contiguous().T, b), (a, b.T.contiguous().T), (a.flip(1).flip(1), b.flip(0).flip(0))] {
        expectClose(x.matmul(y), wide, relative: isSame ? 0 : dtype.epsilon!, absolute: 0, "\(dtype) \(m)x\(n)x\(k)")
      }
    }
  }

  private func isInPairs(_ dtype: DType) -> Bool { dtype == .bfloat16 && Runtime.instructionSet == "avx512_bf16" }

  @Test(
    "deep, wide and high products, small batches through a layer's weights, results that don't fit one pass",
    arguments: [
      (16, 300, 1500), (32, 768, 512), (32, 769, 511), (3, 500, 64), (300, 40, 5000), (50, 1200, 3000), (130, 64, 9000),
    ])
  func sizes(m: Int, n: Int, k: Int) {
    for dtype in [DType.float16, .bfloat16] {
      let x = samples([m, k], seed: 1).to(dtype), w = samples([n, k], seed: 2).to(dtype)
      let wide = x.to(.float32).matmul(w.to(.float32).T)
      expectClose(
        x.matmul(w.T), wide.to(dtype), relative: 2 * dtype.epsilon!, absolute: 4 * Double(dtype.epsilon!),
        "\(dtype) \(m)x\(n)x\(k)")
    }
  }

  @Test("batches, and gradients in the dtype of the inputs")
  func batches() {
    for dtype in [DType.float16, .bfloat16] {
      let a = samples([3, 17, 33], seed: 1).to(dtype), b = samples([33, 19], seed: 2).to(dtype)
      let c = samples([3, 33, 19], seed: 3).to(dtype)
      let wide = a.to(.float32).matmul(c.to(.float32)).to(dtype)
      expectClose(a.matmul(c), wide, relative: isInPairs(dtype) ? dtype.epsilon! : 0, absolute: 0)
      let gradient = grad(at: [a, b]) { $0[0].matmul($0[1]).sum() }
      #expect(gradient.allSatisfy { $0.dtype == dtype })
      let expected = grad(at: [a.to(.float32), b.to(.float32)]) { $0[0].matmul($0[1]).sum() }
      for (x, y) in zip(gradient, expected) { expectClose(x, y.to(dtype), relative: dtype.epsilon!, absolute: dtype.epsilon!) }
    }
  }
}
