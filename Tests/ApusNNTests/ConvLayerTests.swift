import ApusCore
import ApusNN
import TestSupport
import Testing

@Suite("convolution layers")
struct ConvLayerTests {
  static let (line, image, volume) = (
    samples([2, 4, 7], seed: 1), samples([2, 4, 6, 7], seed: 2), samples([1, 4, 5, 4, 6], seed: 3)
  )

  /// One of each kind, with an input that it takes and what it prints; `LayerTests` tests their printing and gradients.
  static func all() -> [(layer: any Layer, input: Tensor, text: String)] {
    let generator = Generator(seed: 1)
    return [
      (
        Conv1d(4, 6, kernelSize: 3, dtype: .float64, generator: generator), line,
        "Conv1d(in: 4, out: 6, kernelSize: 3, bias: true)"
      ),
      (
        Conv2d(4, 6, kernelSize: [3, 2], stride: 2, padding: 1, dtype: .float64, generator: generator), image,
        "Conv2d(in: 4, out: 6, kernelSize: [3, 2], stride: 2, padding: 1, bias: true)"
      ),
      (
        Conv2d(
          4, 8, kernelSize: 3, padding: .same, dilation: 2, groups: 2, bias: false, paddingMode: .circular, dtype: .float64,
          generator: generator), image,
        "Conv2d(in: 4, out: 8, kernelSize: 3, padding: .same, paddingMode: .circular, dilation: 2, groups: 2, bias: false)"
      ),
      (
        Conv3d(4, 2, kernelSize: 2, padding: [1, 0, 1], dtype: .float64, generator: generator), volume,
        "Conv3d(in: 4, out: 2, kernelSize: 2, padding: [1, 0, 1], bias: true)"
      ),
      (
        ConvTranspose1d(4, 2, kernelSize: 4, stride: 2, dtype: .float64, generator: generator), line,
        "ConvTranspose1d(in: 4, out: 2, kernelSize: 4, stride: 2, bias: true)"
      ),
      (
        ConvTranspose2d(
          4, 6, kernelSize: 3, stride: 2, padding: 1, outputPadding: 1, groups: 2, bias: false, dilation: [1, 2], dtype: .float64,
          generator: generator), image,
        "ConvTranspose2d(in: 4, out: 6, kernelSize: 3, stride: 2, padding: 1, outputPadding: 1, dilation: [1, 2], groups: 2, "
          + "bias: false)"
      ),
      (
        ConvTranspose3d(4, 2, kernelSize: [1, 2, 2], dtype: .float64, generator: generator), volume,
        "ConvTranspose3d(in: 4, out: 2, kernelSize: [1, 2, 2], bias: true)"
      ),
    ]
  }

  @Test("a layer is its function of its own parameters")
  func functions() {
    let conv = Conv2d(4, 6, kernelSize: [3, 2], stride: 2, padding: 1, dtype: .float64)
    expectClose(conv(Self.image), conv2d(Self.image, conv.weight, conv.bias, stride: 2, padding: 1), relative: 0)
    let back = ConvTranspose2d(4, 6, kernelSize: 3, stride: 2, padding: 1, outputPadding: 1, groups: 2, dtype: .float64)
    expectClose(
      back(Self.image),
      convTranspose2d(Self.image, back.weight, back.bias, stride: 2, padding: 1, outputPadding: 1, groups: 2), relative: 0)
  }

  @Test("padding modes are `pad` and a convolution without padding")
  func paddingModes() {
    for (mode, padMode) in [(PaddingMode.reflect, PadMode.reflect), (.replicate, .replicate), (.circular, .circular)] {
      let conv = Conv2d(4, 3, kernelSize: [4, 3], padding: .same, paddingMode: mode, dtype: .float64)
      let padded = pad(Self.image, [1, 1, 1, 2], mode: padMode)
      expectClose(conv(Self.image), conv2d(padded, conv.weight, conv.bias), relative: 0, "\(mode)")
      #expect(conv(Self.image[0]).shape == [3, 6, 7])
    }
  }

  @Test("a transposed convolution goes back to the size that is asked for")
  func outputSize() {
    let down = Conv2d(3, 4, kernelSize: 3, stride: 2, padding: 1)
    let up = ConvTranspose2d(4, 3, kernelSize: 3, stride: 2, padding: 1)
    for size in [[7, 7], [8, 7], [8, 8]] {
      let x = Tensor.zeros(Shape([2, 3] + size))
      #expect(up(down(x), outputSize: size).shape == x.shape)
    }
    #expect(up(down(Tensor.zeros([2, 3, 8, 8]))).shape == [2, 3, 7, 7])
  }

  @Test("start: evenly over ±1/√n from the generator; keys and shapes of PyTorch")
  func start() {
    let layer = Conv2d(16, 50, kernelSize: 5, groups: 2, generator: Generator(seed: 7))
    let bound = 1 / (8.0 * 25).squareRoot()
    for values in [layer.weight, layer.bias!] {
      #expect(values.abs().max().item() <= bound)
      #expect(values.abs().max().item() > 0.9 * bound)
    }
    #expect(abs(layer.weight.var().item() / (bound * bound / 3) - 1) < 0.05)
    #expect(layer.stateDict().names == ["weight", "bias"])
    #expect(layer.weight.shape == [50, 8, 5, 5])
    #expect(ConvTranspose2d(16, 50, kernelSize: 5, groups: 2).weight.shape == [16, 25, 5, 5])
    let again = Conv2d(16, 50, kernelSize: 5, groups: 2, generator: Generator(seed: 7))
    #expect((layer.weight .== again.weight).all().item() == 1)
  }

  @Test("channels left open are those of the first input, or of a saved state")
  func openChannels() throws {
    let (conv, back) = (Conv2d(nil, 6, kernelSize: 3, groups: 2), ConvTranspose2d(nil, 6, kernelSize: 3))
    #expect(conv.description == "Conv2d(in: ?, out: 6, kernelSize: 3, groups: 2, bias: true)")
    #expect(conv(Tensor.zeros([4, 5, 5])).shape == [6, 3, 3])
    #expect(back(Tensor.zeros([2, 5, 4, 4])).shape == [2, 6, 6, 6])
    #expect((conv.inChannels, back.inChannels) == (4, 5))
    let copies = (Conv2d(nil, 6, kernelSize: 3, groups: 2), ConvTranspose2d(nil, 6, kernelSize: 3))
    try copies.0.loadStateDict(conv.stateDict())
    try copies.1.loadStateDict(back.stateDict())
    #expect((copies.0.inChannels, copies.1.inChannels) == (4, 5))
  }

  @Test("multiplications are counted")
  func counting() {
    let (x, y) = (Shape([2, 4, 8, 8]), Shape([2, 6, 6, 6]))
    #expect(Conv2d(4, 6, kernelSize: 3).multiplyAdds(inputs: [x], outputs: [y]) == 2 * 6 * 6 * 6 * 4 * 9)
    #expect(ConvTranspose2d(4, 6, kernelSize: 3).multiplyAdds(inputs: [x], outputs: [[2, 6, 10, 10]]) == 2 * 4 * 64 * 6 * 9)
  }

  @Test("mistakes are named")
  func mistakes() {
    expectMistake("Conv2d: 3 → 8 channels in 2 groups") { _ = Conv2d(3, 8, kernelSize: 3, groups: 2) }
    expectMistake("Conv2d: kernelSize [3] is not a positive number, or 2 of them") {
      _ = Conv2d(3, 8, kernelSize: [3])(Tensor.zeros([1, 3, 4, 4]))
    }
    expectMistake("ConvTranspose1d: stride 0 is not a positive number, or 1 of them") {
      _ = ConvTranspose1d(3, 8, kernelSize: 3, stride: 0)
    }
    expectMistake("conv2d: padding [1] is not a number, or 2 numbers, from 0 on") {
      _ = Conv2d(3, 8, kernelSize: 3, padding: [1])(Tensor.zeros([1, 3, 4, 4]))
    }
    expectMistake("ConvTranspose2d: outputSize [9, 8] is not between [7, 7] and [8, 8]") {
      _ = ConvTranspose2d(1, 1, kernelSize: 3, stride: 2, padding: 1)(Tensor.zeros([1, 1, 4, 4]), outputSize: [9, 8])
    }
    expectMistake("ConvTranspose2d: padding [1] is not a number, or 2 numbers, from 0 on") {
      _ = ConvTranspose2d(3, 8, kernelSize: 3, padding: [1])
    }
  }
}
