extension CPUBackend {
  package func attention(_ x: AttentionOperands, keepsLogSum: Bool) -> (output: TensorData, logSum: TensorData) {
    let y = TensorData.uninitialized(
      x.query.shape.replacing(x.rank - 1, with: x.valueFeatures), x.dtype, orderedLike: x.query)
    let logSum = TensorData.uninitialized(Dims(x.query.shape.dropLast()), x.dtype, for: "scaledDotProductAttention")
    guard y.isValid, logSum.isValid, y.count > 0 else { return (y, logSum) }
    if x.keys == 0 { return (.filled(y.shape, y.dtype, 0), .filled(logSum.shape, y.dtype, .infinity)) }
    if !keepsLogSum, x.dropout == nil, x.queries <= AttentionRows.most {
      AttentionRows(x, output: y).run()
    } else {
      BlockedAttention(x).forward(output: y, logSum: logSum)
    }
    return (y, logSum)
  }

  package func attentionGradients(
    _ x: AttentionOperands, output: TensorData, logSum: TensorData, gradient: TensorData, into gradients: [TensorData]
  ) {
    if x.queries == 0 || x.keys == 0 || x.batch.product == 0 {
      for y in gradients { copy(.filled(Dims(), y.dtype, 0), into: y) }
    } else {
      BlockedAttention(x).backward(output: output, logSum: logSum, gradient: gradient, into: gradients)
    }
  }
}

extension AttentionOperands {
  /// Memory for the gradients by query, key and value, each laid out as its operand.
  func freshGradients() -> [TensorData] {
    [query, key, value].map { TensorData.uninitialized($0.shape, dtype, orderedLike: $0) }
  }
}

extension TensorData {
  /// Fresh memory without gaps in which the axes follow each other as in `model`, so that a transposed view of the result is row-major
  /// where one of the operand was; row-major where `model` is broadcast.
  fileprivate static func uninitialized(_ shape: Dims, _ dtype: DType, orderedLike model: TensorData) -> TensorData {
    let fresh = uninitialized(shape, dtype, for: "scaledDotProductAttention")
    guard fresh.isValid, model.strides.allSatisfy({ $0 > 0 }) else { return fresh }
    // From the innermost axis outwards; of equal strides the later axis is the inner one.
    let order = shape.indices.sorted { (model.strides[$0], -$0) < (model.strides[$1], -$1) }
    var (strides, running) = (shape, 1)
    for axis in order {
      strides[axis] = running
      running *= max(shape[axis], 1)
    }
    return fresh.view(shape: shape, strides: strides)
  }
}
