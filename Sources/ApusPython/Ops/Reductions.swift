import ApusCore

extension OpTable {
  private static let dims = "input: Tensor, dim: ints? = None, keepdim: bool = False"

  /// `std`, `var` and their kin: (dim, unbiased, keepdim, correction), where a bool in the place of dim is `unbiased`.
  private static func spread(
    _ name: String, _ places: Op.Places, fields: String = "", _ documentation: String,
    _ body: @escaping @Sendable (Tensor, [Int]?, Int, Bool) -> some Returnable
  ) -> Op {
    Op(
      name, "input: Tensor, dim: any = None, unbiased: bool? = None, keepdim: bool = False, *, correction: int? = None", places,
      fields: fields, documentation
    ) { a in
      let unbiased = a.isBool(1) ? a.bool(1) : a.isNone(2) ? true : a.bool(2)
      let correction = a.isNone(4) ? (unbiased ? 1 : 0) : a.int(4)
      return body(a.input, a.isBool(1) ? nil : a.axes(1), correction, a.bool(3))
    }
  }

  static let reductions: [Op] = [
    Op("sum", dims + ", *, dtype: dtype? = None", .both, "The sum of the elements, of all or along the axes dim.") { a in
      a.input(as: 3).sum(dims: a.axes(1), keepDim: a.bool(2))
    },
    Op("mean", dims + ", *, dtype: dtype? = None", .both, "The mean of the elements, of all or along the axes dim.") { a in
      a.input(as: 3).mean(dims: a.axes(1), keepDim: a.bool(2))
    },
    Op("nansum", dims + ", *, dtype: dtype? = None", .both, "The sum of the elements that are not NaN.") { a in
      a.input(as: 3).nansum(dims: a.axes(1), keepDim: a.bool(2))
    },
    Op("nanmean", dims + ", *, dtype: dtype? = None", .both, "The mean of the elements that are not NaN.") { a in
      a.input(as: 3).nanmean(dims: a.axes(1), keepDim: a.bool(2))
    },
    Op("prod", dims + ", *, dtype: dtype? = None", .both, "The product of the elements, of all or along the axis dim.") { a in
      a.input(as: 3).prod(dims: a.axes(1), keepDim: a.bool(2))
    },
    Op("amax", dims, .both, "The greatest element; equal ones share the gradient.") { a in
      a.input.amax(dims: a.axes(1), keepDim: a.bool(2))
    },
    Op("amin", dims, .both, "The smallest element; equal ones share the gradient.") { a in
      a.input.amin(dims: a.axes(1), keepDim: a.bool(2))
    },
    Op("all", dims, .both, "Whether all elements are other than 0.") { a in a.input.all(dims: a.axes(1), keepDim: a.bool(2)) },
    Op("any", dims, .both, "Whether an element is other than 0.") { a in a.input.any(dims: a.axes(1), keepDim: a.bool(2)) },
    Op("logsumexp", "input: Tensor, dim: ints, keepdim: bool = False", .both, "log(sum(exp(x))) without overflow.") { a in
      a.input.logsumexp(dims: a.axes(1), keepDim: a.bool(2))
    },
    Op(
      "aminmax", "input: Tensor, *, dim: int? = None, keepdim: bool = False", .both, fields: "min max",
      "The smallest and the greatest element."
    ) { a in list(a.input.aminmax(dim: a.optionalInt(1), keepDim: a.bool(2))) },
    Op(
      "argmax", "input: Tensor, dim: int? = None, keepdim: bool = False", .both,
      "The index of the greatest element: of the flattened tensor, or along dim."
    ) { a in a.input.argmax(dim: a.optionalInt(1), keepDim: a.bool(2)) },
    Op(
      "argmin", "input: Tensor, dim: int? = None, keepdim: bool = False", .both,
      "The index of the smallest element: of the flattened tensor, or along dim."
    ) { a in a.input.argmin(dim: a.optionalInt(1), keepDim: a.bool(2)) },
    Op("count_nonzero", "input: Tensor, dim: ints? = None", .both, "The number of elements other than 0.") { a in
      a.input.countNonzero(dims: a.axes(1))
    },
    Op(
      "max", "input: Tensor, dim: any = None, keepdim: bool = False, *, other: operand? = None", .both, fields: "values indices",
      "The greatest element; with dim, the greatest along it and their indices; with another tensor, maximum."
    ) { a in extreme(a, isMax: true) },
    Op(
      "min", "input: Tensor, dim: any = None, keepdim: bool = False, *, other: operand? = None", .both, fields: "values indices",
      "The smallest element; with dim, the smallest along it and their indices; with another tensor, minimum."
    ) { a in extreme(a, isMax: false) },
    Op(
      "median", "input: Tensor, dim: int? = None, keepdim: bool = False", .both, fields: "values indices",
      "The median, the lower one of two; with dim, along it, and the indices."
    ) { a -> Returned in
      guard let dim = a.optionalInt(1) else { return .tensor(a.input.median()) }
      return .tensors(list(a.input.median(dim: dim, keepDim: a.bool(2))))
    },
    Op(
      "mode", "input: Tensor, dim: int = -1, keepdim: bool = False", .both, fields: "values indices",
      "The most frequent element along an axis, and an index of it."
    ) { a in list(a.input.mode(dim: a.int(1), keepDim: a.bool(2))) },
    Op(
      "norm", "input: Tensor, p: any = 2, dim: ints? = None, keepdim: bool = False, dtype: dtype? = None", .both,
      "The p-norm of the elements: a number, inf, -inf or 'fro'."
    ) { a in
      let p = a.isString(1) ? a.choice(1, ["fro": 2.0]) : a.isNone(1) ? 2 : a.double(1)
      return a.input(as: 4).norm(p, dims: a.axes(2), keepDim: a.bool(3))
    },
    Op(
      "quantile",
      "input: Tensor, q: operand, dim: int? = None, keepdim: bool = False, *, interpolation: str = 'linear'", .both,
      "The q-th quantile, 0 <= q <= 1, of all elements or along dim."
    ) { a in
      let how = a.choice(
        4,
        ["linear": QuantileInterpolation.linear, "lower": .lower, "higher": .higher, "nearest": .nearest, "midpoint": .midpoint])
      if a.isTensor(1) { return a.input.quantile(a.tensor(1), dim: a.optionalInt(2), keepDim: a.bool(3), interpolation: how) }
      return a.input.quantile(a.double(1), dim: a.optionalInt(2), keepDim: a.bool(3), interpolation: how)
    },
    spread("std", .both, "The standard deviation; correction (1 by default) is taken off the number of elements.") {
      $0.std(dims: $1, correction: $2, keepDim: $3)
    },
    spread("var", .both, "The variance; correction (1 by default) is taken off the number of elements.") {
      $0.var(dims: $1, correction: $2, keepDim: $3)
    },
    spread("std_mean", .function, fields: "tuple", "The standard deviation and the mean.") {
      list($0.stdMean(dims: $1, correction: $2, keepDim: $3))
    },
    spread("var_mean", .function, fields: "tuple", "The variance and the mean.") {
      list($0.varMean(dims: $1, correction: $2, keepDim: $3))
    },
    Op("trace", "input: Tensor", .both, "The sum of the diagonal of a matrix.") { $0.input.trace() },
  ]

  private static func extreme(_ a: Arguments, isMax: Bool) -> Returned {
    if a.isTensor(1) || !a.isNone(3) {
      return .tensor(Tensor.binary(isMax ? .maximum : .minimum, a.input, a.operand(a.isTensor(1) ? 1 : 3)))
    }
    guard let dim = a.optionalInt(1) else { return .tensor(isMax ? a.input.max() : a.input.min()) }
    return .tensors(list(isMax ? a.input.max(dim: dim, keepDim: a.bool(2)) : a.input.min(dim: dim, keepDim: a.bool(2))))
  }
}
