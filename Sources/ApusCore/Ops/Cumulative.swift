import CKernels

/// Running combinations along one axis.
package enum Cumulative: CaseIterable, Sendable {
  case cumsum

  func kernel(_ dtype: DType) -> apus_cumulative_kernel? {
    switch self {
    case .cumsum: apus_cumsum(Runtime.isa, dtype.kernel)
    }
  }
}

extension Tensor {
  /// Running sum along an axis: `y[i] = x[0] + … + x[i]`. Integers and bool give int64.
  public func cumsum(dim: Int) -> Tensor {
    guard isValid, let axis = resolve(dim, "cumsum") else { return .invalid }
    if Context.hasOpenScopes, case let wide = widened(self), wide.dtype != dtype { return wide.cumsum(dim: axis) }
    let x = data.cast(dtype.sumType)
    if rank == 0 { return Tensor(x, node) }
    // dL/dx[i] = Σ dL/dy[j] for j ≥ i: the running sum from the other end.
    return recorded(
      device.backend.cumulative(.cumsum, x, axis: axis), .named("cumsum"),
      .linear { dy in [dy.flip(axis).cumsum(dim: axis).flip(axis)] }, self)
  }
}
