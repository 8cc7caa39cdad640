import ApusCore

/// Two tensors whose rows belong together.
public struct TensorDataset: Dataset {
  public let input: Tensor  // [count, …]
  public let target: Tensor  // [count, …]

  /// The first axis counts the samples; both tensors have as many.
  public init(input: Tensor, target: Tensor) {
    let isFine = check(
      input.rank > 0 && target.rank > 0 && input.shape[0] == target.shape[0], .shape, "TensorDataset",
      "input \(input.shape) and target \(target.shape) differ in their first size")
    self.input = isFine ? input : .invalid
    self.target = isFine ? target : .invalid
  }

  public var count: Int { input.rank > 0 ? input.shape[0] : 0 }

  public subscript(index: Int) -> Example { Example(input: input[index], target: target[index]) }

  public func batch(at indices: [Int]) -> Batch {
    let index = Tensor(scalars: indices, shape: [indices.count])
    return Batch(input: input.indexSelect(dim: 0, index: index), target: target.indexSelect(dim: 0, index: index))
  }
}
