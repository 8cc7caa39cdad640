import ApusCore

extension OpTable {
  static let ordering: [Op] = [
    Op(
      "argsort", "input: Tensor, dim: int = -1, descending: bool = False, stable: bool = False", .both,
      "The indices that sort an axis; the sort is stable."
    ) { a in a.input.argsort(dim: a.int(1), descending: a.bool(2)) },
    Op(
      "sort", "input: Tensor, dim: int = -1, descending: bool = False, stable: bool = False", .both, fields: "values indices",
      "The elements along an axis in order, and their indices; the sort is stable."
    ) { a in list(a.input.sort(dim: a.int(1), descending: a.bool(2))) },
    Op(
      "topk", "input: Tensor, k: int, dim: int = -1, largest: bool = True, sorted: bool = True", .both, fields: "values indices",
      "The k greatest (or smallest) elements along an axis, in order, and their indices."
    ) { a in list(a.input.topk(a.int(1), dim: a.int(2), largest: a.bool(3))) },
    Op(
      "kthvalue", "input: Tensor, k: int, dim: int = -1, keepdim: bool = False", .both, fields: "values indices",
      "The k-th smallest element along an axis, and its index; k counts from 1."
    ) { a in list(a.input.kthvalue(a.int(1), dim: a.int(2), keepDim: a.bool(3))) },
    Op("bincount", "input: Tensor, weights: Tensor? = None, minlength: int = 0", .both, "How often each number occurs.") { a in
      a.input.bincount(weights: a.optionalTensor(1), minLength: a.int(2))
    },
    Op(
      "bucketize", "input: operand, boundaries: Tensor, *, out_int32: bool = False, right: bool = False", .function,
      "The number of the interval that each element falls in."
    ) { a in bucketize(a.tensorOrNumber(0), a.tensor(1), right: a.bool(3)).to(a.bool(2) ? .int32 : .int64) },
    Op(
      "searchsorted",
      "sorted_sequence: Tensor, input: operand, *, out_int32: bool = False, right: bool = False, side: str? = None, sorter: Tensor? = None",
      .function, "Where each element would have to be put in a sorted sequence."
    ) { a in
      let right = a.isNone(4) ? a.bool(3) : a.choice(4, ["left": false, "right": true])
      return searchsorted(a.tensor(0), a.tensorOrNumber(1), right: right, sorter: a.optionalTensor(5))
        .to(a.bool(2) ? .int32 : .int64)
    },
    Op(
      "cummax", "input: Tensor, dim: int", .both, fields: "values indices",
      "The greatest element so far along an axis, and its index."
    ) { a in list(a.input.cummax(dim: a.int(1))) },
    Op(
      "cummin", "input: Tensor, dim: int", .both, fields: "values indices",
      "The smallest element so far along an axis, and its index."
    ) { a in list(a.input.cummin(dim: a.int(1))) },
    Op("cumprod", "input: Tensor, dim: int, *, dtype: dtype? = None", .all, "The products of all elements so far along an axis.")
    { a in
      a.input(as: 2).cumprod(dim: a.int(1))
    },
    Op("cumsum", "input: Tensor, dim: int, *, dtype: dtype? = None", .all, "The sums of all elements so far along an axis.") {
      a in
      a.input(as: 2).cumsum(dim: a.int(1))
    },
    Op("logcumsumexp", "input: Tensor, dim: int", .both, "log(cumsum(exp(x))) without overflow.") { a in
      a.input.logcumsumexp(dim: a.int(1))
    },
    Op(
      "diff", "input: Tensor, n: int = 1, dim: int = -1, prepend: Tensor? = None, append: Tensor? = None", .both,
      "The n-th differences of neighbours along an axis."
    ) { a in a.input.diff(n: a.int(1), dim: a.int(2), prepend: a.optionalTensor(3), append: a.optionalTensor(4)) },
    Op(
      "histc", "input: Tensor, bins: int = 100, min: float = 0, max: float = 0", .both,
      "How many elements fall in each of bins equal intervals from min to max (the range of the elements where both are 0)."
    ) { a in a.input.histc(bins: a.int(1), min: a.double(2), max: a.double(3)) },
    Op(
      "unique",
      "input: Tensor, sorted: bool = True, return_inverse: bool = False, return_counts: bool = False, dim: int? = None", .both,
      fields: "tuple", "The different elements in order; on request where they are (inverse) and how many there are (counts)."
    ) { a in distinct(a.input.unique(dim: a.optionalInt(4)), a.bool(2), a.bool(3)) },
    Op(
      "unique_consecutive",
      "input: Tensor, return_inverse: bool = False, return_counts: bool = False, dim: int? = None", .both, fields: "tuple",
      "The elements without those equal to their predecessor; returns as unique."
    ) { a in distinct(a.input.uniqueConsecutive(dim: a.optionalInt(3)), a.bool(1), a.bool(2)) },
  ]

  private static func distinct(
    _ found: (values: Tensor, inverse: Tensor, counts: Tensor), _ wantsInverse: Bool, _ wantsCounts: Bool
  ) -> Returned {
    if !wantsInverse && !wantsCounts { return .tensor(found.values) }
    return .tensors([found.values] + (wantsInverse ? [found.inverse] : []) + (wantsCounts ? [found.counts] : []))
  }
}
