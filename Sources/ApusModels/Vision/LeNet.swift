import ApusCore
import ApusNN

/// LeNet-5 (LeCun et al., "Gradient-based learning applied to document recognition", 1998), in the form that is usual today: two convolutions, each
/// followed by pooling, and three linear layers.
///
/// ```swift
/// let model = LeNet()  // grey pictures of 28 × 28, 61,706 parameters
/// ```
///
/// Names are those of PyTorch's tutorial (`conv1`, `conv2`, `fc1`, `fc2`, `fc3`); the first convolution pads, so that 28 × 28 does for the paper's
/// 32 × 32.
public final class LeNet: Module, Layer {
  public let conv1: Conv2d
  public let conv2: Conv2d
  public let fc1: Linear
  public let fc2: Linear
  public let fc3: Linear

  public init(channels: Int = 1, classes: Int = 10, generator: Generator = .default) {
    conv1 = Conv2d(channels, 6, kernelSize: 5, padding: 2, generator: generator)
    conv2 = Conv2d(6, 16, kernelSize: 5, generator: generator)
    fc1 = Linear(16 * 5 * 5, 120, generator: generator)
    fc2 = Linear(120, 84, generator: generator)
    fc3 = Linear(84, classes, generator: generator)
  }

  /// - Parameter x: `[batch, channels, 28, 28]`
  /// - Returns: `[batch, classes]`, unnormalised.
  public func forward(_ x: Tensor) -> Tensor {
    var y = maxPool2d(conv1(x).relu(), kernelSize: 2)
    y = maxPool2d(conv2(y).relu(), kernelSize: 2)
    y = fc1(y.flatten(startDim: 1)).relu()
    return fc3(fc2(y).relu())
  }
}
