import ApusCore
import ApusNN

/// An autoencoder (Hinton and Salakhutdinov, "Reducing the dimensionality of data with neural networks", 2006): it learns to give back its
/// input through a layer too small for all of it, which so comes to hold what matters.
///
/// ```swift
/// let model = Autoencoder(784, 128, 64, 16)  // pictures of 28 × 28 as 16 numbers
/// let loss = mseLoss(model(x), x)
/// ```
///
/// Linear layers with ReLU between them, in the decoder in reverse order, and a sigmoid at the end.
public final class Autoencoder: Module, Layer {
  public let encoder: Sequential
  public let decoder: Sequential

  /// - Parameters:
  ///   - sizes: numbers in the input, in each hidden layer, and in the code.
  ///   - generator: for the parameters.
  public convenience init(_ sizes: Int..., generator: Generator = .default) { self.init(sizes, generator: generator) }

  /// The same with the sizes in an array.
  public init(_ sizes: [Int], generator: Generator = .default) {
    let isFine = check(
      sizes.count >= 2 && sizes.allSatisfy { $0 > 0 }, .value, "Autoencoder",
      "sizes \(sizes): at least input and code, all above 0")
    let sizes = isFine ? sizes : [1, 1]
    func layers(_ sizes: [Int]) -> [any Layer] {
      zip(sizes, sizes.dropFirst()).enumerated().flatMap { i, size -> [any Layer] in
        let layer = Linear(size.0, size.1, generator: generator)
        return i == 0 ? [layer] : [ReLU(), layer]
      }
    }
    encoder = Sequential(layers(sizes))
    decoder = Sequential(layers(sizes.reversed()) + [Sigmoid()])
  }

  /// - Parameter x: `[batch, …]`, numbers from 0 to 1; all axes but the first are flattened.
  /// - Returns: the code, `[batch, code]`.
  public func encode(_ x: Tensor) -> Tensor { encoder(x.rank > 2 ? x.flatten(startDim: 1) : x) }

  /// - Parameter x: `[batch, …]`, numbers from 0 to 1.
  /// - Returns: what the decoder makes of the code, in the shape of `x`.
  public func forward(_ x: Tensor) -> Tensor {
    let y = decoder(encode(x))
    return y.isValid ? y.reshape(x.shape) : y
  }
}
