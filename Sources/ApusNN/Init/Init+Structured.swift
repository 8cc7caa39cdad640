import ApusCore

// Initialisers that put numbers in certain places: identities and sparse matrices.

extension Init {
  /// A matrix with ones on the diagonal: a linear layer that passes on as much of its input as fits.
  ///
  /// - Parameters:
  ///   - shape: two axes.
  ///   - dtype: of the result.
  public static func eye(_ shape: Shape, dtype: DType = .float32) -> Tensor {
    guard check(shape.rank == 2, .shape, "Init.eye", "\(shape) is not a matrix") else { return .invalid }
    return Tensor.eye(shape[0], shape[1], dtype: dtype)
  }

  /// Windows that are 1 in the middle where input and output channel agree and 0 elsewhere: a convolution that passes on as many of its
  /// channels as fit.
  ///
  /// - Parameters:
  ///   - shape: of a convolution's weight, `[out, in, …]` with one to three axes of the window.
  ///   - groups: each group of output channels has the identity; a divisor of `out`.
  ///   - dtype: of the result.
  public static func dirac(_ shape: Shape, groups: Int = 1, dtype: DType = .float32) -> Tensor {
    guard check((3...5).contains(shape.rank), .shape, "Init.dirac", "\(shape) is not the weight of a convolution, [out, in, …]"),
      check(groups > 0 && shape[0] % groups == 0, .value, "Init.dirac", "\(shape[0]) channels in \(groups) groups")
    else { return .invalid }
    let (channels, window) = (shape[0] / groups, shape.dropFirst(2))
    let middle = window.reduce(0) { $0 * $1 + $1 / 2 }
    var values = [Double](repeating: 0, count: shape.elementCount)
    guard !values.isEmpty else { return zeros(shape, dtype: dtype) }
    for out in 0..<shape[0] where out % channels < shape[1] {
      values[(out * shape[1] + out % channels) * window.reduce(1, *) + middle] = 1
    }
    return Tensor(scalars: values, shape: shape, dtype: dtype)
  }

  /// Normally distributed numbers of which the same share of each column is 0 (Martens 2010).
  ///
  /// - Parameters:
  ///   - shape: two axes.
  ///   - sparsity: the share, in 0 … 1; rounded up to a number of rows.
  ///   - std: standard deviation of the others.
  ///   - dtype: of the result.
  ///   - generator: what numbers and places are drawn from.
  public static func sparse(
    _ shape: Shape, sparsity: Double, std: Double = 0.01, dtype: DType = .float32, generator: Generator = .default
  ) -> Tensor {
    guard check(shape.rank == 2, .shape, "Init.sparse", "\(shape) is not a matrix"),
      check((0...1).contains(sparsity), .value, "Init.sparse", "sparsity = \(sparsity) is not in 0...1")
    else { return .invalid }
    let x = normal(shape, std: std, dtype: dtype, generator: generator)
    guard x.isValid, x.count > 0 else { return x }
    // A random order of each column's rows; those that come first in it are 0.
    let order = Tensor.rand(shape, dtype: .float64, generator: generator).argsort(dim: 0)
    let zeroCount = Int((sparsity * Double(shape[0])).rounded(.up))
    return x.scatter(dim: 0, index: order.narrow(dim: 0, start: 0, count: zeroCount), 0)
  }
}
