/// What a device can do: one method per family of primitives.
///
/// Operands have been checked: shapes fit, dtypes are those that the method names, indices may still be out of range. Results are fresh
/// tensors. Methods report what they cannot do with `fail` and return `TensorData.invalid`.
package protocol Backend: Sendable {
  /// Row-major copy of `x`, converted to `dtype`.
  func copy(_ x: TensorData, to dtype: DType) -> TensorData
  /// `x` converted to `dtype`, in its own layout where that has no gaps.
  func cast(_ x: TensorData, to dtype: DType) -> TensorData
  /// Writes `x`, converted and broadcast, into the memory of the view `target`, which nobody else sees.
  func copy(_ x: TensorData, into target: TensorData)

  /// `op` element by element; `x` has a dtype that the op computes in.
  func unary(_ op: Unary, _ x: TensorData) -> TensorData
  /// `op` element by element with broadcasting to `shape`; both inputs have the same dtype. With `target` (of that shape) the result is
  /// written there.
  func binary(_ op: Binary, _ a: TensorData, _ b: TensorData, shape: Dims, into target: TensorData?) -> TensorData
  /// `condition ? a : b` with broadcasting to `shape`; `condition` is bool, `a` and `b` have the same dtype.
  func select(_ condition: TensorData, _ a: TensorData, _ b: TensorData, shape: Dims) -> TensorData

  /// `op` over the axes whose entry in `isReduced` is true; these have size 1 in the result.
  func reduce(_ op: Reduce, _ x: TensorData, isReduced: [Bool]) -> TensorData
  /// Index (int64) of the first maximum or minimum along `axis`, which has size 1 in the result.
  func argReduce(_ op: ArgReduce, _ x: TensorData, axis: Int) -> TensorData
  /// Running sum or product along `axis`.
  func cumulative(_ op: Cumulative, _ x: TensorData, axis: Int) -> TensorData

  /// The tensors one after the other along `axis`; all have the same dtype.
  func concatenate(_ xs: [TensorData], axis: Int) -> TensorData
  /// `y[…, i, …] = x[…, index[…, i, …], …]` with the shape of `index` (int64).
  func gather(_ x: TensorData, axis: Int, index: TensorData) -> TensorData
  /// A copy of `x` with `source` written (or added) at `[…, index[…, i, …], …]`; `source` has the shape of `index`.
  func scatter(_ x: TensorData, axis: Int, index: TensorData, source: TensorData, combine: Scatter) -> TensorData
  /// The slices of `x` along `axis` that `index` (one axis, int64) names.
  func indexSelect(_ x: TensorData, axis: Int, index: TensorData) -> TensorData
  /// A copy of `x` with the slices of `source` written (or added) where `index` says.
  func indexWrite(_ x: TensorData, axis: Int, index: TensorData, source: TensorData, combine: Scatter) -> TensorData
  /// Indices (int64) that sort each line along `axis`, stable; NaN counts as greater than everything.
  func argSort(_ x: TensorData, axis: Int, isDescending: Bool) -> TensorData

  /// Batched matrix product `[…, m, k] × […, k, n]`; both inputs have the same dtype, rank and batch axes (by strides of 0 where
  /// broadcast).
  func matmul(_ a: TensorData, _ b: TensorData) -> TensorData
  /// Softmax, or its logarithm, along `axis`.
  func softmax(_ x: TensorData, axis: Int, isLogarithm: Bool) -> TensorData

  /// Random numbers, row-major: element i is a function of (key, counter, i) alone.
  func random(_ distribution: Distribution, key: UInt64, counter: UInt64, shape: Dims, dtype: DType) -> TensorData
  /// One optimizer step in place; see `ParameterUpdate`.
  func update(_ update: ParameterUpdate, parameter: TensorData, gradient: TensorData, state: [TensorData])
}
