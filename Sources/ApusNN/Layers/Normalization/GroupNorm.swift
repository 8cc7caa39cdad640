import ApusCore

/// Group normalization of `[N, C, …]` (`groupNorm`), with a weight and a bias for each channel.
public final class GroupNorm: Module, Layer {
  @Parameter public var weight: Tensor?  // [C]
  @Parameter public var bias: Tensor?  // [C]
  public let numGroups: Int
  public let numChannels: Int
  public let eps: Double

  /// - Parameters:
  ///   - numGroups: divides the number of channels.
  ///   - numChannels: C.
  ///   - eps: is added to the variance.
  ///   - affine: whether there are weight, which starts at 1, and bias, which starts at 0.
  ///   - dtype: of the parameters.
  public init(_ numGroups: Int, _ numChannels: Int, eps: Double = 1e-5, affine: Bool = true, dtype: DType = .float32) {
    self.numGroups = numGroups
    self.numChannels = numChannels
    self.eps = eps
    let fits = check(
      numGroups > 0 && numChannels >= 0 && numChannels % numGroups == 0, .value, "GroupNorm",
      "\(numChannels) channels do not make \(numGroups) groups")
    let shape: Shape = fits ? [numChannels] : [0]
    weight = affine ? Tensor.ones(shape, dtype: dtype) : nil
    bias = affine ? Tensor.zeros(shape, dtype: dtype) : nil
  }

  public func forward(_ x: Tensor) -> Tensor { groupNorm(x, numGroups: numGroups, weight: weight, bias: bias, eps: eps) }

  public override var arguments: String { "\(numGroups), \(numChannels), eps: \(eps), affine: \(weight != nil)" }
}

/// Local response normalization of `[N, C, …]`: `localResponseNorm`.
public final class LocalResponseNorm: Module, Layer {
  public let size: Int
  public let alpha: Double
  public let beta: Double
  public let k: Double

  /// - Parameters:
  ///   - size: channels in a window.
  ///   - alpha: the factor of the average of squares.
  ///   - beta: the exponent.
  ///   - k: what is added.
  public init(_ size: Int, alpha: Double = 1e-4, beta: Double = 0.75, k: Double = 1) {
    (self.size, self.alpha, self.beta, self.k) = (size, alpha, beta, k)
  }

  public func forward(_ x: Tensor) -> Tensor { localResponseNorm(x, size: size, alpha: alpha, beta: beta, k: k) }

  public override var arguments: String { "\(size), alpha: \(alpha), beta: \(beta), k: \(k)" }
}
