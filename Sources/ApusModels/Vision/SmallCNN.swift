import ApusCore
import ApusNN

// Small convolutional networks that learn their data set in minutes on a CPU.

/// A network for grey pictures of 28 × 28, such as MNIST's: two convolutions with batch norm, 1 → 32 → 64 channels, each halved by pooling, then
/// 3136-128-10.
///
/// The children are numbered like those of `nn.Sequential`: `0.weight` is the first convolution's.
public final class MNISTCNN: Module, Layer {
  public let layers: Sequential

  public init(classes: Int = 10, generator: Generator = .default) {
    layers = Sequential {
      Conv2d(1, 32, kernelSize: 3, padding: 1, generator: generator)
      BatchNorm2d(32)
      ReLU()
      MaxPool2d(2)
      Dropout(0.25, generator: generator)
      Conv2d(32, 64, kernelSize: 3, padding: 1, generator: generator)
      BatchNorm2d(64)
      ReLU()
      MaxPool2d(2)
      Dropout(0.25, generator: generator)
      Flatten()
      Linear(64 * 7 * 7, 128, generator: generator)
      BatchNorm1d(128)
      ReLU()
      Dropout(0.5, generator: generator)
      Linear(128, classes, generator: generator)
    }
  }

  /// - Parameter x: `[batch, 1, 28, 28]`
  /// - Returns: `[batch, classes]`, unnormalised.
  public func forward(_ x: Tensor) -> Tensor { layers(x) }

  public override var parts: [(name: String, value: Any)] { layers.parts }
}

/// A network for colour pictures of 32 × 32, such as CIFAR's: six convolutions with batch norm, two at each of 32, 64 and 128 channels, halved
/// by pooling, then 2048-256-10.
///
/// The children are numbered like those of `nn.Sequential`.
public final class CIFARCNN: Module, Layer {
  public let layers: Sequential

  public init(classes: Int = 10, generator: Generator = .default) {
    func convolution(_ inputs: Int, _ outputs: Int) -> [any Layer] {
      [Conv2d(inputs, outputs, kernelSize: 3, padding: 1, generator: generator), BatchNorm2d(outputs), ReLU()]
    }
    var layers: [any Layer] = []
    for (input, output) in [(3, 32), (32, 64), (64, 128)] {
      layers += convolution(input, output) + convolution(output, output) + [MaxPool2d(2)]
    }
    layers += [Flatten(), Linear(128 * 4 * 4, 256, generator: generator), ReLU(), Dropout(0.5, generator: generator)]
    self.layers = Sequential(layers + [Linear(256, classes, generator: generator)])
  }

  /// - Parameter x: `[batch, 3, 32, 32]`
  /// - Returns: `[batch, classes]`, unnormalised.
  public func forward(_ x: Tensor) -> Tensor { layers(x) }

  public override var parts: [(name: String, value: Any)] { layers.parts }
}
