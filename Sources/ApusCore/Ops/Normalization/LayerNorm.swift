// Layer and RMS normalization: every row of numbers is brought to mean 0 and variance 1, or to mean square 1.

/// Layer normalization (Ba et al. 2016): (x − mean) / √(variance + eps) · weight + bias over the last axes.
///
/// - Parameters:
///   - x: `[…, d₁, …, dₖ]`, floating-point; half types are computed in float32.
///   - normalizedShape: `[d₁, …, dₖ]`, at least one axis. Mean and (biased) variance are taken over these together.
///   - weight: of this shape, in the dtype of `x` (or float32 beside a half type); nil for 1.
///   - bias: likewise; nil for 0.
///   - eps: keeps rows of equal numbers finite.
/// - Returns: shape and dtype of `x`, row-major. Statistics are exact whatever the mean: a row around 10⁴ is normalized like one around 0.
/// - Complexity: one pass over memory, two for the gradient, which keeps `x` and two numbers per row.
public func layerNorm(
  _ x: Tensor, normalizedShape: [Int], weight: Tensor? = nil, bias: Tensor? = nil, eps: Double = 1e-5
) -> Tensor {
  RowNormalization(name: "layerNorm", shape: Shape(normalizedShape), eps: eps, isCentered: true)
    .apply(x, Affine(weight: weight, bias: bias))
}

/// Root mean square normalization (Zhang and Sennrich 2019): x / √(mean x² + eps) · weight over the last axes.
///
/// - Parameters:
///   - x: `[…, d₁, …, dₖ]`, floating-point; half types are computed in float32.
///   - normalizedShape: `[d₁, …, dₖ]`, at least one axis.
///   - weight: of this shape, in the dtype of `x` (or float32 beside a half type); nil for 1.
///   - eps: nil for the spacing of numbers around 1 in the dtype that is computed in (`DType.epsilon`).
/// - Returns: shape and dtype of `x`, row-major.
/// - Complexity: as `layerNorm`.
public func rmsNorm(_ x: Tensor, normalizedShape: [Int], weight: Tensor? = nil, eps: Double? = nil) -> Tensor {
  let eps = eps ?? x.dtype.normalizationType.epsilon ?? 0
  return RowNormalization(name: "rmsNorm", shape: Shape(normalizedShape), eps: eps, isCentered: false)
    .apply(x, Affine(weight: weight, bias: nil))
}

/// The readable twin of `layerNorm`, of ordinary ops.
package func layerNormTwin(
  _ x: Tensor, normalizedShape: [Int], weight: Tensor? = nil, bias: Tensor? = nil, eps: Double = 1e-5
) -> Tensor {
  let z = Standardized(x, dims: Array(-normalizedShape.count..<0), eps: eps).values
  return Affine(weight: weight, bias: bias).apply(z, shape: Shape(normalizedShape))
}

/// The readable twin of `rmsNorm`, of ordinary ops.
package func rmsNormTwin(_ x: Tensor, normalizedShape: [Int], weight: Tensor? = nil, eps: Double? = nil) -> Tensor {
  let dims = Array(-normalizedShape.count..<0)
  let z = Standardized(x, dims: dims, eps: eps ?? x.dtype.epsilon!, isCentered: false).values
  return Affine(weight: weight, bias: nil).apply(z, shape: Shape(normalizedShape))
}

/// The fused op behind both.
private struct RowNormalization {
  let name: StaticString
  let shape: Shape  // of a row
  let eps: Double
  let isCentered: Bool

  func apply(_ x: Tensor, _ affine: Affine) -> Tensor {
    guard affine.fits(x, shape: shape, "\(name)"),
      check(shape.rank > 0, .shape, "\(name)", "normalizedShape has no axis"),
      check(
        x.rank >= shape.rank && Array(x.shape.suffix(shape.rank)) == Array(shape), .shape, "\(name)",
        "input \(x.shape) does not end in normalizedShape \(shape)")
    else { return .invalid }
    let dtype = x.dtype.normalizationType
    return record(x.to(dtype), affine.to(dtype)).to(x.dtype)
  }

  private func record(_ x: Tensor, _ affine: Affine) -> Tensor {
    let (backend, present) = (x.device.backend, affine.presence)
    let dense = affine.dense(shape.dims, x.dtype)
    var saved = backend.normalizeRows(x.data, weight: dense.weight, bias: dense.bias, eps: eps, isCentered: isCentered)
    let y = saved.output
    saved.output = .invalid  // not kept for the gradient
    return recorded(
      y, .named(name),
      .fromInputs { [saved] dy, inputs in
        if isGradEnabled { return differentiableGradient(dy, inputs, present) }
        let gradient = backend.normalizeRowsGradient(
          dy.data, inputs[0].data, saved, weight: present.denseWeight(inputs, shape.dims), eps: eps, isCentered: isCentered)
        return present.gradients(Tensor(gradient.input), weight: Tensor(gradient.weight), bias: Tensor(gradient.bias))
      }, [x] + affine.inputs)
  }

  /// For gradients that will be differentiated again.
  private func differentiableGradient(_ dy: Tensor, _ inputs: Inputs, _ present: AffinePresence) -> [Tensor?] {
    let z = Standardized(inputs[0], dims: Array(-shape.rank..<0), eps: eps, isCentered: isCentered)
    let g = present.weight(inputs).map { dy * $0 } ?? dy
    return present.gradients(z.gradient(g), weight: dy * z.values, bias: dy)
  }
}
