import ApusCore

extension MultiheadAttention {
  /// Queries, keys and values of all heads: `[N, heads, tokens, features]`.
  struct Heads {
    var query, key, value: Tensor
    /// All three as one product made them: `[N, tokens, 3, heads, features]`, or as the layout is.
    var packed: Tensor?
  }

  /// Projects to heads, merges the masks, lets `body` attend, and projects back.
  func attend(
    _ x: [Tensor], _ masks: AttentionMasks, _ cache: KeyValueCache?,
    _ body: (_ heads: Heads, _ mask: Tensor?, _ isCausal: Bool) -> Tensor
  ) -> Tensor {
    guard x.allSatisfy(\.isValid), areInputs(x) else { return .invalid }
    var heads = projected(x)
    if let cache {
      heads.packed = nil
      (heads.key, heads.value) = cache.append(heads.key, heads.value)
    }
    guard heads.query.isValid, heads.key.isValid, heads.value.isValid else { return .invalid }
    let (queries, keys) = (heads.query.shape[2], heads.key.shape[2])
    let extra = addExtraKeys(&heads)
    if extra > 0 { heads.packed = nil }
    let sizes = AttentionMasks.Sizes(
      batch: heads.query.shape[0], heads: numHeads, queries: queries, keys: keys, extraKeys: extra,
      offset: cache == nil ? 0 : keys - queries)
    guard let (mask, isCausal) = masks.merged(sizes, heads.query.dtype) else { return .invalid }
    let y = body(heads, mask, isCausal)
    return y.isValid ? outProj(joined(y, isBatched: x[0].rank == 3)) : y
  }

  private func areInputs(_ x: [Tensor]) -> Bool {
    let name = "MultiheadAttention"
    let shapes = "query \(x[0].shape), key \(x[1].shape) and value \(x[2].shape)"
    let axes = batchFirst ? "[N, tokens, features]" : "[tokens, N, features]"
    let rank = x[0].rank
    return check(
      (2...3).contains(rank) && x.allSatisfy { $0.rank == rank }, .shape, name,
      "\(shapes) are not all \(axes) or [tokens, features]")
      && check(
        x[0].shape[-1] == embedDim && x[1].shape[-1] == kdim && x[2].shape[-1] == vdim, .shape, name,
        "\(shapes) must have \(embedDim), \(kdim) and \(vdim) features")
      && check(x[1].shape.dropLast() == x[2].shape.dropLast(), .shape, name, "\(shapes): key and value differ in their tokens")
      && check(
        rank == 2 || x[0].shape[batchFirst ? 0 : 1] == x[1].shape[batchFirst ? 0 : 1], .shape, name,
        "\(shapes) differ in their batches")
  }

  /// The in-projections, in one product where they have the same input.
  private func projected(_ x: [Tensor]) -> Heads {
    let isSame = { (i: Int, j: Int) in x[i].isSameVariable(as: x[j]) }
    guard let weight = inProjWeight else {
      let (q, k, v) = (qProjWeight ?? .invalid, kProjWeight ?? .invalid, vProjWeight ?? .invalid)
      return Heads(
        query: parts(packed(linear(x[0], q, bias(0, 1)), 1), 1)[0], key: parts(packed(linear(x[1], k, bias(1, 1)), 1), 1)[0],
        value: parts(packed(linear(x[2], v, bias(2, 1)), 1), 1)[0])
    }
    let all = { (x: Tensor, first: Int, count: Int) in
      self.packed(linear(x, self.rows(weight, first, count), self.bias(first, count)), count)
    }
    let part = { (x: Tensor, first: Int, count: Int) in self.parts(all(x, first, count), count) }
    if isSame(0, 1) && isSame(1, 2) {
      let packed = all(x[0], 0, 3)
      let heads = parts(packed, 3)
      return Heads(query: heads[0], key: heads[1], value: heads[2], packed: packed)
    }
    let query = part(x[0], 0, 1)[0]
    if isSame(1, 2) {
      let memory = part(x[1], 1, 2)
      return Heads(query: query, key: memory[0], value: memory[1])
    }
    return Heads(query: query, key: part(x[1], 1, 1)[0], value: part(x[2], 2, 1)[0])
  }

  /// The rows of some of the three projections.
  private func rows(_ weight: Tensor, _ first: Int, _ count: Int) -> Tensor {
    count == 3 ? weight : weight.narrow(dim: 0, start: first * embedDim, count: count * embedDim)
  }

  private func bias(_ first: Int, _ count: Int) -> Tensor? { inProjBias.map { rows($0, first, count) } }

  /// `count` projections that lie side by side, `[tokens, N, count · embedDim]` or as the layout is, with axes for each and its heads.
  private func packed(_ y: Tensor, _ count: Int) -> Tensor {
    let batched = y.isValid && y.rank == 2 ? y.unsqueeze(dim: batchFirst ? 0 : 1) : y
    return batched.unflatten(dim: -1, [count, numHeads, embedDim / numHeads])
  }

  private func parts(_ packed: Tensor, _ count: Int) -> [Tensor] {
    (0..<count).map { i in
      let part = packed.select(dim: 2, index: i)
      return batchFirst ? part.permute(0, 2, 1, 3) : part.permute(1, 2, 0, 3)
    }
  }

  /// The heads' results side by side, in the layout of the inputs.
  private func joined(_ y: Tensor, isBatched: Bool) -> Tensor {
    let joined = (batchFirst ? y.permute(0, 2, 1, 3) : y.permute(2, 0, 1, 3)).flatten(startDim: 2)
    return isBatched ? joined : joined.squeeze(dim: batchFirst ? 0 : 1)
  }

  /// Adds the learned key and value and those of zeros.
  ///
  /// - Returns: how many that is.
  private func addExtraKeys(_ heads: inout Heads) -> Int {
    let (features, dtype) = (embedDim / numHeads, heads.key.dtype)
    let shape: Shape = [heads.key.shape[0], numHeads, 1, features]
    if let biasK, let biasV {
      let extra = { (x: Tensor) in x.to(dtype).reshape(1, self.numHeads, 1, features).expand(shape) }
      heads.key = cat([heads.key, extra(biasK)], dim: 2)
      heads.value = cat([heads.value, extra(biasV)], dim: 2)
    }
    if addZeroAttn {
      let zeros = Tensor.zeros(shape, dtype: dtype)
      heads.key = cat([heads.key, zeros], dim: 2)
      heads.value = cat([heads.value, zeros], dim: 2)
    }
    return (biasK == nil ? 0 : 1) + (addZeroAttn ? 1 : 0)
  }
}

extension Tensor {
  /// Whether both are the same numbers with the same history.
  fileprivate func isSameVariable(as other: Tensor) -> Bool { data === other.data && node === other.node }
}
