import ApusCore

// Activations made of straight lines, as layers. Their functional forms are the tensor's methods.

/// min(max(x, 0), 6): `Tensor.relu6`.
public final class ReLU6: Module, Layer {
  public override init() {}
  public func forward(_ x: Tensor) -> Tensor { x.relu6() }
}

/// x, or negativeSlope · x below 0: `Tensor.leakyRelu`.
public final class LeakyReLU: Module, Layer {
  public let negativeSlope: Double
  public init(negativeSlope: Double = 0.01) { self.negativeSlope = negativeSlope }
  public func forward(_ x: Tensor) -> Tensor { x.leakyRelu(negativeSlope: negativeSlope) }
  public override var arguments: String { "negativeSlope: \(negativeSlope)" }
}

/// x between two bounds: `Tensor.hardtanh`.
public final class Hardtanh: Module, Layer {
  public let minVal: Double
  public let maxVal: Double

  public init(minVal: Double = -1, maxVal: Double = 1) {
    self.minVal = minVal
    self.maxVal = maxVal
  }
  public func forward(_ x: Tensor) -> Tensor { x.hardtanh(min: minVal, max: maxVal) }
  public override var arguments: String { "minVal: \(minVal), maxVal: \(maxVal)" }
}

/// A sigmoid of straight lines: `Tensor.hardsigmoid`.
public final class Hardsigmoid: Module, Layer {
  public override init() {}
  public func forward(_ x: Tensor) -> Tensor { x.hardsigmoid() }
}

/// x · hardsigmoid(x): `Tensor.hardswish`.
public final class Hardswish: Module, Layer {
  public override init() {}
  public func forward(_ x: Tensor) -> Tensor { x.hardswish() }
}

/// x, or 0 near 0: `Tensor.hardshrink`.
public final class Hardshrink: Module, Layer {
  public let lambda: Double
  public init(_ lambda: Double = 0.5) { self.lambda = lambda }
  public func forward(_ x: Tensor) -> Tensor { x.hardshrink(lambda: lambda) }
  public override var arguments: String { "\(lambda)" }
}

/// x moved toward 0: `Tensor.softshrink`.
public final class Softshrink: Module, Layer {
  public let lambda: Double
  public init(_ lambda: Double = 0.5) { self.lambda = lambda }
  public func forward(_ x: Tensor) -> Tensor { x.softshrink(lambda: lambda) }
  public override var arguments: String { "\(lambda)" }
}

/// x above a threshold, `value` elsewhere: `Tensor.threshold`.
public final class Threshold: Module, Layer {
  public let threshold: Double
  public let value: Double

  public init(_ threshold: Double, _ value: Double) {
    self.threshold = threshold
    self.value = value
  }
  public func forward(_ x: Tensor) -> Tensor { x.threshold(threshold, value) }
  public override var arguments: String { "threshold: \(threshold), value: \(value)" }
}
