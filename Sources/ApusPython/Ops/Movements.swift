import ApusCore

extension OpTable {
  static let movements: [Op] = [
    Op(
      "reshape", "input: Tensor, *shape: sizes", .both,
      "The same elements in another shape; -1 stands for what is left. A view if possible."
    ) {
      a in a.input.reshape(a.shape(1))
    },
    Op(
      "view", "input: Tensor, *shape: sizes", .method,
      "The same elements in another shape, sharing memory until one is written to."
    ) { a in
      a.input.view(a.shape(1))
    },
    Op("view_as", "input: Tensor, other: Tensor", .method, "view with the shape of another tensor.") { a in
      a.input.view(a.tensor(1).shape)
    },
    Op("reshape_as", "input: Tensor, other: Tensor", .method, "reshape with the shape of another tensor.") { a in
      a.input.reshape(a.tensor(1).shape)
    },
    Op("flatten", "input: Tensor, start_dim: int = 0, end_dim: int = -1", .both, "The axes from start_dim to end_dim made one.") {
      a in
      a.input.flatten(startDim: a.int(1), endDim: a.int(2))
    },
    Op("ravel", "input: Tensor", .both, "All elements along one axis.") { $0.input.flatten() },
    Op("unflatten", "input: Tensor, dim: int, sizes: ints", .both, "An axis cut into several.") { a in
      a.input.unflatten(dim: a.int(1), a.shape(2))
    },
    Op("permute", "input: Tensor, *dims: sizes", .both, "The axes in another order.") { a in a.input.permute(a.ints(1)) },
    Op("transpose", "input: Tensor, dim0: int, dim1: int", .both, "Two axes exchanged.") { a in
      a.input.transpose(a.int(1), a.int(2))
    },
    Op("swapaxes", "input: Tensor, axis0: int, axis1: int", .both, "Alias of transpose.") { a in
      a.input.transpose(a.int(1), a.int(2))
    },
    Op("swapdims", "input: Tensor, dim0: int, dim1: int", .both, "Alias of transpose.") { a in
      a.input.transpose(a.int(1), a.int(2))
    },
    Op("t", "input: Tensor", .both, "A matrix transposed; tensors with fewer axes as they are.") { a -> Tensor in
      let x = a.input
      guard check(x.rank <= 2, .shape, "t", "a tensor of shape \(x.shape) has more than two axes") else { return .invalid }
      return x.rank < 2 ? x : x.transpose(0, 1)
    },
    Op("T", "input: Tensor", .property, "The tensor with its axes in reverse.") { a in
      a.input.permute(Array((0..<a.input.rank).reversed()))
    },
    Op("mT", "input: Tensor", .property, "The last two axes exchanged.") { $0.input.mT },
    Op("adjoint", "input: Tensor", .both, "The last two axes exchanged.") { $0.input.mT },
    Op("movedim", "input: Tensor, source: ints, destination: ints", .both, "Axes moved to other places.") { a in
      a.input.movedim(a.ints(1), a.ints(2))
    },
    Op("moveaxis", "input: Tensor, source: ints, destination: ints", .both, "Alias of movedim.") { a in
      a.input.movedim(a.ints(1), a.ints(2))
    },
    Op("squeeze", "input: Tensor, dim: ints? = None", .both, "Without the axes of size 1: all of them, or those of dim.") {
      a -> Tensor in
      guard let dims = a.optionalInts(1) else { return a.input.squeeze() }
      let rank = a.input.rank
      let places = dims.map { $0 < 0 ? $0 + rank : $0 }.sorted(by: >)
      return places.reduce(a.input) { $0.squeeze(dim: $1) }
    },
    Op("unsqueeze", "input: Tensor, dim: int", .both, "A new axis of size 1 at dim.") { a in a.input.unsqueeze(dim: a.int(1)) },
    Op(
      "expand", "input: Tensor, *size: sizes, implicit: bool = False", .method,
      "Axes of size 1 repeated without copying; -1 keeps a size."
    ) { a in
      expanded(a.input, a.ints(1))
    },
    Op("expand_as", "input: Tensor, other: Tensor", .method, "expand to the shape of another tensor.") { a in
      a.input.expand(a.tensor(1).shape)
    },
    Op("broadcast_to", "input: Tensor, size: ints", .both, "Alias of expand.") { a in expanded(a.input, a.ints(1)) },
    Op("broadcast_tensors", "*tensors: tensors", .function, fields: "tuple", "Tensors broadcast to their common shape.") { a in
      broadcastTensors(a.tensors(0))
    },
    Op("narrow", "input: Tensor, dim: int, start: int, length: int", .both, "length elements along an axis from start on.") {
      a -> Tensor in
      let (x, dim, start) = (a.input, a.int(1), a.int(2))
      let axis = dim < 0 ? dim + x.rank : dim
      let size = axis >= 0 && axis < x.rank ? x.shape[axis] : 0
      return x.narrow(dim: dim, start: start < 0 ? start + size : start, count: a.int(3))
    },
    Op("select", "input: Tensor, dim: int, index: int", .both, "The index-th slice of an axis, without the axis.") { a in
      a.input.select(dim: a.int(1), index: a.int(2))
    },
    Op("flip", "input: Tensor, *dims: sizes", .both, "The elements of the given axes in reverse.") { a in a.input.flip(a.ints(1))
    },
    Op("fliplr", "input: Tensor", .both, "Axis 1 in reverse.") { $0.input.flip([1]) },
    Op("flipud", "input: Tensor", .both, "Axis 0 in reverse.") { $0.input.flip([0]) },
    Op(
      "roll", "input: Tensor, shifts: ints, dims: ints? = None", .both,
      "Elements shifted along axes; those pushed out come in at the other end."
    ) {
      a -> Tensor in
      let shifts = a.ints(1)
      guard let dims = a.axes(2) else {
        guard check(shifts.count == 1, .value, "roll", "\(shifts.count) shifts need as many axes") else { return .invalid }
        return a.input.roll(shifts[0])
      }
      guard check(shifts.count == dims.count, .value, "roll", "\(shifts.count) shifts for \(dims.count) axes") else {
        return .invalid
      }
      return zip(shifts, dims).reduce(a.input) { $0.roll($1.0, dim: $1.1) }
    },
    Op(
      "rot90", "input: Tensor, k: int = 1, dims: ints = (0, 1)", .both,
      "Rotated k times by 90 degrees from the first axis to the second."
    ) { a in
      a.input.rot90(a.int(1), dims: a.ints(2))
    },
    Op("repeat", "input: Tensor, *repeats: sizes", .method, "Copies put side by side along each axis.") { a in
      a.input.repeat(a.ints(1))
    },
    Op("tile", "input: Tensor, *dims: sizes", .both, "Copies put side by side; missing counts are 1.") { a in
      a.input.tile(a.ints(1))
    },
    Op(
      "repeat_interleave", "input: Tensor, repeats: any, dim: int? = None, *, output_size: int? = None", .both,
      "Each element so many times in a row."
    ) { a in
      a.isTensor(1)
        ? a.input.repeatInterleave(a.tensor(1), dim: a.optionalInt(2))
        : a.input.repeatInterleave(a.int(1), dim: a.optionalInt(2))
    },
    Op(
      "split", "tensor: Tensor, split_size_or_sections: ints, dim: int = 0", .both, fields: "tuple",
      "Pieces of a size, or of several sizes."
    ) { a in
      a.isInt(1) ? a.input.split(a.int(1), dim: a.int(2)) : a.input.split(a.ints(1), dim: a.int(2))
    },
    Op("split_with_sizes", "input: Tensor, split_sizes: ints, dim: int = 0", .both, fields: "tuple", "Pieces of the given sizes.")
    { a in
      a.input.split(a.ints(1), dim: a.int(2))
    },
    Op(
      "chunk", "input: Tensor, chunks: int, dim: int = 0", .both, fields: "tuple",
      "At most chunks pieces of equal size, the last one may be smaller."
    ) { a in
      a.input.chunk(a.int(1), dim: a.int(2))
    },
    Op(
      "tensor_split", "input: Tensor, indices_or_sections: any, dim: int = 0", .both, fields: "tuple",
      "So many pieces of nearly equal size, or pieces cut at the given indices."
    ) { a in
      a.isInt(1) ? a.input.tensorSplit(a.int(1), dim: a.int(2)) : a.input.tensorSplit(at: a.ints(1), dim: a.int(2))
    },
    Op("unbind", "input: Tensor, dim: int = 0", .both, fields: "tuple", "All slices along an axis.") { a in
      a.input.unbind(dim: a.int(1))
    },
    Op("cat", "tensors: tensors, dim: int = 0", .function, "Tensors joined along an axis.") { a in
      cat(a.tensors(0), dim: a.int(1))
    },
    Op("concat", "tensors: tensors, dim: int = 0", .function, "Alias of cat.") { a in cat(a.tensors(0), dim: a.int(1)) },
    Op("concatenate", "tensors: tensors, dim: int = 0", .function, "Alias of cat.") { a in cat(a.tensors(0), dim: a.int(1)) },
    Op("stack", "tensors: tensors, dim: int = 0", .function, "Tensors of one shape along a new axis.") { a in
      stack(a.tensors(0), dim: a.int(1))
    },
    Op("hstack", "tensors: tensors", .function, "Tensors joined along axis 1, vectors along axis 0.") { a in hstack(a.tensors(0))
    },
    Op("vstack", "tensors: tensors", .function, "Tensors joined along axis 0; vectors count as rows.") { a in vstack(a.tensors(0))
    },
    Op("row_stack", "tensors: tensors", .function, "Alias of vstack.") { a in vstack(a.tensors(0)) },
    Op("block_diag", "*tensors: tensors", .function, "Matrices along the diagonal of one matrix.") { a in blockDiag(a.tensors(0))
    },
    Op(
      "meshgrid", "*tensors: tensors, indexing: str? = 'ij'", .function, fields: "tuple",
      "Coordinates of a grid, from one vector for each axis."
    ) { a in
      meshgrid(a.tensors(0), indexing: a.isNone(1) ? .ij : a.choice(1, ["ij": MeshgridIndexing.ij, "xy": .xy]))
    },
    Op("diag", "input: Tensor, diagonal: int = 0", .both, "A matrix with a vector on its diagonal, or the diagonal of a matrix.")
    { a in
      a.input.diag(a.int(1))
    },
    Op(
      "diag_embed", "input: Tensor, offset: int = 0, dim1: int = -2, dim2: int = -1", .both,
      "Matrices with the last axis on their diagonals."
    ) {
      a in a.input.diagEmbed(offset: a.int(1), dim1: a.int(2), dim2: a.int(3))
    },
    Op(
      "diagonal", "input: Tensor, offset: int = 0, dim1: int = 0, dim2: int = 1", .both,
      "The diagonals of two axes, as the last axis."
    ) { a in
      a.input.diagonal(offset: a.int(1), dim1: a.int(2), dim2: a.int(3))
    },
    Op("tril", "input: Tensor, diagonal: int = 0", .all, "The lower triangles of matrices; elements above the diagonal are 0.") {
      a in
      a.input.tril(diagonal: a.int(1))
    },
    Op("triu", "input: Tensor, diagonal: int = 0", .all, "The upper triangles of matrices; elements below the diagonal are 0.") {
      a in
      a.input.triu(diagonal: a.int(1))
    },
    Op(
      "unfold", "input: Tensor, dimension: int, size: int, step: int", .method,
      "Windows of size elements along an axis, as a new last axis."
    ) { a in
      a.input.unfold(dim: a.int(1), size: a.int(2), step: a.int(3))
    },
    Op(
      "contiguous", "input: Tensor, memory_format: any = None", .method,
      "The tensor with its elements row-major in memory; itself where they are."
    ) { a in
      a.input.contiguous()
    },
    Op("clone", "input: Tensor, *, memory_format: any = None", .both, "A copy in memory of its own; gradients flow through it.") {
      a in a.input.clone()
    },
  ]

  /// Python's `expand`: −1 keeps a size.
  static func expanded(_ x: Tensor, _ sizes: [Int]) -> Tensor {
    let lead = sizes.count - x.rank
    guard check(lead >= 0, .shape, "expand", "a tensor of shape \(x.shape) has more axes than \(Shape(sizes))") else {
      return .invalid
    }
    var target = sizes
    for i in lead..<sizes.count where target[i] == -1 { target[i] = x.shape[i - lead] }
    return x.expand(Shape(target))
  }
}
