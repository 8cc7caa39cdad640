extension Tensor {
  /// Matrix product, with the cases of PyTorch's `matmul`.
  ///
  /// - `[n] · [n]`: the inner product, a scalar.
  /// - `[m, k] · [k, n]`: `[m, n]`. `[k] · [k, n]` and `[m, k] · [k]` treat the vector as a row or a column, which the result lacks.
  /// - More axes are batches, and broadcast: `[b, m, k] · [k, n]` is `[b, m, n]`.
  ///
  /// dtypes are promoted. float16 and bfloat16 are summed in float32 and rounded once, integers wrap. Where the processor multiplies
  /// bfloat16 in pairs (`avx512_bf16` in `Runtime.instructionSet`), subnormal bfloat16 count as 0 in larger products.
  /// - Complexity: O(batch · m · k · n). The gradients are two more products.
  public func matmul(_ other: Tensor) -> Tensor {
    guard isValid, other.isValid else { return .invalid }
    guard check(rank > 0 && other.rank > 0, .shape, "matmul", "\(shape) × \(other.shape): scalars have no rows; use *") else {
      return .invalid
    }
    let inner = (data.shape[rank - 1], other.data.shape[Swift.max(other.rank - 2, 0)])
    guard
      check(
        inner.0 == inner.1, .shape, "matmul", "\(shape) × \(other.shape): inner sizes \(inner.0) and \(inner.1) differ")
    else { return .invalid }
    guard check(device == other.device, .device, "matmul", "tensors on \(device) and \(other.device)") else { return .invalid }
    if Context.hasOpenScopes, case let (a, b) = (autocasted(self), autocasted(other)),
      a.dtype != dtype || b.dtype != other.dtype
    {
      return a.matmul(b)
    }
    if rank == 1 { return unsqueeze(dim: 0).matmul(other).squeeze(dim: other.rank == 1 ? 0 : -2) }
    if other.rank == 1 { return matmul(other.unsqueeze(dim: 1)).squeeze(dim: -1) }
    if rank == 2 && other.rank == 2 {
      let dtype = Tensor.resultType(self, other)
      return recordedProduct(data.cast(dtype), other.data.cast(dtype), other)
    }
    if rank > 2 && other.rank == 2 {
      // One matrix for all: the batch axes are rows, and the gradient of the matrix is one product.
      let rows = flatten(startDim: 0, endDim: -2)
      return rows.matmul(other).reshape(Shape(Array(data.shape.dropLast()) + [other.data.shape[1]]))
    }
    let batches = (Dims(data.shape.dropLast(2)), Dims(other.data.shape.dropLast(2)))
    guard let batch = Dims.broadcast(batches.0, batches.1) else {
      fail(TensorError(.shape, "matmul", "\(shape) × \(other.shape): the batch axes do not broadcast"))
      return .invalid
    }
    let dtype = Tensor.resultType(self, other)
    let a = data.cast(dtype).expanded(to: Dims(Array(batch) + Array(data.shape.suffix(2))))
    let b = other.data.cast(dtype).expanded(to: Dims(Array(batch) + Array(other.data.shape.suffix(2))))
    return recordedProduct(a, b, other)
  }

  private func recordedProduct(_ a: TensorData, _ b: TensorData, _ other: Tensor) -> Tensor {
    recorded(
      device.backend.matmul(a, b, ending: ProductEnding()), .named("matmul"),
      .fromInputs { dy, x in x.needed(dy.matmul(x[1].mT), x[0].mT.matmul(dy)) }, self, other)
  }
}
