// Normalization of every sample by itself: in groups of channels, or each channel on its own.

/// Group normalization (Wu and He 2018): (x − mean) / √(variance + eps) · weight + bias, with the statistics of each group of neighbouring
/// channels in each sample.
///
/// - Parameters:
///   - x: `[N, C, …]`, floating-point; half types are computed in float32.
///   - numGroups: divides C. 1 is layer normalization of a sample with a weight for each channel; C is `instanceNorm`.
///   - weight: `[C]`, in the dtype of `x` (or float32 beside a half type); nil for 1.
///   - bias: likewise; nil for 0.
///   - eps: keeps groups of equal numbers finite.
/// - Returns: shape and dtype of `x`, and its order in memory where that is row-major or channels-last.
/// - Complexity: two passes over memory (three where channels are last), for the gradient about twice that; keeps `x`.
public func groupNorm(_ x: Tensor, numGroups: Int, weight: Tensor? = nil, bias: Tensor? = nil, eps: Double = 1e-5) -> Tensor {
  let affine = Affine(weight: weight, bias: bias)
  guard x.hasChannels(affine, "groupNorm"), x.dividesChannels(numGroups) else { return .invalid }
  // PyTorch's rule, which lets groups of one value pass where there are several.
  guard
    check(
      x.count != numGroups, .shape, "groupNorm", "one value for each of \(numGroups) groups in \(x.shape) has no variance")
  else { return .invalid }
  return ChannelNormalization(name: "groupNorm", groups: .samples(count: numGroups), eps: eps).apply(x, affine).y
}

/// Instance normalization (Ulyanov et al. 2016): every channel of every sample by its own mean and variance.
///
/// - Parameters:
///   - x: `[N, C, …]`, floating-point, with more than one position for each channel; half types are computed in float32.
///   - weight: `[C]`, in the dtype of `x` (or float32 beside a half type); nil for 1.
///   - bias: likewise; nil for 0.
///   - eps: keeps channels of equal numbers finite.
/// - Returns: shape and dtype of `x`, and its order in memory where that is row-major or channels-last.
/// - Complexity: as `groupNorm`.
public func instanceNorm(_ x: Tensor, weight: Tensor? = nil, bias: Tensor? = nil, eps: Double = 1e-5) -> Tensor {
  instanceNormalization(x, weight, bias, eps)?.y ?? .invalid
}

/// Instance normalization that moves running statistics: what happens in training where they are tracked. (In evaluation use
/// `batchNorm(_:mean:variance:weight:bias:eps:)`.)
///
/// - Parameters:
///   - x: see `instanceNorm(_:weight:bias:eps:)`.
///   - runningMean: `[C]`; becomes (1 − momentum) · runningMean + momentum · the samples' average mean.
///   - runningVar: `[C]`; moves likewise towards the samples' average unbiased variance.
///   - weight: `[C]`; nil for 1.
///   - bias: `[C]`; nil for 0.
///   - momentum: the share of this batch.
///   - eps: keeps channels of equal numbers finite.
/// - Returns: as without running statistics.
public func instanceNorm(
  _ x: Tensor, runningMean: inout Tensor, runningVar: inout Tensor, weight: Tensor? = nil, bias: Tensor? = nil,
  momentum: Double = 0.1, eps: Double = 1e-5
) -> Tensor {
  guard x.rank < 2 || x.fitsStatistics(runningMean, runningVar, "instanceNorm"),
    let (y, mean, variance) = instanceNormalization(x, weight, bias, eps)
  else { return .invalid }
  if x.count > 0 {
    let (shape, n) = ([x.shape[0], x.shape[1]] as Shape, Double(x.count / (x.shape[0] * x.shape[1])))
    runningMean.move(toward: mean.reshape(shape).mean(dim: 0), share: momentum)
    runningVar.move(toward: variance.reshape(shape).mean(dim: 0) * (n / (n - 1)), share: momentum)
  }
  return y
}

private func instanceNormalization(
  _ x: Tensor, _ weight: Tensor?, _ bias: Tensor?, _ eps: Double
) -> (y: Tensor, mean: Tensor, variance: Tensor)? {
  let affine = Affine(weight: weight, bias: bias)
  guard x.hasChannels(affine, "instanceNorm"),
    check(
      x.shape.dropFirst(2).reduce(1, *) != 1, .shape, "instanceNorm",
      "one position for each channel in \(x.shape) has no variance")
  else { return nil }
  return ChannelNormalization(name: "instanceNorm", groups: .samples(count: x.shape[1]), eps: eps).apply(x, affine)
}

/// The readable twin of `groupNorm`, of ordinary ops.
package func groupNormTwin(
  _ x: Tensor, numGroups: Int, weight: Tensor? = nil, bias: Tensor? = nil, eps: Double = 1e-5
) -> Tensor {
  let affine = Affine(weight: weight, bias: bias)
  return ChannelNormalization(name: "groupNorm", groups: .samples(count: numGroups), eps: eps).twin(x, affine)
}

/// The readable twin of `instanceNorm`, of ordinary ops.
package func instanceNormTwin(_ x: Tensor, weight: Tensor? = nil, bias: Tensor? = nil, eps: Double = 1e-5) -> Tensor {
  groupNormTwin(x, numGroups: x.shape[1], weight: weight, bias: bias, eps: eps)
}

extension Tensor {
  fileprivate func dividesChannels(_ groups: Int) -> Bool {
    check(
      groups > 0 && shape[1] % groups == 0, .value, "groupNorm", "\(shape[1]) channels, in \(shape), do not make \(groups) groups"
    )
  }
}
