// The order of axes in memory. Spatial ops keep it, so that a network that was given its input channels last stays so.

extension TensorData {
  /// The axes from the one with the largest steps to the one with the smallest; their own order where the tensor has gaps.
  var axisOrder: [Int] {
    if isContiguous || !isDense { return Array(0..<rank) }
    // Axes of size 1 may have any stride: each stays with the axis before it.
    var order: [Int] = []
    for axis in shape.indices.filter({ shape[$0] != 1 }).sorted(by: { strides[$0] > strides[$1] }) { order.append(axis) }
    for axis in shape.indices where shape[axis] == 1 {
      order.insert(axis, at: axis == 0 ? 0 : order.firstIndex(of: axis - 1)! + 1)
    }
    return order
  }

  /// A view with the axes in the given order.
  func permuted(_ order: [Int]) -> TensorData { Movement.permute(Dims(order)).apply(self) }

  /// Fresh memory with the axes laid out in the given order.
  static func uninitialized(
    _ shape: Dims, _ dtype: DType, axisOrder: [Int], for operation: @autoclosure () -> String
  ) -> TensorData {
    let y = uninitialized(Dims(axisOrder.map { shape[$0] }), dtype, for: operation())
    return y.isValid ? y.permuted(axisOrder.inverted) : y
  }

  /// The same, full of one number.
  static func filled(
    _ shape: Dims, _ dtype: DType, _ value: Double, axisOrder: [Int], for operation: @autoclosure () -> String
  ) -> TensorData {
    let y = filled(Dims(axisOrder.map { shape[$0] }), dtype, value, for: operation())
    return y.isValid ? y.permuted(axisOrder.inverted) : y
  }

  /// The same numbers with their axes laid out in the given order without gaps: `self` where they are.
  func arranged(_ order: [Int]) -> TensorData {
    let view = permuted(order)
    return view.isContiguous ? self : view.contiguous().permuted(order.inverted)
  }
}

extension DType {
  /// Whether this is a float of two bytes, which the spatial kernels compute in float32.
  var isHalf: Bool { self == .float16 || self == .bfloat16 }
}

extension Tensor {
  /// Computes on a view whose axes lie as in memory, and puts the axes of the result back.
  ///
  /// - Parameter body: gets the view, and for each axis of `self` its place in it.
  func inMemoryOrder(_ body: (Tensor, _ place: [Int]) -> Tensor) -> Tensor {
    let order = data.axisOrder
    let place = order.inverted
    if order == place && order == Array(0..<rank) { return body(self, place) }
    return body(permute(order), place).permute(place)
  }
}

extension [Int] {
  /// The inverse of a permutation.
  var inverted: [Int] {
    var inverse = self
    for (i, axis) in enumerated() { inverse[axis] = i }
    return inverse
  }
}
