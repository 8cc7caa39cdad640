import ApusCore
import ApusNN

/// An autoencoder whose codes are normally distributed, so that one can draw new ones (Kingma and Welling, "Auto-encoding variational Bayes",
/// 2014): the encoder says where in the space of codes a picture lies and how certain that is, and the decoder must make do with a point
/// from thereabouts.
///
/// ```swift
/// let loss = model.loss(pictures)
/// loss.total.backward()
/// ```
public protocol VariationalAutoencoder: GenerativeModel {
  /// Mean and logarithm of the variance of the codes of pictures, each `[batch, latent]`.
  ///
  /// - Parameters:
  ///   - x: `[batch, channels, height, width]`, brightness from 0 to 1.
  ///   - labels: `[batch]`, int64; nil where there are no classes.
  func encode(_ x: Tensor, labels: Tensor?) -> (mean: Tensor, logVariance: Tensor)

  /// The pictures of codes, as logits of the brightness.
  ///
  /// - Parameters:
  ///   - z: `[batch, latent]`
  ///   - labels: `[batch]`, int64; nil where there are no classes.
  /// - Returns: `[batch, channels, height, width]`
  func decode(_ z: Tensor, labels: Tensor?) -> Tensor
}

/// What a variational autoencoder is to make small, as sums over pixels or numbers of a code and means over a batch.
public struct VariationalLoss {
  /// −ln of the probability of the picture: how badly the decoder does.
  public let reconstruction: Tensor
  /// By how much the codes say more than the normal distribution does: KL(N(μ, σ²) ‖ N(0, 1)).
  public let divergence: Tensor
  /// The one and β times the other.
  public let total: Tensor
}

extension VariationalAutoencoder {
  /// The loss of pictures: an upper bound of −ln p(x).
  ///
  /// - Parameters:
  ///   - x: `[batch, channels, height, width]`, brightness from 0 to 1.
  ///   - labels: `[batch]`, int64; nil where there are no classes.
  ///   - beta: what the divergence counts; more than 1 makes codes whose numbers mean something one by one (Higgins et al., "β-VAE", 2017).
  ///   - generator: for the points that the decoder gets.
  public func loss(_ x: Tensor, labels: Tensor? = nil, beta: Double = 1, generator: Generator = .default) -> VariationalLoss {
    let (mean, logVariance) = encode(x, labels: labels)
    let logits = decode(Self.draw(mean, logVariance, generator), labels: labels)
    guard logits.isValid else { return VariationalLoss(reconstruction: .invalid, divergence: .invalid, total: .invalid) }
    let batch = Double(x.shape[0])
    let reconstruction = binaryCrossEntropyWithLogits(logits, x, reduction: .sum) / batch
    // Appendix B of the paper.
    let divergence = -0.5 * (1 + logVariance - mean.square() - logVariance.exp()).sum() / batch
    return VariationalLoss(reconstruction: reconstruction, divergence: divergence, total: reconstruction + beta * divergence)
  }

  /// What becomes of pictures whose codes are the means: in evaluation mode, without a history, brightness from 0 to 1.
  public func reconstruct(_ x: Tensor, labels: Tensor? = nil) -> Tensor {
    evaluating { decode(encode(x, labels: labels).mean, labels: labels).sigmoid() }
  }

  public func pictures(_ noise: Tensor, labels: Tensor? = nil) -> Tensor { decode(noise, labels: labels).sigmoid() }

  /// A point of N(μ, σ²), written as μ + σ ε with ε of N(0, 1): so gradients reach μ and σ ("the reparameterization trick").
  private static func draw(_ mean: Tensor, _ logVariance: Tensor, _ generator: Generator) -> Tensor {
    guard mean.isValid, logVariance.isValid else { return .invalid }
    return mean + (logVariance / 2).exp() * Tensor.randn(mean.shape, dtype: mean.dtype, generator: generator)
  }
}

/// The codes of a map of all pictures, for models with two numbers in a code: a square of points that are as dense as the codes, from
/// the quantiles of the normal distribution.
///
/// - Parameter side: points along each axis.
/// - Returns: `[side², 2]`, row by row; the first number grows downwards, the second to the right.
public func latentMap(_ side: Int) -> Tensor {
  guard check(side > 0, .value, "latentMap", "side = \(side) is not positive") else { return .invalid }
  // The quantile at p is √2 erf⁻¹(2 p − 1).
  let shares = (Tensor.arange(side, dtype: .float64) + 0.5) / Double(side)
  let quantiles = ((2 * shares - 1).erfinv() * 2.0.squareRoot()).to(.float32)
  let (down, right) = (quantiles.unsqueeze(dim: 1).expand(side, side), quantiles.unsqueeze(dim: 0).expand(side, side))
  return stack([down, right], dim: -1).reshape(side * side, 2)
}
