import ApusCore
import ApusNN

/// Networks of 3×3 convolutions only (Simonyan and Zisserman, "Very deep convolutional networks for large-scale image recognition", 2015): two of them see
/// as much as one of 5×5, with fewer parameters and one more ReLU.
///
/// ```swift
/// let model = VGG.vgg16()  // ImageNet's: 138,357,544 parameters
/// let small = VGG.vgg11(classes: 10, hasBatchNorm: true, hidden: 512)  // for small pictures
/// ```
///
/// Names and shapes are torchvision's, so its state dictionaries load.
public final class VGG: Module, Layer {
  public let features: Sequential
  public let avgpool = AdaptiveAvgPool2d(7)
  public let classifier: Sequential

  /// - Parameters:
  ///   - blocks: how many convolutions there are before each of the five poolings.
  ///   - classes: features of the output.
  ///   - hasBatchNorm: whether each convolution is followed by batch norm.
  ///   - hidden: features of the two hidden linear layers, which hold most of the parameters.
  ///   - dropout: after each of them.
  ///   - generator: for the parameters, which start as in torchvision, and the dropout.
  public init(
    blocks: [Int], classes: Int = 1000, hasBatchNorm: Bool = false, hidden: Int = 4096, dropout: Double = 0.5,
    generator: Generator = .default
  ) {
    let isFine = check(
      blocks.count == 5 && blocks.allSatisfy { $0 > 0 }, .value, "VGG", "blocks \(blocks) are not five numbers above 0")
    var (layers, channels): ([any Layer], Int) = ([], 3)
    for (width, count) in zip([64, 128, 256, 512, 512], isFine ? blocks : [1, 1, 1, 1, 1]) {
      for _ in 0..<count {
        let convolution = Conv2d(channels, width, kernelSize: 3, padding: 1, generator: generator)
        convolution.weight = Init.kaimingNormal(
          convolution.weight.shape, mode: .fanOut, nonlinearity: .relu, generator: generator)
        convolution.bias = Tensor.zeros([width])
        layers += hasBatchNorm ? [convolution, BatchNorm2d(width), ReLU()] : [convolution, ReLU()]
        channels = width
      }
      layers.append(MaxPool2d(2))
    }
    features = Sequential(layers)
    func linear(_ inputs: Int, _ outputs: Int) -> Linear {
      let layer = Linear(inputs, outputs, generator: generator)
      layer.weight = Init.normal([outputs, inputs], std: 0.01, generator: generator)
      layer.bias = Tensor.zeros([outputs])
      return layer
    }
    classifier = Sequential([
      linear(512 * 7 * 7, hidden), ReLU(), Dropout(dropout, generator: generator), linear(hidden, hidden), ReLU(),
      Dropout(dropout, generator: generator), linear(hidden, classes),
    ])
  }

  /// - Parameter x: `[batch, 3, height, width]`, 32 × 32 or larger.
  /// - Returns: `[batch, classes]`, unnormalised.
  public func forward(_ x: Tensor) -> Tensor { classifier(avgpool(features(x)).flatten(startDim: 1)) }
}

extension VGG {
  /// 11 layers of weights.
  public static func vgg11(
    classes: Int = 1000, hasBatchNorm: Bool = false, hidden: Int = 4096, generator: Generator = .default
  ) -> VGG { VGG(blocks: [1, 1, 2, 2, 2], classes: classes, hasBatchNorm: hasBatchNorm, hidden: hidden, generator: generator) }

  /// 13 layers of weights.
  public static func vgg13(
    classes: Int = 1000, hasBatchNorm: Bool = false, hidden: Int = 4096, generator: Generator = .default
  ) -> VGG { VGG(blocks: [2, 2, 2, 2, 2], classes: classes, hasBatchNorm: hasBatchNorm, hidden: hidden, generator: generator) }

  /// 16 layers of weights.
  public static func vgg16(
    classes: Int = 1000, hasBatchNorm: Bool = false, hidden: Int = 4096, generator: Generator = .default
  ) -> VGG { VGG(blocks: [2, 2, 3, 3, 3], classes: classes, hasBatchNorm: hasBatchNorm, hidden: hidden, generator: generator) }

  /// 19 layers of weights.
  public static func vgg19(
    classes: Int = 1000, hasBatchNorm: Bool = false, hidden: Int = 4096, generator: Generator = .default
  ) -> VGG { VGG(blocks: [2, 2, 4, 4, 4], classes: classes, hasBatchNorm: hasBatchNorm, hidden: hidden, generator: generator) }
}
