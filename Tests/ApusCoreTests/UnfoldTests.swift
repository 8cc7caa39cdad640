import ApusCore
import TestSupport
import Testing

@Suite("unfolding and shuffling")
struct UnfoldTests {
  @Test("agrees with PyTorch")
  func golden() throws {
    for golden in try Golden<SpatialCase>.load("unfold") {
      golden.check { [run(golden, $0[0])] }
      golden.check { [run(golden, $0[0].transpose(0, -1).contiguous().transpose(0, -1))] }
    }
  }

  private func run(_ golden: SpatialCase, _ x: Tensor) -> Tensor {
    func setting(_ name: String, _ otherwise: Int) -> any PerAxis {
      golden.integers(name).map { $0.count == 1 ? $0[0] as any PerAxis : $0 as any PerAxis } ?? otherwise
    }
    let (kernel, dilation, padding, stride) = (
      setting("kernel_size", 1), setting("dilation", 1), setting("padding", 0), setting("stride", 1)
    )
    switch golden.function {
    case "unfold": return unfold(x, kernelSize: kernel, dilation: dilation, padding: padding, stride: stride)
    case "fold":
      return fold(
        x, outputSize: golden.integers("size")!, kernelSize: kernel, dilation: dilation, padding: padding, stride: stride)
    case "pixelShuffle": return pixelShuffle(x, golden.integers("r")![0])
    case "pixelUnshuffle": return pixelUnshuffle(x, golden.integers("r")![0])
    default: return channelShuffle(x, golden.integers("r")![0])
    }
  }

  @Test("has right gradients, first and second order")
  func gradients() throws {
    let x = samples([1, 2, 4, 3], seed: 1)
    try gradientCheck([x], order: 2) { unfold($0[0] * $0[0], kernelSize: 2, padding: 1, stride: [2, 1]) * 2 }
    try gradientCheck([samples([2, 8, 6], seed: 2)], order: 2) {
      fold($0[0] * $0[0], outputSize: [4, 3], kernelSize: 2) * 2
    }
    try gradientCheck([samples([1, 4, 1, 2], seed: 3)], order: 2) { pixelShuffle($0[0] * $0[0], 2) * $0[0].sum() }
    try gradientCheck([samples([1, 2, 4], seed: 3)], order: 2) { pixelUnshuffle($0[0] * $0[0], 2) * $0[0].sum() }
    try gradientCheck([samples([1, 4, 2], seed: 3)], order: 2) { channelShuffle($0[0] * $0[0], 2) * $0[0].sum() }
  }

  @Test("a convolution is a product with the columns, and folding counts how often an element is in a window")
  func meaning() {
    let x = samples([2, 3, 5, 6], seed: 4)
    let columns = unfold(x, kernelSize: 3, padding: 1)
    expectClose(columns.reshape(2, 3, 9, 5, 6)[.all, .all, 4], x, relative: 0, absolute: 0)
    let counts = fold(unfold(Tensor.onesLike(x), kernelSize: [5, 6]), outputSize: [5, 6], kernelSize: [5, 6])
    expectClose(counts, Tensor.onesLike(x), relative: 0, absolute: 0)
    for dtype in [DType.float16, .bfloat16, .float32, .int64] {
      let y = fold(
        unfold(Tensor.ones([1, 1, 3, 3], dtype: dtype), kernelSize: 2), outputSize: 3, kernelSize: 2)
      expectClose(y, Tensor([[[[1, 2, 1], [2, 4, 2], [1, 2, 1]]]]).to(dtype), relative: 0, absolute: 0)
    }
    expectClose(pixelUnshuffle(pixelShuffle(samples([8, 2, 3], seed: 5), 2), 2), samples([8, 2, 3], seed: 5), relative: 0)
  }

  @Test("mistakes are named")
  func mistakes() {
    let x = Tensor.zeros([1, 3, 4, 4])
    expectMistake("unfold: input [4, 4] is neither [C, H, W] nor [N, C, H, W]") { _ = unfold(x[0, 0], kernelSize: 2) }
    expectMistake("unfold: kernelSize [1, 2, 3] is not one number or 2") { _ = unfold(x, kernelSize: [1, 2, 3]) }
    expectMistake(
      "unfold: no window fits image [4, 4] with kernelSize [5, 5], dilation [1, 1], padding [0, 0], stride [1, 1]"
    ) { _ = unfold(x, kernelSize: 5) }
    expectMistake(
      "unfold: image [4, 4] with kernelSize [2, 2], dilation [1, 1], padding [-1, -1], stride [1, 1]: out of range"
    ) { _ = unfold(x, kernelSize: 2, padding: -1) }
    expectMistake("fold: the 3 rows of input [3, 9] are not a multiple of 4 taps") {
      _ = fold(Tensor.zeros([3, 9]), outputSize: 4, kernelSize: 2)
    }
    expectMistake("fold: input [4, 8] has 8 columns for 3 × 3 windows") {
      _ = fold(Tensor.zeros([4, 8]), outputSize: 4, kernelSize: 2)
    }
    expectMistake("pixelShuffle: the 3 channels of [1, 3, 4, 4] are not a multiple of 2²") { _ = pixelShuffle(x, 2) }
    expectMistake("pixelShuffle: input [4, 4] has not three axes") { _ = pixelShuffle(x[0, 0], 2) }
    expectMistake("pixelUnshuffle: height and width of [1, 3, 4, 4] are not multiples of 3") { _ = pixelUnshuffle(x, 3) }
    expectMistake("channelShuffle: the 3 channels of [1, 3, 4, 4] are not a multiple of 2") { _ = channelShuffle(x, 2) }
  }
}
