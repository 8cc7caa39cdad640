import ApusCore
import ApusNN
import TestSupport
import Testing

@Suite("more initialisers")
struct MoreInitTests {
  static func generator() -> Generator { Generator(seed: 11) }

  @Test("identities of matrices")
  func eye() {
    expectClose(Init.eye([2, 3], dtype: .float64), Tensor([[1.0, 0, 0], [0, 1, 0]], dtype: .float64), relative: 0)
    #expect(Init.eye([0, 3]).shape == [0, 3])
  }

  @Test("identities of convolutions pass their channels on")
  func dirac() {
    // torch.nn.init.dirac_(torch.empty(2, 2, 2)), and of (4, 1, 1, 3) with groups = 2.
    expectClose(Init.dirac([2, 2, 2]), Tensor([[[0.0, 1], [0, 0]], [[0, 0], [0, 1]]]), relative: 0)
    expectClose(
      Init.dirac([4, 1, 1, 3], groups: 2).reshape(4, 3), Tensor([[0.0, 1, 0], [0, 0, 0], [0, 1, 0], [0, 0, 0]]), relative: 0)
    for shape: Shape in [[3, 5, 4], [6, 2, 3, 4], [4, 4, 1, 2, 3]] {
      for groups in [1, 2] where shape[0] % groups == 0 {
        let w = Init.dirac(shape, groups: groups, dtype: .float64)
        let channels = shape[0] / groups
        #expect(w.sum().item() == Double(groups * min(channels, shape[1])))
        for out in 0..<shape[0] where out % channels < shape[1] {
          let window = w[out, out % channels]
          #expect(window.reshape(-1)[Self.middle(of: window.shape)].item() == 1)
        }
      }
    }
    #expect(Init.dirac([2, 0, 3]).shape == [2, 0, 3])
  }

  static func middle(of shape: Shape) -> Int { shape.reduce(0) { $0 * $1 + $1 / 2 } }

  @Test("a cut normal distribution has its moments, and nothing outside")
  func truncated() {
    let x = Init.truncNormal([100_000], dtype: .float64, generator: Self.generator())
    #expect(x.min().item() >= -2 && x.max().item() <= 2 && x.abs().max().item() > 1.99)
    // Variance of a standard normal number that lies in −2…2: 1 − 4 φ(2) / (2 Φ(2) − 1).
    #expect(abs(x.mean().item()) < 0.01 && abs(x.var().item() - 0.7737413) < 0.01)
    let y = Init.truncNormal([100_000], mean: 1, std: 3, low: 2, high: 100, dtype: .float64, generator: Self.generator())
    // The upper tail from z = 1/3 on: its mean is 1 + 3 φ(z) / (1 − Φ(z)).
    #expect(y.min().item() >= 2 && abs(y.mean().item() - 4.0646) < 0.02)
    // How many lie below 1 is Φ's business: (Φ(1) − Φ(−2)) / (Φ(2) − Φ(−2)).
    #expect(abs((x .< 1).to(.float64).mean().item() - 0.857616) < 0.004)
  }

  @Test("sparse matrices have as many zeros in each column, in other places")
  func sparse() {
    let x = Init.sparse([40, 50], sparsity: 0.26, std: 2, dtype: .float64, generator: Self.generator())
    let zeros = x .== 0
    #expect((zeros.to(.int64).sum(dim: 0) .== 11).all().item() == 1)
    #expect((zeros[.all, 0] .!= zeros[.all, 1]).any().item() == 1)
    let rows = zeros.to(.float64).mean(dim: 1)
    #expect(rows.min().item() > 0.05 && rows.max().item() < 0.6)
    #expect(abs(x.maskedSelect(zeros.logicalNot()).std().item() - 2) < 0.15)
    #expect(Init.sparse([3, 2], sparsity: 1).abs().sum().item() == 0)
    #expect((Init.sparse([3, 2], sparsity: 0) .!= 0).all().item() == 1)
    #expect(Init.sparse([0, 2], sparsity: 0.5).shape == [0, 2])
  }

  @Test("the same seed gives the same numbers; dtypes are kept")
  func seedsAndDTypes() {
    let kinds: [(DType, Generator) -> Tensor] = [
      { Init.truncNormal([3, 4], dtype: $0, generator: $1) }, { Init.sparse([3, 4], sparsity: 0.5, dtype: $0, generator: $1) },
      { dtype, _ in Init.eye([3, 4], dtype: dtype) }, { dtype, _ in Init.dirac([3, 4, 1], dtype: dtype).squeeze(dim: 2) },
    ]
    for make in kinds {
      for dtype in DType.allCases where dtype.isFloatingPoint {
        let (a, b) = (make(dtype, Generator(seed: 1)), make(dtype, Generator(seed: 1)))
        #expect(a.dtype == dtype && a.shape == [3, 4] && (a .== b).all().item() == 1)
      }
    }
  }

  @Test("mistakes are named")
  func mistakes() {
    expectMistake("Init.eye: [3] is not a matrix") { _ = Init.eye([3]) }
    expectMistake("Init.dirac: [3, 4] is not the weight of a convolution, [out, in, …]") { _ = Init.dirac([3, 4]) }
    expectMistake("Init.dirac: 3 channels in 2 groups") { _ = Init.dirac([3, 4, 1], groups: 2) }
    expectMistake("Init.sparse: [3] is not a matrix") { _ = Init.sparse([3], sparsity: 0.5) }
    expectMistake("Init.sparse: sparsity = 1.5 is not in 0...1") { _ = Init.sparse([3, 4], sparsity: 1.5) }
    expectMistake("Init.truncNormal: std = 0.0 is not greater than 0") { _ = Init.truncNormal([3], std: 0) }
    expectMistake("Init.truncNormal: no numbers from 2.0 to 1.0") { _ = Init.truncNormal([3], low: 2, high: 1) }
    expectMistake("Init.truncNormal: int64 is not floating-point") { _ = Init.truncNormal([3], dtype: .int64) }
  }
}
