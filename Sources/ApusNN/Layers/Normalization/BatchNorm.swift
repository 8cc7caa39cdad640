import ApusCore

/// Batch normalization layers: `batchNorm` by the batch in training, which moves the running statistics, and by these in evaluation.
/// Without running statistics (`trackRunningStats: false`) by the batch in both.
///
/// With `momentum: nil` the running statistics are the average over all batches since the start, or since `resetRunningStats()`.
///
/// `BatchNorm2d(nil)` takes as many features as its first input has channels.
public class BatchNorm: ChannelNorm, Layer {
  init(
    _ numFeatures: Int?, _ eps: Double, _ momentum: Double?, _ affine: Bool, _ track: Bool, _ dtype: DType, _ ranks: [Int: String]
  ) {
    super.init(numFeatures, eps, momentum, isAffine: affine, isTracking: track, dtype, ranks: ranks, channelAxis: 1)
  }

  public func forward(_ x: Tensor) -> Tensor {
    guard takes(x, channelAxis: 1) else { return .invalid }
    guard runningMean != nil else { return batchNorm(x, weight: weight, bias: bias, eps: eps) }
    guard isTraining else { return normalizedByRunningStatistics(x) }
    numBatchesTracked! += 1
    let share = momentum ?? 1 / numBatchesTracked!.item()
    return batchNorm(
      x, runningMean: &runningMean!, runningVar: &runningVar!, weight: weight, bias: bias, momentum: share, eps: eps)
  }
}

/// Batch normalization of `[N, C]` or `[N, C, L]`; see `BatchNorm`.
public final class BatchNorm1d: BatchNorm {
  public init(
    _ numFeatures: Int?, eps: Double = 1e-5, momentum: Double? = 0.1, affine: Bool = true, trackRunningStats: Bool = true,
    dtype: DType = .float32
  ) {
    super.init(numFeatures, eps, momentum, affine, trackRunningStats, dtype, [2: "[N, C]", 3: "[N, C, L]"])
  }
}

/// Batch normalization of `[N, C, H, W]`; see `BatchNorm`.
public final class BatchNorm2d: BatchNorm {
  public init(
    _ numFeatures: Int?, eps: Double = 1e-5, momentum: Double? = 0.1, affine: Bool = true, trackRunningStats: Bool = true,
    dtype: DType = .float32
  ) {
    super.init(numFeatures, eps, momentum, affine, trackRunningStats, dtype, [4: "[N, C, H, W]"])
  }
}

/// Batch normalization of `[N, C, D, H, W]`; see `BatchNorm`.
public final class BatchNorm3d: BatchNorm {
  public init(
    _ numFeatures: Int?, eps: Double = 1e-5, momentum: Double? = 0.1, affine: Bool = true, trackRunningStats: Bool = true,
    dtype: DType = .float32
  ) {
    super.init(numFeatures, eps, momentum, affine, trackRunningStats, dtype, [5: "[N, C, D, H, W]"])
  }
}
