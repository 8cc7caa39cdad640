/// The fused op behind batch, group and instance normalization: the channels of `[N, C, …]` by the statistics of their group.
struct ChannelNormalization {
  let name: StaticString
  let groups: StatisticsGroups
  let eps: Double

  /// The result, and the statistics of each group (float64, without a gradient).
  func apply(_ x: Tensor, _ affine: Affine) -> (y: Tensor, mean: Tensor, variance: Tensor) {
    let dtype = x.dtype.normalizationType
    let (y, saved) = record(x.to(dtype), affine.to(dtype))
    return (y.to(x.dtype), Tensor(saved.mean), Tensor(saved.variance))
  }

  private func record(_ x: Tensor, _ affine: Affine) -> (Tensor, NormalizedData) {
    let (backend, present, channels) = (x.device.backend, affine.presence, Dims(x.shape[1]))
    let dense = affine.dense(channels, x.dtype)
    var saved = backend.normalizeChannels(x.data, groups: groups, weight: dense.weight, bias: dense.bias, eps: eps)
    let y = saved.output
    saved.output = .invalid  // not kept for the gradient
    let result = recorded(
      y, .named(name),
      .fromInputs { [saved] dy, inputs in
        if isGradEnabled { return differentiableGradient(dy, inputs, present) }
        let gradient = backend.normalizeChannelsGradient(
          dy.data, inputs[0].data, saved, groups: groups, weight: present.denseWeight(inputs, channels), eps: eps)
        return present.gradients(Tensor(gradient.input), weight: Tensor(gradient.weight), bias: Tensor(gradient.bias))
      }, [x] + affine.inputs)
    return (result, saved)
  }

  /// The same of ordinary ops.
  func twin(_ x: Tensor, _ affine: Affine) -> Tensor {
    affine.apply(standardized(x).values.reshape(x.shape), shape: x.channelShape)
  }

  /// For gradients that will be differentiated again.
  private func differentiableGradient(_ dy: Tensor, _ inputs: Inputs, _ present: AffinePresence) -> [Tensor?] {
    let x = inputs[0]
    let z = standardized(x)
    let g = present.weight(inputs).map { dy * $0.reshape(x.channelShape) } ?? dy
    let dx = z.gradient(g.reshape(z.values.shape)).reshape(x.shape)
    return present.gradients(
      dx, weight: (dy * z.values.reshape(x.shape)).sum(dims: x.axesWithoutChannels), bias: dy.sum(dims: x.axesWithoutChannels))
  }

  private func standardized(_ x: Tensor) -> Standardized {
    switch groups {
    case .channels: return Standardized(x, dims: x.axesWithoutChannels, eps: eps)
    case .samples(let count):
      return Standardized(x.reshape([x.shape[0], count, x.count / max(x.shape[0] * count, 1)]), dims: [2], eps: eps)
    }
  }
}

extension Tensor {
  /// `[C, 1, …]`: what a number for each channel of this tensor broadcasts as.
  var channelShape: Shape { Shape([shape[1]] + [Int](repeating: 1, count: rank - 2)) }

  /// All axes but 1.
  var axesWithoutChannels: [Int] { [0] + Array(2..<rank) }

  /// Whether there are channels (axis 1) and weights for them that fit.
  func hasChannels(_ affine: Affine, _ operation: String) -> Bool {
    guard isValid, check(rank >= 2, .shape, operation, "input \(shape) has no channels; it takes [N, C, …]") else { return false }
    return affine.fits(self, shape: [shape[1]], operation)
  }
}
