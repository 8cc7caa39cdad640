import ApusCore

// Activations as layers. Their functional forms are the tensor's methods.

/// An activation that is one function of a number whose derivative follows from its value, so that it can be a part of the op before it.
protocol FunctionLayer: Layer {
  var function: Unary { get }
}

/// max(x, 0): `Tensor.relu`.
public final class ReLU: Module, FunctionLayer {
  var function: Unary { .relu }
  public override init() {}
  public func forward(_ x: Tensor) -> Tensor { x.relu() }
}

/// 1 / (1 + e⁻ˣ): `Tensor.sigmoid`.
public final class Sigmoid: Module, FunctionLayer {
  var function: Unary { .sigmoid }
  public override init() {}
  public func forward(_ x: Tensor) -> Tensor { x.sigmoid() }
}

/// The hyperbolic tangent: `Tensor.tanh`.
public final class Tanh: Module, FunctionLayer {
  var function: Unary { .tanh }
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
