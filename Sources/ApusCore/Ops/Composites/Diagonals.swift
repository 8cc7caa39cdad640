// A matrix row-major in one axis has its diagonal at every (columns + 1)-th place, so that taking and filling it are movements.

extension Tensor {
  /// The diagonal of the plane of two axes: `y[…, i] = x[…, i, i + offset]` as the new last axis. A view of a contiguous tensor.
  ///
  /// - Parameter offset: how far to the right of the main diagonal; below 0 to the left.
  public func diagonal(offset: Int = 0, dim1: Int = 0, dim2: Int = 1) -> Tensor {
    guard isValid, let (a, b) = plane(dim1, dim2, rank, "diagonal") else { return .invalid }
    let matrices = movedim([a, b], [-2, -1])
    let (rows, columns) = (matrices.shape[-2], matrices.shape[-1])
    let count = Swift.max(Swift.min(rows + Swift.min(offset, 0), columns - Swift.max(offset, 0)), 0)
    let start = count == 0 ? 0 : Swift.max(offset, 0) + Swift.max(-offset, 0) * columns
    let lines = matrices.flatten(startDim: -2)
    return lines.move(.slice(axis: rank - 2, start: start, step: columns + 1, count: count))
  }

  /// Square matrices with the last axis of self on a diagonal and 0 elsewhere: `[…, n]` becomes `[…, n + |offset|, n + |offset|]`.
  ///
  /// - Parameters:
  ///   - offset: how far above the main diagonal.
  ///   - dim1: axis of the result that the matrices' rows lie in.
  ///   - dim2: axis of the result that their columns lie in.
  public func diagEmbed(offset: Int = 0, dim1: Int = -2, dim2: Int = -1) -> Tensor {
    guard isValid else { return self }
    guard check(rank > 0, .shape, "diagEmbed", "a scalar has no axis to lay on a diagonal"),
      let (a, b) = plane(dim1, dim2, rank + 1, "diagEmbed")
    else { return .invalid }
    let size = shape[-1] + Swift.abs(offset)
    let start = Swift.max(offset, 0) + Swift.max(-offset, 0) * size
    let lines = move(.embed(axis: rank - 1, start: start, step: size + 1, size: size * size))
    return lines.unflatten(dim: -1, [size, size]).movedim([-2, -1], [a, b])
  }

  /// Two different axes of a tensor of rank `rank`, as indices from 0.
  private func plane(_ dim1: Int, _ dim2: Int, _ rank: Int, _ name: String) -> (Int, Int)? {
    guard check(rank >= 2, .shape, name, "shape \(shape) has no two axes"),
      let a = resolve(dim1, name, extra: rank - self.rank), let b = resolve(dim2, name, extra: rank - self.rank),
      check(a != b, .value, name, "axes \(dim1) and \(dim2) are the same")
    else { return nil }
    return (a, b)
  }

  /// A vector as the diagonal of a square matrix, or the diagonal of a matrix. See `diagEmbed` and `diagonal` for batches.
  public func diag(_ diagonal: Int = 0) -> Tensor {
    guard isValid else { return self }
    guard check(rank == 1 || rank == 2, .shape, "diag", "shape \(shape) is neither a vector nor a matrix") else {
      return .invalid
    }
    return rank == 1 ? diagEmbed(offset: diagonal) : self.diagonal(offset: diagonal)
  }

  /// Rows and columns (int64, `[2, n]`) of the elements of a matrix on and below the `offset`-th diagonal, row by row.
  public static func trilIndices(_ rows: Int, _ columns: Int, offset: Int = 0) -> Tensor {
    triangleIndices(rows, columns, "trilIndices") { row, column in column <= row + offset }
  }

  /// Rows and columns (int64, `[2, n]`) of the elements of a matrix on and above the `offset`-th diagonal, row by row.
  public static func triuIndices(_ rows: Int, _ columns: Int, offset: Int = 0) -> Tensor {
    triangleIndices(rows, columns, "triuIndices") { row, column in column >= row + offset }
  }

  private static func triangleIndices(_ rows: Int, _ columns: Int, _ name: String, _ isKept: (Int, Int) -> Bool) -> Tensor {
    guard check(rows >= 0 && columns >= 0, .value, name, "\(rows) rows, \(columns) columns") else { return .invalid }
    var (first, second) = ([Int](), [Int]())
    for row in 0..<rows {
      for column in 0..<columns where isKept(row, column) {
        first.append(row)
        second.append(column)
      }
    }
    return Tensor(scalars: first + second, shape: [2, first.count])
  }
}

/// A matrix with the given matrices down its diagonal and 0 elsewhere. Vectors count as rows, scalars as `[1, 1]`; dtypes are promoted.
public func blockDiag(_ tensors: [Tensor]) -> Tensor {
  guard tensors.allSatisfy(\.isValid) else { return .invalid }
  guard check(!tensors.isEmpty, .value, "blockDiag", "no tensors") else { return .invalid }
  for (i, x) in tensors.enumerated() {
    guard check(x.rank <= 2, .shape, "blockDiag", "tensor \(i) has shape \(x.shape); it takes at most two axes") else {
      return .invalid
    }
  }
  let blocks = tensors.map { $0.rank == 2 ? $0 : $0.reshape([1, $0.count]) }
  let columns = blocks.reduce(0) { $0 + $1.shape[1] }
  var start = 0
  let bands = blocks.map { block in
    defer { start += block.shape[1] }
    return block.move(.embed(axis: 1, start: start, step: 1, size: columns))
  }
  return cat(bands, dim: 0)
}
