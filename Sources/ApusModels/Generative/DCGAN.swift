import ApusCore
import ApusNN

/// The adversarial network of convolutions (Radford et al., "Unsupervised representation learning with deep convolutional generative
/// adversarial networks", 2016). See `AdversarialNetwork` for how it is trained.
///
/// ```swift
/// let digits = DCGAN(channels: 1, size: 28)
/// let faces = DCGAN(channels: 3, size: 64)  // the paper's sizes
/// ```
///
/// The paper's rules: strided convolutions instead of pooling, batch norm in both networks but at the two ends, ReLU in the generator and
/// leaky ReLU in the discriminator, weights that start with a standard deviation of 0.02. Adam with a rate of 0.0002 and β₁ = 0.5.
/// Names and shapes are those of PyTorch's example `dcgan`, its `sigmoid` left to the loss.
public final class DCGAN: Module, AdversarialNetwork {
  public let generator: DCGANGenerator
  public let discriminator: DCGANDiscriminator

  public var latent: Int { generator.latent }
  public var classes: Int { 0 }

  /// - Parameters:
  ///   - channels: 1 for grey, 3 for colour.
  ///   - size: height and width: 4, 5, 6 or 7 that is doubled once or more, such as 28, 32 and 64.
  ///   - latent: numbers that stand for a picture.
  ///   - width: channels at half the size; twice as many at a quarter, and so on.
  ///   - generator: for the parameters.
  public init(channels: Int = 1, size: Int = 28, latent: Int = 100, width: Int = 64, generator: Generator = .default) {
    self.generator = DCGANGenerator(channels: channels, size: size, latent: latent, width: width, generator: generator)
    discriminator = DCGANDiscriminator(channels: channels, size: size, width: width, generator: generator)
  }

  public func generate(_ noise: Tensor, labels: Tensor? = nil) -> Tensor {
    guard noise.isValid, areLabels(labels, 0, batch: noise.shape.first ?? 0, "DCGAN") else { return .invalid }
    return generator(noise)
  }

  public func judge(_ pictures: Tensor, labels: Tensor? = nil) -> Tensor {
    guard pictures.isValid, areLabels(labels, 0, batch: pictures.shape.first ?? 0, "DCGAN") else { return .invalid }
    return discriminator(pictures)
  }
}

/// Noise to pictures: a small picture of many channels, which transposed convolutions double again and again.
public final class DCGANGenerator: Module, Layer {
  public let main: Sequential
  public let latent: Int

  /// The parameters are those of `DCGAN`.
  public init(channels: Int, size: Int, latent: Int, width: Int, generator: Generator = .default) {
    self.latent = latent
    let (start, doublings) = steps(to: size)
    var channelsNow = width << (doublings - 1)
    var layers: [any Layer] = [
      ConvTranspose2d(latent, channelsNow, kernelSize: start, bias: false, generator: generator), BatchNorm2d(channelsNow),
      ReLU(),
    ]
    for _ in 1..<doublings {
      layers += [doubling(channelsNow, channelsNow / 2, generator), BatchNorm2d(channelsNow / 2), ReLU()]
      channelsNow /= 2
    }
    main = Sequential(layers + [doubling(channelsNow, channels, generator), Tanh()])
    super.init()
    startAsDCGAN(generator)
  }

  /// - Parameter noise: `[batch, latent]`
  /// - Returns: `[batch, channels, size, size]`, from −1 to 1.
  public func forward(_ noise: Tensor) -> Tensor { main(noise.unsqueeze(dim: -1).unsqueeze(dim: -1)) }
}

/// Pictures to how true they look: convolutions that halve, and one that takes in what is left.
public final class DCGANDiscriminator: Module, Layer {
  public let main: Sequential

  /// The parameters are those of `DCGAN`.
  public init(channels: Int, size: Int, width: Int, generator: Generator = .default) {
    let (start, doublings) = steps(to: size)
    main = dcganFeatures(channels: channels, size: size, width: width, generator)
    main.append(Conv2d(width << (doublings - 1), 1, kernelSize: start, bias: false, generator: generator))
    super.init()
    startAsDCGAN(generator)
  }

  /// - Parameter pictures: `[batch, channels, size, size]`, from −1 to 1.
  /// - Returns: `[batch]`, logits.
  public func forward(_ pictures: Tensor) -> Tensor { main(pictures).flatten() }
}

/// The convolutions of a discriminator, without the last: `[batch, channels, size, size]` to `[batch, width · 2^(n − 1), s, s]`, where `size` is s
/// doubled n times.
func dcganFeatures(channels: Int, size: Int, width: Int, _ generator: Generator) -> Sequential {
  func halving(_ inputs: Int, _ outputs: Int) -> Conv2d {
    Conv2d(inputs, outputs, kernelSize: 4, stride: 2, padding: 1, bias: false, generator: generator)
  }
  var layers: [any Layer] = [halving(channels, width), LeakyReLU(negativeSlope: 0.2)]
  for step in 1..<steps(to: size).doublings {
    let outputs = width << step
    layers += [halving(outputs / 2, outputs), BatchNorm2d(outputs), LeakyReLU(negativeSlope: 0.2)]
  }
  return Sequential(layers)
}

private func doubling(_ inputs: Int, _ outputs: Int, _ generator: Generator) -> ConvTranspose2d {
  ConvTranspose2d(inputs, outputs, kernelSize: 4, stride: 2, padding: 1, bias: false, generator: generator)
}

/// The size of the smallest picture, 4 to 7, and how often it is doubled to become `size`.
func steps(to size: Int) -> (start: Int, doublings: Int) {
  var (start, doublings) = (size, 0)
  while start > 7 && start % 2 == 0 { (start, doublings) = (start / 2, doublings + 1) }
  let fits = check(
    (4...7).contains(start) && doublings > 0, .value, "DCGAN", "size \(size) is not 4, 5, 6 or 7 doubled once or more, such as 28"
  )
  return fits ? (start, doublings) : (4, 1)
}

extension Module {
  /// The paper's start: weights of convolutions around 0 and of batch norm around 1, with a standard deviation of 0.02.
  func startAsDCGAN(_ generator: Generator) {
    apply { module in
      if let convolution = module as? ConvolutionLayer {
        convolution.weight = Init.normal(convolution.weight.shape, std: 0.02, generator: generator)
      } else if let norm = module as? BatchNorm2d, let weight = norm.weight {
        norm.weight = Init.normal(weight.shape, mean: 1, std: 0.02, generator: generator)
      }
    }
  }
}
