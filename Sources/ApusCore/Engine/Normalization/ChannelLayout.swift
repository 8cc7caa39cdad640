/// How `[N, C, …]` lies in memory, for kernels that go by channels.
struct ChannelLayout {
  let samples: Int
  let channels: Int
  /// Positions of a channel in a sample.
  let positions: Int
  /// Whether the channels of a position are neighbours (`[N, …, C]`), rather than the positions of a channel.
  let isChannelsLast: Bool

  /// `x` in one of the two orders, itself where it can be, and which one.
  static func arrange(_ x: TensorData) -> (TensorData, ChannelLayout) {
    let isLast = x.channelsLast.isContiguous
    let arranged = isLast ? x : x.contiguous()
    let (samples, channels) = (x.shape[0], x.shape[1])
    let layout = ChannelLayout(
      samples: samples, channels: channels, positions: x.shape.dropFirst(2).reduce(1, *), isChannelsLast: isLast)
    return (arranged, layout)
  }

  /// `x`, of the shape that was arranged, in the same order.
  func arrange(_ x: TensorData, like other: TensorData) -> TensorData {
    if isChannelsLast ? x.channelsLast.isContiguous : x.isContiguous { return x }
    let copy = TensorData.uninitialized(other.shape, x.dtype, like: other, for: "copy")
    if copy.isValid { CPUBackend.shared.copy(x, into: copy) }
    return copy
  }
}

extension TensorData {
  /// The same memory with the channels' axis (1) as the last.
  fileprivate var channelsLast: TensorData {
    let order = [0] + Array(2..<rank) + [1]
    return view(shape: Dims(order.map { shape[$0] }), strides: Dims(order.map { strides[$0] }))
  }
}
