// Softmax and its logarithm: one pass over a line, and what their gradients need is their own output.

extension Tensor {
  /// Softmax along `dim`: `exp(x − max x) / Σ exp(x − max x)`, stable for large inputs.
  ///
  /// - Parameter dim: axis to normalize; negative counts from the end.
  /// - Returns: the shape of `self`; every slice along `dim` sums to 1. Integers become float32. A slice of only −∞ is NaN.
  /// - Complexity: two passes over the elements; keeps its output for the gradient.
  public func softmax(dim: Int) -> Tensor {
    softmax(dim, isLogarithm: false) { axis, dy, y in
      // dx = y (dy − Σ y dy)
      let product = y * dy
      return product - y * product.sum(dim: axis, keepDim: true)
    }
  }

  /// Logarithm of the softmax along `dim`: `x − max x − ln Σ exp(x − max x)`; exact where the softmax itself would underflow.
  public func logSoftmax(dim: Int) -> Tensor {
    softmax(dim, isLogarithm: true) { axis, dy, y in dy - y.exp() * dy.sum(dim: axis, keepDim: true) }
  }

  private func softmax(_ dim: Int, isLogarithm: Bool, _ rule: @escaping (Int, Tensor, Tensor) -> Tensor) -> Tensor {
    let name: StaticString = isLogarithm ? "logSoftmax" : "softmax"
    guard isValid, let axis = resolve(dim, "\(name)") else { return .invalid }
    if _slowPath(Context.hasOpenScopes), case let wide = widened(self), wide.dtype != dtype {
      return wide.softmax(axis, isLogarithm: isLogarithm, rule)
    }
    if rank == 0 { return reshape([1]).softmax(0, isLogarithm: isLogarithm, rule).reshape([]) }
    let y = device.backend.softmax(data.cast(dtype.floatingType), axis: axis, isLogarithm: isLogarithm)
    return recorded(y, .named(name), .fromOutput { dy, y in [rule(axis, dy, y)] }, self)
  }

  /// The readable twin of `softmax`, of ordinary ops.
  package func softmaxTwin(dim: Int) -> Tensor {
    let exps = (self - detach().amax(dims: [dim], keepDim: true)).exp()
    return exps / exps.sum(dim: dim, keepDim: true)
  }

  /// The readable twin of `logSoftmax`, of ordinary ops.
  package func logSoftmaxTwin(dim: Int) -> Tensor { self - logsumexp(dim: dim, keepDim: true) }
}
