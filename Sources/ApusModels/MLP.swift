import ApusCore
import ApusNN

/// A multilayer perceptron: linear layers with ReLU between them.
///
/// ```swift
/// let model = MLP(784, 128, 10)  // 101,770 parameters
/// ```
///
/// The children are numbered like those of PyTorch's `nn.Sequential(nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 10))`, so the
/// parameters are called `0.weight`, `0.bias`, `2.weight`, `2.bias` there as here.
public final class MLP: Module, Layer {
  public let layers: [any Layer]

  /// - Parameter sizes: features of the input, of each hidden layer, and of the output.
  public convenience init(_ sizes: Int..., generator: Generator = .default) { self.init(sizes, generator: generator) }

  /// - Parameter sizes: features of the input, of each hidden layer, and of the output.
  /// - Parameter generator: for the parameters; initialised as `Linear` does.
  public init(_ sizes: [Int], generator: Generator = .default) {
    let isFine = check(
      sizes.count >= 2 && sizes.allSatisfy { $0 > 0 }, .value, "MLP", "sizes \(sizes): at least input and output, all above 0")
    var layers: [any Layer] = []
    for (i, (inFeatures, outFeatures)) in zip(sizes, sizes.dropFirst()).enumerated() where isFine {
      if i > 0 { layers.append(ReLU()) }
      layers.append(Linear(inFeatures, outFeatures, generator: generator))
    }
    self.layers = layers
  }

  /// - Parameter x: `[batch, …]`; all axes but the first are flattened: pictures may come as they are.
  /// - Returns: `[batch, classes]`, unnormalised.
  public func forward(_ x: Tensor) -> Tensor {
    layers.reduce(x.rank > 2 ? x.flatten(startDim: 1) : x) { x, layer in layer(x) }
  }

  public override var parts: [(name: String, value: Any)] { layers.enumerated().map { ("\($0)", $1) } }
}
