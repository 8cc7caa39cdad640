/// The tensors that attention is made of.
struct AttentionInputs {
  var query: Tensor
  var key: Tensor
  var value: Tensor
  var mask: Tensor?

  var all: [Tensor] { [query, key, value] + (mask.map { [$0] } ?? []) }

  func map(_ body: (Tensor) -> Tensor) -> AttentionInputs {
    AttentionInputs(query: body(query), key: body(key), value: body(value), mask: mask.map(body))
  }

  func converted(to dtype: DType) -> AttentionInputs {
    map { $0.dtype == .bool ? $0 : $0.to(dtype) }
  }

  /// With the query's heads as `[…, heads, H / heads, L, E]`, against which key and value broadcast; nil leaves all as it is.
  func grouped(_ heads: Int?) -> AttentionInputs {
    guard let heads else { return self }
    return AttentionInputs(
      query: query.unflatten(dim: -3, [heads, -1]), key: key.unsqueeze(dim: -3), value: value.unsqueeze(dim: -3),
      mask: mask.map { mask in
        if mask.rank < 3 { return mask }
        return mask.shape[-3] == 1 ? mask.unsqueeze(dim: -3) : mask.unflatten(dim: -3, [heads, -1])
      })
  }
}
