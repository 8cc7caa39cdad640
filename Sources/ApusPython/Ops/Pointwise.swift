import ApusCore

extension OpTable {
  private static func unary(
    _ name: String, _ documentation: String, _ places: Op.Places = .all, _ body: @escaping @Sendable (Tensor) -> Tensor
  ) -> Op {
    Op(name, "input: Tensor", places, documentation) { body($0.input) }
  }

  /// Functions of two tensors, or of a tensor and a number.
  static func binary(
    _ name: String, _ documentation: String, _ op: Binary, _ places: Op.Places = .all
  ) -> Op {
    Op(name, "input: operand, other: operand", places, documentation) { Tensor.binary(op, $0.operand(0), $0.operand(1)) }
  }

  static let pointwise: [Op] = unaryOps + binaryOps + mixedOps

  private static let unaryOps: [Op] = [
    unary("abs", "The absolute value of each element.") { $0.abs() },
    unary("absolute", "Alias of abs.") { $0.abs() },
    unary("acos", "The arc cosine of each element.") { $0.acos() },
    unary("acosh", "The inverse hyperbolic cosine of each element.") { $0.acosh() },
    unary("asin", "The arc sine of each element.") { $0.asin() },
    unary("asinh", "The inverse hyperbolic sine of each element.") { $0.asinh() },
    unary("atan", "The arc tangent of each element.") { $0.atan() },
    unary("atanh", "The inverse hyperbolic tangent of each element.") { $0.atanh() },
    unary("ceil", "The smallest integer not below each element.") { $0.ceil() },
    unary("cos", "The cosine of each element.") { $0.cos() },
    unary("cosh", "The hyperbolic cosine of each element.") { $0.cosh() },
    unary("digamma", "The derivative of lgamma.") { $0.digamma() },
    unary("erf", "The error function of each element.") { $0.erf() },
    unary("erfc", "1 - erf(x), precise for large x.") { $0.erfc() },
    unary("erfinv", "The inverse of the error function on (-1, 1).") { $0.erfinv() },
    unary("exp", "e to the power of each element.") { $0.exp() },
    unary("exp2", "2 to the power of each element.") { $0.exp2() },
    unary("expm1", "exp(x) - 1, precise near 0.") { $0.expm1() },
    unary("floor", "The largest integer not above each element.") { $0.floor() },
    unary("frac", "The part of each element after the point, with its sign.") { $0.frac() },
    unary("lgamma", "The logarithm of the absolute value of the gamma function.") { $0.lgamma() },
    unary("log", "The natural logarithm of each element.") { $0.log() },
    unary("log10", "The logarithm to the base 10 of each element.") { $0.log10() },
    unary("log1p", "log(1 + x), precise near 0.") { $0.log1p() },
    unary("log2", "The logarithm to the base 2 of each element.") { $0.log2() },
    unary("neg", "-x for each element.") { -$0 },
    unary("negative", "Alias of neg.") { -$0 },
    unary("reciprocal", "1 / x for each element.") { $0.reciprocal() },
    unary("rsqrt", "1 / sqrt(x) for each element.") { $0.rsqrt() },
    unary("sigmoid", "1 / (1 + exp(-x)) for each element.") { $0.sigmoid() },
    unary("sign", "-1, 0 or 1 by the sign of each element.") { $0.sign() },
    unary("sin", "The sine of each element.") { $0.sin() },
    unary("sinh", "The hyperbolic sine of each element.") { $0.sinh() },
    unary("sqrt", "The square root of each element.") { $0.sqrt() },
    unary("square", "The square of each element.") { $0.square() },
    unary("tan", "The tangent of each element.") { $0.tan() },
    unary("tanh", "The hyperbolic tangent of each element.") { $0.tanh() },
    unary("trunc", "Each element without the part after the point.") { $0.trunc() },
    unary("fix", "Alias of trunc.") { $0.trunc() },
    unary("bitwise_not", "Every bit inverted; for bool: not.") { $0.bitwiseNot() },
    unary("logical_not", "Whether each element is 0.") { $0.logicalNot() },
    unary("relu", "max(x, 0) for each element.") { $0.relu() },
    Op(
      "round", "input: Tensor, *, decimals: int = 0", .all,
      "Each element rounded to the nearest integer, halves to the even one; with decimals to so many places after the point."
    ) { a in
      let decimals = a.int(1)
      if decimals == 0 { return a.input.round() }
      let scale = pow(10, Double(decimals))
      return (a.input * scale).round() / scale
    },
    Op(
      "nan_to_num", "input: Tensor, nan: float? = 0.0, posinf: float? = None, neginf: float? = None", .all,
      "NaN and the infinities replaced; by default with 0 and the largest and smallest finite numbers of the dtype."
    ) { a in a.input.nanToNum(nan: a.optionalDouble(1) ?? 0, posinf: a.optionalDouble(2), neginf: a.optionalDouble(3)) },
    Op("polygamma", "n: int, input: Tensor", .function, "The n-th derivative of digamma.") { a in
      a.tensor(1).polygamma(a.int(0))
    },
  ]

  private static let binaryOps: [Op] = [
    binary("arctan2", "Alias of atan2.", .atan2),
    binary("atan2", "The angle of the point (x: other, y: input), from -pi to pi.", .atan2),
    binary("bitwise_and", "input & other, bit by bit; for integers and bool.", .bitwiseAnd),
    binary("bitwise_or", "input | other, bit by bit; for integers and bool.", .bitwiseOr),
    binary("bitwise_xor", "input ^ other, bit by bit; for integers and bool.", .bitwiseXor),
    binary("floor_divide", "floor(input / other) in the dtype of the operands.", .floorDivide),
    binary("fmax", "The greater of two elements; where one is NaN, the other.", .fmax, .both),
    binary("fmin", "The smaller of two elements; where one is NaN, the other.", .fmin, .both),
    binary("fmod", "The remainder of input / other with the sign of input.", .fmod),
    binary("logical_and", "Whether both elements are other than 0.", .logicalAnd),
    binary("logical_or", "Whether one of the elements is other than 0.", .logicalOr),
    binary("logical_xor", "Whether exactly one of the elements is other than 0.", .logicalXor),
    binary("maximum", "The greater of two elements; NaN where one is NaN.", .maximum, .both),
    binary("minimum", "The smaller of two elements; NaN where one is NaN.", .minimum, .both),
    binary("mul", "input * other, element by element, with broadcasting.", .mul),
    binary("multiply", "Alias of mul.", .mul),
    binary("remainder", "The remainder of input / other with the sign of other.", .remainder),
    binary("true_divide", "Alias of div.", .div),
  ]

  private static func scaled(_ op: Binary, _ a: Arguments) -> Tensor {
    let alpha = a.operand(2)
    let isOne = a.isInt(2) && a.wideInt(2) == 1
    return Tensor.binary(op, a.operand(0), isOne ? a.operand(1) : a.operand(1) * alpha)
  }

  private static func power(_ a: Arguments) -> Tensor {
    a.isNumber(1) ? ApusPython.power(a.tensor(0), number: a.operand(1)) : Tensor.binary(.pow, a.operand(0), a.operand(1))
  }

  private static func quotient(_ a: Arguments) -> Tensor {
    let (x, y) = (a.operand(0), a.operand(1))
    switch a.optionalString(2) {
    case nil: return Tensor.binary(.div, x, y)
    case "floor": return Tensor.binary(.floorDivide, x, y)
    case "trunc":
      let dtype = Tensor.resultType(x, y)
      if dtype.isFloatingPoint { return Tensor.binary(.div, x, y).trunc() }
      return Tensor.binary(.floorDivide, Tensor.binary(.sub, x, Tensor.binary(.fmod, x, y)), y)
    case let mode?:
      fail(TensorError(.value, "div", "rounding_mode is None, 'trunc' or 'floor', not '\(mode)'"))
      return .invalid
    }
  }

  private static let mixedOps: [Op] = [
    Op(
      "add", "input: operand, other: operand, *, alpha: number = 1", .all,
      "input + alpha * other, element by element, with broadcasting and promotion."
    ) { scaled(.add, $0) },
    Op(
      "sub", "input: operand, other: operand, *, alpha: number = 1", .all,
      "input - alpha * other, element by element, with broadcasting and promotion."
    ) { scaled(.sub, $0) },
    Op("subtract", "input: operand, other: operand, *, alpha: number = 1", .all, "Alias of sub.") { scaled(.sub, $0) },
    Op("rsub", "input: operand, other: operand", .function, "other - input.") { a in
      Tensor.binary(.sub, a.operand(1), a.operand(0))
    },
    Op(
      "div", "input: operand, other: operand, *, rounding_mode: str? = None", .all,
      "input / other; integers are divided as floats. rounding_mode 'floor' or 'trunc' rounds the quotient."
    ) { quotient($0) },
    Op("divide", "input: operand, other: operand, *, rounding_mode: str? = None", .all, "Alias of div.") { quotient($0) },
    Op("pow", "input: operand, exponent: operand", .all, "input to the power of exponent, element by element.") { power($0) },
    Op(
      "addcdiv", "input: Tensor, tensor1: Tensor, tensor2: Tensor, *, value: number = 1", .all,
      "input + value * tensor1 / tensor2."
    ) { a in
      a.isInt(3)
        ? a.input.addcdiv(a.tensor(1), a.tensor(2), value: a.wideInt(3))
        : a.input.addcdiv(a.tensor(1), a.tensor(2), value: a.double(3))
    },
    Op(
      "addcmul", "input: Tensor, tensor1: Tensor, tensor2: Tensor, *, value: number = 1", .all,
      "input + value * tensor1 * tensor2."
    ) { a in
      a.isInt(3)
        ? a.input.addcmul(a.tensor(1), a.tensor(2), value: a.wideInt(3))
        : a.input.addcmul(a.tensor(1), a.tensor(2), value: a.double(3))
    },
    Op(
      "clamp", "input: Tensor, min: operand? = None, max: operand? = None", .all,
      "Each element, not below min and not above max: numbers, or tensors that broadcast."
    ) { clamped($0) },
    Op("clip", "input: Tensor, min: operand? = None, max: operand? = None", .all, "Alias of clamp.") { clamped($0) },
    Op("clamp_min", "input: Tensor, min: operand", .all, "Each element, not below min.") { a in a.input.clamp(min: a.operand(1))
    },
    Op("clamp_max", "input: Tensor, max: operand", .all, "Each element, not above max.") { a in a.input.clamp(max: a.operand(1))
    },
    Op("lerp", "input: Tensor, end: Tensor, weight: operand", .all, "input + weight * (end - input).") { a in
      a.input.lerp(a.tensor(1), a.operand(2))
    },
    Op("logaddexp", "input: Tensor, other: Tensor", .both, "log(exp(input) + exp(other)) without overflow.") { a in
      a.input.logaddexp(a.tensor(1))
    },
    Op("xlogy", "input: operand, other: operand", .all, "input * log(other), and 0 where input is 0.") { a in
      a.operand(0).xlogy(a.operand(1))
    },
    Op(
      "where", "condition: Tensor, input: operand? = None, other: operand? = None", .function, fields: "list",
      "input where condition is true, other elsewhere; with the condition alone, the indices where it is true, one tensor for each axis."
    ) { a -> Returned in
      guard let x = a.optionalOperand(1), let y = a.optionalOperand(2) else { return .tensors(a.input.nonzero().unbind(dim: 1)) }
      return .tensor(`where`(a.input.to(.bool), x, y))
    },
    Op("where", "input: Tensor, condition: Tensor, other: operand", .method, "self where condition is true, other elsewhere.") {
      a in
      `where`(a.tensor(1).to(.bool), a.input, a.operand(2))
    },
    Op("fill", "input: Tensor, value: operand", .all, "A tensor of the shape of input, full of a number.") { a in
      a.operand(1).to(a.input.dtype).expand(a.input.shape).clone()
    },
    Op("zero", "input: Tensor", .inplace, "Sets every element to 0.") { a in Tensor.zerosLike(a.input) },
    Op(
      "copy", "input: Tensor, src: operand, non_blocking: bool = False", .inplace,
      "Copies the elements of src, broadcast and converted to this dtype."
    ) { a in a.operand(1).to(a.input.dtype).expand(a.input.shape).clone() },
  ]

  private static func clamped(_ a: Arguments) -> Tensor {
    guard !(a.isNone(1) && a.isNone(2)) else {
      fail(TensorError(.value, a.name, "at least one of min and max must be given"))
      return .invalid
    }
    return a.input.clamp(min: a.optionalOperand(1), max: a.optionalOperand(2))
  }
}
