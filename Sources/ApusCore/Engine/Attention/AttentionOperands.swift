/// What attention computes from; the operands have been checked and have the same batch axes, by strides of 0 where they broadcast.
package struct AttentionOperands: Sendable {
  package let query: TensorData  // [batch…, L, E]
  package let key: TensorData  // [batch…, S, E]
  package let value: TensorData  // [batch…, S, Ev]
  /// bool (true: may attend) or of the query's dtype (added to the scores).
  package let mask: TensorData?  // [batch…, L, S]
  package let isCausal: Bool
  package let scale: Double
  package let dropout: AttentionDropout?

  var dtype: DType { query.dtype }
  var rank: Int { query.rank }
  var batch: Dims { Dims(query.shape.dropLast(2)) }
  /// L, S, E and Ev.
  var queries: Int { query.shape[rank - 2] }
  var keys: Int { key.shape[rank - 2] }
  var features: Int { query.shape[rank - 1] }
  var valueFeatures: Int { value.shape[rank - 1] }
}

/// Which weights are dropped: element i of the row-major weights `[batch…, L, S]` where number i of the stream is below `p`. So the
/// choice need not be stored: whoever comes to a weight can ask again.
package struct AttentionDropout: Sendable {
  package let p: Double
  package let key: UInt64
  package let counter: UInt64

  /// What the weights that stay are multiplied by.
  package var keptScale: Double { p < 1 ? 1 / (1 - p) : 0 }
}

/// The matrices of an operand, one for each position in the batch axes.
struct MatrixBatch: @unchecked Sendable {
  let rows: Int
  let columns: Int
  let rowStride: Int
  let columnStride: Int
  private let base: UnsafeMutableRawPointer
  private let size: Int
  private let walk: AxisWalk

  init(_ x: TensorData) {
    let rank = x.rank
    (rows, columns) = (x.shape[rank - 2], x.shape[rank - 1])
    (rowStride, columnStride) = (x.strides[rank - 2], x.strides[rank - 1])
    (base, size) = (x.base, x.dtype.itemSize)
    walk = AxisWalk(x, axes: 0..<(rank - 2))
  }

  /// Address of an element of the i-th matrix.
  @inline(__always)
  func pointer(_ i: Int, row: Int = 0, column: Int = 0) -> UnsafeMutableRawPointer {
    base + (start(i) + row * rowStride + column * columnStride) * size
  }

  private func start(_ i: Int) -> Int { walk.count == 1 ? 0 : walk.offset(i) }
}
