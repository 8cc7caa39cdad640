extension Tensor {
  /// The p-norm (Σ |x|ᵖ)^(1/p) of all elements together, or over `dims`. Floating point only.
  ///
  /// - Parameter p: any number. 2 is also the Frobenius norm of a matrix; ∞ is max |x|, −∞ is min |x|, 0 the number of elements other
  ///   than 0.
  /// - Returns: the dtype of `self`; half types are summed in float32. The norm of nothing is 0, for a negative or infinite p an error.
  ///
  /// Where the norm has a corner the gradient is a subgradient: 0 at 0, shared by equal extremes for p = ±∞.
  public func norm(_ p: Double = 2, dims: [Int]? = nil, keepDim: Bool = false) -> Tensor {
    guard isFloating(for: "norm"), let axes = axes(dims, for: "norm").map(Array.init) else { return .invalid }
    let isEmpty = axes.contains { data.shape[$0] == 0 }
    guard check(!isEmpty || (p >= 0 && p.isFinite), .shape, "norm", "the \(p)-norm of no elements, in \(shape) along \(axes)")
    else { return .invalid }
    let x = dtype.itemSize == 2 ? to(.float32) : self
    return x.powerMean(p, axes, keepDim).to(autocastType == nil ? dtype : x.dtype)
  }

  /// The p-norm along one axis.
  public func norm(_ p: Double = 2, dim: Int, keepDim: Bool = false) -> Tensor { norm(p, dims: [dim], keepDim: keepDim) }

  private func powerMean(_ p: Double, _ axes: [Int], _ keepDim: Bool) -> Tensor {
    switch p {
    case .infinity: return abs().amax(dims: axes, keepDim: keepDim)
    case -.infinity: return abs().amin(dims: axes, keepDim: keepDim)
    // `sign` keeps its place in the graph, with a gradient of 0.
    case 0: return `where`(detach() .== 0, sign(), 1).sum(dims: axes, keepDim: keepDim)
    case 1: return abs().sum(dims: axes, keepDim: keepDim)
    case 2: return square().sum(dims: axes, keepDim: keepDim).powerAwayFromZero(0.5, atZero: 0)
    default:
      // A negative power of 0 is infinite; the norm is then 0.
      let powers = abs().powerAwayFromZero(p, atZero: p < 0 ? .infinity : 0)
      return powers.sum(dims: axes, keepDim: keepDim).powerAwayFromZero(1 / p, atZero: p < 0 ? .infinity : 0)
    }
  }

  /// xᵖ for x > 0; at 0 a constant, so that its gradient is 0 rather than infinite. The inner `where` keeps 0 out of the power: a
  /// gradient of 0 · ∞ would be NaN.
  private func powerAwayFromZero(_ p: Double, atZero value: Double) -> Tensor {
    let isZero = detach() .== 0
    return `where`(isZero, value.asWeakTensor, `where`(isZero, 1, self).pow(p))
  }
}
