import ApusCore

/// A module that makes one tensor of one tensor, so that `Sequential` can hold it.
///
/// A layer says in `forward` what it computes; `layer(x)` is how it is used. A module with other inputs or outputs (a recurrent cell,
/// attention) is not a layer: it has a `callAsFunction` of its own.
public protocol Layer: Module {
  /// What the layer computes. To be called through `layer(x)`.
  func forward(_ x: Tensor) -> Tensor
}

extension Layer {
  /// Applies the layer.
  public func callAsFunction(_ x: Tensor) -> Tensor { forward(x) }
}
