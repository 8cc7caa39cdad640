// Reductions made of the primitive ones.

extension Tensor {
  /// Smallest and greatest element, over all or along an axis. Equal ones share the gradient; NaN wins.
  public func aminmax(dim: Int? = nil, keepDim: Bool = false) -> (min: Tensor, max: Tensor) {
    let dims = dim.map { [$0] }
    return (amin(dims: dims, keepDim: keepDim), amax(dims: dims, keepDim: keepDim))
  }

  /// Number of elements other than 0 (int64), over all or over `dims`. NaN counts.
  public func countNonzero(dims: [Int]? = nil) -> Tensor { (detach() .!= 0).sum(dims: dims) }
  /// Number of elements other than 0 along one axis.
  public func countNonzero(dim: Int) -> Tensor { countNonzero(dims: [dim]) }

  /// `sum` with NaN counted as 0.
  public func nansum(dims: [Int]? = nil, keepDim: Bool = false) -> Tensor {
    guard isValid, dtype.isFloatingPoint else { return sum(dims: dims, keepDim: keepDim) }
    return `where`(detach().isNaN(), 0, self).sum(dims: dims, keepDim: keepDim)
  }
  /// `sum` along one axis with NaN counted as 0.
  public func nansum(dim: Int, keepDim: Bool = false) -> Tensor { nansum(dims: [dim], keepDim: keepDim) }

  /// Mean of the elements that are not NaN; NaN where all are. Floating point only.
  public func nanmean(dims: [Int]? = nil, keepDim: Bool = false) -> Tensor {
    guard isFloating(for: "nanmean") else { return .invalid }
    let count = detach().isNaN().logicalNot().sum(dims: dims, keepDim: keepDim)
    return nansum(dims: dims, keepDim: keepDim) / count.to(dtype)
  }
  /// Mean of the elements along one axis that are not NaN.
  public func nanmean(dim: Int, keepDim: Bool = false) -> Tensor { nanmean(dims: [dim], keepDim: keepDim) }

  /// `var` and `mean` together.
  public func varMean(dims: [Int]? = nil, correction: Int = 1, keepDim: Bool = false) -> (var: Tensor, mean: Tensor) {
    (`var`(dims: dims, correction: correction, keepDim: keepDim), mean(dims: dims, keepDim: keepDim))
  }
  /// `var` and `mean` along one axis.
  public func varMean(dim: Int, correction: Int = 1, keepDim: Bool = false) -> (var: Tensor, mean: Tensor) {
    varMean(dims: [dim], correction: correction, keepDim: keepDim)
  }

  /// `std` and `mean` together.
  public func stdMean(dims: [Int]? = nil, correction: Int = 1, keepDim: Bool = false) -> (std: Tensor, mean: Tensor) {
    (std(dims: dims, correction: correction, keepDim: keepDim), mean(dims: dims, keepDim: keepDim))
  }
  /// `std` and `mean` along one axis.
  public func stdMean(dim: Int, correction: Int = 1, keepDim: Bool = false) -> (std: Tensor, mean: Tensor) {
    stdMean(dims: [dim], correction: correction, keepDim: keepDim)
  }

  /// Sum of the diagonal of a matrix. Integers and bool give int64.
  public func trace() -> Tensor {
    guard hasRank(2, for: "trace") else { return .invalid }
    return diagonal().sum()
  }
}
