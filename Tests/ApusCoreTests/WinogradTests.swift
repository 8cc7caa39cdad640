import ApusCore
import TestSupport
import Testing

/// What Winograd's method does to numbers; that it is a convolution, `ConvolutionTests` show.
@Suite("Winograd's method")
struct WinogradTests {
  private func exact(_ x: Tensor, _ w: Tensor, stride: Int = 1) -> Tensor {
    convolutionTwin(x.to(.float64), w.to(.float64), stride: [stride, stride], padding: [1, 1], dilation: [1, 1])
  }

  private func normal(_ shape: Shape, _ seed: UInt64) -> Tensor { Tensor.randn(shape, generator: Generator(seed: seed)) }

  private func rootMeanSquare(_ x: Tensor) -> Double { x.to(.float64).square().mean().sqrt().item() }

  /// Measured: 0.6 to 0.9 times √K ε, where a direct sum of K products has 0.3 to 0.4.
  @Test(
    "the error on normal numbers is at most √K ε of the result, K products in a sum", arguments: [16, 64, 256],
    [(kernel: 3, stride: 1), (kernel: 4, stride: 2)])
  func error(channels: Int, form: (kernel: Int, stride: Int)) {
    let taps = form.kernel * form.kernel
    var (x, w) = (normal([8 * form.stride, channels, 16, 16], 1), normal([32, channels, form.kernel, form.kernel], 2) * 0.1)
    (x.requiresGrad, w.requiresGrad) = (true, true)
    let bound = { (products: Int) in Double(products).squareRoot() * 0x1p-24 }
    let y = conv2d(x, w, stride: form.stride, padding: 1)
    let reference = exact(x.detach(), w.detach(), stride: form.stride)
    #expect(rootMeanSquare(y.to(.float64) - reference) <= bound(taps * channels) * rootMeanSquare(reference))

    let dy = normal(y.shape, 3)
    let gradients = grad(of: y, withRespectTo: [x, w], gradient: dy)
    let leaves = [x, w].map { leaf in
      var wide = leaf.detach().to(.float64)
      wide.requiresGrad = true
      return wide
    }
    let references = grad(
      of: exact(leaves[0], leaves[1], stride: form.stride), withRespectTo: leaves, gradient: dy.to(.float64))
    let pixels = y.count / 32
    for (i, products) in [taps * 32 / form.stride / form.stride, pixels].enumerated() {
      let difference = rootMeanSquare(gradients[i].to(.float64) - references[i])
      #expect(difference <= bound(products) * rootMeanSquare(references[i]), "gradient \(i)")
    }
  }

  @Test("an output that is far larger costs its tile digits, and only its tile")
  func largeNeighbour() {
    var x = normal([1, 16, 32, 32], 1)
    let w = normal([16, 16, 3, 3], 2)
    x[0, 3, 9, 9] = Tensor(1e6)
    let (y, reference) = (conv2d(x, w, padding: 1).to(.float64), exact(x, w))
    let difference = (y - reference).abs().amax(dims: [0, 1])
    // Pixel (9, 9) is a source of the tile of rows and columns 8 to 11 alone.
    #expect(difference.max().item() <= 32 * 0x1p-24 * reference.abs().max().item())
    #expect(difference.narrow(dim: 0, start: 12, count: 20).max().item() <= 1e-4)
    #expect(difference.narrow(dim: 1, start: 0, count: 8).max().item() <= 1e-4)
  }

  @Test(
    "infinite and undefined numbers stay where a direct convolution has them", arguments: [Double.infinity, .nan],
    [(kernel: 3, stride: 1), (kernel: 4, stride: 2)])
  func notFinite(number: Double, form: (kernel: Int, stride: Int)) {
    let size = 16 * form.stride
    var (x, w) = (normal([2 * form.stride, 16, size, size], 1), normal([16, 16, form.kernel, form.kernel], 2))
    x[1, 5, 6, 6] = Tensor(number)
    (x.requiresGrad, w.requiresGrad) = (true, true)
    let y = conv2d(x, w, stride: form.stride, padding: 1)
    let met = form.stride == 1 ? 9 : 4  // outputs of a channel, and taps
    #expect(y.isFinite().logicalNot().sum().item() == 16 * Double(met))
    expectClose(y[0], exact(x.detach(), w.detach(), stride: form.stride)[0].to(.float32), relative: 1e-4, absolute: 1e-4)
    // Neither the gradient of the input nor that of the other channels' weights meets the number.
    let gradients = grad(of: y, withRespectTo: [x, w], gradient: Tensor.ones(y.shape))
    #expect(gradients[0].isFinite().all().item() == 1)
    #expect(gradients[1].isFinite().logicalNot().sum().item() == 16 * Double(met))
  }
}
