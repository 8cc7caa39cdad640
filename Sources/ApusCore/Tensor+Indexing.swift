/// What can stand in a tensor's subscript: `Int`, the ranges, `stride(from:to:by:)`, `.ellipsis`, `.newAxis`, `.all`, and tensors of
/// integers or bool.
public protocol TensorIndex {
  var asIndex: SubscriptItem { get }
}

/// One entry of a subscript, whatever it was written as.
public enum SubscriptItem {
  case at(Int)
  /// Half open; nil for "from the start" and "to the end". Negative bounds count from the end.
  case slice(from: Int?, to: Int?, step: Int)
  case ellipsis
  case newAxis
  case tensor(Tensor)
}

extension Int: TensorIndex { public var asIndex: SubscriptItem { .at(self) } }
extension Range: TensorIndex where Bound == Int {
  public var asIndex: SubscriptItem { .slice(from: lowerBound, to: upperBound, step: 1) }
}
extension ClosedRange: TensorIndex where Bound == Int {
  public var asIndex: SubscriptItem { .slice(from: lowerBound, to: upperBound == -1 ? nil : upperBound + 1, step: 1) }
}
extension PartialRangeFrom: TensorIndex where Bound == Int {
  public var asIndex: SubscriptItem { .slice(from: lowerBound, to: nil, step: 1) }
}
extension PartialRangeUpTo: TensorIndex where Bound == Int {
  public var asIndex: SubscriptItem { .slice(from: nil, to: upperBound, step: 1) }
}
extension PartialRangeThrough: TensorIndex where Bound == Int {
  public var asIndex: SubscriptItem { .slice(from: nil, to: upperBound == -1 ? nil : upperBound + 1, step: 1) }
}
extension StrideTo: TensorIndex where Element == Int {
  public var asIndex: SubscriptItem { StrideIndex(self).asIndex }
}
extension StrideThrough: TensorIndex where Element == Int {
  public var asIndex: SubscriptItem { StrideIndex(self).asIndex }
}
extension Tensor: TensorIndex { public var asIndex: SubscriptItem { .tensor(self) } }

/// `.ellipsis` and `.newAxis`, `.all`, `.slice(…)`.
public struct SpecialIndex: TensorIndex {
  public let asIndex: SubscriptItem
}

extension TensorIndex where Self == SpecialIndex {
  /// As many whole axes as there are left.
  public static var ellipsis: SpecialIndex { SpecialIndex(asIndex: .ellipsis) }
  /// A new axis of size 1.
  public static var newAxis: SpecialIndex { SpecialIndex(asIndex: .newAxis) }
  /// A whole axis.
  public static var all: SpecialIndex { SpecialIndex(asIndex: .slice(from: nil, to: nil, step: 1)) }
  /// Every `step`-th element from `from` up to but not including `to`, Python's `from:to:step`: negative bounds count from the end,
  /// and a negative step walks backward.
  public static func slice(_ from: Int? = nil, _ to: Int? = nil, step: Int = 1) -> SpecialIndex {
    SpecialIndex(asIndex: .slice(from: from, to: to, step: step))
  }
}

/// The elements of a Swift stride as an index: their positions are known, so it is a list or a slice.
private struct StrideIndex: TensorIndex {
  let asIndex: SubscriptItem

  init(_ positions: some Sequence<Int>) {
    let positions = Array(positions)
    guard let first = positions.first, let last = positions.last else {
      asIndex = .slice(from: 0, to: 0, step: 1)
      return
    }
    let step = positions.count > 1 ? positions[1] - first : 1
    // The end beyond the last element; −1 below 0 would count from the end, so it is left open.
    let end: Int? = step > 0 ? (last == -1 ? nil : last + 1) : (last == 0 ? nil : last - 1)
    asIndex = .slice(from: first, to: end, step: step)
  }
}

extension Tensor {
  /// Part of a tensor, with NumPy's rules.
  ///
  /// - `Int` picks one element of an axis and drops the axis; ranges and strides keep part of it; axes that aren't named stay whole.
  /// - int64 tensors pick elements; several broadcast together. Their axes stand where the first of them stood, or in front when
  ///   something else stands between them.
  /// - bool tensors pick the elements where they are true, and stand for as many axes as they have.
  ///
  /// Reading with numbers and ranges is a view. Assigning changes this tensor only and converts to its dtype; the value broadcasts. A
  /// bound outside the axis is cut off, a number outside is an error.
  public subscript(_ indices: any TensorIndex...) -> Tensor {
    get { read(indices.map(\.asIndex)) }
    set { assign(newValue, at: indices.map(\.asIndex)) }
  }

  /// The subscript for language bindings.
  package func part(_ indices: [SubscriptItem]) -> Tensor { read(indices) }
  package mutating func setPart(_ indices: [SubscriptItem], _ value: Tensor) { assign(value, at: indices) }

  private func read(_ indices: [SubscriptItem]) -> Tensor {
    guard isValid, let plan = IndexPlan(indices, self) else { return .invalid }
    let view = plan.movements.reduce(self) { $0.move($1) }
    return plan.tensors.isEmpty ? view : view.pick(plan.tensors)
  }

  private mutating func assign(_ value: Tensor, at indices: [SubscriptItem]) {
    guard isValid, value.isValid, let plan = IndexPlan(indices, self) else {
      self = .invalid
      return
    }
    if plan.tensors.isEmpty {
      let target = plan.movements.reduce(data) { $1.apply($0) }.shape
      guard
        check(
          Dims.broadcast(value.data.shape, target) == target, .shape, "subscript",
          "a value of shape \(value.shape) does not fit the part of shape \(Shape(dims: target))")
      else {
        self = .invalid
        return
      }
      write(value, through: plan.movements)
      return
    }
    // Which elements: the same index into a tensor of their numbers.
    let numbers = Tensor.arange(count).reshape(shape)
    let places = noGrad { plan.movements.reduce(numbers) { $0.move($1) }.pick(plan.tensors) }
    guard places.isValid else {
      self = .invalid
      return
    }
    guard
      check(
        Dims.broadcast(value.data.shape, places.data.shape) == places.data.shape, .shape, "subscript",
        "a value of shape \(value.shape) does not fit the part of shape \(places.shape)")
    else {
      self = .invalid
      return
    }
    let source = value.to(dtype).expand(places.shape).flatten()
    let written = flatten().scatter(dim: 0, index: places.flatten(), source).reshape(shape)
    if written.node == nil { data = written.data } else { self = written }
  }

  /// Advanced indexing: `picks[axis]` names elements of that axis, nil keeps it whole.
  private func pick(_ picks: [Tensor?]) -> Tensor {
    let axes = picks.indices.filter { picks[$0] != nil }
    var shape = Dims()
    for axis in axes {
      guard let joined = Dims.broadcast(shape, picks[axis]!.data.shape) else {
        fail(TensorError(.shape, "subscript", "index tensors of shapes \(axes.map { picks[$0]!.shape }) do not broadcast"))
        return .invalid
      }
      shape = joined
    }
    // One number for each combination, row-major over the indexed axes.
    var rows = Tensor.zeros(Shape(dims: shape), dtype: .int64)
    for axis in axes {
      let size = data.shape[axis]
      guard let index = picks[axis]!.wrapped(to: size, "subscript", "axis \(axis) of \(self.shape)") else { return .invalid }
      rows = rows * size + index
    }
    // Indexed axes to the front and made one; pick rows; the picked axes go where the first indexed one was.
    let rest = picks.indices.filter { picks[$0] == nil }
    let indexed = axes.map { data.shape[$0] }
    let kept = rest.map { data.shape[$0] }
    let table = permute(axes + rest).reshape(Shape([indexed.reduce(1, *)] + kept))
    let picked = table.indexSelect(dim: 0, index: rows.flatten()).reshape(Shape(Array(shape) + kept))
    let areAdjacent = axes.last! - axes.first! + 1 == axes.count
    let before = areAdjacent ? axes.first! : 0
    if before == 0 || !picked.isValid { return picked }
    let n = shape.count
    return picked.permute(Array(n..<(n + before)) + Array(0..<n) + Array((n + before)..<(n + kept.count)))
  }
}

/// A subscript resolved against a tensor: the movements for its simple part, then index tensors for the axes of what they give.
private struct IndexPlan {
  var movements: [Movement] = []
  /// For each axis after the movements the tensor that picks from it; empty where there is none at all.
  var tensors: [Tensor?] = []

  init?(_ indices: [SubscriptItem], _ x: Tensor) {
    let consumed = indices.reduce(0) { $0 + Self.axesConsumed($1) }
    let ellipses = indices.filter { if case .ellipsis = $0 { true } else { false } }.count
    guard check(ellipses <= 1, .index, "subscript", "more than one ellipsis"),
      check(consumed <= x.rank, .index, "subscript", "\(consumed) indices for a tensor of shape \(x.shape)")
    else { return nil }
    var shape = x.data.shape
    var axis = 0  // of the tensor as the movements so far have made it
    var isPicking = false
    for index in indices {
      switch index {
      case .at(let i):
        let size = shape[axis]
        let position = i < 0 ? i + size : i
        guard check(position >= 0 && position < size, .index, "subscript", "index \(i) is not in axis \(axis) of \(x.shape)")
        else {
          return nil
        }
        movements.append(.slice(axis: axis, start: position, step: 1, count: 1))
        shape.remove(at: axis)
        movements.append(.reshape(shape))
      case .slice(let from, let to, let step):
        guard let slice = Self.resolve(from, to, step, shape[axis]) else { return nil }
        if slice != (0, shape[axis]) || step != 1 {
          movements.append(.slice(axis: axis, start: slice.start, step: step, count: slice.count))
          shape[axis] = slice.count
        }
        tensors.append(nil)
        axis += 1
      case .ellipsis:
        for _ in 0..<(x.rank - consumed) { tensors.append(nil) }
        axis += x.rank - consumed
      case .newAxis:
        shape.insert(1, at: axis)
        movements.append(.reshape(shape))
        tensors.append(nil)
        axis += 1
      case .tensor(let index):
        guard index.isValid else { return nil }
        isPicking = true
        if index.dtype == .bool {
          // A scalar mask stands for a new axis.
          if index.rank == 0 {
            shape.insert(1, at: axis)
            movements.append(.reshape(shape))
            tensors.append(Tensor.zeros([index.item(as: Bool.self) ? 1 : 0], dtype: .int64))
            axis += 1
            continue
          }
          let sizes = Dims((0..<index.rank).map { shape[axis + $0] })
          guard
            check(
              sizes == index.data.shape, .shape, "subscript",
              "a mask of shape \(index.shape) for axes of sizes \(Shape(dims: sizes)) of \(x.shape)")
          else { return nil }
          let columns = index.nonzero()
          for i in 0..<index.rank { tensors.append(columns.select(dim: 1, index: i)) }
          axis += index.rank
        } else {
          guard check(index.dtype.isInteger, .dtype, "subscript", "index tensors are integers or bool, not \(index.dtype)") else {
            return nil
          }
          tensors.append(index.to(.int64))
          axis += 1
        }
      }
    }
    if isPicking {
      while tensors.count < shape.count { tensors.append(nil) }
    } else {
      tensors = []
    }
  }

  private static func axesConsumed(_ index: SubscriptItem) -> Int {
    switch index {
    case .at, .slice: 1
    case .ellipsis, .newAxis: 0
    case .tensor(let t): t.dtype == .bool ? t.rank : 1
    }
  }

  /// Python's rules for `from:to:step` in an axis of `size`.
  private static func resolve(_ from: Int?, _ to: Int?, _ step: Int, _ size: Int) -> (start: Int, count: Int)? {
    guard check(step != 0, .value, "subscript", "a slice with step 0") else { return nil }
    let bounds = step > 0 ? 0...size : -1...(size - 1)
    let place = { (bound: Int) in
      Swift.min(Swift.max(bound < 0 ? bound + size : bound, bounds.lowerBound), bounds.upperBound)
    }
    let start = from.map(place) ?? (step > 0 ? 0 : size - 1)
    let end = to.map(place) ?? (step > 0 ? size : -1)
    let span = step > 0 ? end - start : start - end
    let count = span <= 0 ? 0 : (span - 1) / Swift.abs(step) + 1
    return (count == 0 ? 0 : start, count)
  }
}

extension Tensor {
  /// Indices (int64) of the elements other than 0, row-major: `[elements found, rank]`.
  public func nonzero() -> Tensor {
    guard isValid else { return self }
    let flags = data.cast(.bool).contiguous()
    guard flags.isValid else { return .invalid }
    let values = flags.base.assumingMemoryBound(to: UInt8.self)
    let strides = data.shape.contiguousStrides
    var places: [Int] = []
    var found = 0
    for i in 0..<count where values[i] != 0 {
      found += 1
      for axis in 0..<rank { places.append(i / strides[axis] % data.shape[axis]) }
    }
    return Tensor(scalars: places, shape: [found, rank])
  }

  /// The elements where `mask` (bool, broadcast) is true, in one axis.
  public func maskedSelect(_ mask: Tensor) -> Tensor {
    guard isValid, mask.isValid else { return .invalid }
    guard check(mask.dtype == .bool, .dtype, "maskedSelect", "the mask is \(mask.dtype), not bool") else { return .invalid }
    guard let shape = Dims.broadcast(data.shape, mask.data.shape) else {
      fail(TensorError(.shape, "maskedSelect", "a mask of shape \(mask.shape) for a tensor of shape \(self.shape)"))
      return .invalid
    }
    let full = Shape(dims: shape)
    return expand(full)[mask.expand(full)]
  }
}
