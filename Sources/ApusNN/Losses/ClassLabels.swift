import ApusCore

/// Class indices that have been looked at: every one is a class, or is ignored.
struct ClassLabels {
  /// int64, 0 where ignored, so that it can be gathered with.
  let index: Tensor
  /// bool, of the same shape; nil where nothing is ignored.
  let isKept: Tensor?

  /// Checks that `target` holds integers from `0 ..< classes`, or `ignoreIndex`; nil after a reported mistake.
  init?(_ target: Tensor, classes: Int, ignoreIndex: Int, _ operation: String) {
    guard
      check(
        target.dtype.isInteger, .dtype, operation,
        "class indices are integers, not \(target.dtype); probabilities have the logits' shape")
    else { return nil }
    let target = target.to(.int64)
    var firstWrong: Int?
    var isIgnoring = false
    target.withUnsafeBytes { bytes in
      for (i, label) in bytes.bindMemory(to: Int64.self).enumerated() where label < 0 || label >= classes || label == ignoreIndex
      {
        if label == ignoreIndex { isIgnoring = true } else if firstWrong == nil { firstWrong = i }
      }
    }
    if let wrong = firstWrong {
      let label = target.flatten()[wrong].item(as: Int.self)
      let place = target.rank == 0 ? "" : " at \(Self.position(of: wrong, in: target.shape))"
      fail(TensorError(.index, operation, "label \(label)\(place) is not one of the \(classes) classes (0...\(classes - 1))"))
      return nil
    }
    isKept = isIgnoring ? target .!= ignoreIndex : nil
    index = isIgnoring ? `where`(target .!= ignoreIndex, target, 0) : target
  }

  private static func position(of index: Int, in shape: Shape) -> [Int] {
    var rest = index
    return shape.reversed().map { size in
      defer { rest /= size }
      return rest % size
    }.reversed()
  }

  /// The numbers of the labels' classes, one for each label, 0 where ignored.
  ///
  /// - Parameter table: `[…, classes, …]` with the labels' shape around `dim`.
  func pick(from table: Tensor, dim: Int) -> Tensor {
    kept(table.gather(dim: dim, index: index.unsqueeze(dim: dim)).squeeze(dim: dim))
  }

  /// The weights of the labels' classes, 0 where ignored.
  func weights(_ weight: Tensor) -> Tensor {
    kept(weight.indexSelect(dim: 0, index: index.flatten()).reshape(index.shape))
  }

  /// `losses`, 0 where ignored, whatever they are there.
  func kept(_ losses: Tensor) -> Tensor {
    guard let isKept else { return losses }
    return `where`(isKept, losses, 0)
  }

  /// What a mean divides by: the sum of the labels' weights, or their number. nil for all of them.
  func total(_ weight: Tensor?, _ dtype: DType) -> Tensor? {
    if let weight { return weights(weight).sum() }
    return isKept?.to(dtype).sum()
  }
}

/// Checks the weights of classes: `[classes]`, in the dtype of the scores.
func areClassWeights(_ weight: Tensor?, classes: Int, _ dtype: DType, _ operation: String) -> Bool {
  guard let weight else { return true }
  guard weight.isValid else { return false }
  return check(weight.shape == [classes], .shape, operation, "weight \(weight.shape) for \(classes) classes")
    && check(weight.dtype == dtype, .dtype, operation, "weight is \(weight.dtype), the scores are \(dtype)")
}

/// Checks that labels have the shape of the scores without their classes.
func areLabels(_ target: Shape, for scores: Shape, classDim: Int, _ operation: String) -> Bool {
  var expected = Array(scores)
  expected.remove(at: classDim)
  return check(
    Array(target) == expected, .shape, operation,
    "target \(target) for scores \(scores): class indices have the shape \(Shape(expected))")
}
