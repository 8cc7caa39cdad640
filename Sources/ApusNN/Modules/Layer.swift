import ApusCore

/// A module that makes one tensor of one tensor, so that `Sequential` can hold it.
///
/// A layer says in `forward` what it computes; `layer(x)` is how it is used. A module with other inputs or outputs (a recurrent cell,
/// attention) is not a layer: it has a `callAsFunction` of its own, which goes through `hooked`.
public protocol Layer: Module {
  /// What the layer computes. To be called through `layer(x)`.
  func forward(_ x: Tensor) -> Tensor
}

extension Layer {
  /// Applies the layer, with its hooks.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    if !isIntercepted { return forward(x) }
    return intercepted([x]) { [forward($0[0])] }[0]
  }
}
