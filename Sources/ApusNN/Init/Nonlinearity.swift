/// The activation that follows a layer, for initialisers that keep the variance of what passes through it.
public enum Nonlinearity: Hashable, Sendable {
  case linear, sigmoid, tanh, relu, selu
  /// With the slope below 0.
  case leakyReLU(slope: Double = 0.01)

  /// By how much the standard deviation must grow to make up for the activation: PyTorch's `calculate_gain`.
  public var gain: Double {
    switch self {
    case .linear, .sigmoid: 1
    case .tanh: 5.0 / 3
    case .relu: 2.0.squareRoot()
    case .leakyReLU(let slope): (2 / (1 + slope * slope)).squareRoot()
    // The value for which SELU networks keep mean 0 and variance 1.
    case .selu: 0.75
    }
  }
}
