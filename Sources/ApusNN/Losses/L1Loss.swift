import ApusCore

/// Absolute differences: |x − target|. The gradient where they are equal is 0.
///
/// - Parameters:
///   - x: any shape.
///   - target: the same shape, as for `mseLoss`.
///   - weight: of each element, in the same shape.
///   - reduction: what becomes of the differences. A weighted mean is divided by the sum of the weights.
/// - Returns: the mean or sum of all elements, without axes, or the shape of `x` for `.none`.
public func l1Loss(_ x: Tensor, _ target: Tensor, weight: Tensor? = nil, reduction: Reduction = .mean) -> Tensor {
  let x = widened(x)
  guard areAlike(x, target, "l1Loss"), weight.map({ areAlike(x, $0, "l1Loss", role: "weight") }) ?? true else { return .invalid }
  return (x - target).abs().weighted(weight).reduced(reduction, weights: weight?.sum())
}

/// `l1Loss` as a module.
public final class L1Loss: Module {
  public let reduction: Reduction

  public init(reduction: Reduction = .mean) { self.reduction = reduction }

  public func callAsFunction(_ x: Tensor, _ target: Tensor, weight: Tensor? = nil) -> Tensor {
    l1Loss(x, target, weight: weight, reduction: reduction)
  }

  public override var arguments: String { "reduction: \(reduction)" }
}
