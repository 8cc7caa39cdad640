/// Attention on checked operands: the blocked op with its rule, and the readable twin.
struct Attention: Sendable {
  let scale: Double
  let isCausal: Bool
  let dropout: AttentionDropout?
  /// `[batch…, L, S]`: the shape of the weights.
  let weights: Dims

  /// softmax(q kᵀ · scale + mask) v, block by block. The mask has no gradient here.
  func blocked(_ x: AttentionInputs) -> Tensor {
    let isRecorded = isGradEnabled && x.all.contains { $0.node != nil }
    let (y, logSum) = x.query.device.backend.attention(operands(x), keepsLogSum: isRecorded)
    let mask = x.mask?.detach()
    return recorded(
      y, .named("scaledDotProductAttention"),
      .fromBoth { dy, y, inputs in
        let x = AttentionInputs(query: inputs[0], key: inputs[1], value: inputs[2], mask: mask)
        if isGradEnabled { return gradientsTwin(x, dy) }
        let x3 = operands(x)
        let gradients = x3.freshGradients()
        guard gradients.allSatisfy(\.isValid) else { return [.invalid, .invalid, .invalid] }
        dy.device.backend.attentionGradients(
          x3, output: y.data, logSum: logSum, gradient: dy.data, into: gradients)
        return gradients.map { Tensor($0) }
      }, [x.query, x.key, x.value])
  }

  func operands(_ x: AttentionInputs) -> AttentionOperands {
    let batch = Array(weights.dropLast(2))
    let expanded = { (x: Tensor) in x.data.expanded(to: Dims(batch + Array(x.data.shape.suffix(2)))) }
    return AttentionOperands(
      query: expanded(x.query), key: expanded(x.key), value: expanded(x.value), mask: x.mask?.data.expanded(to: weights),
      isCausal: isCausal, scale: scale, dropout: dropout)
  }
}

// MARK: - In ordinary ops

extension Attention {
  /// The readable twin: it stores the weights.
  func twin(_ x: AttentionInputs) -> Tensor { dropped(probabilities(x)).matmul(x.value) }

  /// softmax(q kᵀ · scale + mask); a row in which everything is hidden is 0 instead of NaN.
  func probabilities(_ x: AttentionInputs) -> Tensor {
    var scores = x.query.matmul(x.key.mT) * scale
    let forbidden = Tensor.full([], -Double.infinity, dtype: scores.dtype)
    if let mask = x.mask { scores = mask.dtype == .bool ? `where`(mask, scores, forbidden) : scores + mask }
    if isCausal {
      let isPast = Tensor.ones([x.query.shape[-2], x.key.shape[-2]], dtype: .bool).tril()
      scores = `where`(isPast, scores, forbidden)
    }
    guard x.key.shape[-2] > 0 else { return scores }
    let seesNothing = scores.detach().amax(dims: [-1], keepDim: true) .== -Double.infinity
    return `where`(seesNothing, 0, `where`(seesNothing, 0, scores).softmax(dim: -1))
  }

  /// The weights after dropout: each call drops the same.
  private func dropped(_ p: Tensor) -> Tensor {
    guard let dropout else { return p }
    let draws = Tensor(
      p.device.backend.random(
        .uniform, key: dropout.key, counter: dropout.counter, shape: weights, strides: weights.contiguousStrides,
        dtype: .float32))
    return p * ((draws .>= dropout.p).to(p.dtype) * dropout.keptScale)
  }

  /// The blocked rule in ordinary ops, for a second derivative.
  func gradientsTwin(_ x: AttentionInputs, _ dy: Tensor) -> [Tensor] {
    let p = probabilities(x)
    let dp = dropped(dy.matmul(x.value.mT))
    let ds = p * (dp - (dp * p).sum(dim: -1, keepDim: true)) * scale
    return [ds.matmul(x.key), ds.mT.matmul(x.query), dropped(p).mT.matmul(dy)]
  }
}
