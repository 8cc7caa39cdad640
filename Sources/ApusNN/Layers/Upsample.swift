import ApusCore

/// An image of another size: `interpolate`.
public final class Upsample: Module, Layer {
  public let size: (any PerAxis)?
  public let scaleFactor: (any ScaleFactor)?
  public let mode: InterpolationMode
  public let alignCorners: Bool
  public let recomputeScaleFactor: Bool

  /// - Parameters:
  ///   - size: of the output; either this or `scaleFactor`.
  ///   - scaleFactor: how much larger the output is.
  ///   - mode: from which neighbours.
  ///   - alignCorners: whether the elements at the corners stay where they are.
  ///   - recomputeScaleFactor: whether places follow from the sizes instead of the `scaleFactor` as given.
  public init(
    size: (any PerAxis)? = nil, scaleFactor: (any ScaleFactor)? = nil, mode: InterpolationMode = .nearest,
    alignCorners: Bool = false, recomputeScaleFactor: Bool = false
  ) {
    self.size = size
    self.scaleFactor = scaleFactor
    self.mode = mode
    self.alignCorners = alignCorners
    self.recomputeScaleFactor = recomputeScaleFactor
  }

  public func forward(_ x: Tensor) -> Tensor {
    interpolate(
      x, size: size, scaleFactor: scaleFactor, mode: mode, alignCorners: alignCorners, recomputeScaleFactor: recomputeScaleFactor)
  }

  public override var arguments: String {
    let target = size.map { "size: \($0)" } ?? "scaleFactor: \(scaleFactor.map { "\($0)" } ?? "nil")"
    return "\(target), mode: \(mode)" + (alignCorners ? ", alignCorners: true" : "")
  }
}

/// `Upsample` of `[N, C, H, W]` by the nearest element.
public final class UpsamplingNearest2d: Module, Layer {
  public let size: (any PerAxis)?
  public let scaleFactor: (any ScaleFactor)?

  /// - Parameters:
  ///   - size: of the output; either this or `scaleFactor`.
  ///   - scaleFactor: how much larger the output is.
  public init(size: (any PerAxis)? = nil, scaleFactor: (any ScaleFactor)? = nil) {
    self.size = size
    self.scaleFactor = scaleFactor
  }

  public func forward(_ x: Tensor) -> Tensor { interpolate(x, size: size, scaleFactor: scaleFactor, mode: .nearest) }

  public override var arguments: String {
    size.map { "size: \($0)" } ?? "scaleFactor: \(scaleFactor.map { "\($0)" } ?? "nil")"
  }
}

/// `Upsample` of `[N, C, H, W]` between neighbours, with the corners aligned.
public final class UpsamplingBilinear2d: Module, Layer {
  public let size: (any PerAxis)?
  public let scaleFactor: (any ScaleFactor)?

  /// - Parameters:
  ///   - size: of the output; either this or `scaleFactor`.
  ///   - scaleFactor: how much larger the output is.
  public init(size: (any PerAxis)? = nil, scaleFactor: (any ScaleFactor)? = nil) {
    self.size = size
    self.scaleFactor = scaleFactor
  }

  public func forward(_ x: Tensor) -> Tensor {
    interpolate(x, size: size, scaleFactor: scaleFactor, mode: .bilinear, alignCorners: true)
  }

  public override var arguments: String {
    size.map { "size: \($0)" } ?? "scaleFactor: \(scaleFactor.map { "\($0)" } ?? "nil")"
  }
}
