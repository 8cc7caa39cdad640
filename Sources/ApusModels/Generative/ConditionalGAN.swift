import ApusCore
import ApusNN

/// An adversarial network that makes what it is asked for (Mirza and Osindero, "Conditional generative adversarial nets", 2014): both networks
/// are told the class. See `AdversarialNetwork` for how it is trained; every call takes labels.
///
/// ```swift
/// let model = ConditionalGAN(classes: 10)
/// let sevens = model.sample(64, label: 7)
/// ```
///
/// The networks are those of `DCGAN`. The generator gets the class beside the noise, the discriminator beside the pixels, as in the paper. Its logit
/// as a product of features and a vector for each class (Miyato and Koyama, "cGANs with projection discriminator", 2018) was tried: without that
/// paper's spectral normalization the discriminator won at once, and the generator ended in grey.
public final class ConditionalGAN: Module, AdversarialNetwork {
  public let generator: ConditionalGenerator
  public let discriminator: ConditionalDiscriminator
  public let classes: Int

  public var latent: Int { generator.latent }

  /// - Parameters:
  ///   - classes: how many there are.
  ///   - channels: 1 for grey, 3 for colour.
  ///   - size: height and width, as for `DCGAN`.
  ///   - latent: numbers that stand for a picture of a class.
  ///   - width: channels at half the size.
  ///   - generator: for the parameters.
  public init(
    classes: Int, channels: Int = 1, size: Int = 28, latent: Int = 100, width: Int = 32, generator: Generator = .default
  ) {
    let count = check(classes > 0, .value, "ConditionalGAN", "\(classes) classes") ? classes : 1
    self.classes = count
    self.generator = ConditionalGenerator(
      classes: count, channels: channels, size: size, latent: latent, width: width, generator: generator)
    discriminator = ConditionalDiscriminator(
      classes: count, channels: channels, size: size, width: width, generator: generator)
  }

  public func generate(_ noise: Tensor, labels: Tensor?) -> Tensor {
    labels.map { generator(noise, $0) } ?? withClasses(noise, nil, classes, "ConditionalGAN")
  }

  public func judge(_ pictures: Tensor, labels: Tensor?) -> Tensor {
    labels.map { discriminator(pictures, $0) } ?? withClasses(pictures, nil, classes, "ConditionalGAN")
  }
}

/// Noise and a class to pictures.
public final class ConditionalGenerator: Module {
  public let body: DCGANGenerator
  public let latent: Int
  public let classes: Int

  /// The parameters are those of `ConditionalGAN`.
  public init(classes: Int, channels: Int, size: Int, latent: Int, width: Int, generator: Generator = .default) {
    (self.classes, self.latent) = (classes, latent)
    body = DCGANGenerator(channels: channels, size: size, latent: latent + classes, width: width, generator: generator)
  }

  /// - Parameters:
  ///   - noise: `[batch, latent]`
  ///   - labels: `[batch]`, int64.
  /// - Returns: `[batch, channels, size, size]`, from −1 to 1.
  public func callAsFunction(_ noise: Tensor, _ labels: Tensor) -> Tensor {
    hooked([noise, labels]) { x in
      let input = withClasses(x[0], x[1], classes, "ConditionalGenerator")
      return [input.isValid ? body(input) : input]
    }[0]
  }
}

/// Pictures and the class that they are said to show, to how true they look.
///
/// The class comes as further channels: a plane of ones for the class, planes of zeros for the others.
public final class ConditionalDiscriminator: Module {
  public let features: Sequential
  public let score: Linear
  private let classes: Int

  /// The parameters are those of `ConditionalGAN`.
  public init(classes: Int, channels: Int, size: Int, width: Int, generator: Generator = .default) {
    let (start, doublings) = steps(to: size)
    self.classes = classes
    features = dcganFeatures(channels: channels + classes, size: size, width: width, generator)
    score = Linear((width << (doublings - 1)) * start * start, 1, generator: generator)
    super.init()
    startAsDCGAN(generator)
    score.weight = Init.normal(score.weight.shape, std: 0.02, generator: generator)
  }

  /// - Parameters:
  ///   - pictures: `[batch, channels, size, size]`, from −1 to 1.
  ///   - labels: `[batch]`, int64.
  /// - Returns: `[batch]`, logits.
  public func callAsFunction(_ pictures: Tensor, _ labels: Tensor) -> Tensor {
    hooked([pictures, labels]) { x in
      let (pictures, labels) = (x[0], x[1])
      guard pictures.isValid, areLabels(labels, classes, batch: pictures.shape[0], "ConditionalDiscriminator") else {
        return [.invalid]
      }
      let planes = labels.oneHot(classes).to(pictures.dtype).reshape(-1, classes, 1, 1)
      let size = Shape([pictures.shape[0], classes, pictures.shape[2], pictures.shape[3]])
      return [score(features(cat([pictures, planes.expand(size)], dim: 1)).flatten(startDim: 1)).squeeze(dim: 1)]
    }[0]
  }
}
