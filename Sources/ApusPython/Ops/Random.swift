import ApusCore
import ApusNN

extension OpTable {
  private static let options =
    ", *, dtype: dtype? = None, device: device? = None, requires_grad: bool = False, generator: generator? = None, pin_memory: bool = False"

  static let random: [Op] = [
    Op("rand", "*size: sizes" + options, .function, "Random numbers, evenly distributed over [0, 1).") { a in
      made(a, 1) { Tensor.rand(a.shape(0), dtype: $0, generator: a.generator(4)) }
    },
    Op("randn", "*size: sizes" + options, .function, "Random numbers from the normal distribution with mean 0 and variance 1.") {
      a in
      made(a, 1) { Tensor.randn(a.shape(0), dtype: $0, generator: a.generator(4)) }
    },
    Op("rand_like", "input: Tensor" + options, .function, "rand in the shape and dtype of another tensor.") { a in
      made(a, 1, default: a.input.dtype) { Tensor.rand(a.input.shape, dtype: $0, generator: a.generator(4)) }
    },
    Op("randn_like", "input: Tensor" + options, .function, "randn in the shape and dtype of another tensor.") { a in
      made(a, 1, default: a.input.dtype) { Tensor.randn(a.input.shape, dtype: $0, generator: a.generator(4)) }
    },
    Op("_randint", "low: int, high: int, size: ints" + options, .hidden, "Random integers from [low, high).") { a in
      made(a, 3, default: .int64) { Tensor.randint(a.wideInt(0), a.wideInt(1), a.shape(2), dtype: $0, generator: a.generator(6)) }
    },
    Op("randperm", "n: int" + options, .function, "The integers from 0 to n - 1 in random order.") { a in
      made(a, 1, default: .int64) { dtype in
        counted(a.double(0), 1) { Tensor.randperm(a.int(0), generator: a.generator(4)).to(dtype) }
      }
    },
    Op(
      "bernoulli", "input: Tensor, p: float? = None, *, generator: generator? = None", .both,
      "1 with the probability that each element is, or with p, else 0."
    ) { a in bernoulli(a.input, a.isNone(1) ? a.input : probability(a, 1), a.generator(2)) },
    Op(
      "bernoulli", "input: Tensor, p: operand = 0.5, *, generator: generator? = None", .inplace,
      "Fills with 1, with probability p, and 0."
    ) { a in bernoulli(a.input, probability(a, 1), a.generator(2)) },
    Op(
      "multinomial", "input: Tensor, num_samples: int, replacement: bool = False, *, generator: generator? = None", .both,
      "Indices drawn with the weights of each row."
    ) {
      a in multinomial(a.input, a.int(1), replacement: a.bool(2), a.generator(3))
    },
    Op(
      "uniform", "input: Tensor, from_: float = 0.0, to: float = 1.0, *, generator: generator? = None", .inplace,
      "Fills with numbers evenly distributed over [from_, to)."
    ) {
      a in Init.uniform(a.input.shape, low: a.double(1), high: a.double(2), dtype: a.input.dtype, generator: a.generator(3))
    },
    Op(
      "normal", "input: Tensor, mean: float = 0.0, std: float = 1.0, *, generator: generator? = None", .inplace,
      "Fills with normally distributed numbers."
    ) { a in
      Init.normal(a.input.shape, mean: a.double(1), std: a.double(2), dtype: a.input.dtype, generator: a.generator(3))
    },
    Op(
      "log_normal", "input: Tensor, mean: float = 1.0, std: float = 2.0, *, generator: generator? = None", .inplace,
      "Fills with numbers whose logarithms are normally distributed."
    ) { a in
      positive(a, 2, "std") {
        Init.normal(a.input.shape, mean: a.double(1), std: a.double(2), dtype: a.input.dtype, generator: a.generator(3)).exp()
      }
    },
    Op(
      "exponential", "input: Tensor, lambd: float = 1.0, *, generator: generator? = None", .inplace,
      "Fills from the exponential distribution with the rate lambd."
    ) { a in positive(a, 1, "lambd") { -(1 - evenly(a.input, a.generator(2))).log() / a.double(1) } },
    Op(
      "cauchy", "input: Tensor, median: float = 0.0, sigma: float = 1.0, *, generator: generator? = None", .inplace,
      "Fills from the Cauchy distribution."
    ) { a in
      positive(a, 2, "sigma") { ((evenly(a.input, a.generator(3)) - 0.5) * Double.pi).tan() * a.double(2) + a.double(1) }
    },
    Op(
      "geometric", "input: Tensor, p: float, *, generator: generator? = None", .inplace,
      "Fills with how many trials of probability p it takes to succeed once."
    ) { a -> Tensor in
      let p = a.double(1)
      guard check(p > 0 && p < 1, .value, "geometric", "p = \(p) is not between 0 and 1") else { return .invalid }
      return ((1 - evenly(a.input, a.generator(2))).log() / log(1 - p)).ceil().clamp(min: 1).to(a.input.dtype)
    },
    Op(
      "random", "input: Tensor, from_: int? = None, to: int? = None, *, generator: generator? = None", .inplace,
      "Fills with integers from [from_, to), or [0, to) where one number is given, or from all that the dtype counts exactly."
    ) { a -> Tensor in
      let dtype = a.input.dtype
      let (low, high) =
        a.isNone(2) ? (0, a.isNone(1) ? integers(dtype) : a.wideInt(1)) : (a.isNone(1) ? 0 : a.wideInt(1), a.wideInt(2))
      return Tensor.randint(low, high, a.input.shape, dtype: dtype, generator: a.generator(3))
    },
    Op(
      "normal", "mean: operand, std: operand = 1.0, size: ints? = None, *, dtype: dtype? = None, generator: generator? = None",
      .function, "Normally distributed numbers with the given means and deviations."
    ) {
      a -> Tensor in
      let (mean, std) = (a.tensorOrNumber(0), a.tensorOrNumber(1))
      let shape = a.isNone(2) ? Shape.broadcast(mean.shape, std.shape) : a.shape(2)
      guard check(shape != nil, .shape, "normal", "\(mean.shape) and \(std.shape) do not broadcast"), let shape else {
        return .invalid
      }
      return Tensor.randn(shape, dtype: a.dtype(3, default: Defaults.dtype), generator: a.generator(4)) * std + mean
    },
    Op(
      "_init", "kind: str, shape: ints, numbers: any, dtype: dtype, generator: generator? = None", .hidden,
      "What apus.nn.init draws; numbers are the options, in the order of PyTorch's signatures."
    ) { a -> Tensor in
      drawn(a.string(0), a.shape(1), a.optionalDoubles(2) ?? [], a.dtype(3), a.generator(4))
    },
  ]

  private static func bernoulli(_ x: Tensor, _ p: Tensor, _ generator: Generator) -> Tensor {
    guard check(p.dtype.isFloatingPoint, .dtype, "bernoulli", "probabilities are floating-point, not \(p.dtype)"),
      check(
        p.count == 0 || ((p .>= 0) .& (p .<= 1)).all().item(as: Bool.self), .value, "bernoulli", "a probability is not in 0...1")
    else { return .invalid }
    return (Tensor.rand(x.shape, dtype: p.dtype == .float64 ? .float64 : .float32, generator: generator) .< p).to(x.dtype)
  }

  private static func probability(_ a: Arguments, _ i: Int) -> Tensor {
    a.isNumber(i) ? Tensor.full([], a.double(i), dtype: .float64) : a.tensor(i)
  }

  /// Numbers over [0, 1) for a tensor to be made of, at least as precise as its dtype.
  private static func evenly(_ x: Tensor, _ generator: Generator) -> Tensor {
    Tensor.rand(x.shape, dtype: x.dtype == .float64 ? .float64 : .float32, generator: generator)
  }

  /// What is drawn for a floating-point tensor if the option, argument i, is positive.
  private static func positive(_ a: Arguments, _ i: Int, _ option: String, _ draw: () -> Tensor) -> Tensor {
    guard check(a.double(i) > 0, .value, a.name, "\(option) = \(a.double(i)) is not positive"),
      check(a.input.dtype.isFloatingPoint, .dtype, a.name, "draws floating-point numbers, not \(a.input.dtype)")
    else { return .invalid }
    return draw().to(a.input.dtype)
  }

  /// How many integers from 0 on a dtype counts without a gap.
  private static func integers(_ dtype: DType) -> Int {
    switch dtype {
    case .float32: 1 << 24 + 1
    case .float64: 1 << 53 + 1
    case .float16: 1 << 11 + 1
    case .bfloat16: 1 << 8 + 1
    case .int64: .max
    case .int32: 1 << 31
    case .int16: 1 << 15
    case .int8: 1 << 7
    case .uint8: 1 << 8
    case .bool: 2
    }
  }

  private static func drawn(
    _ kind: String, _ shape: Shape, _ numbers: [Double], _ dtype: DType, _ generator: Generator
  ) -> Tensor {
    switch (kind, numbers.count) {
    case ("uniform", 2): return Init.uniform(shape, low: numbers[0], high: numbers[1], dtype: dtype, generator: generator)
    case ("normal", 2): return Init.normal(shape, mean: numbers[0], std: numbers[1], dtype: dtype, generator: generator)
    case ("trunc_normal", 4):
      return Init.truncNormal(
        shape, mean: numbers[0], std: numbers[1], low: numbers[2], high: numbers[3], dtype: dtype, generator: generator)
    case ("orthogonal", 1): return Init.orthogonal(shape, gain: numbers[0], dtype: dtype, generator: generator)
    case ("sparse", 2): return Init.sparse(shape, sparsity: numbers[0], std: numbers[1], dtype: dtype, generator: generator)
    default:
      fail(TensorError(.value, "init", "there is no initialiser '\(kind)' of \(numbers.count) numbers"))
      return .invalid
    }
  }

  private static func multinomial(_ weights: Tensor, _ count: Int, replacement: Bool, _ generator: Generator) -> Tensor {
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
      let keys = Tensor.rand(w.shape, dtype: .float64, generator: generator).log() / w
      return `where`(w .== 0, Tensor(floatLiteral: -.infinity), keys).topk(count, dim: -1).indices
    }
    let cumulative = w.cumsum(dim: -1)
    let total = cumulative.narrow(dim: -1, start: w.shape[-1] - 1, count: 1)
    let shape = w.rank == 1 ? Shape([count]) : Shape([w.shape[0], count])
    let drawn = searchsorted(cumulative, Tensor.rand(shape, dtype: .float64, generator: generator) * total, right: true)
    return drawn.clamp(max: Double(w.shape[-1] - 1))
  }
}
