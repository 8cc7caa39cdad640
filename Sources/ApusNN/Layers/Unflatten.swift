import ApusCore

/// Makes several axes of one: `Unflatten(1, [2, -1])` turns `[N, 10]` into `[N, 2, 5]`. `Tensor.unflatten`.
public final class Unflatten: Module, Layer {
  public let dim: Int
  public let sizes: Shape

  /// - Parameters:
  ///   - dim: the axis; negative counts from the end.
  ///   - sizes: of the axes that take its place; one of them may be −1, which is worked out.
  public init(_ dim: Int, _ sizes: Shape) {
    self.dim = dim
    self.sizes = sizes
  }

  public func forward(_ x: Tensor) -> Tensor { x.unflatten(dim: dim, sizes) }

  public override var arguments: String { "dim: \(dim), sizes: \(sizes)" }
}
