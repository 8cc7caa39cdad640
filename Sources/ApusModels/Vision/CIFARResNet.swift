import ApusCore
import ApusNN

/// The residual networks for pictures of 32 × 32 of section 4.2 of He et al. 2016: three sizes instead of four, and few channels.
///
/// ```swift
/// let model = CIFARResNet(depth: 20)  // 272,474 parameters
/// ```
///
/// Where shapes differ the shortcut is a 1×1 convolution, as in `ResNet`, of which it has the names (without `layer4`).
public final class CIFARResNet: Module, Layer {
  public let conv1: Conv2d
  public let bn1: BatchNorm2d
  public let layer1: Sequential
  public let layer2: Sequential
  public let layer3: Sequential
  public let fc: Linear

  /// - Parameters:
  ///   - depth: layers of weights: 6 n + 2, such as 20, 32, 44, 56 and 110.
  ///   - classes: features of the output.
  ///   - generator: for the parameters.
  public init(depth: Int = 20, classes: Int = 10, generator: Generator = .default) {
    let isFine = check(
      depth >= 8 && (depth - 2) % 6 == 0, .value, "CIFARResNet", "depth \(depth) is not 6 n + 2 for an n above 0")
    let count = isFine ? (depth - 2) / 6 : 1
    conv1 = Conv2d(3, 16, kernelSize: 3, padding: 1, bias: false, generator: generator)
    conv1.weight = Init.kaimingNormal(conv1.weight.shape, mode: .fanOut, generator: generator)
    bn1 = BatchNorm2d(16)
    func stage(_ inputs: Int, _ width: Int) -> Sequential {
      Sequential(
        (0..<count).map { i in
          BasicBlock(i == 0 ? inputs : width, width, stride: i == 0 && inputs != width ? 2 : 1, generator: generator)
        })
    }
    layer1 = stage(16, 16)
    layer2 = stage(16, 32)
    layer3 = stage(32, 64)
    fc = Linear(64, classes, generator: generator)
  }

  /// - Parameter x: `[batch, 3, height, width]`
  /// - Returns: `[batch, classes]`, unnormalised.
  public func forward(_ x: Tensor) -> Tensor {
    let y = layer3(layer2(layer1(bn1(conv1(x)).relu())))
    return fc(adaptiveAvgPool2d(y, 1).flatten(startDim: 1))
  }
}
