import ApusCore

extension OpTable {
  private static let place = "input: Tensor, dim: int, index: Tensor"

  private static func reduction(_ a: Arguments, _ i: Int, _ names: KeyValuePairs<String, ScatterReduction>) -> ScatterReduction {
    a.choice(i, names)
  }

  static let indexing: [Op] = [
    Op(
      "gather", place + ", *, sparse_grad: bool = False", .both,
      "The elements that index names along an axis: out[i][j] = input[index[i][j]][j] for dim 0."
    ) {
      a in a.input.gather(dim: a.int(1), index: a.tensor(2))
    },
    Op(
      "scatter", place + ", src: operand, *, reduce: str? = None", .all,
      "A copy with src written where index says; reduce 'add' or 'multiply' combines."
    ) {
      a in scattered(a)
    },
    Op("scatter_add", place + ", src: Tensor", .all, "A copy with src added where index says.") { a in
      a.input.scatterAdd(dim: a.int(1), index: a.tensor(2), a.tensor(3))
    },
    Op(
      "scatter_reduce", place + ", src: Tensor, reduce: str, *, include_self: bool = True", .all,
      "A copy with src combined where index says, by 'sum', 'prod', 'mean', 'amax' or 'amin'."
    ) { a in
      let how = a.choice(4, ["sum": ScatterReduction.sum, "prod": .prod, "mean": .mean, "amax": .amax, "amin": .amin])
      return a.input.scatterReduce(dim: a.int(1), index: a.tensor(2), a.tensor(3), how, includeSelf: a.bool(5))
    },
    Op("index_select", place, .both, "The slices of an axis that index names.") { a in
      a.input.indexSelect(dim: a.int(1), index: a.tensor(2))
    },
    Op(
      "index_add", place + ", source: Tensor, *, alpha: number = 1", .all,
      "A copy with alpha * source added to the slices that index names."
    ) { a in
      let source = a.isInt(4) && a.wideInt(4) == 1 ? a.tensor(3) : (a.tensor(3) * a.operand(4))
      return a.input.indexAdd(dim: a.int(1), index: a.tensor(2), source)
    },
    Op("index_copy", place + ", source: Tensor", .all, "A copy with source in place of the slices that index names.") { a in
      a.input.indexCopy(dim: a.int(1), index: a.tensor(2), a.tensor(3))
    },
    Op("index_fill", place + ", value: operand", .all, "A copy with the slices that index names full of a number.") { a in
      a.input.indexFill(dim: a.int(1), index: a.tensor(2), a.operand(3))
    },
    Op(
      "index_reduce", place + ", source: Tensor, reduce: str, *, include_self: bool = True", .all,
      "A copy with source combined with the slices that index names, by 'prod', 'mean', 'amax' or 'amin'."
    ) { a in
      let how = a.choice(4, ["prod": ScatterReduction.prod, "mean": .mean, "amax": .amax, "amin": .amin])
      return a.input.indexReduce(dim: a.int(1), index: a.tensor(2), a.tensor(3), how, includeSelf: a.bool(5))
    },
    Op(
      "index_put", "input: Tensor, indices: tensors, values: operand, accumulate: bool = False", .all,
      "A copy with values at input[indices]."
    ) { a in
      a.input.indexPut(a.tensors(1), a.tensorOrNumber(2).to(a.input.dtype), accumulate: a.bool(3))
    },
    Op("masked_fill", "input: Tensor, mask: Tensor, value: operand", .all, "A copy with a number where mask is true.") { a in
      let x = a.input
      return x.maskedFill(a.tensor(1), a.operand(2).to(x.dtype))
    },
    Op(
      "masked_scatter", "input: Tensor, mask: Tensor, source: Tensor", .all,
      "A copy with the elements of source, in order, where mask is true."
    ) { a in
      a.input.maskedScatter(a.tensor(1), a.tensor(2))
    },
    Op("masked_select", "input: Tensor, mask: Tensor", .both, "The elements where mask is true, in one axis.") { a in
      a.input.maskedSelect(a.tensor(1))
    },
    Op(
      "nonzero", "input: Tensor, *, as_tuple: bool = False", .both, fields: "tuple",
      "The indices of the elements other than 0, a row for each."
    ) {
      a -> Returned in
      let places = a.input.nonzero()
      if !a.bool(1) { return .tensor(places) }
      return .tensors(a.input.rank == 0 ? [places.flatten()] : places.unbind(dim: 1))
    },
    Op("argwhere", "input: Tensor", .both, "The indices of the elements other than 0, a row for each.") { $0.input.nonzero() },
    Op("take", "input: Tensor, index: Tensor", .both, "The elements that index names in the flattened tensor.") { a in
      a.input.take(a.tensor(1))
    },
    Op(
      "take_along_dim", "input: Tensor, indices: Tensor, dim: int? = None", .both,
      "gather with broadcasting, as argsort's result needs it."
    ) { a in
      a.input.takeAlongDim(a.tensor(1), dim: a.optionalInt(2))
    },
  ]

  private static func scattered(_ a: Arguments) -> Tensor {
    let (x, dim, index) = (a.input, a.int(1), a.tensor(2))
    let source = a.isTensor(3) ? a.tensor(3) : a.operand(3).to(x.dtype).expand(index.shape)
    switch a.optionalString(4) {
    case nil: return x.scatter(dim: dim, index: index, source)
    case "add": return x.scatterAdd(dim: dim, index: index, source)
    case "multiply": return x.scatterReduce(dim: dim, index: index, source, .prod)
    case let how?:
      fail(TensorError(.value, "scatter", "reduce is None, 'add' or 'multiply', not '\(how)'"))
      return .invalid
    }
  }
}
