import ApusCore

/// Channels spread over blocks of pixels: the function `pixelShuffle`.
public final class PixelShuffle: Module, Layer {
  public let upscaleFactor: Int
  public init(_ upscaleFactor: Int) { self.upscaleFactor = upscaleFactor }
  public func forward(_ x: Tensor) -> Tensor { pixelShuffle(x, upscaleFactor) }
  public override var arguments: String { "upscaleFactor: \(upscaleFactor)" }
}

/// The inverse of `PixelShuffle`: the function `pixelUnshuffle`.
public final class PixelUnshuffle: Module, Layer {
  public let downscaleFactor: Int
  public init(_ downscaleFactor: Int) { self.downscaleFactor = downscaleFactor }
  public func forward(_ x: Tensor) -> Tensor { pixelUnshuffle(x, downscaleFactor) }
  public override var arguments: String { "downscaleFactor: \(downscaleFactor)" }
}

/// Channels of several groups dealt out in turn: the function `channelShuffle`.
public final class ChannelShuffle: Module, Layer {
  public let groups: Int
  public init(_ groups: Int) { self.groups = groups }
  public func forward(_ x: Tensor) -> Tensor { channelShuffle(x, groups) }
  public override var arguments: String { "groups: \(groups)" }
}
