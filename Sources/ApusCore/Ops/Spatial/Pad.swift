/// What `pad` puts around a tensor.
public enum PadMode: CaseIterable, Sendable {
  /// One number everywhere.
  case constant
  /// The tensor mirrored at its edge, which is not repeated: `c b | a b c | b a`.
  case reflect
  /// The element at the edge: `a a | a b c | c c`.
  case replicate
  /// The other end of the axis: `b c | a b c | a b`.
  case circular
}

/// A tensor with elements added at the ends of its last axes.
///
/// - Parameters:
///   - x: any shape for `.constant`; otherwise `[C, …]` or `[N, C, …]` with exactly the one to three axes that are padded.
///   - padding: two numbers for each padded axis, before and after, the *last axis first*: `[left, right, top, bottom]`. A negative
///     number takes elements away.
///   - mode: what is added. `.reflect` adds less than the size of the axis, `.circular` at most that size.
///   - value: the number of `.constant`, converted to the dtype of `x`.
/// - Returns: the dtype and the order of axes in memory of `x`. The gradient of an added element goes to the one that it repeats.
public func pad(_ x: Tensor, _ padding: [Int], mode: PadMode = .constant, value: Double = 0) -> Tensor {
  guard x.isValid else { return x }
  guard check(padding.count % 2 == 0, .value, "pad", "\(padding) has no two numbers for each axis") else { return .invalid }
  guard
    check(padding.count / 2 <= x.rank, .shape, "pad", "\(padding) is for more axes than input \(x.shape) has")
  else { return .invalid }
  let ends = AxisPadding.of(padding, rank: x.rank)
  guard ends.allSatisfy({ fits($0, x) }) else { return .invalid }
  if mode == .constant { return ends.allSatisfy(\.isNothing) ? x : constantPadded(x, ends, value) }
  let axes = padding.count / 2
  guard
    check(
      (1...3).contains(axes) && (axes + 1...axes + 2).contains(x.rank), .shape, "pad",
      "\(mode) with \(padding) takes [C, …] or [N, C, …] with 1 to 3 axes that are all padded, not \(x.shape)")
  else { return .invalid }
  guard ends.allSatisfy({ $0.fits(mode, x) }) else { return .invalid }
  return x.inMemoryOrder { x, place in
    ends.reduce(x) { y, end in end.repeating(y, mode, axis: place[end.axis]) }
  }
}

/// How much is added at the ends of one axis.
private struct AxisPadding {
  let axis: Int
  let before: Int
  let after: Int

  var isNothing: Bool { before == 0 && after == 0 }

  /// PyTorch's list, the last axis first.
  static func of(_ padding: [Int], rank: Int) -> [AxisPadding] {
    (0..<padding.count / 2).map {
      AxisPadding(axis: rank - 1 - $0, before: padding[2 * $0], after: padding[2 * $0 + 1])
    }
  }
}

/// Whether no more is taken away from the axis than there is.
private func fits(_ end: AxisPadding, _ x: Tensor) -> Bool {
  let limit = Int.max / 4
  return check(
    (-limit...limit).contains(end.before) && (-limit...limit).contains(end.after)
      && x.shape[end.axis] + min(end.before, 0) + min(end.after, 0) >= 0, .value, "pad",
    "(\(end.before), \(end.after)) takes more away than axis \(end.axis) of \(x.shape) has")
}

// MARK: - Constant

/// The adjoint of adding elements is to take them away, and the other way round: the gradient is padded by the negative numbers.
private func constantPadded(_ x: Tensor, _ ends: [AxisPadding], _ value: Double) -> Tensor {
  var shape = x.data.shape
  for end in ends { shape[end.axis] += end.before + end.after }
  let y = TensorData.filled(shape, x.dtype, value, axisOrder: x.data.axisOrder, for: "pad")
  guard y.isValid else { return .invalid }
  var (inner, outer) = (x.data, y)
  for end in ends {
    let count = x.data.shape[end.axis] + min(end.before, 0) + min(end.after, 0)
    inner = Movement.slice(axis: end.axis, start: max(-end.before, 0), step: 1, count: count).apply(inner)
    outer = Movement.slice(axis: end.axis, start: max(end.before, 0), step: 1, count: count).apply(outer)
  }
  if inner.count > 0 { x.device.backend.copy(inner, into: outer) }
  let inverse = ends.map { AxisPadding(axis: $0.axis, before: -$0.before, after: -$0.after) }
  return recorded(y, .named("pad"), .linear { dy in [constantPadded(dy, inverse, 0)] }, x)
}

// MARK: - Repeating

extension AxisPadding {
  /// Whether there is enough to repeat.
  func fits(_ mode: PadMode, _ x: Tensor) -> Bool {
    let size = x.shape[axis]
    let (most, rule) =
      switch mode {
      case .constant: (Int.max, "")
      case .reflect: (size - 1, "less than its size")
      case .replicate: (size > 0 ? Int.max : 0, "nothing to an empty axis")
      case .circular: (size + min(before, 0) + min(after, 0), "at most what is left of it")
      }
    return check(
      max(before, after) <= max(most, 0), .value, "pad",
      "\(mode) by (\(before), \(after)) of axis \(axis) of \(x.shape): it can add \(rule)")
  }

  /// `x` with its own elements before and after. Circular repeats what cropping left; the others see the whole axis.
  func repeating(_ x: Tensor, _ mode: PadMode, axis: Int) -> Tensor {
    let x = mode == .circular ? cropped(x, axis) : x
    var pieces = [x]
    if before > 0 { pieces.insert(head(x, mode, axis), at: 0) }
    if after > 0 { pieces.append(tail(x, mode, axis)) }
    let y = cat(pieces, dim: axis)
    return mode == .circular ? y : cropped(y, axis)
  }

  /// What comes before the first element.
  private func head(_ x: Tensor, _ mode: PadMode, _ axis: Int) -> Tensor {
    switch mode {
    case .constant, .circular: x.narrow(dim: axis, start: x.data.shape[axis] - before, count: before)
    case .reflect: x.narrow(dim: axis, start: 1, count: before).flip(axis)
    case .replicate: x.narrow(dim: axis, start: 0, count: 1).expand(x.shape.replacing(axis, with: before))
    }
  }

  /// What comes after the last element.
  private func tail(_ x: Tensor, _ mode: PadMode, _ axis: Int) -> Tensor {
    let size = x.data.shape[axis]
    return switch mode {
    case .constant, .circular: x.narrow(dim: axis, start: 0, count: after)
    case .reflect: x.narrow(dim: axis, start: size - 1 - after, count: after).flip(axis)
    case .replicate: x.narrow(dim: axis, start: size - 1, count: 1).expand(x.shape.replacing(axis, with: after))
    }
  }

  private func cropped(_ x: Tensor, _ axis: Int) -> Tensor {
    let (first, last) = (max(-before, 0), max(-after, 0))
    return x.narrow(dim: axis, start: first, count: x.data.shape[axis] - first - last)
  }
}

extension Shape {
  fileprivate func replacing(_ axis: Int, with size: Int) -> Shape { Shape(dims: dims.replacing(axis, with: size)) }
}
