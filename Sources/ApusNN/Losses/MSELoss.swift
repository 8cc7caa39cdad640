import ApusCore

/// Squared differences: (x − target)².
///
/// - Parameters:
///   - x: any shape.
///   - target: the same shape. PyTorch warns and broadcasts; since a `[n, 1]` against an `[n]` has ruined many a regression, this is an
///     error here.
///   - weight: of each element, in the same shape.
///   - reduction: what becomes of the squares. A weighted mean is divided by the sum of the weights.
/// - Returns: the mean or sum of all elements, without axes, or the shape of `x` for `.none`.
public func mseLoss(_ x: Tensor, _ target: Tensor, weight: Tensor? = nil, reduction: Reduction = .mean) -> Tensor {
  let x = widened(x)
  guard x.isValid, target.isValid else { return .invalid }
  guard check(x.shape == target.shape, .shape, "mseLoss", "\(x.shape) and target \(target.shape) differ"),
    weight.map({ areAlike(x, $0, "mseLoss", role: "weight") }) ?? true
  else { return .invalid }
  guard weight == nil, reduction != .none else {
    return (x - target).square().weighted(weight).reduced(reduction, weights: weight?.sum())
  }
  // One op, which keeps no differences.
  let factor = reduction == .mean ? 2 / Double(x.count) : 2
  return recorded(
    (x.detach() - target.detach()).square().reduced(reduction).data, .named("mseLoss"),
    .fromInputs { dy, inputs in
      let dx = (inputs[0] - inputs[1]) * (factor * dy)
      return [dx, inputs.needs(1) ? -dx : nil]
    }, x, target)
}

/// `mseLoss` as a module.
public final class MSELoss: Module {
  public let reduction: Reduction

  public init(reduction: Reduction = .mean) { self.reduction = reduction }

  public func callAsFunction(_ x: Tensor, _ target: Tensor, weight: Tensor? = nil) -> Tensor {
    mseLoss(x, target, weight: weight, reduction: reduction)
  }

  public override var arguments: String { "reduction: \(reduction)" }
}
