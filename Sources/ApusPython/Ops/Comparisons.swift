import ApusCore

extension OpTable {
  static let comparisons: [Op] = [
    binary("eq", "Whether elements are equal.", .eq),
    binary("ne", "Whether elements differ.", .ne),
    binary("not_equal", "Alias of ne.", .ne),
    binary("lt", "Whether input is less than other.", .lt),
    binary("less", "Alias of lt.", .lt),
    binary("le", "Whether input is less than or equal to other.", .le),
    binary("less_equal", "Alias of le.", .le),
    binary("gt", "Whether input is greater than other.", .gt),
    binary("greater", "Alias of gt.", .gt),
    binary("ge", "Whether input is greater than or equal to other.", .ge),
    binary("greater_equal", "Alias of ge.", .ge),
    Op("isfinite", "input: Tensor", .both, "Whether each element is neither infinite nor NaN.") { $0.input.isFinite() },
    Op("isinf", "input: Tensor", .both, "Whether each element is infinite.") { $0.input.isInfinite() },
    Op("isnan", "input: Tensor", .both, "Whether each element is NaN.") { $0.input.isNaN() },
    Op(
      "isclose", "input: Tensor, other: Tensor, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False", .both,
      "Whether |input - other| <= atol + rtol * |other| for each element."
    ) { a in a.input.isclose(a.tensor(1), rtol: a.double(2), atol: a.double(3), equalNaN: a.bool(4)) },
    Op(
      "allclose", "input: Tensor, other: Tensor, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False", .both,
      "Whether isclose holds for all elements."
    ) { a in a.input.allclose(a.tensor(1), rtol: a.double(2), atol: a.double(3), equalNaN: a.bool(4)) },
    Op("equal", "input: Tensor, other: Tensor", .both, "Whether two tensors have the same shape and equal elements.") { a in
      a.input.equal(a.tensor(1))
    },
    Op(
      "isin", "elements: Tensor, test_elements: operand, *, assume_unique: bool = False, invert: bool = False", .function,
      "Whether each element is one of test_elements; with invert, whether it is none."
    ) { a in isin(a.input, a.tensorOrNumber(1), invert: a.bool(3)) },
  ]
}
