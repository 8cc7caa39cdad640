import ApusCore
import ApusNN

/// A densely connected network (Huang et al., "Densely connected convolutional networks", 2017): within a block each layer sees the outputs of all
/// layers before it, side by side, and adds a few channels of its own.
///
/// ```swift
/// let model = DenseNet.densenet121()  // ImageNet's: 7,978,856 parameters
/// let small = DenseNet(blocks: [4, 4, 4, 4], growth: 12, start: 24, classes: 10, stem: .cifar)
/// ```
///
/// Names and shapes are torchvision's, so its state dictionaries load.
public final class DenseNet: Module, Layer {
  public let features: ModuleDict<any Layer>
  public let classifier: Linear

  /// - Parameters:
  ///   - blocks: how many layers there are in each block.
  ///   - growth: channels that a layer adds.
  ///   - start: channels before the first block.
  ///   - classes: features of the output.
  ///   - stem: what comes before the blocks, as in `ResNet`.
  ///   - generator: for the parameters: He's normal distribution for convolutions, as in torchvision.
  public init(
    blocks: [Int], growth: Int = 32, start: Int = 64, classes: Int = 1000, stem: ResNet.Stem = .imageNet,
    generator: Generator = .default
  ) {
    let isFine = check(
      !blocks.isEmpty && blocks.allSatisfy { $0 > 0 } && growth > 0 && start > 0, .value, "DenseNet",
      "blocks \(blocks), growth \(growth), start \(start): all above 0")
    let (counts, growth) = isFine ? (blocks, growth) : ([1], 1)
    var channels = isFine ? start : 2
    var parts: [(String, any Layer)] = []
    switch stem {
    case .imageNet:
      parts.append(("conv0", convolution(3, channels, kernel: 7, stride: 2, generator)))
      parts += [("norm0", BatchNorm2d(channels)), ("relu0", ReLU()), ("pool0", MaxPool2d(3, stride: 2, padding: 1))]
    case .cifar:
      parts.append(("conv0", convolution(3, channels, kernel: 3, generator)))
      parts += [("norm0", BatchNorm2d(channels)), ("relu0", ReLU())]
    }
    for (i, count) in counts.enumerated() {
      parts.append(("denseblock\(i + 1)", DenseBlock(channels, count: count, growth: growth, generator)))
      channels += count * growth
      if i < counts.count - 1 {
        parts.append(("transition\(i + 1)", transition(channels, generator)))
        channels /= 2
      }
    }
    features = ModuleDict(parts + [("norm\(counts.count + 1)", BatchNorm2d(channels))])
    classifier = Linear(channels, classes, generator: generator)
    classifier.bias = Tensor.zeros([classes])
  }

  /// - Parameter x: `[batch, 3, height, width]`
  /// - Returns: `[batch, classes]`, unnormalised.
  public func forward(_ x: Tensor) -> Tensor {
    let y = features.values.reduce(x) { x, layer in layer(x) }
    return classifier(adaptiveAvgPool2d(y.relu(), 1).flatten(startDim: 1))
  }
}

extension DenseNet {
  /// 121 layers of weights.
  public static func densenet121(classes: Int = 1000, generator: Generator = .default) -> DenseNet {
    DenseNet(blocks: [6, 12, 24, 16], classes: classes, generator: generator)
  }
  /// 169 layers of weights.
  public static func densenet169(classes: Int = 1000, generator: Generator = .default) -> DenseNet {
    DenseNet(blocks: [6, 12, 32, 32], classes: classes, generator: generator)
  }
  /// 201 layers of weights.
  public static func densenet201(classes: Int = 1000, generator: Generator = .default) -> DenseNet {
    DenseNet(blocks: [6, 12, 48, 32], classes: classes, generator: generator)
  }
}

/// Layers that each see all that came before, and add `growth` channels to it.
public final class DenseBlock: Module, Layer {
  private let layers: [DenseLayer]

  init(_ inChannels: Int, count: Int, growth: Int, _ generator: Generator) {
    layers = (0..<count).map { DenseLayer(inChannels + $0 * growth, growth: growth, generator) }
  }

  public func forward(_ x: Tensor) -> Tensor {
    layers.reduce(x) { x, layer in cat([x, layer(x)], dim: 1) }
  }

  public override var parts: [(name: String, value: Any)] { layers.enumerated().map { ("denselayer\($0 + 1)", $1) } }
}

/// A 1×1 convolution to four times the growth and a 3×3 convolution, each of the normalized input.
public final class DenseLayer: Module, Layer {
  public let norm1: BatchNorm2d
  public let conv1: Conv2d
  public let norm2: BatchNorm2d
  public let conv2: Conv2d

  init(_ inChannels: Int, growth: Int, _ generator: Generator) {
    norm1 = BatchNorm2d(inChannels)
    conv1 = convolution(inChannels, 4 * growth, kernel: 1, generator)
    norm2 = BatchNorm2d(4 * growth)
    conv2 = convolution(4 * growth, growth, kernel: 3, generator)
  }

  public func forward(_ x: Tensor) -> Tensor { conv2(norm2(conv1(norm1(x).relu())).relu()) }
}

/// Half the channels at half the size.
private func transition(_ channels: Int, _ generator: Generator) -> Sequential {
  Sequential(named: [
    "norm": BatchNorm2d(channels), "relu": ReLU(), "conv": convolution(channels, channels / 2, kernel: 1, generator),
    "pool": AvgPool2d(2),
  ])
}

/// A convolution without a bias that keeps the size but for its stride.
private func convolution(_ inputs: Int, _ outputs: Int, kernel: Int, stride: Int = 1, _ generator: Generator) -> Conv2d {
  let layer = Conv2d(inputs, outputs, kernelSize: kernel, stride: stride, padding: kernel / 2, bias: false, generator: generator)
  layer.weight = Init.kaimingNormal(layer.weight.shape, generator: generator)
  return layer
}
