import ApusCore

extension OpTable {
  static let linearAlgebra: [Op] = [
    Op(
      "vector_norm", "x: Tensor, ord: float = 2, dim: ints? = None, keepdim: bool = False, *, dtype: dtype? = None", .linalg,
      "The p-norm of the elements, of all or along the axes dim."
    ) { a in a.input(as: 4).norm(a.double(1), dims: a.axes(2), keepDim: a.bool(3)) },
    Op("matmul", "input: Tensor, other: Tensor", .linalg, "Alias of apus.matmul.") { a in a.input.matmul(a.tensor(1)) },
    Op("multi_dot", "tensors: tensors", .linalg, "The product of several matrices, in order.") { a -> Tensor in
      let factors = a.tensors(0)
      guard check(factors.count >= 2, .value, "multi_dot", "\(factors.count) matrices; it takes two or more") else {
        return .invalid
      }
      return factors.dropFirst().reduce(factors[0]) { $0.matmul($1) }
    },
  ]
}
