import ApusCore
import ApusNN

extension OpTable {
  private static func dropping(
    _ name: String, _ documentation: String, _ body: @escaping @Sendable (Tensor, Double, Bool) -> Tensor
  ) -> Op {
    Op(name, "input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False", .functional, documentation) { a in
      body(a.input, a.double(1), a.bool(2))
    }
  }

  static let layers: [Op] = [
    Op("linear", "input: Tensor, weight: Tensor, bias: Tensor? = None", .functional, "input @ weight.T + bias.") { a in
      linear(a.input, a.tensor(1), a.optionalTensor(2))
    },
    Op(
      "bilinear", "input1: Tensor, input2: Tensor, weight: Tensor, bias: Tensor? = None", .functional,
      "input1 @ weight[k] @ input2 + bias[k] for each output k."
    ) {
      a in bilinear(a.tensor(0), a.tensor(1), a.tensor(2), a.optionalTensor(3))
    },
    Op(
      "embedding",
      "input: Tensor, weight: Tensor, padding_idx: int? = None, max_norm: float? = None, norm_type: float = 2.0, scale_grad_by_freq: bool = False, sparse: bool = False",
      .functional, "The rows of weight that input names."
    ) { a in
      embedding(
        a.input, a.tensor(1), paddingIndex: a.optionalInt(2), maxNorm: a.optionalDouble(3), normType: a.double(4),
        scaleGradByFreq: a.bool(5))
    },
    Op(
      "embedding_bag",
      "input: Tensor, weight: Tensor, offsets: Tensor? = None, max_norm: float? = None, norm_type: float = 2, scale_grad_by_freq: bool = False, mode: str = 'mean', sparse: bool = False, per_sample_weights: Tensor? = None, include_last_offset: bool = False, padding_idx: int? = None",
      .functional, "Sums, means or greatest elements of bags of rows of weight."
    ) { a in
      embeddingBag(
        a.input, a.tensor(1), offsets: a.optionalTensor(2),
        mode: a.choice(6, ["mean": EmbeddingBagMode.mean, "sum": .sum, "max": .max]),
        perSampleWeights: a.optionalTensor(8), includeLastOffset: a.bool(9), paddingIndex: a.optionalInt(10),
        maxNorm: a.optionalDouble(3),
        normType: a.double(4), scaleGradByFreq: a.bool(5))
    },
    Op("one_hot", "tensor: Tensor, num_classes: int = -1", .functional, "A vector with a single 1 for each class number.") { a in
      a.input.oneHot(a.int(1) == -1 ? nil : a.int(1))
    },
    Op(
      "scaled_dot_product_attention",
      "query: Tensor, key: Tensor, value: Tensor, attn_mask: Tensor? = None, dropout_p: float = 0.0, is_causal: bool = False, scale: float? = None, enable_gqa: bool = False",
      .functional, "softmax(query @ key.T * scale + attn_mask) @ value, block by block."
    ) { a in
      scaledDotProductAttention(
        a.tensor(0), a.tensor(1), a.tensor(2), mask: a.optionalTensor(3), dropout: a.double(4), isCausal: a.bool(5),
        scale: a.optionalDouble(6), enableGQA: a.bool(7))
    },
    dropping("dropout", "In training, sets elements to 0 with probability p and scales the others by 1 / (1 - p).") {
      dropout($0, p: $1, isTraining: $2)
    },
    dropping("alpha_dropout", "Dropout that keeps mean and variance of SELU's outputs.") {
      alphaDropout($0, p: $1, isTraining: $2)
    },
    dropping("feature_alpha_dropout", "alpha_dropout of whole channels.") { featureAlphaDropout($0, p: $1, isTraining: $2) },
    dropping("dropout1d", "Dropout of whole channels of [N, C, L] or [C, L].") { dropout1d($0, p: $1, isTraining: $2) },
    dropping("dropout2d", "Dropout of whole channels of [N, C, H, W] or [C, H, W].") { dropout2d($0, p: $1, isTraining: $2) },
    dropping("dropout3d", "Dropout of whole channels of [N, C, D, H, W] or [C, D, H, W].") {
      dropout3d($0, p: $1, isTraining: $2)
    },
    Op(
      "batch_norm",
      "input: Tensor, running_mean: state?, running_var: state?, weight: Tensor? = None, bias: Tensor? = None, training: bool = False, momentum: float = 0.1, eps: float = 1e-05",
      .functional, "Each channel normalized over the batch; in training moves the running statistics, otherwise uses them."
    ) { a in normalized(a, isInstance: false) },
    Op(
      "instance_norm",
      "input: Tensor, running_mean: state? = None, running_var: state? = None, weight: Tensor? = None, bias: Tensor? = None, use_input_stats: bool = True, momentum: float = 0.1, eps: float = 1e-05",
      .functional, "Each channel of each sample normalized."
    ) { a in normalized(a, isInstance: true) },
    Op(
      "group_norm", "input: Tensor, num_groups: int, weight: Tensor? = None, bias: Tensor? = None, eps: float = 1e-05",
      .functional, "Groups of channels of each sample normalized."
    ) {
      a in groupNorm(a.input, numGroups: a.int(1), weight: a.optionalTensor(2), bias: a.optionalTensor(3), eps: a.double(4))
    },
    Op(
      "layer_norm", "input: Tensor, normalized_shape: ints, weight: Tensor? = None, bias: Tensor? = None, eps: float = 1e-05",
      .functional, "Normalized over the last axes, which have the shape normalized_shape."
    ) {
      a in
      layerNorm(a.input, normalizedShape: a.ints(1), weight: a.optionalTensor(2), bias: a.optionalTensor(3), eps: a.double(4))
    },
    Op(
      "rms_norm", "input: Tensor, normalized_shape: ints, weight: Tensor? = None, eps: float? = None", .functional,
      "Divided by the root of the mean square over the last axes."
    ) { a in
      rmsNorm(a.input, normalizedShape: a.ints(1), weight: a.optionalTensor(2), eps: a.optionalDouble(3))
    },
    Op(
      "local_response_norm", "input: Tensor, size: int, alpha: float = 0.0001, beta: float = 0.75, k: float = 1.0", .functional,
      "Each element divided by a power of the squares in neighbouring channels."
    ) {
      a in localResponseNorm(a.input, size: a.int(1), alpha: a.double(2), beta: a.double(3), k: a.double(4))
    },
    Op(
      "normalize", "input: Tensor, p: float = 2.0, dim: int = 1, eps: float = 1e-12", .functional,
      "Vectors along dim divided by their p-norm."
    ) { a in
      normalize(a.input, p: a.double(1), dim: a.int(2), eps: a.double(3))
    },
    Op(
      "cosine_similarity", "x1: Tensor, x2: Tensor, dim: int = 1, eps: float = 1e-08", [.functional, .function],
      "The cosine of the angle between vectors along dim."
    ) {
      a in cosineSimilarity(a.tensor(0), a.tensor(1), dim: a.int(2), eps: a.double(3))
    },
    Op(
      "pairwise_distance", "x1: Tensor, x2: Tensor, p: float = 2.0, eps: float = 1e-06, keepdim: bool = False",
      [.functional, .function], "The p-norms of differences of vectors."
    ) {
      a in pairwiseDistance(a.tensor(0), a.tensor(1), p: a.double(2), eps: a.double(3), keepDim: a.bool(4))
    },
  ]

  /// `batch_norm` and `instance_norm`, which have the same parameters; both move the running statistics where they stand.
  private static func normalized(_ a: Arguments, isInstance: Bool) -> Tensor {
    let (x, weight, bias) = (a.input, a.optionalTensor(3), a.optionalTensor(4))
    let (usesBatch, momentum, eps) = (a.bool(5), a.double(6), a.double(7))
    guard !a.isNone(1), !a.isNone(2) else {
      guard check(usesBatch, .value, a.name, "without running statistics the batch's own are needed") else { return .invalid }
      return isInstance
        ? instanceNorm(x, weight: weight, bias: bias, eps: eps) : batchNorm(x, weight: weight, bias: bias, eps: eps)
    }
    guard usesBatch else { return batchNorm(x, mean: a.tensor(1), variance: a.tensor(2), weight: weight, bias: bias, eps: eps) }
    var (mean, variance) = (a.tensor(1), a.tensor(2))
    let y =
      isInstance
      ? instanceNorm(x, runningMean: &mean, runningVar: &variance, weight: weight, bias: bias, momentum: momentum, eps: eps)
      : batchNorm(x, runningMean: &mean, runningVar: &variance, weight: weight, bias: bias, momentum: momentum, eps: eps)
    if y.isValid, mean.isValid, variance.isValid {
      a.cell(1).content = mean
      a.cell(2).content = variance
    }
    return y
  }
}
