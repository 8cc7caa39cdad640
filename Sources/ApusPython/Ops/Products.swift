import ApusCore

extension OpTable {
  private static let scaled = ", *, beta: number = 1, alpha: number = 1"

  static let products: [Op] = [
    Op(
      "matmul", "input: Tensor, other: Tensor", .both,
      "The matrix product, with broadcast batches; vectors count as rows or columns."
    ) {
      a in a.input.matmul(a.tensor(1))
    },
    Op("mm", "input: Tensor, mat2: Tensor", .both, "The product of two matrices.") { a in a.input.mm(a.tensor(1)) },
    Op("bmm", "input: Tensor, mat2: Tensor", .both, "The products of two batches of matrices.") { a in a.input.bmm(a.tensor(1)) },
    Op("mv", "input: Tensor, vec: Tensor", .both, "The product of a matrix and a vector.") { a in a.input.mv(a.tensor(1)) },
    Op("dot", "input: Tensor, tensor: Tensor", .both, "The inner product of two vectors.") { a in a.input.dot(a.tensor(1)) },
    Op("vdot", "input: Tensor, other: Tensor", .both, "The inner product of two vectors.") { a in a.input.dot(a.tensor(1)) },
    Op("inner", "input: Tensor, other: Tensor", .both, "Sums of products over the last axes.") { a in a.input.inner(a.tensor(1))
    },
    Op("outer", "input: Tensor, vec2: Tensor", .both, "The products of all pairs of elements of two vectors.") { a in
      a.input.outer(a.tensor(1))
    },
    Op("ger", "input: Tensor, vec2: Tensor", .both, "Alias of outer.") { a in a.input.outer(a.tensor(1)) },
    Op("kron", "input: Tensor, other: Tensor", .both, "The Kronecker product.") { a in a.input.kron(a.tensor(1)) },
    Op("addmm", "input: Tensor, mat1: Tensor, mat2: Tensor" + scaled, .all, "beta * input + alpha * mat1 @ mat2.") { a in
      a.isInt(3) && a.isInt(4)
        ? a.input.addmm(a.tensor(1), a.tensor(2), beta: a.wideInt(3), alpha: a.wideInt(4))
        : a.input.addmm(a.tensor(1), a.tensor(2), beta: a.double(3), alpha: a.double(4))
    },
    Op("baddbmm", "input: Tensor, batch1: Tensor, batch2: Tensor" + scaled, .all, "beta * input + alpha * bmm(batch1, batch2).") {
      a in
      a.isInt(3) && a.isInt(4)
        ? a.input.baddbmm(a.tensor(1), a.tensor(2), beta: a.wideInt(3), alpha: a.wideInt(4))
        : a.input.baddbmm(a.tensor(1), a.tensor(2), beta: a.double(3), alpha: a.double(4))
    },
    Op("addmv", "input: Tensor, mat: Tensor, vec: Tensor" + scaled, .all, "beta * input + alpha * mat @ vec.") { a in
      a.operand(3) * a.input + a.operand(4) * a.tensor(1).mv(a.tensor(2))
    },
    Op(
      "einsum", "equation: str, *operands: tensors", .function,
      "Sums of products by Einstein's notation: einsum('ij,jk->ik', a, b)."
    ) { a in
      einsum(a.string(0), a.tensors(1))
    },
    Op(
      "tensordot", "a: Tensor, b: Tensor, dims: any = 2", .function,
      "Sums of products over dims axes (the last of a, the first of b), or over two lists of axes."
    ) { a -> Tensor in
      if a.isInt(2) { return tensordot(a.tensor(0), a.tensor(1), dims: a.int(2)) }
      let pair = a.nestedInts(2)
      guard check(pair.count == 2, .value, "tensordot", "dims is a number or two lists of axes") else { return .invalid }
      return tensordot(a.tensor(0), a.tensor(1), dims: (pair[0], pair[1]))
    },
    Op(
      "cdist", "x1: Tensor, x2: Tensor, p: float = 2.0, compute_mode: str? = None", .function,
      "The p-norm distances between all pairs of rows: [..., P, M] and [..., R, M] give [..., P, R]."
    ) { a in cdist(a.tensor(0), a.tensor(1), p: a.double(2)) },
  ]
}
