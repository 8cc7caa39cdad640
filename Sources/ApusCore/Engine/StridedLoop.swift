/// The order in which an element-wise op walks over up to four operands of one shape.
///
/// It goes through the last operand, the result, as that lies in memory, whatever the order of its axes. Neighbouring axes that every operand
/// steps through evenly are merged, so most loops end as one long row. What remains is a number of rows; kernels run over rows, and rows are
/// shared out among the threads.
struct StridedLoop {
  /// Outer axes, outermost first.
  private var outerSizes = Dims()
  private var outerStrides: [SIMD4<Int>] = []
  /// The row: the innermost axis.
  private(set) var rowCount = 1
  private(set) var rowStride = SIMD4<Int>(0, 0, 0, 0)

  /// - Parameter strides: of each operand over `shape`, in elements, those of the result last.
  init(_ shape: Dims, _ strides: [Dims]) {
    var sizes: [Int] = []
    var steps: [SIMD4<Int>] = []
    for axis in Self.axes(of: shape, strides[strides.count - 1]) {
      var step = SIMD4<Int>(0, 0, 0, 0)
      for (i, s) in strides.enumerated() { step[i] = s[axis] }
      if let last = steps.last, last == step &* shape[axis] {
        sizes[sizes.count - 1] *= shape[axis]
        steps[steps.count - 1] = step
      } else {
        sizes.append(shape[axis])
        steps.append(step)
      }
    }
    guard let size = sizes.popLast() else { return }
    rowCount = size
    rowStride = steps.removeLast()
    outerSizes = Dims(sizes)
    outerStrides = steps
  }

  /// The axes of more than one element, from the one with the largest steps to the one with the smallest.
  static func axes(of shape: Dims, _ strides: Dims) -> Dims {
    var axes = Dims()
    for axis in shape.indices where shape[axis] != 1 {
      let place = axes.firstIndex { strides[$0].magnitude < strides[axis].magnitude } ?? axes.count
      axes.insert(axis, at: place)
    }
    return axes
  }

  /// Elements that a thread takes at a time.
  static let grain = 1 << 15

  /// Calls `body` with the length of a piece of a row and the offset of its first element in each operand.
  func forEachRow(_ body: (Int, SIMD4<Int>) -> Void) {
    let rows = outerSizes.product
    guard rows > 0, rowCount > 0 else { return }
    if rowCount >= Self.grain {
      // Long rows: pieces of rows.
      let pieces = (rowCount + Self.grain - 1) / Self.grain
      ThreadPool.shared.run(chunks: rows * pieces) { chunk in
        let start = chunk % pieces * Self.grain
        body(min(Self.grain, rowCount - start), offset(ofRow: chunk / pieces) &+ rowStride &* start)
      }
    } else {
      ThreadPool.shared.forEachChunk(of: rows, grain: max(1, Self.grain / rowCount)) { range in
        forEachRow(in: range, body)
      }
    }
  }

  private func forEachRow(in range: Range<Int>, _ body: (Int, SIMD4<Int>) -> Void) {
    var position = offset(ofRow: range.lowerBound)
    var index = indices(ofRow: range.lowerBound)
    for _ in range {
      body(rowCount, position)
      var axis = outerSizes.count - 1
      while axis >= 0 {
        index[axis] += 1
        position &+= outerStrides[axis]
        if index[axis] < outerSizes[axis] { break }
        position &-= outerStrides[axis] &* outerSizes[axis]
        index[axis] = 0
        axis -= 1
      }
    }
  }

  private func indices(ofRow row: Int) -> Dims {
    var index = Dims(repeating: 0, count: outerSizes.count)
    var rest = row
    var axis = outerSizes.count - 1
    while axis >= 0 {
      index[axis] = rest % outerSizes[axis]
      rest /= outerSizes[axis]
      axis -= 1
    }
    return index
  }

  private func offset(ofRow row: Int) -> SIMD4<Int> {
    let index = indices(ofRow: row)
    var position = SIMD4<Int>(0, 0, 0, 0)
    for axis in index.indices { position &+= outerStrides[axis] &* index[axis] }
    return position
  }
}

// MARK: - Layouts

extension TensorData {
  /// Whether the elements fill their memory without gaps, in whatever order of axes.
  var isDense: Bool {
    if isContiguous { return true }
    var running = 1
    for axis in StridedLoop.axes(of: shape, strides).reversed() {
      if strides[axis] != running { return false }
      running &*= shape[axis]
    }
    return true
  }

  /// Whether all elements are one number in memory: a scalar, or what a scalar was broadcast to.
  @inline(__always)
  var isUniform: Bool { count == 1 || strides.indices.allSatisfy { strides[$0] == 0 || shape[$0] == 1 } }

  /// Whether this is a tensor of the given shape and strides; those of axes of size 1 don't matter.
  @inline(__always)
  func lies(_ otherShape: Dims, _ otherStrides: Dims) -> Bool {
    guard shape == otherShape else { return false }
    for axis in shape.indices where strides[axis] != otherStrides[axis] && shape[axis] != 1 { return false }
    return true
  }

  /// The layout that an element-wise result of `shape` has: that of the first operand without gaps, or row-major.
  static func layout(_ shape: Dims, _ operands: TensorData...) -> Dims {
    for x in operands where x.shape == shape {
      if x.isContiguous { break }
      if x.isDense { return x.strides }
    }
    return shape.contiguousStrides
  }

  /// Fresh memory of `shape`, laid out as `model` is if that has the same shape and no gaps, and row-major otherwise.
  @inline(__always)
  static func uninitialized(_ shape: Dims, _ dtype: DType, like model: TensorData, for operation: @autoclosure () -> String)
    -> TensorData
  {
    let fresh = TensorData.uninitialized(shape, dtype, for: operation())
    if model.isContiguous || !fresh.isValid || model.shape != shape || !model.isDense { return fresh }
    return fresh.view(shape: shape, strides: model.strides)
  }
}
