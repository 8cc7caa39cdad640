import ApusCore
import ApusNN
import ApusOptim
import TestSupport
import Testing

@Suite("gradient clipping")
struct GradientClippingTests {
  static func cells() -> [ParameterCell] {
    let cells = [[2, 2], [3], [1]].map { ParameterCell(Tensor.zeros(Shape($0), dtype: .float64)) }
    cells[0].grad = Tensor([[3.0, -4], [0, 1]], dtype: .float64)
    cells[1].grad = Tensor([2.0, -0.5, 1.5], dtype: .float64)
    return cells  // the last has no gradient
  }

  /// `clip_grad_norm_([a, b], 2.0, norm_type=p)` of torch 2.13 with the same gradients in float64: p, the norm, b.grad.
  static let expected: [(p: Double, norm: Double, b: [Double])] = [
    (2, 5.70087712549569, [0.7016462923687219, -0.17541157309218047, 0.5262347192765414]),
    (1, 12, [0.3333333055555579, -0.08333332638888948, 0.24999997916666844]),
    (3, 4.695120936501775, [0.8519480546186423, -0.21298701365466058, 0.6389610409639818]),
    (.infinity, 4, [0.9999997500000625, -0.24999993750001562, 0.7499998125000469]),
    (0, 2, [1.9999990000005, -0.499999750000125, 1.499999250000375]),
  ]

  @Test("norms are PyTorch's", arguments: 0..<5)
  func norms(number: Int) {
    let (p, norm, b) = Self.expected[number]
    let cells = Self.cells()
    #expect(abs(clipGradNorm(cells, maxNorm: 2, normType: p) - norm) < 1e-13)
    expectClose(cells[1].grad!, Tensor(scalars: b, shape: [3], dtype: .float64), relative: 1e-12)
    expectClose(cells[0].grad!, Tensor([[3.0, -4], [0, 1]], dtype: .float64) * (b[0] / 2), relative: 1e-12)
    #expect(cells[2].grad == nil)
  }

  @Test("gradients that are short enough stay")
  func short() {
    let cells = Self.cells()
    #expect(abs(clipGradNorm(cells, maxNorm: 100) - 5.70087712549569) < 1e-13)
    #expect(cells[1].grad!.scalars(as: Double.self) == [2, -0.5, 1.5])
    clipGradNorm(cells, maxNorm: .infinity)
    #expect(cells[1].grad!.scalars(as: Double.self) == [2, -0.5, 1.5])
    #expect(clipGradNorm([cells[2]], maxNorm: 1) == 0)
    #expect(clipGradNorm([], maxNorm: 1, normType: .infinity) == 0)
  }

  @Test("infinite gradients: zeros and NaN, or an error")
  func nonfinite() {
    let cells = Self.cells()
    cells[0].grad = Tensor([[Double.infinity, -4], [0, 1]], dtype: .float64)
    expectMistake("clipGradNorm: the 2.0-norm of the gradients is inf, so they cannot be clipped") {
      clipGradNorm(cells, maxNorm: 1, errorIfNonfinite: true)
    }
    #expect(cells[1].grad!.scalars(as: Double.self) == [2, -0.5, 1.5])
    #expect(clipGradNorm(cells, maxNorm: 1) == .infinity)
    #expect(cells[0].grad!.scalars(as: Double.self)[0].isNaN)
    #expect(cells[1].grad!.scalars(as: Double.self) == [0, 0, 0])
  }

  @Test("dtypes stay, and half types don't overflow")
  func dtypes() {
    for dtype in [DType.float16, .bfloat16, .float32] {
      let cell = ParameterCell(Tensor.zeros([4], dtype: dtype))
      cell.grad = Tensor.full([4], 40000.0, dtype: dtype)
      #expect(abs(clipGradNorm([cell], maxNorm: 1) / 80000 - 1) < 0.01)
      expectClose(cell.grad!, Tensor.full([4], 0.5, dtype: dtype), relative: 0.01)
      clipGradValue([cell], clipValue: 0.25)
      expectClose(cell.grad!, Tensor.full([4], 0.25, dtype: dtype))
    }
  }

  @Test("values are clipped one by one")
  func values() {
    let cells = Self.cells()
    clipGradValue(cells, clipValue: 1.25)
    #expect(cells[0].grad!.scalars(as: Double.self) == [1.25, -1.25, 0, 1])
    #expect(cells[1].grad!.scalars(as: Double.self) == [1.25, -0.5, 1.25])
    #expect(cells[2].grad == nil)
  }

  @Test("mistakes are named")
  func mistakes() {
    expectMistake("clipGradNorm: maxNorm = -1.0 is not 0 or more") { clipGradNorm(Self.cells(), maxNorm: -1) }
    expectMistake("clipGradNorm: normType = nan is not 0 or more") { clipGradNorm(Self.cells(), maxNorm: 1, normType: .nan) }
    expectMistake("clipGradValue: clipValue = -0.5 is not 0 or more") { clipGradValue(Self.cells(), clipValue: -0.5) }
  }
}
