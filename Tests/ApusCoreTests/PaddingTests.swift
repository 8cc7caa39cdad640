import ApusCore
import TestSupport
import Testing

@Suite("padding")
struct PaddingTests {
  @Test("agrees with PyTorch")
  func golden() throws {
    for golden in try Golden<SpatialCase>.load("padding") {
      let mode = PadMode.allCases.first { "\($0)" == golden.text("mode") }!
      golden.check { [pad($0[0], golden.integers("padding")!, mode: mode, value: golden.numbers("value")![0]!)] }
    }
  }

  @Test("has right gradients, first and second order", arguments: PadMode.allCases)
  func gradients(mode: PadMode) throws {
    for (shape, padding): (Shape, [Int]) in [
      ([2, 4], [3, 2]), ([1, 2, 3], [1, -1, 1, 0]), ([1, 2, 2, 3], [2, 1, -1, 1, 1, 0]),
    ] {
      for layout in Layout.allCases {
        let x = layout.tensor(samples(shape, seed: 1))
        try gradientCheck([x], order: 2) { pad($0[0], padding, mode: mode, value: 0.5) * pad($0[0], padding, mode: mode) }
      }
    }
  }

  @Test("keeps channels last in memory, and every dtype", arguments: PadMode.allCases)
  func layouts(mode: PadMode) {
    for dtype in DType.allCases {
      let x = (samples([2, 3, 4, 5], seed: 2) * 3).to(dtype)
      let y = pad(x, [1, 2, 0, 1], mode: mode, value: 1)
      let last = pad(x.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2), [1, 2, 0, 1], mode: mode, value: 1)
      expectClose(last, y, relative: 0, absolute: 0, "\(dtype)")
      #expect(y.dtype == dtype && y.isContiguous && last.permute(0, 2, 3, 1).isContiguous)
    }
  }

  @Test("mistakes are named")
  func mistakes() {
    let x = Tensor.zeros([2, 3, 4])
    expectMistake("pad: [1, 2, 3] has no two numbers for each axis") { _ = pad(x, [1, 2, 3]) }
    expectMistake("pad: [0, 0, 0, 0] is for more axes than input [3] has") { _ = pad(x[0, .all, 0], [0, 0, 0, 0]) }
    expectMistake("pad: (-3, -2) takes more away than axis 2 of [2, 3, 4] has") { _ = pad(x, [-3, -2]) }
    expectMistake("pad: reflect by (4, 0) of axis 2 of [2, 3, 4]: it can add less than its size") {
      _ = pad(x, [4, 0], mode: .reflect)
    }
    expectMistake("pad: circular by (0, 5) of axis 2 of [2, 3, 4]: it can add at most what is left of it") {
      _ = pad(x, [0, 5], mode: .circular)
    }
    expectMistake("pad: replicate by (1, 0) of axis 1 of [2, 0]: it can add nothing to an empty axis") {
      _ = pad(Tensor.zeros([2, 0]), [1, 0], mode: .replicate)
    }
    expectMistake(
      "pad: reflect with [1, 1] takes [C, …] or [N, C, …] with 1 to 3 axes that are all padded, not [2, 3, 4, 5]"
    ) { _ = pad(Tensor.zeros([2, 3, 4, 5]), [1, 1], mode: .reflect) }
  }
}
