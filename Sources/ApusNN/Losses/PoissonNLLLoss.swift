import ApusCore

/// Negative log likelihood of counts t under Poisson distributions: λ − t · ln λ + ln t!.
///
/// - Parameters:
///   - x: ln λ, or λ itself without `logInput`; any shape.
///   - target: t, in the same shape.
///   - logInput: whether `x` is the logarithm of the rates.
///   - full: whether to add ln t!, by Stirling's formula t ln t − t + ln(2πt) / 2 for t > 1, and 0 otherwise. It does not depend on `x`.
///   - eps: added to λ under the logarithm, where `x` is λ.
///   - reduction: what becomes of the losses.
/// - Returns: the mean or sum of all elements, without axes, or the shape of `x` for `.none`.
public func poissonNLLLoss(
  _ x: Tensor, _ target: Tensor, logInput: Bool = true, full: Bool = false, eps: Double = 1e-8, reduction: Reduction = .mean
) -> Tensor {
  let x = widened(x)
  guard areAlike(x, target, "poissonNLLLoss") else { return .invalid }
  let t = target.to(x.dtype)
  let losses = logInput ? x.exp() - t * x : x - t * (x + eps).log()
  return (full ? losses + t.stirling : losses).reduced(reduction)
}

extension Tensor {
  /// Stirling's approximation of ln x! for x > 1, 0 otherwise. (1 stands in for what is not chosen: a gradient of 0 · ∞ would be NaN.)
  fileprivate var stirling: Tensor {
    let isLarge = detach() .> 1
    let x = `where`(isLarge, self, 1)
    return `where`(isLarge, x * x.log() - x + 0.5 * (2 * Double.pi * x).log(), 0)
  }
}

/// `poissonNLLLoss` as a module.
public final class PoissonNLLLoss: Module {
  public let logInput: Bool
  public let full: Bool
  public let eps: Double
  public let reduction: Reduction

  public init(logInput: Bool = true, full: Bool = false, eps: Double = 1e-8, reduction: Reduction = .mean) {
    self.logInput = logInput
    self.full = full
    self.eps = eps
    self.reduction = reduction
  }

  public func callAsFunction(_ x: Tensor, _ target: Tensor) -> Tensor {
    poissonNLLLoss(x, target, logInput: logInput, full: full, eps: eps, reduction: reduction)
  }

  public override var arguments: String { "logInput: \(logInput), full: \(full), eps: \(eps), reduction: \(reduction)" }
}
