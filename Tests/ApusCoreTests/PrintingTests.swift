import ApusCore
import TestSupport
import Testing

/// Expected texts are PyTorch's (2.13), with Swift's spelling of true, false and the dtypes.
@Suite("printing")
struct PrintingTests {
  @Test(
    "numbers share one format",
    arguments: [
      (Tensor(1.5), "tensor(1.5000)"), (Tensor(2.0), "tensor(2.)"), (Tensor(7), "tensor(7)"), (Tensor(true), "tensor(true)"),
      (Tensor([1.0, 2, 3]), "tensor([1., 2., 3.])"), (Tensor([0.5, -12.25]), "tensor([  0.5000, -12.2500])"),
      (Tensor([1, -20, 300]), "tensor([  1, -20, 300])"), (Tensor([true, false]), "tensor([ true, false])"),
      (Tensor([1e-5, 1.0]), "tensor([1.0000e-05, 1.0000e+00])"), (Tensor([12345.678, 0.1]), "tensor([1.2346e+04, 1.0000e-01])"),
      (Tensor([1.0, .nan, .infinity]), "tensor([1., nan, inf])"), (Tensor([-Double.infinity, 0.5]), "tensor([  -inf, 0.5000])"),
      (Tensor([100.0, .nan, -.infinity]), "tensor([100.,  nan, -inf])"),
      (Tensor([2000.0, 1]), "tensor([2.0000e+03, 1.0000e+00])"),
      (Tensor([1.0, -20]), "tensor([  1., -20.])"), (Tensor([0.0, 0]), "tensor([0., 0.])"), (Tensor(1e10), "tensor(1.0000e+10)"),
      (Tensor([1e-10, 0]), "tensor([1.0000e-10, 0.0000e+00])"), (Tensor([Double]()), "tensor([])"),
      (Tensor.zeros([0, 3]), "tensor([], shape=[0, 3])"),
      (Tensor([Int]()), "tensor([], dtype=int64)"), (Tensor([1.0], dtype: .float64), "tensor([1.], dtype=float64)"),
      (Tensor([[1, 2], [3, 4]]), "tensor([[1, 2],\n        [3, 4]])"),
      (Tensor([Int.max, 1]), "tensor([9223372036854775807,                   1])"),
      (Tensor([1.0], requiresGrad: true), "tensor([1.], requiresGrad=true)"),
      (Tensor([1.0], requiresGrad: true) * 2, "tensor([2.], gradient=mul)"),
    ])
  func formats(tensor: Tensor, text: String) { #expect("\(tensor)" == text) }

  @Test("axes are separated by lines, long rows broken, large tensors summarised")
  func layout() {
    #expect(
      "\(Tensor.arange(8).reshape(2, 2, 2))" == """
        tensor([[[0, 1],
                 [2, 3]],

                [[4, 5],
                 [6, 7]]])
        """)
    #expect(
      "\(Tensor.arange(30))" == """
        tensor([ 0,  1,  2,  3,  4,  5,  6,  7,  8,  9, 10, 11, 12, 13, 14, 15, 16, 17,
                18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29])
        """)
    #expect("\(Tensor.arange(1001))" == "tensor([   0,    1,    2,  ...,  998,  999, 1000])")
    #expect(
      "\(Tensor.zeros([100, 20]))" == """
        tensor([[0., 0., 0.,  ..., 0., 0., 0.],
                [0., 0., 0.,  ..., 0., 0., 0.],
                [0., 0., 0.,  ..., 0., 0., 0.],
                ...,
                [0., 0., 0.,  ..., 0., 0., 0.],
                [0., 0., 0.,  ..., 0., 0., 0.],
                [0., 0., 0.,  ..., 0., 0., 0.]])
        """)
    #expect("\(Tensor.arange(6).reshape(2, 3).T)" == "tensor([[0, 3],\n        [1, 4],\n        [2, 5]])")
    var options = PrintOptions()
    options.precision = 2
    options.threshold = 5
    options.edgeItems = 1
    PrintOptions.$current.withValue(options) { #expect("\(Tensor([0.123, 1, 2, 3, 4, 5]))" == "tensor([0.12,  ..., 5.00])") }
  }

  @Test("an invalid tensor says so")
  func invalid() throws {
    var text = ""
    _ = mistake { text = "\(Tensor([1.0]).reshape(2))" }
    #expect(text == "tensor(invalid)")
  }
}
