// Batch normalization (Ioffe and Szegedy 2015): every channel is brought to mean 0 and variance 1. One function for each source of the
// statistics, since what is a flag in PyTorch decides here what is changed: the batch alone; the batch, which moves running statistics; or
// fixed ones.

/// Batch normalization by the statistics of the batch: (x − mean) / √(variance + eps) · weight + bias for each channel.
///
/// - Parameters:
///   - x: `[N, C]` or `[N, C, …]`, floating-point, with more than one value for each channel; half types are computed in float32.
///   - weight: `[C]`, in the dtype of `x` (or float32 beside a half type); nil for 1.
///   - bias: likewise; nil for 0.
///   - eps: keeps channels of equal numbers finite.
/// - Returns: shape and dtype of `x`, and its order in memory where that is row-major or channels-last. The variance is the biased one.
/// - Complexity: two passes over memory, for the gradient about twice that; keeps `x`. Where the channels of a large input are last, the second
///   pass is shared with element-wise ops that follow.
public func batchNorm(_ x: Tensor, weight: Tensor? = nil, bias: Tensor? = nil, eps: Double = 1e-5) -> Tensor {
  let affine = Affine(weight: weight, bias: bias)
  guard x.hasChannels(affine, "batchNorm"), x.hasBatchStatistics("batchNorm") else { return .invalid }
  return ChannelNormalization(name: "batchNorm", groups: .channels, eps: eps).apply(x, affine).y
}

/// Batch normalization by the statistics of the batch, of which running statistics take a share: what happens in training.
///
/// - Parameters:
///   - x: see `batchNorm(_:weight:bias:eps:)`.
///   - runningMean: `[C]`; becomes (1 − momentum) · runningMean + momentum · mean.
///   - runningVar: `[C]`; moves likewise towards the unbiased variance (divided by n − 1).
///   - weight: `[C]`; nil for 1.
///   - bias: `[C]`; nil for 0.
///   - momentum: the share of this batch.
///   - eps: keeps channels of equal numbers finite.
/// - Returns: as without running statistics. An empty batch leaves them as they are.
public func batchNorm(
  _ x: Tensor, runningMean: inout Tensor, runningVar: inout Tensor, weight: Tensor? = nil, bias: Tensor? = nil,
  momentum: Double = 0.1, eps: Double = 1e-5
) -> Tensor {
  let affine = Affine(weight: weight, bias: bias)
  guard x.hasChannels(affine, "batchNorm"), x.hasBatchStatistics("batchNorm"),
    x.fitsStatistics(runningMean, runningVar, "batchNorm")
  else { return .invalid }
  let (y, mean, variance) = ChannelNormalization(name: "batchNorm", groups: .channels, eps: eps).apply(x, affine)
  if x.count > 0 {
    let n = Double(x.count / x.shape[1])
    runningMean.move(toward: mean, share: momentum)
    runningVar.move(toward: variance * (n / (n - 1)), share: momentum)
  }
  return y
}

/// Batch normalization by given statistics, which get no gradient: what happens in evaluation.
///
/// - Parameters:
///   - x: `[N, C]` or `[N, C, …]`, floating-point; half types are computed in float32.
///   - mean: `[C]`.
///   - variance: `[C]`.
///   - weight: `[C]`; nil for 1.
///   - bias: `[C]`; nil for 0.
///   - eps: is added to the variance.
/// - Returns: shape and dtype of `x`, and its order in memory where that is row-major or channels-last.
/// - Complexity: one pass over memory.
public func batchNorm(
  _ x: Tensor, mean: Tensor, variance: Tensor, weight: Tensor? = nil, bias: Tensor? = nil, eps: Double = 1e-5
) -> Tensor {
  let affine = Affine(weight: weight, bias: bias)
  guard x.hasChannels(affine, "batchNorm"), x.fitsStatistics(mean, variance, "batchNorm") else { return .invalid }
  let dtype = x.dtype.normalizationType
  let center = mean.detach().to(.float64)
  let rstd = (variance.detach().to(.float64) + eps).rsqrt()
  return scaledChannels(x.to(dtype), center, rstd, affine.to(dtype)).to(x.dtype)
}

/// (x − mean) · rstd · weight + bias for each channel; `mean` and `rstd` are float64 constants.
private func scaledChannels(_ x: Tensor, _ mean: Tensor, _ rstd: Tensor, _ affine: Affine) -> Tensor {
  // The kernel takes one factor for each channel.
  let present = affine.presence
  let scale = affine.weight.map { $0.detach().to(.float64) * rstd } ?? rstd
  let shift = affine.bias.map { $0.detach().to(.float64) } ?? Tensor.zerosLike(rstd)
  let y = x.device.backend.scaleChannels(
    x.data, mean: mean.data.contiguous(), scale: scale.data.contiguous(), shift: shift.data.contiguous())
  return recorded(
    y, .named("batchNorm"),
    .fromInputs { dy, inputs in
      let x = inputs[0]
      let factor = rstd.to(x.dtype).reshape(x.channelShape)
      let g = present.weight(inputs).map { dy * $0.reshape(x.channelShape) } ?? dy
      let z = (x - mean.to(x.dtype).reshape(x.channelShape)) * factor
      let axes = x.axesWithoutChannels
      return present.gradients(g * factor, weight: (dy * z).sum(dims: axes), bias: dy.sum(dims: axes))
    }, [x] + affine.inputs)
}

/// The readable twin of `batchNorm` by the statistics of the batch, of ordinary ops.
package func batchNormTwin(_ x: Tensor, weight: Tensor? = nil, bias: Tensor? = nil, eps: Double = 1e-5) -> Tensor {
  ChannelNormalization(name: "batchNorm", groups: .channels, eps: eps).twin(x, Affine(weight: weight, bias: bias))
}

/// The readable twin of `batchNorm` by given statistics, of ordinary ops.
package func batchNormTwin(
  _ x: Tensor, mean: Tensor, variance: Tensor, weight: Tensor? = nil, bias: Tensor? = nil, eps: Double = 1e-5
) -> Tensor {
  let z = (x - mean.reshape(x.channelShape)) * (variance + eps).rsqrt().reshape(x.channelShape)
  return Affine(weight: weight, bias: bias).apply(z, shape: x.channelShape)
}

extension Tensor {
  /// Whether a batch has more than one value for each channel. (An empty one has nothing to normalize.)
  fileprivate func hasBatchStatistics(_ operation: String) -> Bool {
    check(
      shape[0] * shape.dropFirst(2).reduce(1, *) != 1, .shape, operation,
      "one value for each channel in \(shape) has no variance; training takes more")
  }

  /// Whether running statistics are `[C]` and floating-point.
  func fitsStatistics(_ mean: Tensor, _ variance: Tensor, _ operation: String) -> Bool {
    for (name, tensor) in [("mean", mean), ("variance", variance)] {
      guard tensor.isValid,
        check(
          tensor.shape == [shape[1]], .shape, operation,
          "\(name) of shape \(tensor.shape) for \(shape[1]) channels, in \(shape)"),
        check(tensor.dtype.isFloatingPoint, .dtype, operation, "\(name) is \(tensor.dtype), not floating-point")
      else { return false }
    }
    return true
  }

  /// self ← (1 − share) · self + share · value, without a gradient.
  mutating func move(toward value: Tensor, share: Double) {
    let rest: Double = 1 - share
    noGrad { assign(detach().to(.float64) * rest + value * share) }
  }
}
