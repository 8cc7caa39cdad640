/// How `embeddingBag` makes one row of those in a bag.
public enum EmbeddingBagMode: String, Sendable, CaseIterable {
  case sum, mean, max
}

/// Sums, means or greatest elements of bags of rows of a table. A bag of none is zeros.
///
/// - Parameters:
///   - ids: `[B, n]`, int64 or int32: B bags of n rows each. Or `[n]`, cut into bags by `offsets`.
///   - weight: the table, `[rows, width]`, floating-point.
///   - offsets: `[B]`, int64 or int32, not decreasing: where each bag begins, the first at 0. Only with `[n]`, and needed there.
///   - mode: what is made of a bag. Of equal greatest elements the first gets the gradient.
///   - perSampleWeights: of the shape of `ids` and the dtype of `weight`, multiplied to the rows; only with `.sum`. Gets a gradient.
///   - includeLastOffset: whether `offsets` ends with the number of ids, that is, has B + 1 entries.
///   - paddingIndex: a row that is left out, also of the number that a mean divides by; negative counts from the end.
///   - maxNorm: see `embedding`.
///   - normType: the p of that norm.
///   - scaleGradByFreq: see `embedding`; not with `.max`.
/// - Returns: `[B, width]`, in the dtype of `weight`; sums of half types are made in float32.
public func embeddingBag(
  _ ids: Tensor, _ weight: Tensor, offsets: Tensor? = nil, mode: EmbeddingBagMode = .mean, perSampleWeights: Tensor? = nil,
  includeLastOffset: Bool = false, paddingIndex: Int? = nil, maxNorm: Double? = nil, normType: Double = 2,
  scaleGradByFreq: Bool = false
) -> Tensor {
  let name = "embeddingBag"
  guard
    check(
      perSampleWeights == nil || mode == .sum, .unsupported, name, "perSampleWeights go with mode sum, not \(mode.rawValue)"),
    check(mode != .max || !scaleGradByFreq, .unsupported, name, "scaleGradByFreq does not go with mode max"),
    let bags = Bags(ids, offsets, includesEnd: includeLastOffset, name)
  else { return .invalid }
  if let perSampleWeights {
    guard perSampleWeights.isValid,
      check(perSampleWeights.shape == ids.shape, .shape, name, "perSampleWeights \(perSampleWeights.shape) for ids \(ids.shape)"),
      check(
        perSampleWeights.dtype == weight.dtype, .dtype, name,
        "perSampleWeights are \(perSampleWeights.dtype), the table \(weight.dtype)")
    else { return .invalid }
  }
  let padding = paddingIndex.map { $0 < 0 ? $0 + (weight.shape.first ?? 0) : $0 }
  let kept = bags.leavingOut(padding)
  let rows = embedding(
    kept.ids, weight, paddingIndex: paddingIndex, maxNorm: maxNorm, normType: normType, scaleGradByFreq: scaleGradByFreq)
  guard rows.isValid else { return .invalid }
  let wide = rows.dtype.itemSize == 2 ? rows.to(.float32) : rows
  let factors = perSampleWeights.map { $0.to(wide.dtype).flatten().indexSelect(dim: 0, index: kept.positions).unsqueeze(dim: -1) }
  return kept.combined(factors.map { wide * $0 } ?? wide, mode).to(weight.dtype)
}

/// Ids in bags.
private struct Bags {
  let ids: Tensor  // [n]
  /// Where the ids stood in what was passed, and in which bag each is.
  let positions: Tensor  // [n]
  private let places: Tensor  // [n], not decreasing
  private let count: Int

  init?(_ ids: Tensor, _ offsets: Tensor?, includesEnd: Bool, _ name: String) {
    guard ids.isValid, offsets?.isValid ?? true,
      check(ids.rank == 1 || ids.rank == 2, .shape, name, "ids \(ids.shape) are neither [B, n] nor [n]"),
      check((offsets == nil) == (ids.rank == 2), .shape, name, "offsets go with ids of one axis, and these have \(ids.rank)")
    else { return nil }
    let starts: [Int]
    if let offsets {
      guard let found = Self.starts(offsets, ids.count, includesEnd: includesEnd, name) else { return nil }
      starts = found
    } else {
      starts = (0..<ids.shape[0]).map { $0 * ids.shape[1] }
    }
    let ends = starts.dropFirst() + [ids.count]
    let places = zip(starts, ends).enumerated().flatMap { [Int](repeating: $0, count: $1.1 - $1.0) }
    self.ids = ids.flatten()
    self.places = Tensor(scalars: places, shape: [places.count], dtype: .int64)
    positions = Tensor.arange(places.count)
    count = starts.count
  }

  private init(ids: Tensor, positions: Tensor, places: Tensor, count: Int) {
    (self.ids, self.positions, self.places, self.count) = (ids, positions, places, count)
  }

  private static func starts(_ offsets: Tensor, _ idCount: Int, includesEnd: Bool, _ name: String) -> [Int]? {
    guard check(offsets.rank == 1, .shape, name, "offsets have one axis, not the shape \(offsets.shape)"),
      check(
        offsets.dtype == .int64 || offsets.dtype == .int32, .dtype, name, "offsets are int64 or int32, not \(offsets.dtype)")
    else { return nil }
    let starts = offsets.scalars(as: Int64.self).map { Int($0) }
    let isSorted = zip(starts, starts.dropFirst()).allSatisfy { $0 <= $1 } && starts.last ?? 0 <= idCount
    guard
      check(
        starts.first ?? 0 == 0 && isSorted, .value, name,
        "offsets \(starts.prefix(8)) do not go from 0 up to at most \(idCount), the number of ids"),
      check(!includesEnd || starts.last == idCount, .value, name, "the last offset is not \(idCount), the number of ids"),
      check(!starts.isEmpty || idCount == 0, .value, name, "\(idCount) ids and no bag")
    else { return nil }
    return includesEnd ? Array(starts.dropLast()) : starts
  }

  /// The bags without a row.
  func leavingOut(_ padding: Int?) -> Bags {
    guard let padding else { return self }
    let kept = (ids .!= padding).nonzero().flatten()
    let picked = { (x: Tensor) in x.indexSelect(dim: 0, index: kept) }
    return Bags(ids: picked(ids), positions: picked(positions), places: picked(places), count: count)
  }

  /// `[B, width]` of `[n, width]`.
  func combined(_ rows: Tensor, _ mode: EmbeddingBagMode) -> Tensor {
    switch mode {
    case .sum: return rows.summedRows(places: places, count: count)
    case .mean: return rows.summedRows(places: places, count: count) / sizes.clamp(min: 1).to(rows.dtype).unsqueeze(dim: -1)
    case .max: return greatest(rows)
    }
  }

  private var sizes: Tensor { places.bincount(minLength: count) }

  /// The bags side by side, filled up to the length of the longest with −∞; those of none with 0.
  private func greatest(_ rows: Tensor) -> Tensor {
    guard ids.count > 0 else { return rows.summedRows(places: places, count: count) }
    let sizes = sizes
    let longest = sizes.amax().item(as: Int.self)
    let column = Tensor.arange(ids.count) - (sizes.cumsum(dim: 0) - sizes).indexSelect(dim: 0, index: places)
    let cells = places * longest + column
    let filling = Tensor.full([count * longest, rows.shape[1]], -Double.infinity, dtype: rows.dtype)
    let table = filling.indexCopy(dim: 0, index: cells, rows).reshape([count, longest, rows.shape[1]])
    return `where`((sizes .> 0).unsqueeze(dim: -1), table.max(dim: 1).values, 0)
  }
}
