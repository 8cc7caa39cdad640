import ApusCore
import ApusNN

extension OpTable {
  private static let reduction = ", size_average: bool? = None, reduce: bool? = None, reduction: str = 'mean'"

  /// What becomes of the losses, by its name.
  private static func named(_ a: Arguments, _ i: Int) -> Reduction {
    a.choice(i, ["mean": Reduction.mean, "sum": .sum, "none": .none])
  }

  /// The same by the argument `i`, or by PyTorch's two of old where they are given: `size_average` and `reduce`.
  private static func how(_ a: Arguments, average: Int, reduce: Int, _ i: Int) -> Reduction {
    if a.isNone(average), a.isNone(reduce) { return named(a, i) }
    if !a.isNone(reduce), !a.bool(reduce) { return .none }
    return a.isNone(average) || a.bool(average) ? .mean : .sum
  }

  /// The three beside each other, from `i` on.
  private static func how(_ a: Arguments, _ i: Int) -> Reduction { how(a, average: i, reduce: i + 1, i + 2) }

  static let losses: [Op] = [
    Op(
      "cross_entropy",
      "input: Tensor, target: Tensor, weight: Tensor? = None, size_average: bool? = None, ignore_index: int = -100, reduce: bool? = None, reduction: str = 'mean', label_smoothing: float = 0.0",
      .functional, "Between logits [N, C, ...] and class numbers [N, ...] or class probabilities [N, C, ...]."
    ) { a in
      crossEntropy(
        a.input, a.tensor(1), weight: a.optionalTensor(2), ignoreIndex: a.int(4), labelSmoothing: a.double(7),
        reduction: how(a, average: 3, reduce: 5, 6))
    },
    Op(
      "nll_loss",
      "input: Tensor, target: Tensor, weight: Tensor? = None, size_average: bool? = None, ignore_index: int = -100, reduce: bool? = None, reduction: str = 'mean'",
      .functional, "The negative log-probabilities [N, C, ...] of class numbers [N, ...]."
    ) { a in
      nllLoss(
        a.input, a.tensor(1), weight: a.optionalTensor(2), ignoreIndex: a.int(4),
        reduction: how(a, average: 3, reduce: 5, 6))
    },
    Op(
      "binary_cross_entropy", "input: Tensor, target: Tensor, weight: Tensor? = None" + reduction, .functional,
      "Between probabilities and targets in [0, 1]."
    ) { a in
      binaryCrossEntropy(a.input, a.tensor(1), weight: a.optionalTensor(2), reduction: how(a, 3))
    },
    Op(
      "binary_cross_entropy_with_logits",
      "input: Tensor, target: Tensor, weight: Tensor? = None" + reduction + ", pos_weight: Tensor? = None", .functional,
      "binary_cross_entropy of sigmoid(input), without loss of digits."
    ) { a in
      binaryCrossEntropyWithLogits(
        a.input, a.tensor(1), weight: a.optionalTensor(2), posWeight: a.optionalTensor(6), reduction: how(a, 3))
    },
    Op(
      "mse_loss", "input: Tensor, target: Tensor" + reduction + ", weight: Tensor? = None", .functional,
      "The squared differences."
    ) { a in
      mseLoss(a.input, a.tensor(1), weight: a.optionalTensor(5), reduction: how(a, 2))
    },
    Op(
      "l1_loss", "input: Tensor, target: Tensor" + reduction + ", weight: Tensor? = None", .functional,
      "The absolute differences."
    ) { a in
      l1Loss(a.input, a.tensor(1), weight: a.optionalTensor(5), reduction: how(a, 2))
    },
    Op(
      "huber_loss", "input: Tensor, target: Tensor, reduction: str = 'mean', delta: float = 1.0, weight: Tensor? = None",
      .functional, "Half the squared difference up to delta, a straight line beyond."
    ) {
      a in
      huberLoss(
        a.input, a.tensor(1), delta: a.double(3), weight: a.optionalTensor(4),
        reduction: named(a, 2))
    },
    Op(
      "smooth_l1_loss", "input: Tensor, target: Tensor" + reduction + ", beta: float = 1.0", .functional,
      "huber_loss divided by beta."
    ) { a in
      smoothL1Loss(a.input, a.tensor(1), beta: a.double(5), reduction: how(a, 2))
    },
    Op(
      "soft_margin_loss", "input: Tensor, target: Tensor" + reduction, .functional,
      "log(1 + exp(-target * input)), target 1 or -1."
    ) { a in
      softMarginLoss(a.input, a.tensor(1), reduction: how(a, 2))
    },
    Op(
      "hinge_embedding_loss", "input: Tensor, target: Tensor, margin: float = 1.0" + reduction, .functional,
      "input where target is 1, max(0, margin - input) where it is -1."
    ) {
      a in hingeEmbeddingLoss(a.input, a.tensor(1), margin: a.double(2), reduction: how(a, 3))
    },
    Op(
      "margin_ranking_loss", "input1: Tensor, input2: Tensor, target: Tensor, margin: float = 0" + reduction, .functional,
      "max(0, -target * (input1 - input2) + margin)."
    ) { a in
      marginRankingLoss(a.tensor(0), a.tensor(1), a.tensor(2), margin: a.double(3), reduction: how(a, 4))
    },
    Op(
      "cosine_embedding_loss", "input1: Tensor, input2: Tensor, target: Tensor, margin: float = 0" + reduction, .functional,
      "1 - cos where target is 1, max(0, cos - margin) where it is -1."
    ) {
      a in cosineEmbeddingLoss(a.tensor(0), a.tensor(1), a.tensor(2), margin: a.double(3), reduction: how(a, 4))
    },
    Op(
      "triplet_margin_loss",
      "anchor: Tensor, positive: Tensor, negative: Tensor, margin: float = 1.0, p: float = 2, eps: float = 1e-06, swap: bool = False"
        + reduction,
      .functional, "max(0, d(anchor, positive) - d(anchor, negative) + margin)."
    ) { a in
      tripletMarginLoss(
        a.tensor(0), a.tensor(1), a.tensor(2), margin: a.double(3), p: a.double(4), eps: a.double(5), swap: a.bool(6),
        reduction: how(a, 7))
    },
    Op(
      "multi_margin_loss", "input: Tensor, target: Tensor, p: int = 1, margin: float = 1.0, weight: Tensor? = None" + reduction,
      .functional, "The hinge loss of several classes."
    ) { a in
      multiMarginLoss(a.input, a.tensor(1), p: a.int(2), margin: a.double(3), weight: a.optionalTensor(4), reduction: how(a, 5))
    },
    Op(
      "multilabel_margin_loss", "input: Tensor, target: Tensor" + reduction, .functional,
      "The hinge loss of several labels for each sample."
    ) { a in
      multilabelMarginLoss(a.input, a.tensor(1), reduction: how(a, 2))
    },
    Op(
      "multilabel_soft_margin_loss", "input: Tensor, target: Tensor, weight: Tensor? = None" + reduction, .functional,
      "The mean binary cross-entropy of several labels."
    ) { a in
      multilabelSoftMarginLoss(a.input, a.tensor(1), weight: a.optionalTensor(2), reduction: how(a, 3))
    },
    Op(
      "kl_div", "input: Tensor, target: Tensor" + reduction + ", log_target: bool = False", .functional,
      "target * (log(target) - input), where input are log-probabilities."
    ) { a in
      klDiv(
        a.input, a.tensor(1), logTarget: a.bool(5),
        reduction: a.choice(4, ["mean": KLDivReduction.mean, "batchmean": .batchMean, "sum": .sum, "none": .none]))
    },
    Op(
      "gaussian_nll_loss",
      "input: Tensor, target: Tensor, var: operand, full: bool = False, eps: float = 1e-06, reduction: str = 'mean'", .functional,
      "The negative log-likelihood of normal distributions."
    ) {
      a in
      let variance = a.isTensor(2) ? a.tensor(2) : Tensor.fullLike(a.input, a.double(2))
      return gaussianNLLLoss(
        a.input, a.tensor(1), variance, full: a.bool(3), eps: a.double(4),
        reduction: named(a, 5))
    },
    Op(
      "poisson_nll_loss",
      "input: Tensor, target: Tensor, log_input: bool = True, full: bool = False, size_average: bool? = None, eps: float = 1e-08, reduce: bool? = None, reduction: str = 'mean'",
      .functional, "The negative log-likelihood of Poisson distributions."
    ) { a in
      poissonNLLLoss(
        a.input, a.tensor(1), logInput: a.bool(2), full: a.bool(3), eps: a.double(5),
        reduction: how(a, average: 4, reduce: 6, 7))
    },
    Op(
      "ctc_loss",
      "log_probs: Tensor, targets: Tensor, input_lengths: any, target_lengths: any, blank: int = 0, reduction: str = 'mean', zero_infinity: bool = False",
      .functional, "Connectionist temporal classification of log-probabilities [T, N, C]."
    ) { a in
      ctcLoss(
        a.input, a.tensor(1), inputLengths: a.lengths(2), targetLengths: a.lengths(3), blank: a.int(4),
        reduction: named(a, 5), zeroInfinity: a.bool(6))
    },
    Op(
      "sigmoid_focal_loss", "input: Tensor, target: Tensor, alpha: float = 0.25, gamma: float = 2, reduction: str = 'none'",
      .functional, "Binary cross-entropy that pays less attention to what is easy."
    ) {
      a in
      sigmoidFocalLoss(
        a.input, a.tensor(1), alpha: a.double(2), gamma: a.double(3),
        reduction: named(a, 4))
    },
  ]
}

extension Arguments {
  /// Lengths, from numbers or a tensor.
  fileprivate func lengths(_ i: Int) -> [Int] {
    isTensor(i) ? tensor(i).flatten().scalars(as: Int.self) : ints(i)
  }
}
