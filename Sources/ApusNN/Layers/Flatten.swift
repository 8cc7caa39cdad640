import ApusCore

/// Makes one axis of the axes from `startDim` to `endDim`; by default of all but the first, so that each sample becomes a row.
public final class Flatten: Module, Layer {
  public let startDim: Int
  public let endDim: Int

  public init(startDim: Int = 1, endDim: Int = -1) {
    self.startDim = startDim
    self.endDim = endDim
  }

  public func forward(_ x: Tensor) -> Tensor { x.flatten(startDim: startDim, endDim: endDim) }

  public override var arguments: String { "startDim: \(startDim), endDim: \(endDim)" }
}
