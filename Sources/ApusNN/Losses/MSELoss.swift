import ApusCore

/// Squared differences: (x − target)².
///
/// - Parameters:
///   - x: any shape.
///   - target: the same shape. PyTorch warns and broadcasts; since a `[n, 1]` against an `[n]` has ruined many a regression, this is an
///     error here.
/// - Returns: the mean or sum of all elements, without axes, or the shape of `x` for `.none`.
public func mseLoss(_ x: Tensor, _ target: Tensor, reduction: Reduction = .mean) -> Tensor {
  guard x.isValid, target.isValid else { return .invalid }
  guard check(x.shape == target.shape, .shape, "mseLoss", "\(x.shape) and target \(target.shape) differ") else { return .invalid }
  return (x - target).square().reduced(reduction)
}

/// `mseLoss` as a module.
public final class MSELoss: Module {
  public let reduction: Reduction

  public init(reduction: Reduction = .mean) { self.reduction = reduction }

  public func callAsFunction(_ x: Tensor, _ target: Tensor) -> Tensor { mseLoss(x, target, reduction: reduction) }

  public override var arguments: String { "reduction: \(reduction)" }
}
