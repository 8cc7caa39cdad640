/// The product of matrices in the order that needs the fewest multiplications. The first may be a vector that counts as a row, the last one that
/// counts as a column; the result lacks these axes.
///
/// - Complexity: O(k³) for the order of k matrices (Cormen et al., "Introduction to Algorithms", 15.2).
public func multiDot(_ tensors: [Tensor]) -> Tensor {
  guard tensors.allSatisfy(\.isValid) else { return .invalid }
  guard check(tensors.count >= 2, .value, "multiDot", "\(tensors.count) matrices; it takes two or more") else { return .invalid }
  for (i, x) in tensors.enumerated() {
    let isEnd = i == 0 || i == tensors.count - 1
    guard
      check(
        x.rank == 2 || x.rank == 1 && isEnd, .shape, "multiDot",
        "tensor \(i) of shape \(x.shape) is no matrix\(isEnd ? " or vector" : "")")
    else { return .invalid }
  }
  var factors = tensors
  let (isRow, isColumn) = (tensors[0].rank == 1, tensors.last!.rank == 1)
  if isRow { factors[0] = factors[0].unsqueeze(dim: 0) }
  if isColumn { factors[factors.count - 1] = factors.last!.unsqueeze(dim: 1) }
  for (a, b) in zip(factors, factors.dropFirst()) {
    guard
      check(
        a.shape[1] == b.shape[0], .shape, "multiDot",
        "\(a.shape) × \(b.shape): inner sizes \(a.shape[1]) and \(b.shape[0]) differ")
    else { return .invalid }
  }
  var product = chainProduct(factors)
  if isColumn { product = product.squeeze(dim: 1) }
  return isRow ? product.squeeze(dim: 0) : product
}

private func chainProduct(_ factors: [Tensor]) -> Tensor {
  let count = factors.count
  let sizes = factors.map { Double($0.shape[0]) } + [Double(factors[count - 1].shape[1])]
  // For factors i ... j: the fewest multiplications, and after which factor to cut.
  var best = [[(cost: Double, cut: Int)]](repeating: .init(repeating: (0, 0), count: count), count: count)
  for length in 1..<count {
    for i in 0..<count - length {
      let j = i + length
      best[i][j] = (i..<j).map { (best[i][$0].cost + best[$0 + 1][j].cost + sizes[i] * sizes[$0 + 1] * sizes[j + 1], $0) }
        .min { $0.0 < $1.0 }!
    }
  }
  func product(_ i: Int, _ j: Int) -> Tensor {
    i == j ? factors[i] : product(i, best[i][j].cut).matmul(product(best[i][j].cut + 1, j))
  }
  return product(0, count - 1)
}
