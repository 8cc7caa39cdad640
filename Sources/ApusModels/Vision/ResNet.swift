import ApusCore
import ApusNN

/// A residual network (He et al., "Deep residual learning for image recognition", 2016): blocks that learn what to add to their input.
///
/// ```swift
/// let model = ResNet.resnet18()  // ImageNet's: 11,689,512 parameters
/// let small = ResNet.resnet18(classes: 10, stem: .cifar)  // for pictures of 32 × 32
/// ```
///
/// Names and shapes are torchvision's, so its state dictionaries load.
public final class ResNet: Module, Layer {
  /// What comes before the blocks.
  public enum Stem: Sendable {
    /// A 7×7 convolution of stride 2 and a pooling of stride 2, for large pictures.
    case imageNet
    /// A 3×3 convolution at full size, for pictures of 32 × 32.
    case cifar
  }

  public let conv1: Conv2d
  public let bn1: BatchNorm2d
  public let relu = ReLU()
  public let maxpool: MaxPool2d?
  public let layer1: Sequential
  public let layer2: Sequential
  public let layer3: Sequential
  public let layer4: Sequential
  public let avgpool = AdaptiveAvgPool2d(1)
  public let fc: Linear

  /// - Parameters:
  ///   - blocks: how many there are at each of the four sizes.
  ///   - isBottleneck: blocks of 1×1, 3×3 and 1×1 convolutions instead of two of 3×3.
  ///   - classes: features of the output.
  ///   - stem: what comes first.
  ///   - generator: for the parameters: He's normal distribution for convolutions, as in torchvision.
  public init(
    blocks: [Int], isBottleneck: Bool = false, classes: Int = 1000, stem: Stem = .imageNet, generator: Generator = .default
  ) {
    let isFine = check(
      blocks.count == 4 && blocks.allSatisfy { $0 > 0 }, .value, "ResNet", "blocks \(blocks) are not four numbers above 0")
    let counts = isFine ? blocks : [1, 1, 1, 1]
    switch stem {
    case .imageNet:
      conv1 = convolution(3, 64, kernel: 7, stride: 2, generator)
      maxpool = MaxPool2d(3, stride: 2, padding: 1)
    case .cifar:
      conv1 = convolution(3, 64, kernel: 3, generator)
      maxpool = nil
    }
    bn1 = BatchNorm2d(64)
    var channels = 64
    func stage(_ width: Int, _ count: Int, stride: Int) -> Sequential {
      let out = isBottleneck ? 4 * width : width
      defer { channels = out }
      return Sequential(
        (0..<count).map { i in
          let (input, stride) = i == 0 ? (channels, stride) : (out, 1)
          return isBottleneck
            ? Bottleneck(input, width, stride: stride, generator: generator)
            : BasicBlock(input, width, stride: stride, generator: generator)
        })
    }
    layer1 = stage(64, counts[0], stride: 1)
    layer2 = stage(128, counts[1], stride: 2)
    layer3 = stage(256, counts[2], stride: 2)
    layer4 = stage(512, counts[3], stride: 2)
    fc = Linear(channels, classes, generator: generator)
  }

  /// - Parameter x: `[batch, 3, height, width]`
  /// - Returns: `[batch, classes]`, unnormalised.
  public func forward(_ x: Tensor) -> Tensor {
    var y = conv1(x, then: bn1, relu: relu)
    if let maxpool { y = maxpool(y) }
    y = layer4(layer3(layer2(layer1(y))))
    return fc(avgpool(y).flatten(startDim: 1))
  }
}

extension ResNet {
  /// 18 layers of weights.
  public static func resnet18(classes: Int = 1000, stem: Stem = .imageNet, generator: Generator = .default) -> ResNet {
    ResNet(blocks: [2, 2, 2, 2], classes: classes, stem: stem, generator: generator)
  }
  /// 34 layers of weights.
  public static func resnet34(classes: Int = 1000, stem: Stem = .imageNet, generator: Generator = .default) -> ResNet {
    ResNet(blocks: [3, 4, 6, 3], classes: classes, stem: stem, generator: generator)
  }
  /// 50 layers of weights, in bottlenecks.
  public static func resnet50(classes: Int = 1000, stem: Stem = .imageNet, generator: Generator = .default) -> ResNet {
    ResNet(blocks: [3, 4, 6, 3], isBottleneck: true, classes: classes, stem: stem, generator: generator)
  }
  /// 101 layers of weights, in bottlenecks.
  public static func resnet101(classes: Int = 1000, stem: Stem = .imageNet, generator: Generator = .default) -> ResNet {
    ResNet(blocks: [3, 4, 23, 3], isBottleneck: true, classes: classes, stem: stem, generator: generator)
  }
  /// 152 layers of weights, in bottlenecks.
  public static func resnet152(classes: Int = 1000, stem: Stem = .imageNet, generator: Generator = .default) -> ResNet {
    ResNet(blocks: [3, 8, 36, 3], isBottleneck: true, classes: classes, stem: stem, generator: generator)
  }
}

/// A convolution without a bias (the normalization after it has one) that keeps the size but for its stride.
private func convolution(_ inputs: Int, _ outputs: Int, kernel: Int = 3, stride: Int = 1, _ generator: Generator) -> Conv2d {
  let layer = Conv2d(inputs, outputs, kernelSize: kernel, stride: stride, padding: kernel / 2, bias: false, generator: generator)
  layer.weight = Init.kaimingNormal(layer.weight.shape, mode: .fanOut, nonlinearity: .relu, generator: generator)
  return layer
}

/// The input as a block's result needs it, where shapes differ.
private func shortcut(_ inputs: Int, _ outputs: Int, stride: Int, _ generator: Generator) -> Sequential? {
  guard stride != 1 || inputs != outputs else { return nil }
  return Sequential([convolution(inputs, outputs, kernel: 1, stride: stride, generator), BatchNorm2d(outputs)])
}

/// x + two 3×3 convolutions of x.
public final class BasicBlock: Module, Layer {
  public let conv1: Conv2d
  public let bn1: BatchNorm2d
  public let relu = ReLU()
  public let conv2: Conv2d
  public let bn2: BatchNorm2d
  public let downsample: Sequential?

  public init(_ inChannels: Int, _ outChannels: Int, stride: Int = 1, generator: Generator = .default) {
    conv1 = convolution(inChannels, outChannels, stride: stride, generator)
    bn1 = BatchNorm2d(outChannels)
    conv2 = convolution(outChannels, outChannels, generator)
    bn2 = BatchNorm2d(outChannels)
    downsample = shortcut(inChannels, outChannels, stride: stride, generator)
  }

  public func forward(_ x: Tensor) -> Tensor {
    let y = conv1(x, then: bn1, relu: relu)
    return conv2(y, then: bn2, adding: downsample.map { $0(x) } ?? x, relu: relu)
  }
}

/// x + 1×1, 3×3 and 1×1 convolutions of x; the middle one has a quarter of the channels.
public final class Bottleneck: Module, Layer {
  public let conv1: Conv2d
  public let bn1: BatchNorm2d
  public let conv2: Conv2d
  public let bn2: BatchNorm2d
  public let conv3: Conv2d
  public let bn3: BatchNorm2d
  public let relu = ReLU()
  public let downsample: Sequential?

  /// - Parameter width: channels of the 3×3 convolution; the result has four times as many.
  public init(_ inChannels: Int, _ width: Int, stride: Int = 1, generator: Generator = .default) {
    conv1 = convolution(inChannels, width, kernel: 1, generator)
    bn1 = BatchNorm2d(width)
    conv2 = convolution(width, width, stride: stride, generator)
    bn2 = BatchNorm2d(width)
    conv3 = convolution(width, 4 * width, kernel: 1, generator)
    bn3 = BatchNorm2d(4 * width)
    downsample = shortcut(inChannels, 4 * width, stride: stride, generator)
  }

  public func forward(_ x: Tensor) -> Tensor {
    let y = conv2(conv1(x, then: bn1, relu: relu), then: bn2, relu: relu)
    return conv3(y, then: bn3, adding: downsample.map { $0(x) } ?? x, relu: relu)
  }
}
