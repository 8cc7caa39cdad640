import ApusCore
import ApusNN

/// The variational autoencoder of Kingma and Welling 2014: a hidden layer on either side. See `VariationalAutoencoder` for its loss.
///
/// ```swift
/// let model = VAE(pictures: [1, 28, 28])
/// let flat = VAE(pictures: [1, 28, 28], latent: 2)  // a map: flat.pictures(latentMap(20))
/// ```
///
/// The parameters have the names of PyTorch's example `vae`.
public final class VAE: Module, VariationalAutoencoder {
  public let fc1: Linear
  public let fc21: Linear
  public let fc22: Linear
  public let fc3: Linear
  public let fc4: Linear
  private let pictures: Shape

  public var latent: Int { fc21.outFeatures }
  public var classes: Int { 0 }

  /// - Parameters:
  ///   - pictures: `[channels, height, width]`
  ///   - hidden: units of the hidden layers.
  ///   - latent: numbers in a code.
  ///   - generator: for the parameters.
  public init(pictures: Shape, hidden: Int = 400, latent: Int = 20, generator: Generator = .default) {
    self.pictures = pictures
    fc1 = Linear(pictures.elementCount, hidden, generator: generator)
    fc21 = Linear(hidden, latent, generator: generator)
    fc22 = Linear(hidden, latent, generator: generator)
    fc3 = Linear(latent, hidden, generator: generator)
    fc4 = Linear(hidden, pictures.elementCount, generator: generator)
  }

  public func encode(_ x: Tensor, labels: Tensor? = nil) -> (mean: Tensor, logVariance: Tensor) {
    guard x.isValid, areLabels(labels, 0, batch: x.shape.first ?? 0, "VAE") else { return (.invalid, .invalid) }
    let h = fc1(x.flatten(startDim: 1)).relu()
    return (fc21(h), fc22(h))
  }

  public func decode(_ z: Tensor, labels: Tensor? = nil) -> Tensor {
    guard z.isValid, areLabels(labels, 0, batch: z.shape.first ?? 0, "VAE") else { return .invalid }
    return fc4(fc3(z).relu()).unflatten(dim: 1, pictures)
  }

  public override var arguments: String { "pictures: \(pictures), hidden: \(fc1.outFeatures), latent: \(latent)" }
}
