import ApusCore

/// What parameters start from: fresh tensors of a given shape.
///
/// ```swift
/// layer.weight = Init.xavierUniform(layer.weight.shape)
/// ```
public enum Init {
  /// Which number of connections the variance goes by: those into an output (keeps activations), or those out of an input (keeps
  /// gradients).
  public enum Fan: Sendable { case fanIn, fanOut }

  /// Evenly distributed over `low ..< high`.
  public static func uniform(
    _ shape: Shape, low: Double = 0, high: Double = 1, dtype: DType = .float32, generator: Generator = .default
  ) -> Tensor {
    guard check(low <= high, .value, "Init.uniform", "no numbers from \(low) to \(high)") else { return .invalid }
    return low + Tensor.rand(shape, dtype: dtype, generator: generator) * (high - low)
  }

  /// Normally distributed.
  public static func normal(
    _ shape: Shape, mean: Double = 0, std: Double = 1, dtype: DType = .float32, generator: Generator = .default
  ) -> Tensor {
    guard check(std >= 0, .value, "Init.normal", "std = \(std) is negative") else { return .invalid }
    return mean + Tensor.randn(shape, dtype: dtype, generator: generator) * std
  }

  public static func constant(_ shape: Shape, _ value: Double, dtype: DType = .float32) -> Tensor {
    Tensor.full(shape, value, dtype: dtype)
  }

  public static func zeros(_ shape: Shape, dtype: DType = .float32) -> Tensor { Tensor.zeros(shape, dtype: dtype) }

  public static func ones(_ shape: Shape, dtype: DType = .float32) -> Tensor { Tensor.ones(shape, dtype: dtype) }

  /// Variance gain² / fan, evenly distributed over ±gain·√(3 / fan) (He et al. 2015).
  public static func kaimingUniform(
    _ shape: Shape, mode: Fan = .fanIn, nonlinearity: Nonlinearity = .relu, dtype: DType = .float32,
    generator: Generator = .default
  ) -> Tensor {
    guard let std = kaimingDeviation(shape, mode, nonlinearity, "Init.kaimingUniform") else { return .invalid }
    let bound = 3.0.squareRoot() * std
    return uniform(shape, low: -bound, high: bound, dtype: dtype, generator: generator)
  }

  /// Variance gain² / fan, normally distributed (He et al. 2015).
  public static func kaimingNormal(
    _ shape: Shape, mode: Fan = .fanIn, nonlinearity: Nonlinearity = .relu, dtype: DType = .float32,
    generator: Generator = .default
  ) -> Tensor {
    guard let std = kaimingDeviation(shape, mode, nonlinearity, "Init.kaimingNormal") else { return .invalid }
    return normal(shape, std: std, dtype: dtype, generator: generator)
  }

  /// Variance gain² · 2 / (fan-in + fan-out), evenly distributed (Glorot and Bengio 2010).
  public static func xavierUniform(
    _ shape: Shape, gain: Double = 1, dtype: DType = .float32, generator: Generator = .default
  ) -> Tensor {
    guard let std = xavierDeviation(shape, gain, "Init.xavierUniform") else { return .invalid }
    let bound = 3.0.squareRoot() * std
    return uniform(shape, low: -bound, high: bound, dtype: dtype, generator: generator)
  }

  /// Variance gain² · 2 / (fan-in + fan-out), normally distributed (Glorot and Bengio 2010).
  public static func xavierNormal(
    _ shape: Shape, gain: Double = 1, dtype: DType = .float32, generator: Generator = .default
  ) -> Tensor {
    guard let std = xavierDeviation(shape, gain, "Init.xavierNormal") else { return .invalid }
    return normal(shape, std: std, dtype: dtype, generator: generator)
  }

  /// Number of connections into one output and out of one input of a weight `[out, in, …]`; axes after the second are a window that slides.
  ///
  /// Nil, after a reported mistake, for fewer than two axes.
  public static func fans(of shape: Shape) -> (fanIn: Int, fanOut: Int)? { fans(shape, "Init.fans") }

  private static func fans(_ shape: Shape, _ operation: String) -> (fanIn: Int, fanOut: Int)? {
    guard check(shape.rank >= 2, .shape, operation, "\(shape) has no fan-in and fan-out; they need two axes, [out, in, …]") else {
      return nil
    }
    let window = shape.dropFirst(2).reduce(1, *)
    return (shape[1] * window, shape[0] * window)
  }

  private static func kaimingDeviation(_ shape: Shape, _ mode: Fan, _ nonlinearity: Nonlinearity, _ operation: String) -> Double?
  {
    guard let fans = fans(shape, operation) else { return nil }
    let fan = mode == .fanIn ? fans.fanIn : fans.fanOut
    return fan > 0 ? nonlinearity.gain / Double(fan).squareRoot() : 0
  }

  private static func xavierDeviation(_ shape: Shape, _ gain: Double, _ operation: String) -> Double? {
    guard let fans = fans(shape, operation) else { return nil }
    let sum = fans.fanIn + fans.fanOut
    return sum > 0 ? gain * (2 / Double(sum)).squareRoot() : 0
  }
}
