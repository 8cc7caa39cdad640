import ApusCore
import TestSupport
import Testing

@Suite("mistakes with convolutions")
struct ConvolutionErrorTests {
  let x = Tensor.zeros([2, 4, 8, 8])
  let w = Tensor.zeros([6, 4, 3, 3])

  @Test("shapes")
  func shapes() {
    expectMistake(
      "conv2d: input [4, 8] and weight [6, 4, 3, 3]: takes 4 axes ([batch, channels, 2 more]) or no batch, and a weight of 4"
    ) { _ = conv2d(Tensor.zeros([4, 8]), w) }
    expectMistake("conv2d: input [2, 3, 8, 8] and weight [6, 4, 3, 3]: 3 channels, but the weight takes 4") {
      _ = conv2d(Tensor.zeros([2, 3, 8, 8]), w)
    }
    expectMistake("conv2d: input [2, 4, 8, 8] and weight [6, 4, 3, 3]: 4 channels, but the weight takes 4 in each of 2 groups") {
      _ = conv2d(x, w, groups: 2)
    }
    expectMistake("conv2d: weight [5, 2, 3, 3]: 5 output channels are not a multiple of 2 groups") {
      _ = conv2d(x, Tensor.zeros([5, 2, 3, 3]), groups: 2)
    }
    expectMistake("conv2d: the kernel reaches over [9, 9], more than the padded input [8, 8]") { _ = conv2d(x, w, dilation: 4) }
    expectMistake("conv2d: bias [5] does not fit 6 output channels") { _ = conv2d(x, w, Tensor.zeros([5])) }
    expectMistake("conv2d: input [2, 4, 0, 8] and weight [6, 4, 3, 3]: only the batch may be empty") {
      _ = conv2d(Tensor.zeros([2, 4, 0, 8]), w)
    }
    expectMistake("conv2d: int64 is not floating-point") {
      _ = conv2d(Tensor.zeros([1, 1, 3, 3], dtype: .int64), Tensor.zeros([1, 1, 2, 2], dtype: .int64))
    }
  }

  @Test("settings")
  func settings() {
    expectMistake("conv2d: stride 0 is not a positive number, or 2 of them") { _ = conv2d(x, w, stride: 0) }
    expectMistake("conv2d: dilation [1, 1, 1] is not a positive number, or 2 of them") { _ = conv2d(x, w, dilation: [1, 1, 1]) }
    expectMistake("conv2d: padding -1 is not a number, or 2 numbers, from 0 on") { _ = conv2d(x, w, padding: -1) }
    expectMistake("conv2d: padding [1] is not a number, or 2 numbers, from 0 on") { _ = conv2d(x, w, padding: [1]) }
    expectMistake("conv2d: padding .same needs a stride of 1, not [2, 2]") { _ = conv2d(x, w, stride: 2, padding: .same) }
    expectMistake("conv2d: groups 0 is not positive") { _ = conv2d(x, w, groups: 0) }
    expectMistake("conv1d: stride [1, 2] is not a positive number, or 1 of them") {
      _ = conv1d(Tensor.zeros([1, 1, 4]), Tensor.zeros([1, 1, 2]), stride: [1, 2])
    }
  }

  @Test("transposed")
  func transposed() {
    expectMistake("convTranspose2d: input [2, 4, 8, 8] and weight [6, 4, 3, 3]: 4 channels, but the weight takes 6") {
      _ = convTranspose2d(x, w)
    }
    let t = Tensor.zeros([4, 6, 3, 3])
    expectMistake("convTranspose2d: outputPadding [2, 2] is not less than stride [2, 2] or dilation [1, 1]") {
      _ = convTranspose2d(x, t, stride: 2, outputPadding: 2)
    }
    expectMistake("convTranspose2d: padding [5, 5] leaves nothing of the output: [0, 0]") {
      _ = convTranspose2d(x, t, padding: 5)
    }
    expectMistake("convTranspose2d: input [2, 4, 8, 8]: 4 channels are not a multiple of 3 groups") {
      _ = convTranspose2d(x, t, groups: 3)
    }
    expectMistake("convTranspose2d: padding [1] is not a number, or 2 numbers, from 0 on") {
      _ = convTranspose2d(x, t, padding: [1])
    }
    expectMistake("convTranspose2d: bias [4] does not fit 6 output channels") { _ = convTranspose2d(x, t, Tensor.zeros([4])) }
  }
}
