/// The derivatives of all elements of `function(x)` by all elements of `x`.
///
/// ```swift
/// let j = jacobian(at: x) { x in x.exp() * 2 }  // [y's shape…, x's shape…]
/// ```
///
/// - Parameters:
///   - x: floating-point, any shape.
///   - createGraph: see `valueAndGrad(at:createGraph:_:)`.
/// - Returns: the shape of the function's value followed by that of `x`, in the dtype of `x`; zeros for elements that don't depend on it.
/// - Complexity: a forward pass, and a backward pass for each element of the value.
public func jacobian(at x: Tensor, createGraph: Bool = false, _ function: (Tensor) -> Tensor) -> Tensor {
  jacobian(at: [x], createGraph: createGraph) { [function($0[0])] }.first?[0] ?? .invalid
}

/// The same for a function of several tensors with several values: `result[i][j]` has the derivatives of value i by input j.
public func jacobian(at xs: [Tensor], createGraph: Bool = false, _ function: ([Tensor]) -> [Tensor]) -> [[Tensor]] {
  let point = Point(xs, createGraph, "jacobian")
  let ys = point.value(function)
  return ys.map { y in
    guard y.isValid, point.inputs.allSatisfy(\.isValid) else { return xs.map { _ in .invalid } }
    let rows = (0..<y.count).map { point.pullBack([Tensor.oneHot($0, like: y)], from: [y], last: false) }
    return point.inputs.enumerated().map { j, x in
      let shape = Shape(Array(y.shape) + Array(x.shape))
      return rows.isEmpty ? Tensor.zeros(shape, dtype: x.dtype) : stack(rows.map { $0[j] }).reshape(shape)
    }
  }
}

/// The second derivatives of `function` at `x`.
///
/// - Parameters:
///   - x: floating-point, any shape.
///   - createGraph: see `valueAndGrad(at:createGraph:_:)`.
///   - function: tensor in, tensor of one element out.
/// - Returns: the shape of `x` twice over: `[n, n]` for a vector.
/// - Complexity: a forward pass, and a backward pass for each element of `x`. For a product with a vector alone see `vhp`.
public func hessian(at x: Tensor, createGraph: Bool = false, _ function: (Tensor) -> Tensor) -> Tensor {
  hessian(at: [x], createGraph: createGraph) { function($0[0]) }.first?[0] ?? .invalid
}

/// The same for a function of several tensors: `result[i][j]` has the derivatives by inputs i and j.
public func hessian(at xs: [Tensor], createGraph: Bool = false, _ function: ([Tensor]) -> Tensor) -> [[Tensor]] {
  jacobian(at: xs, createGraph: createGraph) { grad(at: $0, createGraph: true, function) }
}

extension Tensor {
  /// Zeros in shape and dtype of `y`, but for a 1 at a position in row-major order.
  fileprivate static func oneHot(_ i: Int, like y: Tensor) -> Tensor {
    var flat = Tensor.zeros([y.count], dtype: y.dtype)
    flat[i] = 1
    return flat.reshape(y.shape)
  }
}
