import ApusCore

extension Convolution {
  /// relu(norm(self(x)) + residual): what residual networks are made of.
  ///
  /// In evaluation, where no history is kept, the normalization is a factor and a shift for each channel, and everything is done to the sums
  /// of the convolution on their way to memory. Otherwise, and where hooks want to see what is between, the layers are called in turn.
  ///
  /// - Parameters:
  ///   - norm: for as many channels as the convolution has outputs.
  ///   - residual: of the result's shape; nil for nothing.
  ///   - relu: nil where the result is not rectified.
  public final func callAsFunction(_ x: Tensor, then norm: BatchNorm, adding residual: Tensor? = nil, relu: ReLU? = nil) -> Tensor
  {
    if let y = inOnePass(x, norm, residual, relu) { return y }
    let y = norm(self(x))
    let z = residual.map { y + $0 } ?? y
    return relu.map { $0(z) } ?? z
  }

  /// Nil where that can't be.
  private func inOnePass(_ x: Tensor, _ norm: BatchNorm, _ residual: Tensor?, _ relu: ReLU?) -> Tensor? {
    let modules: [Module?] = [self, norm, relu]
    guard !isGradEnabled, !norm.isTraining, !modules.contains(where: { $0?.isIntercepted ?? false }), kernelSize.count == 2,
      paddingMode == .zeros, autocastType == nil, x.rank == 4, norm.ranks[4] != nil, norm.numFeatures == outChannels,
      let mean = norm.runningMean, let variance = norm.runningVar
    else { return nil }
    let numbers = [x, weight, mean, variance] + [bias, residual, norm.weight, norm.bias].compactMap { $0 }
    guard numbers.allSatisfy({ $0.isValid && $0.dtype == x.dtype && $0.device == x.device }),
      [.float32, .float64].contains(x.dtype)
    else { return nil }
    let deviation = (variance.to(.float64) + norm.eps).sqrt()
    let scale = norm.weight.map { $0.to(.float64) / deviation } ?? 1 / deviation
    let center = bias.map { mean.to(.float64) - $0.to(.float64) } ?? mean.to(.float64)
    let shift = norm.bias.map { $0.to(.float64) - center * scale } ?? -(center * scale)
    let ending = ConvolutionEnding(
      scale: scale.to(x.dtype).data, bias: shift.to(x.dtype).data, residual: residual?.data, isRectified: relu != nil)
    return ended(x, ending, padding)
  }

  private func ended(_ x: Tensor, _ ending: ConvolutionEnding, _ padding: some ConvolutionPadding) -> Tensor {
    conv2d(x, weight, ending: ending, stride: stride, padding: padding, dilation: dilation, groups: groups)
  }
}
