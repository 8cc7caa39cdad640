import ApusCore
import ApusNN
import TestSupport
import Testing

@Suite("initialisers")
struct InitTests {
  static let shape: Shape = [40, 30, 5, 4]  // fan-in 600, fan-out 800
  static func generator() -> Generator { Generator(seed: 11) }

  /// Mean 0 and the given deviation, within what so many numbers allow; and how far the farthest is, in deviations.
  func expectSpread(_ x: Tensor, std: Double, farthest: ClosedRange<Double>, sourceLocation: SourceLocation = #_sourceLocation) {
    #expect(abs(x.mean().item()) < 0.02 * std, sourceLocation: sourceLocation)
    #expect(abs(x.std().item() / std - 1) < 0.02, sourceLocation: sourceLocation)
    #expect(farthest.contains(x.abs().max().item() / std), sourceLocation: sourceLocation)
  }

  // A uniform distribution reaches √3 deviations; the farthest of 24,000 normal numbers is some four away.
  static let uniform = 1.72...1.7321, normal = 3.5...6.0

  @Test("Kaiming's variance is gain² / fan")
  func kaiming() {
    let (shape, g) = (Self.shape, Self.generator())
    expectSpread(Init.kaimingUniform(shape, generator: g), std: (2.0 / 600).squareRoot(), farthest: Self.uniform)
    expectSpread(Init.kaimingNormal(shape, generator: g), std: (2.0 / 600).squareRoot(), farthest: Self.normal)
    expectSpread(Init.kaimingUniform(shape, mode: .fanOut, generator: g), std: (2.0 / 800).squareRoot(), farthest: Self.uniform)
    expectSpread(
      Init.kaimingNormal(shape, mode: .fanOut, nonlinearity: .tanh, generator: g), std: 5.0 / 3 / 800.0.squareRoot(),
      farthest: Self.normal)
    expectSpread(
      Init.kaimingUniform(shape, nonlinearity: .leakyReLU(slope: 5.0.squareRoot()), generator: g),
      std: 1 / 3.0.squareRoot() / 600.0.squareRoot(), farthest: Self.uniform)
  }

  @Test("Xavier's variance is 2 gain² / (fan-in + fan-out)")
  func xavier() {
    let std = (2.0 / 1400).squareRoot()
    expectSpread(Init.xavierUniform(Self.shape, generator: Self.generator()), std: std, farthest: Self.uniform)
    expectSpread(Init.xavierNormal(Self.shape, gain: 3, generator: Self.generator()), std: 3 * std, farthest: Self.normal)
  }

  @Test("uniform, normal, constant")
  func simple() {
    let x = Init.uniform([10_000], low: 2, high: 4, dtype: .float64, generator: Self.generator())
    #expect(x.min().item() >= 2 && x.max().item() < 4 && abs(x.mean().item() - 3) < 0.02)
    expectSpread(Init.normal([24_000], mean: 3, std: 2, generator: Self.generator()) - 3, std: 2, farthest: Self.normal)
    #expect(Init.constant([2], 0.5).scalars(as: Float.self) == [0.5, 0.5])
    #expect(Init.zeros([2]).sum().item() == 0 && Init.ones([2]).sum().item() == 2)
  }

  @Test("the same seed gives the same numbers; dtypes are kept")
  func seedsAndDTypes() {
    let kinds: [(Shape, DType, Generator) -> Tensor] = [
      { Init.uniform($0, dtype: $1, generator: $2) }, { Init.normal($0, dtype: $1, generator: $2) },
      { Init.kaimingUniform($0, dtype: $1, generator: $2) }, { Init.kaimingNormal($0, dtype: $1, generator: $2) },
      { Init.xavierUniform($0, dtype: $1, generator: $2) }, { Init.xavierNormal($0, dtype: $1, generator: $2) },
      { Init.orthogonal($0, dtype: $1, generator: $2) },
    ]
    for make in kinds {
      for dtype in DType.allCases where dtype.isFloatingPoint {
        let (a, b) = (make([3, 4], dtype, Generator(seed: 1)), make([3, 4], dtype, Generator(seed: 1)))
        #expect(a.dtype == dtype && a.shape == [3, 4] && (a .== b).all().item() == 1)
      }
    }
  }

  @Test("orthogonal rows or columns, times the gain")
  func orthogonal() {
    for shape: Shape in [[5, 5], [3, 7], [7, 3], [4, 2, 3, 2], [1, 1], [40, 30]] {
      let q = Init.orthogonal(shape, gain: 1.5, dtype: .float64, generator: Self.generator()).reshape(shape[0], -1)
      let product = shape[0] <= q.shape[1] ? q.matmul(q.T) : q.T.matmul(q)
      expectClose(product, Tensor.eye(product.shape[0], dtype: .float64) * 2.25, relative: 0, absolute: 1e-13)
    }
    #expect(Init.orthogonal([0, 3]).shape == [0, 3])
  }

  @Test("orthogonal matrices are spread evenly: the mean of many is 0, their entries have variance 1/n")
  func orthogonalSpread() {
    let g = Self.generator()
    let all = stack((0..<4000).map { _ in Init.orthogonal([3, 3], dtype: .float64, generator: g) })
    #expect(all.mean(dim: 0).abs().max().item() < 0.04)
    #expect((all.square().mean(dim: 0) - 1.0 / 3).abs().max().item() < 0.02)
  }

  /// [torch.nn.init.calculate_gain(n) for n in ("linear", "sigmoid", "tanh", "relu", "selu")] and ("leaky_relu", 0.2)
  @Test("gains are PyTorch's")
  func gains() {
    let gains = [Nonlinearity.linear, .sigmoid, .tanh, .relu, .selu, .leakyReLU(slope: 0.2), .leakyReLU()].map(\.gain)
    #expect(gains == [1, 1, 1.6666666666666667, 1.4142135623730951, 0.75, 1.3867504905630728, 1.4141428569978354])
    #expect(Init.fans(of: [4, 3, 5])! == (15, 20))
  }

  @Test("mistakes are named")
  func mistakes() {
    expectMistake("Init.kaimingUniform: [3] has no fan-in and fan-out; they need two axes, [out, in, …]") {
      _ = Init.kaimingUniform([3])
    }
    expectMistake("Init.xavierNormal: [] has no fan-in and fan-out; they need two axes, [out, in, …]") {
      _ = Init.xavierNormal([])
    }
    expectMistake("Init.orthogonal: [3] is not a matrix; it needs two axes or more") { _ = Init.orthogonal([3]) }
    expectMistake("Init.orthogonal: int64 is not floating-point") { _ = Init.orthogonal([3, 3], dtype: .int64) }
    expectMistake("Init.normal: std = -1.0 is negative") { _ = Init.normal([3], std: -1) }
    expectMistake("Init.uniform: no numbers from 2.0 to 1.0") { _ = Init.uniform([3], low: 2) }
  }
}
