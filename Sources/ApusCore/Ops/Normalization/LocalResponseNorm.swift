/// Local response normalization (Krizhevsky et al. 2012): x / (k + alpha · a)^beta, where a is the average of x² over `size` neighbouring
/// channels, zeros beyond the first and the last.
///
/// A composite: it went out of use with the networks that it was made for.
///
/// - Parameters:
///   - x: `[N, C, …]` with at least three axes, floating-point.
///   - size: the number of channels in a window; of an even one more lie before the channel than after it.
///   - alpha: the factor of the average.
///   - beta: the exponent.
///   - k: what is added; keep it above 0 where x may be 0.
/// - Returns: shape and dtype of `x`.
/// - Complexity: O(size) passes over memory.
public func localResponseNorm(
  _ x: Tensor, size: Int, alpha: Double = 1e-4, beta: Double = 0.75, k: Double = 1
) -> Tensor {
  let name = "localResponseNorm"
  guard x.isFloating(for: name),
    check(x.rank >= 3, .shape, name, "input \(x.shape) has fewer than three axes, [N, C, …]"),
    check(size > 0, .value, name, "a window of \(size) channels")
  else { return .invalid }
  guard x.count > 0 else { return x }
  let (channels, before) = (x.shape[1], size / 2)
  let border = { (count: Int) in
    Tensor.zeros(Shape([x.shape[0], count] + x.shape.dropFirst(2)), dtype: x.dtype)
  }
  let squares = cat([border(before), x.square(), border(size - 1 - before)], dim: 1)
  let windows = (0..<size).map { squares.narrow(dim: 1, start: $0, count: channels) }
  let sum = windows.dropFirst().reduce(windows[0], +)
  return x / (sum * (alpha / Double(size)) + k).pow(beta)
}
