#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

// The gamma function's logarithm and the derivatives of that, each of which has the next as its gradient.

extension Tensor {
  /// ln |Γ(x)|; +∞ at 0 and the negative integers. Integers become float32.
  public func lgamma() -> Tensor {
    computed("lgamma", logGamma, .fromInputs { dy, x in [dy * x[0].digamma()] })
  }

  /// ψ(x) = d/dx ln Γ(x); ∓∞ at ±0, NaN at the negative integers. Integers become float32.
  public func digamma() -> Tensor {
    computed("digamma", psi, .fromInputs { dy, x in [dy * x[0].polygamma(1)] })
  }

  /// The `n`-th derivative of ψ; 0 gives ψ itself. Integers become float32.
  public func polygamma(_ n: Int) -> Tensor {
    guard check(n >= 0, .value, "polygamma", "n = \(n) is negative") else { return .invalid }
    if n == 0 { return digamma() }
    // ψₙ(x) = (−1)ⁿ⁺¹ n! ζ(n + 1, x)
    let factor = (1...n).reduce(n % 2 == 0 ? -1.0 : 1.0) { $0 * Double($1) }
    return computed(
      "polygamma", { factor * zeta(n + 1, $0) }, .fromInputs { dy, x in [dy * x[0].polygamma(n + 1)] })
  }

  /// A function of doubles, element by element.
  private func computed(_ name: StaticString, _ function: (Double) -> Double, _ rule: Rule) -> Tensor {
    guard isValid else { return self }
    let values = scalars(as: Double.self).map(function)
    return recorded(Tensor(scalars: values, shape: shape, dtype: dtype.floatingType).data, .named(name), rule, self)
  }
}

private func logGamma(_ x: Double) -> Double {
  let result: (Double, Int) = lgamma(x)
  return result.0
}

/// ψ by ψ(x) = ψ(x + 1) − 1/x up to where its asymptotic series holds; below 0 by reflection.
private func psi(_ x: Double) -> Double {
  if x == 0 { return x.sign == .minus ? .infinity : -.infinity }
  if x < 0 { return x == x.rounded() ? .nan : psi(1 - x) - .pi / tan(.pi * x.truncatingRemainder(dividingBy: 1)) }
  var (x, sum) = (x, 0.0)
  while x < 10 {
    sum -= 1 / x
    x += 1
  }
  // Bernoulli numbers B₂ₖ / 2k, in powers of z = 1/x².
  let z = 1 / (x * x)
  let coefficients: [Double] = [-1.0 / 12, 691.0 / 32760, -1.0 / 132, 1.0 / 240, -1.0 / 252, 1.0 / 120, -1.0 / 12]
  return sum + log(x) - 0.5 / x + z * coefficients.dropFirst().reduce(coefficients[0]) { $0 * z + $1 }
}

/// Hurwitz's ζ(s, q) = Σ (q + k)⁻ˢ over k ≥ 0, for a whole s ≥ 2: terms up to where Euler and Maclaurin's formula holds.
private func zeta(_ s: Int, _ q: Double) -> Double {
  if q < -20 {
    // The sum over all whole k, which has the period 1, without that over k < 0.
    let fraction = q - q.rounded(.down)
    return zeta(s, fraction) + (s % 2 == 0 ? 1 : -1) * (zeta(s, 1 - fraction) - zeta(s, 1 - q))
  }
  let exponent = Double(s)
  var (q, sum) = (q, 0.0)
  while q < 15 + exponent {
    sum += pow(q, -exponent)
    q += 1
  }
  let power = pow(q, -exponent)
  // B₂ⱼ / (2j)!
  let bernoulli: [Double] = [
    1.0 / 12, -1.0 / 720, 1.0 / 30240, -1.0 / 1_209_600, 1.0 / 47_900_160, -691.0 / 1_307_674_368_000, 1.0 / 74_724_249_600,
    -3617.0 / 10_670_622_842_880_000,
  ]
  sum += power * q / (exponent - 1) + power / 2
  var term = power * exponent / q  // s (s + 1) … (s + 2j − 2) q^(1 − s − 2j)
  for (j, b) in bernoulli.enumerated() {
    sum += b * term
    let next = exponent + Double(2 * j + 1)
    term *= next * (next + 1) / (q * q)
  }
  return sum
}
