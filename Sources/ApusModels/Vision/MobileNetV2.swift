import ApusCore
import ApusNN

/// A network for small machines (Sandler et al., "MobileNetV2: inverted residuals and linear bottlenecks", 2018): blocks widen their input, filter each
/// channel by itself, and narrow it again without an activation.
///
/// ```swift
/// let model = MobileNetV2()  // ImageNet's: 3,504,872 parameters
/// ```
///
/// Names and shapes are torchvision's, so its state dictionaries load.
public final class MobileNetV2: Module, Layer {
  public let features: Sequential
  public let classifier: Sequential

  /// - Parameters:
  ///   - classes: features of the output.
  ///   - dropout: before the linear layer.
  ///   - generator: for the parameters, which start as in torchvision, and the dropout.
  public init(classes: Int = 1000, dropout: Double = 0.2, generator: Generator = .default) {
    var layers: [any Layer] = [convolution(3, 32, kernel: 3, stride: 2, generator: generator)]
    var channels = 32
    // Table 2 of the paper.
    for (expansion, width, count, stride) in [
      (1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1),
    ] {
      for i in 0..<count {
        layers.append(
          InvertedResidual(channels, width, stride: i == 0 ? stride : 1, expansion: expansion, generator: generator))
        channels = width
      }
    }
    features = Sequential(layers + [convolution(channels, 1280, kernel: 1, generator: generator)])
    let linear = Linear(1280, classes, generator: generator)
    linear.weight = Init.normal(linear.weight.shape, std: 0.01, generator: generator)
    linear.bias = Tensor.zeros([classes])
    classifier = Sequential([Dropout(dropout, generator: generator), linear])
  }

  /// - Parameter x: `[batch, 3, height, width]`
  /// - Returns: `[batch, classes]`, unnormalised.
  public func forward(_ x: Tensor) -> Tensor { classifier(features(x).mean(dims: [2, 3])) }
}

/// Widen, filter each channel by a 3×3 convolution, narrow; and the input added where the shape is the same.
public final class InvertedResidual: Module, Layer {
  public let conv: Sequential
  private let isResidual: Bool

  /// - Parameters:
  ///   - inChannels: of the input.
  ///   - outChannels: of the output.
  ///   - stride: of the 3×3 convolution.
  ///   - expansion: by how much the input is widened.
  ///   - generator: for the parameters.
  public init(_ inChannels: Int, _ outChannels: Int, stride: Int, expansion: Int, generator: Generator = .default) {
    isResidual = stride == 1 && inChannels == outChannels
    let hidden = inChannels * expansion
    conv = Sequential(expansion == 1 ? [] : [convolution(inChannels, hidden, kernel: 1, generator: generator)])
    conv.append(convolution(hidden, hidden, kernel: 3, stride: stride, groups: hidden, generator: generator))
    conv.append(plain(hidden, outChannels, kernel: 1, generator: generator))
    conv.append(BatchNorm2d(outChannels))
  }

  public func forward(_ x: Tensor) -> Tensor { isResidual ? x + conv(x) : conv(x) }
}

/// A convolution, batch norm and ReLU6.
private func convolution(_ inputs: Int, _ outputs: Int, kernel: Int, stride: Int = 1, groups: Int = 1, generator: Generator)
  -> Sequential
{
  Sequential([
    plain(inputs, outputs, kernel: kernel, stride: stride, groups: groups, generator: generator), BatchNorm2d(outputs), ReLU6(),
  ])
}

private func plain(_ inputs: Int, _ outputs: Int, kernel: Int, stride: Int = 1, groups: Int = 1, generator: Generator) -> Conv2d {
  let layer = Conv2d(
    inputs, outputs, kernelSize: kernel, stride: stride, padding: kernel / 2, groups: groups, bias: false, generator: generator)
  layer.weight = Init.kaimingNormal(layer.weight.shape, mode: .fanOut, generator: generator)
  return layer
}
