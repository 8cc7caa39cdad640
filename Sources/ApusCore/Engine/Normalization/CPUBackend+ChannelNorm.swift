import CKernels

// Batch, group and instance normalization. In either layout the work is cut by size and sums are joined in order.

extension CPUBackend {
  package func normalizeChannels(
    _ x: TensorData, groups: StatisticsGroups, weight: TensorData, bias: TensorData, eps: Double
  ) -> NormalizedData {
    let (x, layout) = ChannelLayout.arrange(x)
    guard x.isValid else { return .invalid }
    guard x.count > 0 else {
      return NormalizedData(output: x, mean: .filled([0], .float64, 0), variance: .filled([0], .float64, 0))
    }
    if layout.isChannelsLast { return ColumnNorm(layout, groups, eps).forward(x, weight, bias) }
    let y = TensorData.uninitialized(x.shape, x.dtype, for: "normalization")
    return y.isValid ? PlaneNorm(layout, groups, eps).forward(x, y, weight, bias) : .invalid
  }

  package func normalizeChannelsGradient(
    _ dy: TensorData, _ x: TensorData, _ saved: NormalizedData, groups: StatisticsGroups, weight: TensorData, eps: Double
  ) -> NormalizationGradient {
    let (x, layout) = ChannelLayout.arrange(x)
    let dy = layout.arrange(dy, like: x)
    guard x.isValid, dy.isValid else { return .invalid }
    let dx = TensorData.uninitialized(x.shape, x.dtype, like: x, for: "normalization")
    guard dx.isValid else { return .invalid }
    guard dx.count > 0 else {
      let zeros = TensorData.filled(weight.shape, x.dtype, 0)
      return NormalizationGradient(input: dx, weight: zeros, bias: zeros)
    }
    return layout.isChannelsLast
      ? ColumnNorm(layout, groups, eps).backward(dy, x, saved, weight, dx)
      : PlaneNorm(layout, groups, eps).backward(dy, x, saved, weight, dx)
  }

  package func scaleChannels(_ x: TensorData, mean: TensorData, scale: TensorData, shift: TensorData) -> TensorData {
    let (x, layout) = ChannelLayout.arrange(x)
    guard x.isValid else { return x }
    let y = TensorData.uninitialized(x.shape, x.dtype, like: x, for: "normalization")
    guard y.isValid else { return y }
    let kernels = apus_norm(Runtime.isa, x.dtype.kernel)!.pointee
    let (from, to, size) = (UnsafeRawPointer(x.base), SendablePointer(y.base), x.dtype.itemSize)
    let (m, s, t) = (mean.doubles, scale.doubles, shift.doubles)
    if layout.isChannelsLast {
      let rowBytes = layout.channels * size
      let grain = max(1, StridedLoop.grain / max(1, layout.channels))
      ThreadPool.shared.forEachChunk(of: layout.samples * layout.positions, grain: grain) { rows in
        let offset = rows.lowerBound * rowBytes
        kernels.columns(rows.count, layout.channels, from + offset, m, s, t, to.pointer + offset)
      }
    } else {
      let planeBytes = layout.positions * size
      let grain = max(1, StridedLoop.grain / max(1, layout.positions))
      ThreadPool.shared.forEachChunk(of: layout.samples * layout.channels, grain: grain) { planes in
        for plane in planes {
          let c = plane % layout.channels
          kernels.line(layout.positions, from + plane * planeBytes, m[c], s[c], t[c], to.pointer + plane * planeBytes)
        }
      }
    }
    return y
  }
}

/// The gradients of weight and bias, of which every row of `[count, 2, C]` (float64) has a part.
func parameterGradient(_ parts: TensorData, _ input: TensorData, _ dtype: DType) -> NormalizationGradient {
  let sums = CPUBackend.shared.reduce(.sum, parts, axes: [0]).cast(dtype)
  let shape = Dims(parts.shape[2])
  return NormalizationGradient(input: input, weight: sums.row(0, shape: shape), bias: sums.row(1, shape: shape))
}
