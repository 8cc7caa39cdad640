/// Attention of queries, keys and values that lie side by side in one tensor, as one linear map makes them.
///
/// The same as `scaledDotProductAttention` of the three parts; but their gradients are written to one tensor instead of being put
/// together from three, each with zeros for the others.
///
/// - Parameters:
///   - x: `[N, L, 3, H, E]`, or `[L, N, 3, H, E]`.
///   - batchFirst: which of the two.
///   - mask: see `scaledDotProductAttention`, as for the others.
///   - dropout: see there.
///   - isCausal: see there.
///   - generator: see there.
/// - Returns: `[N, H, L, E]`
package func packedAttention(
  _ x: Tensor, batchFirst: Bool, mask: Tensor? = nil, dropout: Double = 0, isCausal: Bool = false,
  generator: Generator = .default
) -> Tensor {
  guard x.isValid,
    check(x.rank == 5 && x.shape[2] == 3, .shape, "packedAttention", "\(x.shape) is not [N, L, 3, H, E] or [L, N, 3, H, E]")
  else { return .invalid }
  let layout = PackedLayout(batchFirst: batchFirst)
  // Conversions and the mask's gradient are the separate form's business.
  if x.dtype.itemSize < 4 || Context.hasOpenScopes || mask?.requiresGrad == true {
    let parts = layout.split(x, mask)
    return scaledDotProductAttention(
      parts.query, parts.key, parts.value, mask: mask, dropout: dropout, isCausal: isCausal, generator: generator)
  }
  return attend(layout.split(x.detach(), mask), dropout, isCausal, nil, false, generator) { $0.blocked(x, $1, layout) }
}

/// Where queries, keys and values are in a packed tensor.
private struct PackedLayout {
  let batchFirst: Bool

  /// `[N, H, L, E]` each: views.
  func split(_ x: Tensor, _ mask: Tensor?) -> AttentionInputs {
    let parts = (0..<3).map { i in
      let part = x.select(dim: 2, index: i)
      return batchFirst ? part.permute(0, 2, 1, 3) : part.permute(1, 2, 0, 3)
    }
    return AttentionInputs(query: parts[0], key: parts[1], value: parts[2], mask: mask)
  }

  /// The way back.
  func joined(_ parts: [Tensor]) -> Tensor {
    stack(parts.map { batchFirst ? $0.permute(0, 2, 1, 3) : $0.permute(2, 0, 1, 3) }, dim: 2)
  }
}

extension Attention {
  /// As `blocked(_:)`, with one input that the three are views of.
  fileprivate func blocked(_ packed: Tensor, _ x: AttentionInputs, _ layout: PackedLayout) -> Tensor {
    let isRecorded = isGradEnabled && packed.node != nil
    let (y, logSum) = packed.device.backend.attention(operands(x), keepsLogSum: isRecorded)
    let mask = x.mask
    return recorded(
      y, .named("packedAttention"),
      .fromBoth { dy, y, inputs in
        let x = layout.split(inputs[0], mask)
        if isGradEnabled { return [layout.joined(gradientsTwin(x, dy))] }
        let dx = Tensor(TensorData.uninitialized(inputs[0].data.shape, dy.dtype, for: "packedAttention"))
        guard dx.isValid else { return [dx] }
        let targets = layout.split(dx, nil)
        dy.device.backend.attentionGradients(
          operands(x), output: y.data, logSum: logSum, gradient: dy.data, into: targets.all.map(\.data))
        return [dx]
      }, packed)
  }
}
