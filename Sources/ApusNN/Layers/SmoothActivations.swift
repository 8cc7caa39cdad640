import ApusCore

// Smooth activations as layers. Their functional forms are the tensor's methods.

/// x, or alpha · (eˣ − 1) below 0: `Tensor.elu`.
public final class ELU: Module, Layer {
  public let alpha: Double
  public init(alpha: Double = 1) { self.alpha = alpha }
  public func forward(_ x: Tensor) -> Tensor { x.elu(alpha: alpha) }
  public override var arguments: String { "alpha: \(alpha)" }
}

/// x, or alpha · (e^(x / alpha) − 1) below 0: `Tensor.celu`.
public final class CELU: Module, Layer {
  public let alpha: Double
  public init(alpha: Double = 1) { self.alpha = alpha }
  public func forward(_ x: Tensor) -> Tensor { x.celu(alpha: alpha) }
  public override var arguments: String { "alpha: \(alpha)" }
}

/// An `elu` that keeps mean 0 and variance 1: `Tensor.selu`. It belongs with `AlphaDropout`.
public final class SELU: Module, Layer {
  public override init() {}
  public func forward(_ x: Tensor) -> Tensor { x.selu() }
}

/// x · Φ(x): `Tensor.gelu`.
public final class GELU: Module, Layer {
  public let approximate: Tensor.GELUApproximation
  public init(approximate: Tensor.GELUApproximation = .none) { self.approximate = approximate }
  public func forward(_ x: Tensor) -> Tensor { x.gelu(approximate: approximate) }
  public override var arguments: String { "approximate: \(approximate)" }
}

/// x · sigmoid(x): `Tensor.silu`.
public final class SiLU: Module, Layer {
  public override init() {}
  public func forward(_ x: Tensor) -> Tensor { x.silu() }
}

/// x · tanh(softplus(x)): `Tensor.mish`.
public final class Mish: Module, Layer {
  public override init() {}
  public func forward(_ x: Tensor) -> Tensor { x.mish() }
}

/// ln(1 + e^(beta x)) / beta: `Tensor.softplus`.
public final class Softplus: Module, Layer {
  public let beta: Double
  public let threshold: Double

  public init(beta: Double = 1, threshold: Double = 20) {
    self.beta = beta
    self.threshold = threshold
  }
  public func forward(_ x: Tensor) -> Tensor { x.softplus(beta: beta, threshold: threshold) }
  public override var arguments: String { "beta: \(beta), threshold: \(threshold)" }
}

/// x / (1 + |x|): `Tensor.softsign`.
public final class Softsign: Module, Layer {
  public override init() {}
  public func forward(_ x: Tensor) -> Tensor { x.softsign() }
}

/// x − tanh(x): `Tensor.tanhshrink`.
public final class Tanhshrink: Module, Layer {
  public override init() {}
  public func forward(_ x: Tensor) -> Tensor { x.tanhshrink() }
}

/// ln(sigmoid(x)): `Tensor.logSigmoid`.
public final class LogSigmoid: Module, Layer {
  public override init() {}
  public func forward(_ x: Tensor) -> Tensor { x.logSigmoid() }
}

/// The softmax of −x along `dim`: `Tensor.softmin`.
public final class Softmin: Module, Layer {
  public let dim: Int
  public init(dim: Int) { self.dim = dim }
  public func forward(_ x: Tensor) -> Tensor { x.softmin(dim: dim) }
  public override var arguments: String { "dim: \(dim)" }
}

/// The softmax over the channels at each place of images, `[N, C, H, W]` or `[C, H, W]`.
public final class Softmax2d: Module, Layer {
  public override init() {}

  public func forward(_ x: Tensor) -> Tensor {
    guard x.isValid,
      check(x.rank == 3 || x.rank == 4, .shape, "Softmax2d", "takes [N, C, H, W] or [C, H, W], not \(x.shape)")
    else { return .invalid }
    return x.softmax(dim: -3)
  }
}
