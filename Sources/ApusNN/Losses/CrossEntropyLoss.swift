import ApusCore

/// Cross-entropy between the softmax of `logits` and what they should say; with p the logarithm of the softmax:
///
/// - class indices t: (1 − ε) · −w[t] p[t] + ε/C · Σ −w[c] p[c];
/// - probabilities q of all classes: Σ −w[c] p[c] · ((1 − ε) q[c] + ε/C).
///
/// - Parameters:
///   - logits: `[C]`, `[N, C]` or `[N, C, d₁, …]`, any numbers.
///   - target: class indices in `0 ..< C`, integers without the class axis: `[]`, `[N]` or `[N, d₁, …]`. Or probabilities in the shape of
///     the logits; integers in that shape are taken for one-hot rows.
///   - weight: w, of each class, `[C]`.
///   - ignoreIndex: a label that counts for nothing; negative with probabilities, which have no labels.
///   - labelSmoothing: ε in 0 … 1, the share that is spread over all classes.
/// - Returns: the sum, or the mean: for class indices divided by the sum of the labels' weights (NaN if all are ignored), for
///   probabilities by the number of samples, as in PyTorch. Without axes; for `.none` one loss for each sample.
public func crossEntropy(
  _ logits: Tensor, _ target: Tensor, weight: Tensor? = nil, ignoreIndex: Int = -100, labelSmoothing: Double = 0,
  reduction: Reduction = .mean
) -> Tensor {
  let (logits, weight) = (widened(logits), weight.map { widened($0) })
  let name = "crossEntropy"
  guard logits.isValid, target.isValid else { return .invalid }
  guard check(logits.dtype.isFloatingPoint, .dtype, name, "logits are floating-point, not \(logits.dtype)"),
    check(logits.rank > 0, .shape, name, "logits without axes have no classes"),
    check((0...1).contains(labelSmoothing), .value, name, "labelSmoothing = \(labelSmoothing) is not in 0...1")
  else { return .invalid }
  let classDim = logits.rank == 1 ? 0 : 1
  let classes = logits.shape[classDim]
  guard areClassWeights(weight, classes: classes, logits.dtype, name) else { return .invalid }
  let loss = CrossEntropy(classDim: classDim, classes: classes, weight: weight, smoothing: labelSmoothing, reduction: reduction)
  if target.rank == logits.rank {
    guard check(target.shape == logits.shape, .shape, name, "probabilities \(target.shape) for logits \(logits.shape)"),
      check(ignoreIndex < 0, .value, name, "ignoreIndex = \(ignoreIndex) has no meaning for probabilities")
    else { return .invalid }
    return loss.ofProbabilities(logits, target.to(logits.dtype))
  }
  guard areLabels(target.shape, for: logits.shape, classDim: classDim, name),
    let labels = ClassLabels(target, classes: classes, ignoreIndex: ignoreIndex, name)
  else { return .invalid }
  return loss.ofLabels(logits, labels)
}

/// The two formulas, with checked arguments.
private struct CrossEntropy {
  let classDim: Int
  let classes: Int
  let weight: Tensor?
  let smoothing: Double
  let reduction: Reduction

  // What the right class keeps and what each gets. Doubles by declaration: in an expression with tensors the literal 1 may be taken for
  // a tensor, and a difference of float32 tensors is too coarse for float64 logits.
  private var share: Double { 1 - smoothing }
  private var spread: Double { smoothing / Double(classes) }

  func ofLabels(_ logits: Tensor, _ labels: ClassLabels) -> Tensor {
    let total = labels.total(weight, logits.dtype)
    guard smoothing > 0, weight != nil else {
      let losses = labels.kept(logits.crossEntropy(labels: labels.index, dim: classDim, smoothing: smoothing))
      return losses.weighted(weight.map { labels.weights($0) }).reduced(reduction, weights: total)
    }
    // Weights of classes and a share of every class: each class counts by itself, so all logarithms are needed.
    let p = logits.logSoftmax(dim: classDim)
    let losses = share * labels.negativeLogLikelihood(p, classDim, weight) + spread * labels.kept(-weighted(p).sum(dim: classDim))
    return losses.reduced(reduction, weights: total)
  }

  func ofProbabilities(_ logits: Tensor, _ q: Tensor) -> Tensor {
    let p = weighted(logits.logSoftmax(dim: classDim))
    let smooth = smoothing > 0 ? share * q + spread : q
    return (-(p * smooth).sum(dim: classDim)).reduced(reduction)
  }

  /// `p`, each class times its weight.
  private func weighted(_ p: Tensor) -> Tensor {
    guard let weight else { return p }
    let trailing = [Int](repeating: 1, count: p.rank - classDim - 1)
    return p * weight.reshape(Shape([classes] + trailing))
  }
}

/// `crossEntropy` as a module.
public final class CrossEntropyLoss: Module {
  @Buffer public var weight: Tensor?  // [C]
  public let ignoreIndex: Int
  public let labelSmoothing: Double
  public let reduction: Reduction

  public init(weight: Tensor? = nil, ignoreIndex: Int = -100, labelSmoothing: Double = 0, reduction: Reduction = .mean) {
    self.weight = weight
    self.ignoreIndex = ignoreIndex
    self.labelSmoothing = labelSmoothing
    self.reduction = reduction
  }

  public func callAsFunction(_ logits: Tensor, _ target: Tensor) -> Tensor {
    crossEntropy(
      logits, target, weight: weight, ignoreIndex: ignoreIndex, labelSmoothing: labelSmoothing, reduction: reduction)
  }

  public override var arguments: String {
    "ignoreIndex: \(ignoreIndex), labelSmoothing: \(labelSmoothing), reduction: \(reduction)"
  }
}
