import ApusCore

/// Instance normalization layers: `instanceNorm`, or, where running statistics are tracked and in evaluation, `batchNorm` by these.
///
/// Unlike batch normalization they have no parameters and no running statistics unless asked for. As in PyTorch `numBatchesTracked`
/// stays 0. `InstanceNorm2d(nil)` takes as many features as its first input has channels.
public class InstanceNorm: ChannelNorm, Layer {
  private let batchedRank: Int

  init(
    _ numFeatures: Int?, _ eps: Double, _ momentum: Double, _ affine: Bool, _ track: Bool, _ dtype: DType, _ ranks: [Int: String]
  ) {
    batchedRank = ranks.keys.max()!
    super.init(numFeatures, eps, momentum, isAffine: affine, isTracking: track, dtype, ranks: ranks, channelAxis: 1 - batchedRank)
  }

  public func forward(_ x: Tensor) -> Tensor {
    guard takes(x, channelAxis: x.rank == batchedRank ? 1 : 0) else { return .invalid }
    return x.rank == batchedRank ? normalized(x) : normalized(x.unsqueeze(dim: 0)).squeeze(dim: 0)
  }

  private func normalized(_ x: Tensor) -> Tensor {
    guard runningMean != nil else { return instanceNorm(x, weight: weight, bias: bias, eps: eps) }
    guard isTraining else { return normalizedByRunningStatistics(x) }
    return instanceNorm(
      x, runningMean: &runningMean!, runningVar: &runningVar!, weight: weight, bias: bias, momentum: momentum ?? 0, eps: eps)
  }
}

/// Instance normalization of `[N, C, L]` or `[C, L]`; see `InstanceNorm`.
public final class InstanceNorm1d: InstanceNorm {
  public init(
    _ numFeatures: Int?, eps: Double = 1e-5, momentum: Double = 0.1, affine: Bool = false, trackRunningStats: Bool = false,
    dtype: DType = .float32
  ) {
    super.init(numFeatures, eps, momentum, affine, trackRunningStats, dtype, [2: "[C, L]", 3: "[N, C, L]"])
  }
}

/// Instance normalization of `[N, C, H, W]` or `[C, H, W]`; see `InstanceNorm`.
public final class InstanceNorm2d: InstanceNorm {
  public init(
    _ numFeatures: Int?, eps: Double = 1e-5, momentum: Double = 0.1, affine: Bool = false, trackRunningStats: Bool = false,
    dtype: DType = .float32
  ) {
    super.init(numFeatures, eps, momentum, affine, trackRunningStats, dtype, [3: "[C, H, W]", 4: "[N, C, H, W]"])
  }
}

/// Instance normalization of `[N, C, D, H, W]` or `[C, D, H, W]`; see `InstanceNorm`.
public final class InstanceNorm3d: InstanceNorm {
  public init(
    _ numFeatures: Int?, eps: Double = 1e-5, momentum: Double = 0.1, affine: Bool = false, trackRunningStats: Bool = false,
    dtype: DType = .float32
  ) {
    super.init(numFeatures, eps, momentum, affine, trackRunningStats, dtype, [4: "[C, D, H, W]", 5: "[N, C, D, H, W]"])
  }
}
