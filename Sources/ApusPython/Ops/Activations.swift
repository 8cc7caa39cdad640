import ApusCore

extension OpTable {
  /// Functional activations take `inplace` as PyTorch's do; here it changes nothing but the signature, since tensors are values.
  private static func activation(_ name: String, _ documentation: String, _ body: @escaping @Sendable (Tensor) -> Tensor) -> Op {
    Op(name, "input: Tensor, inplace: bool = False", .functional, documentation) { body($0.input) }
  }

  static let activations: [Op] = [
    Op(
      "softmax", "input: Tensor, dim: int? = None, dtype: dtype? = None", [.both, .functional],
      "exp(x) / sum(exp(x)) along an axis."
    ) { a in
      axis(a, 1, "softmax").map { a.input(as: 2).softmax(dim: $0) } ?? .invalid
    },
    Op(
      "log_softmax", "input: Tensor, dim: int? = None, dtype: dtype? = None", [.both, .functional],
      "log(softmax(x)) without loss of digits."
    ) { a in
      axis(a, 1, "log_softmax").map { a.input(as: 2).logSoftmax(dim: $0) } ?? .invalid
    },
    Op("softmin", "input: Tensor, dim: int? = None, dtype: dtype? = None", .functional, "softmax(-x).") { a in
      axis(a, 1, "softmin").map { a.input(as: 2).softmin(dim: $0) } ?? .invalid
    },
    activation("relu", "max(x, 0) for each element.") { $0.relu() },
    activation("relu6", "min(max(x, 0), 6) for each element.") { $0.relu6() },
    activation("selu", "scale * elu(x), with the constants of self-normalizing networks.") { $0.selu() },
    activation("silu", "x * sigmoid(x) for each element.") { $0.silu() },
    activation("mish", "x * tanh(softplus(x)) for each element.") { $0.mish() },
    activation("hardsigmoid", "relu6(x + 3) / 6 for each element.") { $0.hardsigmoid() },
    activation("hardswish", "x * relu6(x + 3) / 6 for each element.") { $0.hardswish() },
    Op("sigmoid", "input: Tensor", .functional, "1 / (1 + exp(-x)) for each element.") { $0.input.sigmoid() },
    Op("tanh", "input: Tensor", .functional, "The hyperbolic tangent of each element.") { $0.input.tanh() },
    Op("logsigmoid", "input: Tensor", .functional, "log(sigmoid(x)) for each element.") { $0.input.logSigmoid() },
    Op("softsign", "input: Tensor", .functional, "x / (1 + |x|) for each element.") { $0.input.softsign() },
    Op("tanhshrink", "input: Tensor", .functional, "x - tanh(x) for each element.") { $0.input.tanhshrink() },
    Op(
      "celu", "input: Tensor, alpha: float = 1.0, inplace: bool = False", .functional,
      "max(x, 0) + min(0, alpha * (exp(x / alpha) - 1))."
    ) { a in
      a.input.celu(alpha: a.double(1))
    },
    Op(
      "elu", "input: Tensor, alpha: float = 1.0, inplace: bool = False", .functional,
      "x where it is positive, else alpha * (exp(x) - 1)."
    ) { a in
      a.input.elu(alpha: a.double(1))
    },
    Op("gelu", "input: Tensor, approximate: str = 'none'", .functional, "x * Phi(x), exact or ('tanh') by a formula with tanh.") {
      a in
      a.input.gelu(approximate: a.choice(1, ["none": Tensor.GELUApproximation.none, "tanh": .tanh]))
    },
    Op("glu", "input: Tensor, dim: int = -1", .functional, "The first half of an axis times the sigmoid of the second.") { a in
      a.input.glu(dim: a.int(1))
    },
    Op("hardshrink", "input: Tensor, lambd: float = 0.5", [.functional, .both], "x where |x| > lambd, else 0.") { a in
      a.input.hardshrink(lambda: a.double(1))
    },
    Op("softshrink", "input: Tensor, lambd: float = 0.5", .functional, "x moved towards 0 by lambd, 0 where it is nearer.") { a in
      a.input.softshrink(lambda: a.double(1))
    },
    Op(
      "hardtanh", "input: Tensor, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False", .functional,
      "x between two bounds."
    ) { a in
      a.input.hardtanh(min: a.double(1), max: a.double(2))
    },
    Op(
      "leaky_relu", "input: Tensor, negative_slope: float = 0.01, inplace: bool = False", .functional,
      "x where it is positive, else negative_slope * x."
    ) {
      a in a.input.leakyRelu(negativeSlope: a.double(1))
    },
    Op(
      "prelu", "input: Tensor, weight: Tensor", [.functional, .both],
      "x where it is positive, else weight * x, with one weight or one for each channel."
    ) { a in
      prelu(a.input, a.tensor(1))
    },
    Op(
      "softplus", "input: Tensor, beta: float = 1.0, threshold: float = 20.0", .functional,
      "log(1 + exp(beta * x)) / beta; x where beta * x > threshold."
    ) {
      a in a.input.softplus(beta: a.double(1), threshold: a.double(2))
    },
    Op(
      "threshold", "input: Tensor, threshold: float, value: float, inplace: bool = False", .functional,
      "x where it is greater than threshold, else value."
    ) {
      a in a.input.threshold(a.double(1), a.double(2))
    },
  ]

  /// PyTorch's default axis: it warns that one should name it, and takes axis 0 for ranks 0, 1 and 3, axis 1 for others.
  private static func axis(_ a: Arguments, _ i: Int, _ name: String) -> Int? {
    a.optionalInt(i) ?? ([0, 1, 3].contains(a.input.rank) ? 0 : 1)
  }
}
