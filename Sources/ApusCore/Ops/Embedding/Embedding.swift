/// Rows of a table: `y[…] = weight[ids[…]]`.
///
/// - Parameters:
///   - ids: of any shape, int64 or int32, in `0 ..< rows`.
///   - weight: the table, `[rows, width]`, floating-point.
///   - paddingIndex: a row that gets no gradient; negative counts from the end.
///   - maxNorm: rows whose norm is greater are looked up scaled to it. The table itself, a value, is not changed (`Embedding`
///     changes its own); as in PyTorch the gradient ignores the scaling.
///   - normType: the p of the norm.
///   - scaleGradByFreq: divide the gradient of a row by the number of times that it is in `ids`.
/// - Returns: the shape of `ids` with `width` behind it, in the dtype of `weight`. The gradient is as large as the table; the sums in it are
///   in the order of `ids`, those of half types in float32.
/// - Complexity: a pass over what is looked up; for the gradient one over the table as well.
public func embedding(
  _ ids: Tensor, _ weight: Tensor, paddingIndex: Int? = nil, maxNorm: Double? = nil, normType: Double = 2,
  scaleGradByFreq: Bool = false
) -> Tensor {
  guard let lookup = Lookup(ids, weight, paddingIndex, "embedding") else { return .invalid }
  let table = maxNorm.map { lookup.renormalized(weight.detach(), maxNorm: $0, normType: normType) } ?? weight
  guard table.isValid else { return .invalid }
  let rows = weight.device.backend.indexSelect(table.data, axis: 0, index: lookup.ids.data)
  guard rows.isValid else { return .invalid }
  let shape = Shape(ids.shape + [weight.shape[1]]).dims
  let y = rows.view(shape: shape, strides: shape.contiguousStrides)
  return recorded(y, .named("embedding"), .linear { dy in [lookup.gradient(dy, scaleGradByFreq: scaleGradByFreq)] }, weight)
}

/// The readable twin of `embedding`, of ordinary ops.
package func embeddingTwin(_ ids: Tensor, _ weight: Tensor) -> Tensor {
  weight.indexSelect(dim: 0, index: ids.flatten()).reshape(Shape(ids.shape + [weight.shape[1]]))
}

/// The table with those rows that `ids` names scaled down to a norm of at most `maxNorm`; without a gradient.
package func renormalizedTable(_ weight: Tensor, ids: Tensor, maxNorm: Double, normType: Double) -> Tensor {
  guard let lookup = Lookup(ids, weight, nil, "embedding") else { return .invalid }
  return lookup.renormalized(weight.detach(), maxNorm: maxNorm, normType: normType)
}

/// What is looked up, checked.
private struct Lookup {
  let ids: Tensor  // [n], int64
  private let rowCount: Int
  private let paddingIndex: Int?

  init?(_ ids: Tensor, _ weight: Tensor, _ paddingIndex: Int?, _ name: String) {
    guard ids.isValid, weight.isFloating(for: name),
      check(ids.dtype == .int64 || ids.dtype == .int32, .dtype, name, "ids are int64 or int32, not \(ids.dtype)"),
      check(weight.rank == 2, .shape, name, "a table has the shape [rows, width], not \(weight.shape)")
    else { return nil }
    let count = weight.shape[0]
    if let paddingIndex {
      let isRow = paddingIndex >= -count && paddingIndex < count
      guard check(isRow, .index, name, "paddingIndex \(paddingIndex) is not in \(-count)..<\(count)") else { return nil }
    }
    self.ids = ids.detach().to(.int64).flatten()
    rowCount = count
    self.paddingIndex = paddingIndex.map { $0 < 0 ? $0 + count : $0 }
    guard areRows(name) else { return nil }
  }

  private func areRows(_ name: String) -> Bool {
    guard ids.count > 0 else { return true }
    let (low, high) = (ids.amin().item(as: Int.self), ids.amax().item(as: Int.self))
    return check(low >= 0 && high < rowCount, .index, name, "id \(low < 0 ? low : high) is not in 0..<\(rowCount)")
  }

  /// PyTorch's factor, with which a row comes out a little shorter than allowed rather than longer.
  func renormalized(_ table: Tensor, maxNorm: Double, normType: Double) -> Tensor {
    guard check(maxNorm > 0, .value, "embedding", "maxNorm = \(maxNorm) is not positive") else { return .invalid }
    let rows = noGrad { table.indexSelect(dim: 0, index: ids) }
    let norms = rows.norm(normType, dim: -1, keepDim: true)
    let factor = `where`(norms .> maxNorm, maxNorm / (norms + 1e-7), Tensor.onesLike(norms))
    return table.indexCopy(dim: 0, index: ids, rows * factor)
  }

  /// The gradient of the table.
  func gradient(_ dy: Tensor, scaleGradByFreq: Bool) -> Tensor {
    let wide = dy.dtype.itemSize == 2 ? dy.to(.float32) : dy
    var (rows, places) = (wide.reshape([ids.count, dy.shape[-1]]), ids)
    if scaleGradByFreq {
      let counts = ids.bincount(minLength: rowCount).indexSelect(dim: 0, index: ids)
      rows = rows / counts.to(rows.dtype).unsqueeze(dim: -1)
    }
    if let paddingIndex {
      let kept = (places .!= paddingIndex).nonzero().flatten()
      if kept.count < places.count {
        (rows, places) = (rows.indexSelect(dim: 0, index: kept), places.indexSelect(dim: 0, index: kept))
      }
    }
    return rows.summedRows(places: places, count: rowCount)
  }
}

extension Tensor {
  /// `[count, width]` from `[n, width]`: the sum of the rows that go to each place, in their order; zeros where none does.
  ///
  /// - Parameter places: `[n]`, int64, in `0 ..< count`.
  func summedRows(places: Tensor, count: Int) -> Tensor {
    let y = device.backend.sumRows(data, places: places.data, count: count)
    return recorded(y, .named("summedRows"), .linear { dy in [dy.indexSelect(dim: 0, index: places)] }, self)
  }
}
