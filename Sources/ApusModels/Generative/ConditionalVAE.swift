import ApusCore
import ApusNN

/// A variational autoencoder that is told the class (Sohn et al., "Learning structured output representation using deep conditional generative
/// models", 2015): the code has to hold only what the class does not say, such as the slant of a digit.
///
/// ```swift
/// let model = ConditionalVAE(pictures: [1, 28, 28], classes: 10)
/// let loss = model.loss(pictures, labels: labels)
/// let sevens = model.sample(64, label: 7)
/// ```
///
/// It is `VAE` with the class, as zeros and a one, beside the pixels and beside the code.
public final class ConditionalVAE: Module, VariationalAutoencoder {
  public let fc1: Linear
  public let fc21: Linear
  public let fc22: Linear
  public let fc3: Linear
  public let fc4: Linear
  public let classes: Int
  private let pictures: Shape

  public var latent: Int { fc21.outFeatures }

  /// - Parameters:
  ///   - pictures: `[channels, height, width]`
  ///   - classes: how many there are.
  ///   - hidden: units of the hidden layers.
  ///   - latent: numbers in a code.
  ///   - generator: for the parameters.
  public init(pictures: Shape, classes: Int, hidden: Int = 400, latent: Int = 20, generator: Generator = .default) {
    self.pictures = pictures
    let count = check(classes > 0, .value, "ConditionalVAE", "\(classes) classes") ? classes : 1
    self.classes = count
    fc1 = Linear(pictures.elementCount + count, hidden, generator: generator)
    fc21 = Linear(hidden, latent, generator: generator)
    fc22 = Linear(hidden, latent, generator: generator)
    fc3 = Linear(latent + count, hidden, generator: generator)
    fc4 = Linear(hidden, pictures.elementCount, generator: generator)
  }

  public func encode(_ x: Tensor, labels: Tensor?) -> (mean: Tensor, logVariance: Tensor) {
    let input = withClasses(x.flatten(startDim: 1), labels, classes, "ConditionalVAE")
    guard input.isValid else { return (.invalid, .invalid) }
    let h = fc1(input).relu()
    return (fc21(h), fc22(h))
  }

  public func decode(_ z: Tensor, labels: Tensor?) -> Tensor {
    let input = withClasses(z, labels, classes, "ConditionalVAE")
    return input.isValid ? fc4(fc3(input).relu()).unflatten(dim: 1, pictures) : input
  }

  public override var arguments: String {
    "pictures: \(pictures), classes: \(classes), hidden: \(fc1.outFeatures), latent: \(latent)"
  }
}
