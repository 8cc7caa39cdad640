import CKernels

/// What becomes of a matrix product's sums while their rows are at hand: z = activation(sum + bias + residual).
///
/// Passes over memory that need not be: the bias is added in the registers of a tile, the rest to rows that are still in a core's cache.
package struct ProductEnding: Sendable {
  /// `[n]`, row-major.
  package var bias: TensorData?
  /// Of the result's shape, row-major.
  package var residual: TensorData?
  package var activation: Unary?

  package init(bias: TensorData? = nil, residual: TensorData? = nil, activation: Unary? = nil) {
    self.bias = bias
    self.residual = residual
    self.activation = activation
  }
}

/// An ending as the loops over a product's blocks take it, for one matrix.
struct RowEnding {
  let bias: UnsafeRawPointer?
  /// Rows as far apart as those of the result.
  private let residual: UnsafeRawPointer?
  private let activation: apus_unary_kernel?
  private let add: apus_binary_kernel
  private let size: Int

  /// - Parameter elements: how far into the residual this matrix begins.
  init(_ ending: ProductEnding, _ dtype: DType, from elements: Int = 0) {
    size = dtype.itemSize
    bias = ending.bias.map { UnsafeRawPointer($0.base) }
    residual = ending.residual.map { UnsafeRawPointer($0.base + elements * dtype.itemSize) }
    activation = ending.activation.map { apus_unary(Runtime.isa, $0.kernel, dtype.kernel)! }
    add = apus_binary(Runtime.isa, APUS_BINARY_add, dtype.kernel)!
  }

  /// Nothing to be done.
  static func none(_ dtype: DType) -> RowEnding { RowEnding(ProductEnding(), dtype) }

  /// Finishes a part of the result `c`.
  ///
  /// - Parameter hasBias: whether the bias is in the sums already.
  func finish(_ c: UnsafeMutableRawPointer, ldc: Int, rows: Range<Int>, columns: Range<Int>, hasBias: Bool) {
    let bias = hasBias ? nil : bias.map { $0 + columns.lowerBound * size }
    guard bias != nil || residual != nil || activation != nil else { return }
    let count = columns.count
    for row in rows {
      let offset = (row * ldc + columns.lowerBound) * size
      let target = c + offset
      if let bias { add(count, target, 1, bias, 1, target, 1) }
      if let residual { add(count, target, 1, residual + offset, 1, target, 1) }
      if let activation { activation(count, target, 1, target, 1) }
    }
  }
}
