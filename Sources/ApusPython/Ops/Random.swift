import ApusCore
import ApusNN

extension OpTable {
  private static let options =
    ", *, dtype: dtype? = None, device: device? = None, requires_grad: bool = False, generator: any = None, pin_memory: bool = False"

  static let random: [Op] = [
    Op("rand", "*size: sizes" + options, .function, "Random numbers, evenly distributed over [0, 1).") { a in
      made(a, 1) { Tensor.rand(a.shape(0), dtype: $0) }
    },
    Op("randn", "*size: sizes" + options, .function, "Random numbers from the normal distribution with mean 0 and variance 1.") {
      a in
      made(a, 1) { Tensor.randn(a.shape(0), dtype: $0) }
    },
    Op("rand_like", "input: Tensor" + options, .function, "rand in the shape and dtype of another tensor.") { a in
      made(a, 1, default: a.input.dtype) { Tensor.rand(a.input.shape, dtype: $0) }
    },
    Op("randn_like", "input: Tensor" + options, .function, "randn in the shape and dtype of another tensor.") { a in
      made(a, 1, default: a.input.dtype) { Tensor.randn(a.input.shape, dtype: $0) }
    },
    Op("_randint", "low: int, high: int, size: ints" + options, .hidden, "Random integers from [low, high).") { a in
      made(a, 3, default: .int64) { Tensor.randint(a.wideInt(0), a.wideInt(1), a.shape(2), dtype: $0) }
    },
    Op("randperm", "n: int" + options, .function, "The integers from 0 to n - 1 in random order.") { a in
      made(a, 1, default: .int64) { dtype in counted(a.double(0), 1) { Tensor.randperm(a.int(0)).to(dtype) } }
    },
    Op("bernoulli", "input: Tensor, *, generator: any = None", .both, "1 with the probability that each element is, else 0.") {
      a -> Tensor in
      let p = a.input
      guard check(p.dtype.isFloatingPoint, .dtype, "bernoulli", "probabilities are floating-point, not \(p.dtype)"),
        check(
          p.count == 0 || ((p .>= 0) .& (p .<= 1)).all().item(as: Bool.self), .value, "bernoulli", "a probability is not in 0...1"
        )
      else { return .invalid }
      return (Tensor.rand(p.shape, dtype: p.dtype == .float64 ? .float64 : .float32) .< p).to(p.dtype)
    },
    Op(
      "multinomial", "input: Tensor, num_samples: int, replacement: bool = False, *, generator: any = None", .both,
      "Indices drawn with the weights of each row."
    ) {
      a in multinomial(a.input, a.int(1), replacement: a.bool(2))
    },
    Op(
      "uniform", "input: Tensor, from_: float = 0.0, to: float = 1.0, *, generator: any = None", .inplace,
      "Fills with numbers evenly distributed over [from_, to)."
    ) {
      a in Init.uniform(a.input.shape, low: a.double(1), high: a.double(2), dtype: a.input.dtype)
    },
    Op(
      "normal", "input: Tensor, mean: float = 0.0, std: float = 1.0, *, generator: any = None", .inplace,
      "Fills with normally distributed numbers."
    ) { a in
      Init.normal(a.input.shape, mean: a.double(1), std: a.double(2), dtype: a.input.dtype)
    },
    Op(
      "normal", "mean: operand, std: operand = 1.0, size: ints? = None, *, dtype: dtype? = None, generator: any = None",
      .function, "Normally distributed numbers with the given means and deviations."
    ) {
      a -> Tensor in
      let (mean, std) = (a.tensorOrNumber(0), a.tensorOrNumber(1))
      let shape = a.isNone(2) ? Shape.broadcast(mean.shape, std.shape) : a.shape(2)
      guard check(shape != nil, .shape, "normal", "\(mean.shape) and \(std.shape) do not broadcast"), let shape else {
        return .invalid
      }
      return Tensor.randn(shape, dtype: a.dtype(3, default: Defaults.dtype)) * std + mean
    },
    Op(
      "_init", "kind: str, shape: ints, numbers: any, dtype: dtype", .hidden,
      "What apus.nn.init draws; numbers are the options, in the order of PyTorch's signatures."
    ) { a -> Tensor in
      drawn(a.string(0), a.shape(1), a.optionalDoubles(2) ?? [], a.dtype(3))
    },
  ]

  private static func drawn(_ kind: String, _ shape: Shape, _ numbers: [Double], _ dtype: DType) -> Tensor {
    switch (kind, numbers.count) {
    case ("uniform", 2): return Init.uniform(shape, low: numbers[0], high: numbers[1], dtype: dtype)
    case ("normal", 2): return Init.normal(shape, mean: numbers[0], std: numbers[1], dtype: dtype)
    case ("trunc_normal", 4):
      return Init.truncNormal(
        shape, mean: numbers[0], std: numbers[1], low: numbers[2], high: numbers[3], dtype: dtype)
    case ("orthogonal", 1): return Init.orthogonal(shape, gain: numbers[0], dtype: dtype)
    case ("sparse", 2): return Init.sparse(shape, sparsity: numbers[0], std: numbers[1], dtype: dtype)
    default:
      fail(TensorError(.value, "init", "there is no initialiser '\(kind)' of \(numbers.count) numbers"))
      return .invalid
    }
  }

  private static func multinomial(_ weights: Tensor, _ count: Int, replacement: Bool) -> Tensor {
    guard check((1...2).contains(weights.rank), .shape, "multinomial", "weights are [n] or [rows, n], not \(weights.shape)"),
      check(weights.dtype.isFloatingPoint, .dtype, "multinomial", "weights are floating-point, not \(weights.dtype)"),
      check(count > 0, .value, "multinomial", "\(count) samples"),
      check(weights.shape[-1] > 0, .shape, "multinomial", "there is nothing to draw from")
    else { return .invalid }
    let w = noGrad { weights.detach().to(.float64) }
    let isSound = w.isFinite().all().item(as: Bool.self) && (w .>= 0).all().item(as: Bool.self)
    guard check(isSound, .value, "multinomial", "a weight is negative, infinite or NaN"),
      check((w.sum(dim: -1) .> 0).all().item(as: Bool.self), .value, "multinomial", "the weights of a row are all 0")
    else { return .invalid }
    if !replacement {
      let available = w.countNonzero(dim: -1).min().item(as: Int.self)
      guard check(count <= available, .value, "multinomial", "\(count) different samples from \(available) with a weight") else {
        return .invalid
      }
      // The greatest of exponential keys (Efraimidis and Spirakis 2006).
      let keys = Tensor.rand(w.shape, dtype: .float64).log() / w
      return `where`(w .== 0, Tensor(floatLiteral: -.infinity), keys).topk(count, dim: -1).indices
    }
    let cumulative = w.cumsum(dim: -1)
    let total = cumulative.narrow(dim: -1, start: w.shape[-1] - 1, count: 1)
    let shape = w.rank == 1 ? Shape([count]) : Shape([w.shape[0], count])
    let drawn = searchsorted(cumulative, Tensor.rand(shape, dtype: .float64) * total, right: true)
    return drawn.clamp(max: Double(w.shape[-1] - 1))
  }
}
