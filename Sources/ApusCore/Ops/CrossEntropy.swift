// Cross-entropy with class labels: from the logits to the losses and from these to softmax − target, without the logarithms of all
// probabilities in between. With a large vocabulary they would be the largest tensors of a language model.

extension Tensor {
  /// −ln softmax(self)[label] along `dim`, one for each label.
  ///
  /// - Parameters:
  ///   - labels: int64, classes in range: the shape of `self` without `dim`.
  ///   - dim: the axis of the classes.
  ///   - smoothing: s in 0 … 1: the loss is (1 − s) times the above plus s times its mean over all classes.
  /// - Returns: the shape of `labels`.
  /// - Complexity: one pass over the logits; another for the gradient, which keeps the logits and two numbers for each label. A label
  ///   whose loss gets no gradient costs no more than zeros.
  package func crossEntropy(labels: Tensor, dim: Int, smoothing: Double) -> Tensor {
    guard isValid, labels.isValid, let axis = resolve(dim, "crossEntropy") else { return .invalid }
    if _slowPath(Context.hasOpenScopes), case let wide = widened(self), wide.dtype != dtype {
      return wide.crossEntropy(labels: labels, dim: dim, smoothing: smoothing)
    }
    let (labelData, backend) = (labels.data, device.backend)
    let (losses, statistics) = backend.crossEntropy(data, axis: axis, labels: labelData, smoothing: smoothing)
    return recorded(
      losses, .named("crossEntropy"),
      .fromInputs { dy, x in
        if isGradEnabled { return [dy.unsqueeze(dim: axis) * x[0].distance(toLabels: labels, axis, smoothing)] }
        return [
          Tensor(
            backend.crossEntropyGradient(
              x[0].data, axis: axis, labels: labelData, smoothing: smoothing, statistics: statistics, dy: dy.data))
        ]
      }, self)
  }

  /// softmax(self) − target.
  private func distance(toLabels labels: Tensor, _ axis: Int, _ smoothing: Double) -> Tensor {
    let (share, spread): (Double, Double) = (1 - smoothing, smoothing / Double(data.shape[axis]))
    let target = Tensor.zeros(shape, dtype: dtype).scatter(dim: axis, index: labels.unsqueeze(dim: axis), share)
    return softmax(dim: axis) - (target + spread)
  }

  /// The readable twin of `crossEntropy`, of ordinary ops.
  package func crossEntropyTwin(labels: Tensor, dim: Int, smoothing: Double) -> Tensor {
    let p = logSoftmax(dim: dim)
    let right = p.gather(dim: dim, index: labels.unsqueeze(dim: dim)).squeeze(dim: dim)
    let share: Double = 1 - smoothing
    return -(share * right + smoothing * p.mean(dim: dim))
  }
}
