/// Compares the gradients of `function` with central differences: the proof that a rule is right.
///
/// - Parameters:
///   - inputs: float64 tensors; those that require a gradient are checked, or all if none does. Keep them away from kinks and ties.
///   - order: 1, or 2 to check the gradient of the gradient as well.
///   - step: distance on either side of an element.
///   - absolute: a difference |a − n| up to absolute + relative · |n| passes.
///   - relative: see `absolute`.
///   - function: tensors in, one tensor of any shape out; the same for the same inputs.
/// - Throws: `GradientMismatch` that names input, element, and both values; `TensorError` where the inputs don't fit.
/// - Complexity: two evaluations for each element of each input; squared for order 2.
public func gradientCheck(
  _ inputs: [Tensor], order: Int = 1, step: Double = 1e-6, absolute: Double = 1e-5, relative: Double = 1e-3,
  _ function: @escaping ([Tensor]) -> Tensor
) throws {
  for (i, x) in inputs.enumerated() where x.requiresGrad && x.dtype != .float64 {
    throw TensorError(.dtype, "gradientCheck", "input \(i) is \(x.dtype); central differences need float64")
  }
  var xs = inputs
  if !xs.contains(where: \.requiresGrad) {
    for i in xs.indices where xs[i].dtype == .float64 { xs[i].requiresGrad = true }
  }
  let checked = xs.indices.filter { xs[$0].requiresGrad }
  guard !checked.isEmpty else { throw TensorError(.dtype, "gradientCheck", "no input is float64") }
  // Leaves of our own, so that nobody's graph or grad is touched.
  for i in xs.indices {
    xs[i] = xs[i].detach().clone()
    if checked.contains(i) { xs[i].requiresGrad = true }
  }
  try firstOrderCheck(xs, checked, step, absolute, relative, order: 1, function)
  guard order >= 2 else { return }
  // The gradient, weighted by fixed numbers, is a function like any other; the weights are inputs too.
  let y = try catching { function(xs) }
  var weights = Tensor.linspace(0.5, 1.5, Swift.max(y.count, 1), dtype: .float64).narrow(dim: 0, start: 0, count: y.count)
    .reshape(y.shape).contiguous()
  weights.requiresGrad = true
  try firstOrderCheck(xs + [weights], checked + [xs.count], step, absolute, relative, order: 2) { inputs in
    let y = function(Array(inputs.dropLast()))
    let wanted = checked.filter { inputs[$0].requiresGrad }
    let gradients = grad(of: y, withRespectTo: wanted.map { inputs[$0] }, gradient: inputs.last!, createGraph: true)
    return cat(gradients.enumerated().map { ($1 * (1 + 0.25 * Double($0))).flatten() })
  }
}

/// A gradient that differs from central differences.
public struct GradientMismatch: Error, CustomStringConvertible {
  public let order: Int
  /// Which input, and which of its elements (row-major).
  public let input: Int
  public let element: Int
  /// By the rule, and by differences.
  public let analytic: Double
  public let numeric: Double

  public var description: String {
    "gradient of order \(order) with respect to input \(input), element \(element): the rule gives \(analytic), differences \(numeric)"
  }
}

private func firstOrderCheck(
  _ xs: [Tensor], _ checked: [Int], _ step: Double, _ absolute: Double, _ relative: Double, order: Int,
  _ function: @escaping ([Tensor]) -> Tensor
) throws {
  try catching {
    let y = function(xs)
    guard y.isValid else { return }
    guard check(y.dtype == .float64, .dtype, "gradientCheck", "the function returns \(y.dtype), not float64") else { return }
    // A fixed weighting of the outputs, so that errors in different outputs don't cancel.
    let weights = Tensor.linspace(1, 2, Swift.max(y.count, 1), dtype: .float64).narrow(dim: 0, start: 0, count: y.count).reshape(
      y.shape)
    let analytic =
      y.requiresGrad
      ? grad(of: y, withRespectTo: checked.map { xs[$0] }, gradient: weights, retainGraph: false)
      : checked.map { Tensor.zerosLike(xs[$0]) }
    let value = { (inputs: [Tensor]) -> Double in
      // Second order differentiates inside, so the graph is on; first order does not need it.
      (function(inputs).detach() * weights).sum().item()
    }
    for (k, i) in checked.enumerated() {
      guard analytic[k].isValid else { return }
      let expected = analytic[k].scalars(as: Double.self)
      let flat = xs[i].detach().flatten()
      for j in 0..<flat.count {
        let difference = [step, -step].map { offset in
          var moved = flat
          moved[j] = moved[j] + offset
          var inputs = xs
          inputs[i] = moved.reshape(xs[i].shape)
          inputs[i].requiresGrad = true
          return value(inputs)
        }
        let numeric = (difference[0] - difference[1]) / (2 * step)
        // Not "difference > bound": NaN must not pass.
        guard Swift.abs(expected[j] - numeric) <= absolute + relative * Swift.abs(numeric) else {
          throw GradientMismatch(order: order, input: i, element: j, analytic: expected[j], numeric: numeric)
        }
      }
    }
  }
}
