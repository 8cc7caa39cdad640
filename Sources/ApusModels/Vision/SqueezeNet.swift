import ApusCore
import ApusNN

/// A network with few parameters (Iandola et al., "SqueezeNet: AlexNet-level accuracy with 50× fewer parameters", 2016), in its version 1.1: 1×1 convolutions
/// squeeze the channels before 3×3 ones expand them, and the classes are channels of the last convolution.
///
/// ```swift
/// let model = SqueezeNet()  // ImageNet's: 1,235,496 parameters
/// ```
///
/// Names and shapes are those of torchvision's `squeezenet1_1`, so its state dictionaries load.
public final class SqueezeNet: Module, Layer {
  public let features: Sequential
  public let classifier: Sequential

  /// - Parameters:
  ///   - classes: features of the output.
  ///   - dropout: before the last convolution.
  ///   - generator: for the parameters, which start as in torchvision, and the dropout.
  public init(classes: Int = 1000, dropout: Double = 0.5, generator: Generator = .default) {
    func pool() -> MaxPool2d { MaxPool2d(3, stride: 2, ceilMode: true) }
    features = Sequential([
      Conv2d(3, 64, kernelSize: 3, stride: 2, generator: generator), ReLU(), pool(), Fire(64, 16, 64, generator: generator),
      Fire(128, 16, 64, generator: generator), pool(), Fire(128, 32, 128, generator: generator),
      Fire(256, 32, 128, generator: generator), pool(), Fire(256, 48, 192, generator: generator),
      Fire(384, 48, 192, generator: generator), Fire(384, 64, 256, generator: generator),
      Fire(512, 64, 256, generator: generator),
    ])
    let last = Conv2d(512, classes, kernelSize: 1, generator: generator)
    classifier = Sequential([Dropout(dropout, generator: generator), last, ReLU(), AdaptiveAvgPool2d(1)])
    super.init()
    apply { module in
      guard let convolution = module as? Conv2d else { return }
      let shape = convolution.weight.shape
      convolution.weight =
        convolution === last
        ? Init.normal(shape, std: 0.01, generator: generator) : Init.kaimingUniform(shape, generator: generator)
      convolution.bias = Tensor.zeros([shape[0]])
    }
  }

  /// - Parameter x: `[batch, 3, height, width]`
  /// - Returns: `[batch, classes]`, unnormalised.
  public func forward(_ x: Tensor) -> Tensor { classifier(features(x)).flatten(startDim: 1) }
}

/// A squeeze to few channels, and 1×1 and 3×3 convolutions of these side by side.
public final class Fire: Module, Layer {
  public let squeeze: Conv2d
  public let expand1x1: Conv2d
  public let expand3x3: Conv2d

  /// - Parameters:
  ///   - inChannels: of the input.
  ///   - squeezed: channels between.
  ///   - expanded: channels of either half of the output.
  ///   - generator: for the parameters.
  public init(_ inChannels: Int, _ squeezed: Int, _ expanded: Int, generator: Generator = .default) {
    squeeze = Conv2d(inChannels, squeezed, kernelSize: 1, generator: generator)
    expand1x1 = Conv2d(squeezed, expanded, kernelSize: 1, generator: generator)
    expand3x3 = Conv2d(squeezed, expanded, kernelSize: 3, padding: 1, generator: generator)
  }

  public func forward(_ x: Tensor) -> Tensor {
    let y = squeeze(x).relu()
    return cat([expand1x1(y).relu(), expand3x3(y).relu()], dim: 1)
  }
}
