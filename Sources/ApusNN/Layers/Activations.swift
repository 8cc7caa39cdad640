import ApusCore

// Activations as layers. Their functional forms are the tensor's methods.

/// max(x, 0): `Tensor.relu`.
public final class ReLU: Module, Layer {
  public override init() {}
  public func forward(_ x: Tensor) -> Tensor { x.relu() }
}

/// 1 / (1 + e⁻ˣ): `Tensor.sigmoid`.
public final class Sigmoid: Module, Layer {
  public override init() {}
  public func forward(_ x: Tensor) -> Tensor { x.sigmoid() }
}

/// The hyperbolic tangent: `Tensor.tanh`.
public final class Tanh: Module, Layer {
  public override init() {}
  public func forward(_ x: Tensor) -> Tensor { x.tanh() }
}

/// `Tensor.softmax` along `dim`.
public final class Softmax: Module, Layer {
  public let dim: Int
  public init(dim: Int) { self.dim = dim }
  public func forward(_ x: Tensor) -> Tensor { x.softmax(dim: dim) }
  public override var arguments: String { "dim: \(dim)" }
}

/// `Tensor.logSoftmax` along `dim`.
public final class LogSoftmax: Module, Layer {
  public let dim: Int
  public init(dim: Int) { self.dim = dim }
  public func forward(_ x: Tensor) -> Tensor { x.logSoftmax(dim: dim) }
  public override var arguments: String { "dim: \(dim)" }
}
