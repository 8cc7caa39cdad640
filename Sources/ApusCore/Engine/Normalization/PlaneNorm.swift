import CKernels

/// Normalization of row-major `[N, C, …]`. A thread takes a whole group, whose planes are still in cache when they are normalized.
struct PlaneNorm {
  private let layout: ChannelLayout
  private let eps: Double
  /// A group: so many planes, so many elements from one to the next.
  private let planes: Int
  private let stride: Int
  private let groupCount: Int
  private let isBatch: Bool

  init(_ layout: ChannelLayout, _ groups: StatisticsGroups, _ eps: Double) {
    self.layout = layout
    self.eps = eps
    switch groups {
    case .channels:
      (isBatch, planes, stride, groupCount) = (true, layout.samples, layout.channels * layout.positions, layout.channels)
    case .samples(let count):
      (isBatch, planes, stride, groupCount) = (false, layout.channels / count, layout.positions, layout.samples * count)
    }
  }

  /// The first plane of a group, and its channel.
  private func start(_ group: Int) -> (plane: Int, channel: Int) {
    isBatch ? (group, group) : (group * planes, group * planes % layout.channels)
  }

  /// From the weight of a plane to that of the next in its group.
  private var step: Int { isBatch ? 0 : 1 }

  private var grain: Int { max(1, StridedLoop.grain / max(1, planes * layout.positions)) }

  func forward(_ x: TensorData, _ y: TensorData, _ weight: TensorData, _ bias: TensorData) -> NormalizedData {
    let statistics = (0..<2).map { _ in TensorData.uninitialized(Dims(groupCount), .float64, for: "normalization") }
    guard statistics.allSatisfy(\.isValid) else { return .invalid }
    let kernel = apus_norm(Runtime.isa, x.dtype.kernel)!.pointee.planes!
    let size = x.dtype.itemSize
    let (from, to) = (UnsafeRawPointer(x.base), SendablePointer(y.base))
    let (w, b) = (UnsafeRawPointer(weight.base), UnsafeRawPointer(bias.base))
    let (mean, variance) = (statistics[0].doubles, statistics[1].doubles)
    ThreadPool.shared.forEachChunk(of: groupCount, grain: grain) { range in
      for group in range {
        let (plane, channel) = start(group)
        let (offset, weights) = (plane * layout.positions * size, channel * size)
        kernel(
          planes, stride, layout.positions, from + offset, w + weights, b + weights, step, eps,
          to.pointer + offset, mean + group, variance + group)
      }
    }
    return NormalizedData(output: y, mean: statistics[0], variance: statistics[1])
  }

  func backward(
    _ dy: TensorData, _ x: TensorData, _ saved: NormalizedData, _ weight: TensorData, _ dx: TensorData
  ) -> NormalizationGradient {
    // Of every plane in the order of the groups: [C, N] or [N, C].
    let count = layout.samples * layout.channels
    let sums = TensorData.uninitialized([2, count], .float64, for: "normalization")
    guard sums.isValid else { return .invalid }
    let kernel = apus_norm(Runtime.isa, x.dtype.kernel)!.pointee.planes_gradient!
    let size = x.dtype.itemSize
    let inputs = (dy: UnsafeRawPointer(dy.base), x: UnsafeRawPointer(x.base), weight: UnsafeRawPointer(weight.base))
    let (to, dw, db) = (SendablePointer(dx.base), sums.doubles, sums.doubles + count)
    let (mean, variance) = (saved.mean.doubles, saved.variance.doubles)
    ThreadPool.shared.forEachChunk(of: groupCount, grain: grain) { range in
      for group in range {
        let (plane, channel) = start(group)
        let offset = plane * layout.positions * size
        kernel(
          planes, stride, layout.positions, inputs.dy + offset, inputs.x + offset, inputs.weight + channel * size, step, eps,
          mean[group], variance[group], to.pointer + offset, dw + group * planes, db + group * planes)
      }
    }
    let strides: Dims = isBatch ? [1, count, layout.samples] : [layout.channels, count, 1]
    let parts = sums.view(shape: [layout.samples, 2, layout.channels], strides: strides)
    return parameterGradient(parts, dx, x.dtype)
  }
}
