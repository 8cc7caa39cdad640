extension Tensor {
  /// The lower triangle of the last two axes: elements above the `diagonal`-th diagonal are 0.
  public func tril(diagonal: Int = 0) -> Tensor { triangle("tril") { rows, columns in columns .> rows + diagonal } }

  /// The upper triangle of the last two axes: elements below the `diagonal`-th diagonal are 0.
  public func triu(diagonal: Int = 0) -> Tensor { triangle("triu") { rows, columns in columns .< rows + diagonal } }

  private func triangle(_ name: String, _ drops: (Tensor, Tensor) -> Tensor) -> Tensor {
    guard isValid else { return self }
    guard check(rank >= 2, .shape, name, "shape \(shape) has no rows and columns") else { return .invalid }
    let rows = Tensor.arange(shape[-2]).unsqueeze(dim: 1)
    let columns = Tensor.arange(shape[-1])
    return maskedFill(drops(rows, columns), 0)
  }
}
