import ApusCore
import ApusNN
import TestSupport
import Testing

@Suite("padding, pooling and resampling layers")
struct SpatialLayerTests {
  /// A layer, an input, what it prints, and the function that it stands for.
  struct Record: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let layer: @Sendable () -> any Layer
    let input: Tensor
    let function: @Sendable (Tensor) -> Tensor

    init(
      _ text: String, _ input: Tensor, _ layer: @escaping @Sendable () -> any Layer,
      function: @escaping @Sendable (Tensor) -> Tensor
    ) {
      testDescription = text
      self.layer = layer
      self.input = input
      self.function = function
    }
  }

  static let (line, image, volume) = (
    samples([2, 3, 6], seed: 1), samples([2, 4, 6, 5], seed: 2), samples([1, 2, 4, 6, 5], seed: 3)
  )

  static let paddings: [Record] = [
    Record("ZeroPad1d(padding: [1, 1])", line, { ZeroPad1d(1) }) { pad($0, [1, 1]) },
    Record("ZeroPad2d(padding: [1, -2, 0, 3])", image, { ZeroPad2d([1, -2, 0, 3]) }) { pad($0, [1, -2, 0, 3]) },
    Record("ZeroPad3d(padding: [1, 1, 1, 1, 1, 1])", volume, { ZeroPad3d(1) }) { pad($0, [1, 1, 1, 1, 1, 1]) },
    Record("ConstantPad1d(padding: [2, 0], value: 0.5)", line, { ConstantPad1d([2, 0], value: 0.5) }) {
      pad($0, [2, 0], value: 0.5)
    },
    Record("ConstantPad2d(padding: [1, 1, 1, 1], value: -1.0)", image, { ConstantPad2d(1, value: -1) }) {
      pad($0, [1, 1, 1, 1], value: -1)
    },
    Record("ConstantPad3d(padding: [1, 1, 1, 1, 1, 1], value: 2.0)", volume, { ConstantPad3d(1, value: 2) }) {
      pad($0, [1, 1, 1, 1, 1, 1], value: 2)
    },
    Record("ReflectionPad1d(padding: [2, 1])", line, { ReflectionPad1d([2, 1]) }) { pad($0, [2, 1], mode: .reflect) },
    Record("ReflectionPad2d(padding: [1, 1, 1, 1])", image, { ReflectionPad2d(1) }) { pad($0, [1, 1, 1, 1], mode: .reflect) },
    Record("ReflectionPad3d(padding: [1, 1, 1, 1, 1, 1])", volume, { ReflectionPad3d(1) }) {
      pad($0, [1, 1, 1, 1, 1, 1], mode: .reflect)
    },
    Record("ReplicationPad1d(padding: [2, 2])", line, { ReplicationPad1d(2) }) { pad($0, [2, 2], mode: .replicate) },
    Record("ReplicationPad2d(padding: [1, 0, 0, 2])", image, { ReplicationPad2d([1, 0, 0, 2]) }) {
      pad($0, [1, 0, 0, 2], mode: .replicate)
    },
    Record("ReplicationPad3d(padding: [1, 1, 1, 1, 1, 1])", volume, { ReplicationPad3d(1) }) {
      pad($0, [1, 1, 1, 1, 1, 1], mode: .replicate)
    },
    Record("CircularPad1d(padding: [3, 1])", line, { CircularPad1d([3, 1]) }) { pad($0, [3, 1], mode: .circular) },
    Record("CircularPad2d(padding: [1, 1, 1, 1])", image, { CircularPad2d(1) }) { pad($0, [1, 1, 1, 1], mode: .circular) },
    Record("CircularPad3d(padding: [2, 2, 2, 2, 2, 2])", volume, { CircularPad3d(2) }) {
      pad($0, [2, 2, 2, 2, 2, 2], mode: .circular)
    },
  ]

  static let poolings: [Record] = [
    Record("MaxPool1d(kernelSize: [2], stride: [2], padding: [0], dilation: [1], ceilMode: false)", line, { MaxPool1d(2) }) {
      maxPool1d($0, kernelSize: 2)
    },
    Record(
      "MaxPool2d(kernelSize: [3, 3], stride: [2, 2], padding: [1, 1], dilation: [1, 1], ceilMode: true)", image,
      { MaxPool2d(3, stride: 2, padding: 1, ceilMode: true) }
    ) { maxPool2d($0, kernelSize: 3, stride: 2, padding: 1, ceilMode: true) },
    Record(
      "MaxPool3d(kernelSize: [2, 1, 2], stride: [1, 1, 1], padding: [1, 0, 0], dilation: [1, 2, 2], ceilMode: false)", volume,
      { MaxPool3d([2, 1, 2], stride: 1, padding: [1, 0, 0], dilation: [1, 2, 2]) }
    ) { maxPool3d($0, kernelSize: [2, 1, 2], stride: 1, padding: [1, 0, 0], dilation: [1, 2, 2]) },
    Record(
      "AvgPool1d(kernelSize: [3], stride: [1], padding: [1], ceilMode: false, countIncludePad: false)", line,
      { AvgPool1d(3, stride: 1, padding: 1, countIncludePad: false) }
    ) { avgPool1d($0, kernelSize: 3, stride: 1, padding: 1, countIncludePad: false) },
    Record(
      "AvgPool2d(kernelSize: [2, 2], stride: [2, 2], padding: [0, 0], ceilMode: true, countIncludePad: true)", image,
      { AvgPool2d(2, ceilMode: true) }
    ) { avgPool2d($0, kernelSize: 2, ceilMode: true) },
    Record(
      "AvgPool3d(kernelSize: [2, 2, 2], stride: [1, 2, 1], padding: [0, 0, 0], ceilMode: false, countIncludePad: true, "
        + "divisorOverride: 3)", volume, { AvgPool3d(2, stride: [1, 2, 1], divisorOverride: 3) }
    ) { avgPool3d($0, kernelSize: 2, stride: [1, 2, 1], divisorOverride: 3) },
    Record("AdaptiveAvgPool1d(outputSize: [4])", line, { AdaptiveAvgPool1d(4) }) { adaptiveAvgPool1d($0, 4) },
    Record("AdaptiveAvgPool2d(outputSize: [1, 1])", image, { AdaptiveAvgPool2d(1) }) { adaptiveAvgPool2d($0, 1) },
    Record("AdaptiveAvgPool3d(outputSize: [2, nil, 3])", volume, { AdaptiveAvgPool3d([2, nil, 3]) }) {
      adaptiveAvgPool3d($0, [2, nil, 3])
    },
    Record("AdaptiveMaxPool1d(outputSize: [3])", line, { AdaptiveMaxPool1d(3) }) { adaptiveMaxPool1d($0, 3) },
    Record("AdaptiveMaxPool2d(outputSize: [4, 2])", image, { AdaptiveMaxPool2d([4, 2]) }) { adaptiveMaxPool2d($0, [4, 2]) },
    Record("AdaptiveMaxPool3d(outputSize: [1, 1, 1])", volume, { AdaptiveMaxPool3d(1) }) { adaptiveMaxPool3d($0, 1) },
  ]

  static let resamplings: [Record] = [
    Record("Upsample(scaleFactor: 2, mode: nearest)", image, { Upsample(scaleFactor: 2) }) { interpolate($0, scaleFactor: 2) },
    Record(
      "Upsample(size: [3, 9], mode: bilinear, alignCorners: true)", image,
      { Upsample(size: [3, 9], mode: .bilinear, alignCorners: true) }
    ) { interpolate($0, size: [3, 9], mode: .bilinear, alignCorners: true) },
    Record("UpsamplingNearest2d(scaleFactor: 1.5)", image, { UpsamplingNearest2d(scaleFactor: 1.5) }) {
      interpolate($0, scaleFactor: 1.5)
    },
    Record("UpsamplingBilinear2d(size: 8)", image, { UpsamplingBilinear2d(size: 8) }) {
      interpolate($0, size: 8, mode: .bilinear, alignCorners: true)
    },
    Record("PixelShuffle(upscaleFactor: 2)", image, { PixelShuffle(2) }) { pixelShuffle($0, 2) },
    Record("PixelUnshuffle(downscaleFactor: 3)", line, { PixelUnshuffle(3) }) { pixelUnshuffle($0, 3) },
    Record("ChannelShuffle(groups: 2)", image, { ChannelShuffle(2) }) { channelShuffle($0, 2) },
    Record("Unfold(kernelSize: 3, dilation: 1, padding: [1, 0], stride: 2)", image, { Unfold(3, padding: [1, 0], stride: 2) }) {
      unfold($0, kernelSize: 3, padding: [1, 0], stride: 2)
    },
    Record(
      "Fold(outputSize: [3, 4], kernelSize: [1, 3], dilation: 1, padding: 0, stride: 1)", line,
      { Fold([3, 4], kernelSize: [1, 3]) }
    ) { fold($0, outputSize: [3, 4], kernelSize: [1, 3]) },
  ]

  @Test("print what they took, compute their functions, and pass gradients", arguments: paddings + poolings + resamplings)
  func layers(record: Record) {
    let layer = record.layer()
    #expect(layer.description == record.testDescription)
    var x = record.input
    x.requiresGrad = true
    let y = layer(x)
    expectClose(y, record.function(record.input), relative: 0, absolute: 0)
    let gradient = grad(of: y, withRespectTo: [x], gradient: samples(y.shape, seed: 9))[0]
    #expect(gradient.isFinite().all().item() == 1 && gradient.abs().sum().item() > 0)
  }

  @Test("max pooling and unpooling put maxima back at their places")
  func unpooling() {
    func check(_ x: Tensor, _ pooled: (output: Tensor, indices: Tensor), _ y: Tensor, _ module: Module, _ text: String) {
      #expect(module.description == text)
      expectClose(y, `where`(y .!= 0, x, Tensor.zerosLike(x)), relative: 0, absolute: 0)
      expectClose(y.sum(), pooled.output.sum(), relative: 1e-12)
    }
    let (pool1, unpool1) = (MaxPool1d(2).forwardWithIndices(Self.line), MaxUnpool1d(2))
    check(Self.line, pool1, unpool1(pool1.0, pool1.1), unpool1, "MaxUnpool1d(kernelSize: [2], stride: [2], padding: [0])")
    let (pool2, unpool2) = (MaxPool2d(2).forwardWithIndices(Self.image), MaxUnpool2d(2))
    check(
      Self.image, pool2, unpool2(pool2.0, pool2.1, outputSize: [6, 5]), unpool2,
      "MaxUnpool2d(kernelSize: [2, 2], stride: [2, 2], padding: [0, 0])")
    let (pool3, unpool3) = (MaxPool3d([2, 3, 1]).forwardWithIndices(Self.volume), MaxUnpool3d([2, 3, 1]))
    check(
      Self.volume, pool3, unpool3(pool3.0, pool3.1), unpool3,
      "MaxUnpool3d(kernelSize: [2, 3, 1], stride: [2, 3, 1], padding: [0, 0, 0])")
    let adaptive = [
      AdaptiveMaxPool1d(3).forwardWithIndices(Self.line), AdaptiveMaxPool2d(1).forwardWithIndices(Self.image),
      AdaptiveMaxPool3d([2, nil, 2]).forwardWithIndices(Self.volume),
    ]
    #expect(adaptive.map(\.indices.shape) == adaptive.map(\.output.shape))
  }

  @Test("mistakes are named")
  func mistakes() {
    expectMistake("MaxPool2d: kernelSize [1, 2, 3] is not one number or 2") { _ = MaxPool2d([1, 2, 3]) }
    expectMistake("MaxUnpool1d: padding [1, 2] is not one number or 1") { _ = MaxUnpool1d(2, padding: [1, 2]) }
    expectMistake("AdaptiveAvgPool2d: outputSize [1] is not one number or 2") { _ = AdaptiveAvgPool2d([1]) }
    expectMistake("ReflectionPad2d: padding [1, 2] is not one number or 4") { _ = ReflectionPad2d([1, 2]) }
  }
}
