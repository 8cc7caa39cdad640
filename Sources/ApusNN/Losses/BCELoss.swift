import ApusCore

/// Cross-entropy of yes and no: −w · (t · ln x + (1 − t) · ln(1 − x)), with logarithms of at least −100.
///
/// Where `x` is 0 or 1 and `target` is not, the loss is 100 and the gradient large but finite: as in PyTorch its denominator
/// x (1 − x) is at least 1e-12. `binaryCrossEntropyWithLogits` does without such bounds; prefer it.
///
/// - Parameters:
///   - x: probabilities in 0 … 1, any shape.
///   - target: t, what they should be, in 0 … 1 and of the same shape.
///   - weight: w, broadcast to that shape.
///   - reduction: what becomes of the losses. A mean is divided by the number of elements, whatever their weights.
/// - Returns: the mean or sum of all elements, without axes, or the shape of `x` for `.none`.
public func binaryCrossEntropy(_ x: Tensor, _ target: Tensor, weight: Tensor? = nil, reduction: Reduction = .mean) -> Tensor {
  let x = widened(x)
  let name = "binaryCrossEntropy"
  guard areAlike(x, target, name), fits(weight, x.shape, name), areProbabilities(x, name) else { return .invalid }
  return binaryEntropies(x, target.to(x.dtype)).weighted(weight).reduced(reduction)
}

private func areProbabilities(_ x: Tensor, _ operation: String) -> Bool {
  let p = x.detach()
  let isProbability = ((p .>= 0) .& (p .<= 1)).all().item(as: Bool.self)
  return check(isProbability, .value, operation, "the input has elements outside of 0...1; are they logits?")
}

/// −(t · ln x + (1 − t) · ln(1 − x)), element by element, with bounds on the logarithms and with a rule of its own: the derivative of a
/// bounded logarithm is 0 just where it is needed most.
private func binaryEntropies(_ x: Tensor, _ t: Tensor) -> Tensor {
  let y = noGrad { -(t * x.boundedLog + (1 - t) * (1 - x).boundedLog) }
  return recorded(
    y.data, .named("binaryCrossEntropy"),
    .fromInputs { dy, inputs in
      let (x, t) = (inputs[0], inputs[1])
      return inputs.needed(
        dy * (x - t) / (x * (1 - x)).clamp(min: 1e-12), dy * ((1 - x).boundedLog - x.boundedLog))
    }, x, t)
}

extension Tensor {
  /// ln x, but at least −100.
  fileprivate var boundedLog: Tensor { log().clamp(min: -100) }
}

/// `binaryCrossEntropy` as a module.
public final class BCELoss: Module {
  @Buffer public var weight: Tensor?
  public let reduction: Reduction

  public init(weight: Tensor? = nil, reduction: Reduction = .mean) {
    self.weight = weight
    self.reduction = reduction
  }

  public func callAsFunction(_ x: Tensor, _ target: Tensor) -> Tensor {
    binaryCrossEntropy(x, target, weight: weight, reduction: reduction)
  }

  public override var arguments: String { "reduction: \(reduction)" }
}
