import ApusCore

/// What batch and instance normalization layers have in common: a weight, a bias and running statistics for each channel.
public class ChannelNorm: Module {
  @Parameter public var weight: Tensor?  // [C]
  @Parameter public var bias: Tensor?  // [C]
  @Buffer public var runningMean: Tensor?  // [C]
  @Buffer public var runningVar: Tensor?  // [C]
  @Buffer public var numBatchesTracked: Tensor?  // []
  private var features: Int?
  public let eps: Double
  /// The share that a batch has in the running statistics; nil for their average over all batches.
  public let momentum: Double?

  /// The axes of an input, as an error names them, for each rank that is taken.
  let ranks: [Int: String]

  /// - Parameters:
  ///   - numFeatures: nil where the first input is to tell.
  ///   - channelAxis: where inputs have them.
  init(
    _ numFeatures: Int?, _ eps: Double, _ momentum: Double?, isAffine: Bool, isTracking: Bool, _ dtype: DType,
    ranks: [Int: String], channelAxis: Int
  ) {
    self.eps = eps
    self.momentum = momentum
    self.ranks = ranks
    super.init()
    if isTracking { numBatchesTracked = Tensor.zeros([], dtype: .int64) }
    // What there will be exists from the start, so that the layer prints itself.
    start(0, dtype, isAffine, isTracking)
    whenInputSizeIsKnown(
      numFeatures, dtype: dtype, axis: channelAxis, savedSize: { $0("weight")?.first ?? $0("running_mean")?.first }
    ) { [unowned self] size, dtype in
      features = size
      start(check(size >= 0, .value, kind, "\(size) features") ? size : 0, dtype, isAffine, isTracking)
    }
  }

  private func start(_ size: Int, _ dtype: DType, _ isAffine: Bool, _ isTracking: Bool) {
    if isAffine { (weight, bias) = (Tensor.ones([size], dtype: dtype), Tensor.zeros([size], dtype: dtype)) }
    if isTracking { (runningMean, runningVar) = (Tensor.zeros([size], dtype: dtype), Tensor.ones([size], dtype: dtype)) }
  }

  /// Channels of inputs. Where they were left open, asking before the first input is an error.
  public var numFeatures: Int { features ?? unknownInputSize() }

  public override var arguments: String {
    let channels = features.map { "\($0)" } ?? "?"
    let share = momentum.map { "\($0)" } ?? "nil"
    return "\(channels), eps: \(eps), momentum: \(share), affine: \(weight != nil), trackRunningStats: \(runningMean != nil)"
  }

  /// Whether `x` has a rank that this layer takes, and its channels at `axis`.
  func takes(_ x: Tensor, channelAxis: Int) -> Bool {
    let axes = ranks.sorted { $0.key < $1.key }.map(\.value).joined(separator: " or ")
    guard x.isValid, check(ranks[x.rank] != nil, .shape, "\(type(of: self))", "input \(x.shape) is not \(axes)") else {
      return false
    }
    let channels = x.shape[channelAxis]
    return check(
      channels == numFeatures, .shape, "\(type(of: self))", "input \(x.shape) has \(channels) channels, not \(numFeatures)")
  }

  /// By the running statistics.
  func normalizedByRunningStatistics(_ x: Tensor) -> Tensor {
    batchNorm(x, mean: runningMean!, variance: runningVar!, weight: weight, bias: bias, eps: eps)
  }

  /// Forgets the running statistics.
  public func resetRunningStats() {
    guard let mean = runningMean, let variance = runningVar, let count = numBatchesTracked else { return }
    (runningMean, runningVar) = (Tensor.zerosLike(mean), Tensor.onesLike(variance))
    numBatchesTracked = Tensor.zerosLike(count)
  }
}
