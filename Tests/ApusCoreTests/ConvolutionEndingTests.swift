import ApusCore
import TestSupport
import Testing

/// Endings of convolutions, and weights that are kept between them.
@Suite("endings of convolutions")
struct ConvolutionEndingTests {
  private static let settings: [(ins: Int, outs: Int, kernel: Int, groups: Int)] = [
    (16, 16, 3, 1), (256, 256, 3, 1), (3, 35, 3, 1), (20, 3, 3, 1), (40, 70, 1, 1), (8, 8, 3, 8), (8, 12, 3, 4), (64, 64, 3, 2),
  ]

  @Test("scale, bias, residual and max(z, 0) in every combination agree with the twin", arguments: [DType.float32, .float64])
  func endings(dtype: DType) {
    for (ins, outs, kernel, groups) in Self.settings {
      let x = samples([4, ins, 9, 10], seed: 1).to(dtype)
      let w = (samples([outs, ins / groups, kernel, kernel], seed: 2) * 0.25).to(dtype)
      let y = conv2d(x, w, padding: kernel / 2, groups: groups)
      let residuals = [
        samples(y.shape, seed: 5).to(dtype), samples(y.shape, seed: 6).movedim(1, -1).contiguous().movedim(-1, 1).to(dtype),
      ]
      for i in 0..<12 {
        let ending = ConvolutionEnding(
          scale: i & 1 == 0 ? nil : samples([outs], seed: 3).to(dtype).data,
          bias: i & 2 == 0 ? nil : samples([outs], seed: 4).to(dtype).data,
          residual: i < 4 ? nil : residuals[i % 2].data, isRectified: i / 4 == 1)
        let z = conv2d(x, w, ending: ending, padding: kernel / 2, groups: groups)
        let tolerance = dtype == .float64 ? 1e-12 : 1e-4
        expectClose(z, ending.applied(to: y), relative: tolerance, absolute: tolerance, "\((ins, outs, kernel, groups)) \(i)")
      }
    }
  }

  @Test("NaN and infinite sums pass an ending")
  func notFinite() {
    for channels in [16, 20] {
      var x = samples([1, channels, 12, 12], seed: 1).to(.float32)
      let w = samples([channels, channels, 3, 3], seed: 2).to(.float32)
      x[0, 0, 5, 5] = Tensor(Float.nan)
      let z = conv2d(x, w, ending: ConvolutionEnding(isRectified: true), padding: 1)
      #expect(z.isNaN().sum().item() == 9 * Double(channels))
    }
  }

  @Test("a residual that does not fit is an error")
  func misfit() {
    #expect(throws: TensorError.self) {
      try catching {
        conv2d(
          Tensor.zeros([1, 2, 5, 5]), Tensor.zeros([3, 2, 3, 3]),
          ending: ConvolutionEnding(residual: Tensor.zeros([1, 3, 4, 3]).data))
      }
    }
  }

  @Test("weights that were prepared are forgotten when they change")
  func changedWeights() {
    noGrad {
      for (ins, outs) in [(32, 32), (32, 5), (256, 256)] {
        let x = samples([2, ins, 13, 13], seed: 1).to(.float32)
        let tolerance = Double(ins) * 1e-5  // sums of 9 · ins products, each of them off by as much as the largest of its tile
        var w = samples([outs, ins, 3, 3], seed: 2).to(.float32)
        let first = conv2d(x, w, padding: 1)
        expectClose(conv2d(x, w, padding: 1), first, relative: 0, absolute: 0)
        let before = w
        w *= 2
        expectClose(conv2d(x, w, padding: 1), first * 2, relative: 1e-6, absolute: 1e-6)
        expectClose(conv2d(x, before, padding: 1), first, relative: 0, absolute: 0)
        w[0] = Tensor(Float(0))
        #expect(conv2d(x, w, padding: 1)[0, 0].abs().max().item() == 0)
        // The same memory, read in another way.
        let turned = w.flip(2)
        expectClose(
          conv2d(x.flip(2), turned, padding: 1), conv2d(x, w, padding: 1).flip(2), relative: tolerance, absolute: tolerance)
        expectClose(
          conv2d(x, w, padding: 0), conv2d(x, w, padding: 1)[0..., 0..., 1..<12, 1..<12], relative: tolerance, absolute: tolerance
        )
      }
    }
  }
}
