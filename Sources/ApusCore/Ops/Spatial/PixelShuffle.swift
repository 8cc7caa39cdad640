/// Channels spread over space: each element of the result's blocks of r × r pixels comes from a channel of its own.
///
/// - Parameters:
///   - x: `[…, C · r², H, W]`
///   - upscaleFactor: r.
/// - Returns: `[…, C, H · r, W · r]`
public func pixelShuffle(_ x: Tensor, _ upscaleFactor: Int) -> Tensor {
  let r = upscaleFactor
  guard hasChannels(x, "pixelShuffle"), check(r > 0, .value, "pixelShuffle", "upscaleFactor \(r) is not positive"),
    check(
      x.shape[-3] % (r * r) == 0, .shape, "pixelShuffle", "the \(x.shape[-3]) channels of \(x.shape) are not a multiple of \(r)²")
  else { return .invalid }
  let lead = x.rank - 3
  let (channels, height, width) = (x.shape[-3] / (r * r), x.shape[-2], x.shape[-1])
  // [C, r, r, H, W] → [C, H, r, W, r]
  let blocks = x.reshape(Shape(x.shape.prefix(lead) + [channels, r, r, height, width]))
  let order = Array(0..<lead) + [0, 3, 1, 4, 2].map { lead + $0 }
  return blocks.permute(order).reshape(Shape(x.shape.prefix(lead) + [channels, height * r, width * r]))
}

/// The inverse of `pixelShuffle`: each pixel of a block of r × r goes to a channel of its own.
///
/// - Parameters:
///   - x: `[…, C, H · r, W · r]`
///   - downscaleFactor: r.
/// - Returns: `[…, C · r², H, W]`
public func pixelUnshuffle(_ x: Tensor, _ downscaleFactor: Int) -> Tensor {
  let r = downscaleFactor
  guard hasChannels(x, "pixelUnshuffle"), check(r > 0, .value, "pixelUnshuffle", "downscaleFactor \(r) is not positive"),
    check(
      x.shape[-2] % r == 0 && x.shape[-1] % r == 0, .shape, "pixelUnshuffle",
      "height and width of \(x.shape) are not multiples of \(r)")
  else { return .invalid }
  let lead = x.rank - 3
  let (channels, height, width) = (x.shape[-3], x.shape[-2] / r, x.shape[-1] / r)
  // [C, H, r, W, r] → [C, r, r, H, W]
  let blocks = x.reshape(Shape(x.shape.prefix(lead) + [channels, height, r, width, r]))
  let order = Array(0..<lead) + [0, 2, 4, 1, 3].map { lead + $0 }
  return blocks.permute(order).reshape(Shape(x.shape.prefix(lead) + [channels * r * r, height, width]))
}

/// Channels in `groups` dealt out in turn: the first of each group, then the second of each, and so on.
///
/// - Parameters:
///   - x: `[N, C, …]` with at least three axes.
///   - groups: divides C.
public func channelShuffle(_ x: Tensor, _ groups: Int) -> Tensor {
  guard hasChannels(x, "channelShuffle"), check(groups > 0, .value, "channelShuffle", "\(groups) groups"),
    check(
      x.shape[1] % groups == 0, .shape, "channelShuffle",
      "the \(x.shape[1]) channels of \(x.shape) are not a multiple of \(groups)")
  else { return .invalid }
  let grouped = x.unflatten(dim: 1, [groups, x.shape[1] / groups])
  return grouped.transpose(1, 2).flatten(startDim: 1, endDim: 2)
}

private func hasChannels(_ x: Tensor, _ name: String) -> Bool {
  x.isValid && check(x.rank >= 3, .shape, name, "input \(x.shape) has not three axes")
}
