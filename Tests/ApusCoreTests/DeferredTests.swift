import ApusCore
import TestSupport
import Testing

/// Enough elements to be deferred, and not a whole number of chunks or tiles.
private let size = max(3 * DeferredOp.threshold / 2, 3000) + 7

private func isWaiting(_ x: Tensor) -> Bool { !x.data.storage.isComputed }

/// The numbers, computed now.
private func computed(_ x: Tensor) -> Tensor {
  x.withUnsafeBytes { _ in }
  return x
}

@Suite("deferred element-wise ops")
struct DeferredTests {
  @Test("a chain waits until somebody looks, and has the values of its ops one by one")
  func chains() {
    let (x, y) = (Tensor.randn([size]), Tensor.randn([size]))
    let chain = `where`(x .> 0.5, (x * y).exp(), (y - 1).square()).to(.float64) / 3
    #expect(isWaiting(chain))
    let steps = [computed(x * y), computed(y - 1), computed(x .> 0.5)]
    let oneByOne = computed(`where`(steps[2], computed(steps[0].exp()), computed(steps[1].square())))
    #expect(chain.scalars(as: Double.self) == (computed(oneByOne.to(.float64)) / 3).scalars(as: Double.self))
    #expect(!isWaiting(chain))
  }

  @Test("a result is that of its inputs at the time, whatever happens to them later")
  func laterChanges() {
    var x = computed(Tensor.ones([size]))
    var y = x + 1
    let z = y * 3
    x += 10  // x's old numbers are still needed
    y += 5  // and so are y's
    expectClose(z, Tensor.full([size], 6.0))
    expectClose(y, Tensor.full([size], 7.0))
    expectClose(x, Tensor.full([size], 11.0))
    x[0] = 4
    let w = -x
    x[0] = 5
    #expect(w[0].item() == -4)
  }

  @Test(
    "a reduction along an axis has the value of one of the computed chain",
    arguments: [[100, 600], [2500, 70], [80, 4096], [65, 9, 101], [12, 5000]])
  func reductions(sizes: [Int]) {
    let (x, y) = (computed(Tensor.randn(Shape(sizes))), computed(Tensor.randn(Shape(sizes))))
    let column = computed(Tensor.randn(Shape(sizes.dropLast() + [1])))
    let chains = [{ (x - y).square() }, { x * column - 1 }, { (x + y).exp() }, { (x .> y).to(.float32) }]
    let reductions = [{ $0.sum(dim: $1) }, { $0.mean(dim: $1) }, { $0.amax(dims: [$1]) }] as [(Tensor, Int) -> Tensor]
    for (i, chain) in chains.enumerated() {
      for dim in sizes.indices {
        for reduce in reductions {
          let (y, expected) = (reduce(chain(), dim), reduce(computed(chain()), dim))
          #expect(y.scalars(as: Float.self) == expected.scalars(as: Float.self), "chain \(i) along \(dim)")
        }
      }
    }
  }

  @Test("a reduction along an axis doesn't write a short chain")
  func unwritten() {
    let (x, y) = (computed(Tensor.randn([100, 600])), computed(Tensor.randn([100, 600])))
    let chain = (x - y).square()
    _ = computed(chain.sum(dim: 1))
    _ = computed(chain.mean(dim: 0))
    #expect(isWaiting(chain))
    _ = computed(chain.exp().sum(dim: 1))
    #expect(!isWaiting(chain))
  }

  @Test("results that several others use are computed for all of them")
  func sharing() {
    let x = computed(Tensor.rand([size]))
    func branches() -> (Tensor, Tensor, Tensor) {
      let base = x * 2 + 1
      return (base * base, base - 1, base.sqrt())  // `base` itself can't be seen any more
    }
    let (a, b, c) = branches()
    expectClose(b, x * 2)
    expectClose(a, (x * 2 + 1).square())
    expectClose(c, (x * 2 + 1).sqrt())
    // A diamond of diamonds: 2³⁰ paths, 60 ops.
    var y = x
    for _ in 0..<30 { y = 0.5 * y + 0.5 * y }
    expectClose(y, x)
  }

  @Test("views of waiting results, and operands in any layout")
  func layouts() {
    let (rows, columns) = (size / 40 + 1, 41)
    let x = Tensor.randn([rows, columns])
    let reference = computed(x + 1)
    let y = x + 1
    expectClose(y.T * 2, reference.T * 2)
    expectClose((x + 1)[1..., 3] - 1, x[1..., 3], absolute: 1e-6)
    expectClose((x + 1).reshape(columns, rows) * 1, reference.reshape(columns, rows))
    let (row, column) = (Tensor.randn([columns]), Tensor.randn([rows, 1]))
    let sum = (x * row - column).relu() + x.T.contiguous().T
    let expected = computed(computed(x * computed(row.expand(rows, columns))) - computed(column.expand(rows, columns).clone()))
    expectClose(sum, computed(expected.relu()) + x, absolute: 1e-6)
    let image = Tensor.randn([3, 5, 16, size / 240 + 1])
    let channelsLast = image.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2)
    let bias = Tensor.randn([5, 1, 1])
    let scaled = (channelsLast * bias + image).tanh()
    #expect(scaled.data.strides == channelsLast.data.strides, "the layout of the first operand")
    expectClose(scaled, computed(computed(image * bias) + image).tanh())
    expectClose(channelsLast.to(.float64), image.to(.float64))
    #expect(channelsLast.to(.float64).data.strides == channelsLast.data.strides)
    expectClose(image[0..., 1..., 2...] + image[0..., 1..., 2...], 2 * image[0..., 1..., 2...])
  }

  @Test("operands that repeat are loaded once, and keep their numbers while registers come and go")
  func repetitions() {
    for columns in [8, 41, 1000, 1500] {
      let x = computed(Tensor.randn([size / columns + 2, columns]))
      let (a, b) = (computed(Tensor.randn([columns])), computed(Tensor.randn([columns])))
      let (wideA, wideB) = (computed(a.expand(x.shape).clone()), computed(b.expand(x.shape).clone()))
      let chain = ((x * x).exp() + a) * (x - b).square() - a
      let first = computed(computed(computed(x * x).exp()) + wideA)
      let product = computed(first * computed(computed(x - wideB).square()))
      expectClose(chain, computed(product - wideA), relative: 0, absolute: 0)
    }
  }

  @Test("results larger than the caches are those of their parts")
  func largeResults() {
    let rows = Streaming.threshold / 4 / 1000 + 1
    let (x, y) = (computed(Tensor.randn([rows, 1000])), computed(Tensor.randn([1000])))
    let large = computed(x.relu() + y)
    for part in [0..<700, (rows - 700)..<rows] {
      expectClose(large[part], computed(computed(x[part].relu()) + y), relative: 0, absolute: 0)
    }
    let words = computed((x .> 0).to(.int64))  // 8 bytes from 1
    #expect(words.sum().item(as: Int.self) == (x .> 0).sum().item(as: Int.self))
    #expect(Tensor.zeros([rows, 1000]).abs().amax().item() == 0)
    #expect(Tensor.full([rows, 1000], -0.0)[rows - 1, 999].item().sign == .minus)
  }

  @Test("a sum at the end runs in the same pass and has the bits of a sum of computed numbers")
  func sums() {
    let x = computed(Tensor.randn([size]))
    let total = (x * x).sum()
    #expect(isWaiting(total))
    #expect(total.item() == computed(x * x).sum().item())
    expectClose((x * x).mean(), Tensor((x.to(.float64).square().sum() / size).item()))
    #expect((x .> 0).any().item(as: Bool.self) && !(x .> 0).all().item(as: Bool.self))
    #expect((-x).amax().item() == -x.amin().item())
    #expect((x .> 0).sum().item(as: Int.self) == x.scalars(as: Float.self).filter { $0 > 0 }.count)
    let waiting = x + 1
    let mean = waiting.mean(dim: 0, keepDim: true)
    expectClose(waiting - mean, x - x.mean(), absolute: 1e-6)
  }

  @Test("random numbers are the same whether they are written or used at once")
  func randomNumbers() {
    let (a, b) = (Generator(seed: 7), Generator(seed: 7))
    let noise = computed(Tensor.randn([size], generator: a))
    expectClose(Tensor.randn([size], generator: b) * 2, noise * 2, relative: 0, absolute: 0)
    let few = Tensor.rand([100], generator: Generator(seed: 9))
    expectClose(Tensor.rand([size], generator: Generator(seed: 9))[..<100], few, relative: 0, absolute: 0)
  }

  @Test("chains of any length")
  func longChains() {
    var x = Tensor.zeros([size])
    for _ in 0..<1000 { x = x + 1 }
    #expect(x.amin().item() == 1000 && x.amax().item() == 1000)
    // Nobody ever looks at these.
    var y = Tensor.zeros([size])
    for _ in 0..<1000 { y = y * y }
  }

  @Test("gradients go through chains that were never written")
  func gradients() {
    let x = Tensor.randn([size], dtype: .float64, requiresGrad: true)
    ((x * x).exp() * 0.5).sum().backward()
    let value = x.detach()
    expectClose(x.grad!, computed(value * computed(value * value).exp()), relative: 1e-12)
  }

  @Test("several threads may look at the same waiting results")
  func threads() async {
    let x = computed(Tensor.rand([size]))
    for _ in 0..<20 {
      let y = x * 3
      let z = y + 1
      await withTaskGroup(of: Double.self) { group in
        for i in 0..<4 {
          group.addTask { (i % 2 == 0 ? (z - y) : (y / 3 - x + 1)).mean().item() }
        }
        for await mean in group { #expect(abs(mean - 1) < 1e-6) }
      }
    }
  }
}
