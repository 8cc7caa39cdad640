import ApusCore
import TestSupport
import Testing

@Suite("random numbers")
struct RandomTests {
  @Test("the stream is frozen: these numbers are the same in every release")
  func golden() {
    let g = Generator(seed: 42)
    #expect(g.nextUInt64() == Generator(seed: 42).nextUInt64())
    // Philox 4x32-10 with key 0 and counter 0 (Random123's known answer): 6627e8d5 e169c58d …
    #expect(Generator(seed: 0).nextUInt64() == 0x6627_e8d5_e169_c58d)
    #expect(Tensor.rand([1], generator: Generator(seed: 0)).item() == Double(0x6627_e8d5 >> 8) * 0x1p-24)
  }

  @Test("a seed repeats a stream, a state resumes it, splitting makes another")
  func streams() {
    let (a, b) = (Generator(seed: 7), Generator(seed: 7))
    expectClose(Tensor.randn([100], generator: a), Tensor.randn([100], generator: b))
    let saved = a.state
    let next = Tensor.rand([10], generator: a)
    a.state = saved
    expectClose(Tensor.rand([10], generator: a), next)
    expectClose(Tensor.rand([10], generator: Generator(saved)), next)
    let child = b.split()
    #expect(child.state != b.state)
    #expect((Tensor.rand([100], generator: child) .== Tensor.rand([100], generator: b)).any().item(as: Bool.self) == false)
    b.manualSeed(7)
    #expect(b.state == Generator(seed: 7).state)
  }

  @Test("distributions have their moments", arguments: [DType.float32, .float64, .float16, .bfloat16])
  func moments(dtype: DType) {
    let n = 200_000
    let uniform = Tensor.rand([n], dtype: dtype, generator: Generator(seed: 1)).to(.float64)
    #expect(uniform.amin().item() >= 0 && uniform.amax().item() < 1)
    #expect(abs(uniform.mean().item() - 0.5) < 0.005 && abs(uniform.var().item() - 1.0 / 12) < 0.002)
    let normal = Tensor.randn([n], dtype: dtype, generator: Generator(seed: 2)).to(.float64)
    #expect(abs(normal.mean().item()) < 0.01 && abs(normal.std().item() - 1) < 0.01)
    #expect(abs(normal.pow(3).mean().item()) < 0.05 && abs(normal.pow(4).mean().item() - 3) < 0.15)
    #expect(normal.isFinite().all().item(as: Bool.self) && normal.abs().amax().item() > 3.5)
    // Neighbours are independent.
    let product = normal.narrow(dim: 0, start: 0, count: n - 1) * normal.narrow(dim: 0, start: 1, count: n - 1)
    #expect(abs(product.mean().item()) < 0.01)
  }

  @Test("randint covers its range evenly, randperm is a permutation")
  func integers() {
    let dice = Tensor.randint(-3, 3, [60_000], generator: Generator(seed: 3))
    for value in -3..<3 { #expect(abs((dice .== value).sum().item() - 10_000) < 500) }
    #expect(Tensor.randint(5, 6, [4], dtype: .uint8).scalars(as: Int.self) == [5, 5, 5, 5])
    let order = Tensor.randperm(1000, generator: Generator(seed: 4)).scalars(as: Int.self)
    #expect(order.sorted() == Array(0..<1000) && order != Array(0..<1000))
    #expect(Tensor.randperm(0).count == 0 && Tensor.randperm(1).item() == 0)
    expectMistake("randint: no integer in 3..<3") { _ = Tensor.randint(3, 3, [1]) }
    expectMistake("randperm: n = -1") { _ = Tensor.randperm(-1) }
    expectMistake("rand: draws floating-point numbers, not int64") { _ = Tensor.rand([1], dtype: .int64) }
  }

  @Test("a fill does not depend on where it is cut")
  func cutting() {
    // 100,000 numbers are drawn by several threads in pieces; the first 1,000 by one.
    let long = Tensor.randn([100_000], generator: Generator(seed: 5))
    expectClose(long.narrow(dim: 0, start: 0, count: 1000).clone(), Tensor.randn([1000], generator: Generator(seed: 5)))
  }
}
