import ApusCore
import ApusNN

/// Two networks that learn from each other (Goodfellow et al., "Generative adversarial nets", 2014): a generator makes pictures of noise, a
/// discriminator tells them from true ones. Each step of training is a step of either:
///
/// ```swift
/// let dLoss = model.discriminatorLoss(real: pictures, noise: model.noise(64))
/// discriminatorOptimizer.zeroGrad()
/// dLoss.backward()
/// discriminatorOptimizer.step()
///
/// let gLoss = model.generatorLoss(noise: model.noise(64))
/// generatorOptimizer.zeroGrad()
/// gLoss.backward()  // through the discriminator, whose gradients nobody uses
/// generatorOptimizer.step()
/// ```
///
/// Pictures go from −1 to 1 in training, as the generator ends with tanh; `pictures` and `sample` give them from 0 to 1.
public protocol AdversarialNetwork: GenerativeModel {
  associatedtype Maker: Module
  associatedtype Judge: Module

  /// The network that makes pictures.
  var generator: Maker { get }

  /// The network that tells them from true ones.
  var discriminator: Judge { get }

  /// Pictures of noise.
  ///
  /// - Parameters:
  ///   - noise: `[batch, latent]`
  ///   - labels: `[batch]`, int64; nil where there are no classes.
  /// - Returns: `[batch, channels, height, width]`, brightness from −1 to 1.
  func generate(_ noise: Tensor, labels: Tensor?) -> Tensor

  /// How true pictures look: the logit of the probability that one is not made.
  ///
  /// - Parameters:
  ///   - pictures: `[batch, channels, height, width]`, brightness from −1 to 1.
  ///   - labels: `[batch]`, int64; nil where there are no classes.
  /// - Returns: `[batch]`
  func judge(_ pictures: Tensor, labels: Tensor?) -> Tensor
}

extension AdversarialNetwork {
  /// What pictures are made of: `[count, latent]`, normally distributed.
  public func noise(_ count: Int, generator: Generator = .default) -> Tensor {
    Tensor.randn([count, latent], generator: generator)
  }

  /// What the discriminator is to make small: −ln D(real) − ln(1 − D(made)), means over the batches. The generator gets no gradient.
  ///
  /// - Parameters:
  ///   - real: true pictures, `[batch, channels, height, width]`, brightness from −1 to 1.
  ///   - noise: what as many pictures are to be made of, `[batch, latent]`.
  ///   - labels: the true pictures' classes, which are asked of the made ones too.
  ///   - smoothing: by how much less than 1 the probability of a true picture ought to be. A discriminator that is never certain has
  ///     gradients left for the generator (Salimans et al., "Improved techniques for training GANs", 2016).
  public func discriminatorLoss(real: Tensor, noise: Tensor, labels: Tensor? = nil, smoothing: Double = 0) -> Tensor {
    let made = noGrad { generate(noise, labels: labels) }
    // Two batches, not one of both: batch norm must not see the two kinds together.
    let (onReal, onMade) = (judge(real, labels: labels), judge(made, labels: labels))
    guard onReal.isValid, onMade.isValid else { return .invalid }
    return binaryCrossEntropyWithLogits(onReal, Tensor.fullLike(onReal, 1 - smoothing))
      + binaryCrossEntropyWithLogits(onMade, Tensor.zerosLike(onMade))
  }

  /// What the generator is to make small: −ln D(made). In the paper's game it would be ln(1 − D(made)), which has hardly a gradient as
  /// long as the discriminator wins; this is the form that the paper advises.
  ///
  /// - Parameters:
  ///   - noise: `[batch, latent]`
  ///   - labels: the classes that are asked for.
  public func generatorLoss(noise: Tensor, labels: Tensor? = nil) -> Tensor {
    let verdict = judge(generate(noise, labels: labels), labels: labels)
    return verdict.isValid ? binaryCrossEntropyWithLogits(verdict, Tensor.onesLike(verdict)) : .invalid
  }

  public func pictures(_ noise: Tensor, labels: Tensor? = nil) -> Tensor { (generate(noise, labels: labels) + 1) / 2 }
}
