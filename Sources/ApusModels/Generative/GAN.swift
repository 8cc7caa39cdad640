import ApusCore
import ApusNN

/// The first adversarial network (Goodfellow et al. 2014): two perceptrons. See `AdversarialNetwork` for how it is trained.
///
/// ```swift
/// let model = GAN(pictures: [1, 28, 28])
/// ```
public final class GAN: Module, AdversarialNetwork {
  public let generator: GANGenerator
  public let discriminator: GANDiscriminator

  public var latent: Int { generator.latent }
  public var classes: Int { 0 }

  /// - Parameters:
  ///   - pictures: `[channels, height, width]`
  ///   - latent: numbers that stand for a picture.
  ///   - hidden: the generator's hidden layers; the discriminator has them in reverse.
  ///   - dropout: in the discriminator, which otherwise learns its true pictures by heart.
  ///   - generator: for the parameters and the dropout.
  public init(
    pictures: Shape, latent: Int = 100, hidden: [Int] = [256, 512, 1024], dropout: Double = 0.3, generator: Generator = .default
  ) {
    self.generator = GANGenerator(pictures: pictures, latent: latent, hidden: hidden, generator: generator)
    discriminator = GANDiscriminator(pictures: pictures, hidden: hidden.reversed(), dropout: dropout, generator: generator)
  }

  public func generate(_ noise: Tensor, labels: Tensor? = nil) -> Tensor {
    guard noise.isValid, areLabels(labels, 0, batch: noise.shape.first ?? 0, "GAN") else { return .invalid }
    return generator(noise)
  }

  public func judge(_ pictures: Tensor, labels: Tensor? = nil) -> Tensor {
    guard pictures.isValid, areLabels(labels, 0, batch: pictures.shape.first ?? 0, "GAN") else { return .invalid }
    return discriminator(pictures)
  }
}

/// Noise to pictures: linear layers with leaky ReLU between them, and tanh.
public final class GANGenerator: Module, Layer {
  public let model: Sequential
  public let latent: Int
  private let pictures: Shape

  public init(pictures: Shape, latent: Int, hidden: [Int], generator: Generator = .default) {
    (self.pictures, self.latent) = (pictures, latent)
    var layers: [any Layer] = []
    for (input, output) in zip([latent] + hidden, hidden) {
      layers += [Linear(input, output, generator: generator), LeakyReLU(negativeSlope: 0.2)]
    }
    model = Sequential(layers + [Linear(hidden.last ?? latent, pictures.elementCount, generator: generator), Tanh()])
  }

  /// - Parameter noise: `[batch, latent]`
  /// - Returns: `[batch, channels, height, width]`, from −1 to 1.
  public func forward(_ noise: Tensor) -> Tensor { model(noise).unflatten(dim: 1, pictures) }

  public override var arguments: String { "pictures: \(pictures), latent: \(latent)" }
}

/// Pictures to how true they look: linear layers with leaky ReLU and dropout between them.
public final class GANDiscriminator: Module, Layer {
  public let model: Sequential

  public init(pictures: Shape, hidden: [Int], dropout: Double = 0.3, generator: Generator = .default) {
    var layers: [any Layer] = [Flatten()]
    let sizes = [pictures.elementCount] + hidden
    for (input, output) in zip(sizes, hidden) {
      layers += [
        Linear(input, output, generator: generator), LeakyReLU(negativeSlope: 0.2), Dropout(dropout, generator: generator),
      ]
    }
    model = Sequential(layers + [Linear(sizes[sizes.count - 1], 1, generator: generator)])
  }

  /// - Parameter pictures: `[batch, channels, height, width]`, from −1 to 1.
  /// - Returns: `[batch]`, logits.
  public func forward(_ pictures: Tensor) -> Tensor { model(pictures).squeeze(dim: 1) }
}
