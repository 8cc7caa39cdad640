import ApusCore

extension Init {
  /// Normally distributed, as if numbers outside of `low ... high` were drawn again.
  ///
  /// A number u between Φ(low) and Φ(high) becomes Φ⁻¹(u), where Φ is the distribution function; in float64, whatever the dtype.
  ///
  /// - Parameters:
  ///   - shape: of the result.
  ///   - mean: of the distribution before it is cut off.
  ///   - std: its standard deviation, greater than 0.
  ///   - low: the least number, not in units of `std`.
  ///   - high: the greatest number.
  ///   - dtype: of the result.
  ///   - generator: what they are drawn from.
  public static func truncNormal(
    _ shape: Shape, mean: Double = 0, std: Double = 1, low: Double = -2, high: Double = 2, dtype: DType = .float32,
    generator: Generator = .default
  ) -> Tensor {
    guard check(std > 0, .value, "Init.truncNormal", "std = \(std) is not greater than 0"),
      check(low < high, .value, "Init.truncNormal", "no numbers from \(low) to \(high)"),
      check(dtype.isFloatingPoint, .dtype, "Init.truncNormal", "\(dtype) is not floating-point")
    else { return .invalid }
    let root2: Double = 2.0.squareRoot()
    // erf is 2 Φ − 1 of numbers in units of √2 std.
    let bounds = ((Tensor(scalars: [low, high], dtype: .float64) - mean) / (std * root2)).erf()
    let (start, end) = (bounds[0], bounds[1])
    let u = start + Tensor.rand(shape, dtype: .float64, generator: generator) * (end - start)
    return (mean + u.erfinv() * (std * root2)).clamp(min: low, max: high).to(dtype)
  }
}
