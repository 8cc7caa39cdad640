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

  /// `op` over `axes`, which have size 1 in the result.
  func reduce(_ op: Reduce, _ x: TensorData, axes: Dims) -> TensorData
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
  /// broadcast), and what becomes of its rows.
  func matmul(_ a: TensorData, _ b: TensorData, ending: ProductEnding) -> TensorData
  /// The factorization of every matrix in the last two axes; float32 or float64.
  func factorize(_ x: TensorData, _ kind: Factorization) -> Factorized
  /// X with A X = B for triangular matrices, of which only that triangle is read; with `isUnit` their diagonal counts as ones. Dtypes, ranks and
  /// batch axes are the same.
  func solveTriangular(_ a: TensorData, _ b: TensorData, isLower: Bool, isUnit: Bool) -> TensorData
  /// The convolution or one of its derivatives: `part` from the two others in the order of the cases, all float32 or all float64.
  func convolution(
    _ part: ConvolutionPart, _ a: TensorData, _ b: TensorData, ending: ConvolutionEnding, _ shape: ConvolutionShape
  ) -> TensorData
  /// Softmax, or its logarithm, along `axis`.
  func softmax(_ x: TensorData, axis: Int, isLogarithm: Bool) -> TensorData
  /// −ln softmax of the right class along `axis`, one for each of `labels` (int64, in range, the shape of `x` without `axis`), and what the
  /// gradient needs to know. With smoothing the target is smoothing / n for every class and 1 − smoothing more for the right one.
  func crossEntropy(_ x: TensorData, axis: Int, labels: TensorData, smoothing: Double) -> (
    losses: TensorData, statistics: TensorData
  )
  /// dL/dx of `crossEntropy` by `dy`, which has the dtype of `x` and the shape of the losses. Lines whose dy is 0 are 0, whatever `x` is.
  func crossEntropyGradient(
    _ x: TensorData, axis: Int, labels: TensorData, smoothing: Double, statistics: TensorData, dy: TensorData
  ) -> TensorData

  /// softmax(q kᵀ · scale + mask) v, without storing the weights; a query that may attend to nothing gives zeros. Operands are float32 or
  /// float64. With `keepsLogSum` also the logarithm of each query's sum of exponentials, which the gradients need.
  func attention(_ x: AttentionOperands, keepsLogSum: Bool) -> (output: TensorData, logSum: TensorData)
  /// Gradients by query, key and value, written to the memory of three views of their shapes, which nobody else sees.
  func attentionGradients(
    _ x: AttentionOperands, output: TensorData, logSum: TensorData, gradient: TensorData, into gradients: [TensorData])

  /// The maximum of every window over the last axes, and, where wanted, its place (int32, row-major in the axes of the window).
  func maxPool(_ x: TensorData, _ window: PoolWindow, wantsIndices: Bool) -> (output: TensorData, indices: TensorData?)
  /// Zeros of the input's shape with each element of `dy` added where `indices` say.
  func maxPoolBackward(_ dy: TensorData, _ indices: TensorData, _ window: PoolWindow) -> TensorData
  /// The mean of every window over the last axes.
  func avgPool(_ x: TensorData, _ window: PoolWindow) -> TensorData
  /// The gradient of `avgPool` by its input.
  func avgPoolBackward(_ dy: TensorData, _ window: PoolWindow) -> TensorData
  /// A sparse matrix times every line along `axis`.
  func sparseProduct(_ map: SparseMap, _ x: TensorData, axis: Int) -> TensorData

  /// (x − mean) / √(variance + eps) · weight + bias of every row, which is as long as `weight`; not centered: with the mean taken for
  /// 0. float32 or float64, all of one dtype.
  func normalizeRows(_ x: TensorData, weight: TensorData, bias: TensorData, eps: Double, isCentered: Bool) -> NormalizedData
  /// The gradients of that.
  func normalizeRowsGradient(
    _ dy: TensorData, _ x: TensorData, _ saved: NormalizedData, weight: TensorData, eps: Double, isCentered: Bool
  ) -> NormalizationGradient
  /// The same for `[N, C, …]` with a weight for each channel and statistics for each group; the result lies in memory as `x` does, where
  /// that is row-major or channels-last.
  func normalizeChannels(
    _ x: TensorData, groups: StatisticsGroups, weight: TensorData, bias: TensorData, eps: Double
  ) -> NormalizedData
  /// The gradients of that.
  func normalizeChannelsGradient(
    _ dy: TensorData, _ x: TensorData, _ saved: NormalizedData, groups: StatisticsGroups, weight: TensorData, eps: Double
  ) -> NormalizationGradient
  /// (x − mean) · scale + shift for each channel of `[N, C, …]`; float32 or float64, the three of float64.
  func scaleChannels(_ x: TensorData, mean: TensorData, scale: TensorData, shift: TensorData) -> TensorData

  /// All steps of a recurrent layer: its states `[rows, hidden]`, and below them, for `.lstm`, the last cell state `[batch, hidden]`;
  /// and, where asked for, what `recurrentGradient` needs. Operands are row-major, float32 or float64.
  func recurrent(_ cell: RecurrentCell, _ steps: RecurrentSteps, _ operands: RecurrentOperands, savesTrace: Bool) -> (
    states: TensorData, trace: RecurrentTrace?
  )
  /// The gradients, for that of the states, `dy`: of what the inputs give, of what the state gives, and of the first states.
  func recurrentGradient(
    _ cell: RecurrentCell, _ steps: RecurrentSteps, _ trace: RecurrentTrace, dy: TensorData, y: TensorData, weight: TensorData
  ) -> (dx: TensorData, ds: TensorData, dh: TensorData, dc: TensorData?)

  /// `[count, width]` from `x` `[n, width]`: the sum of the rows for which `places` (int64, `[n]`, in `0 ..< count`) says so, in their
  /// order.
  func sumRows(_ x: TensorData, places: TensorData, count: Int) -> TensorData

  /// Random numbers in a layout without gaps: element i of its memory is a function of (key, counter, i) alone.
  func random(_ distribution: Distribution, key: UInt64, counter: UInt64, shape: Dims, strides: Dims, dtype: DType) -> TensorData
  /// One step of an optimizer in place; see `ParameterSteps`.
  func take(_ steps: [ParameterStep])
}
