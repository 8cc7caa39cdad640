import ApusCore
import Testing

/// Compares shape and dtype before values, and names the worst element.
///
/// - Parameters:
///   - relative, absolute: |x − y| up to absolute + relative · |y| passes; NaN equals NaN.
public func expectClose(
  _ x: Tensor, _ y: Tensor, relative: Double = 1e-5, absolute: Double = 1e-8, _ comment: String = "",
  sourceLocation: SourceLocation = #_sourceLocation
) {
  guard x.shape == y.shape else {
    Issue.record("shape \(x.shape) instead of \(y.shape) \(comment)", sourceLocation: sourceLocation)
    return
  }
  guard x.dtype == y.dtype else {
    Issue.record("dtype \(x.dtype) instead of \(y.dtype) \(comment)", sourceLocation: sourceLocation)
    return
  }
  let (a, b) = (x.scalars(as: Double.self), y.scalars(as: Double.self))
  var worst: (index: Int, excess: Double) = (-1, 0)
  for i in a.indices where !(a[i].isNaN && b[i].isNaN) && a[i] != b[i] {
    let difference = abs(a[i] - b[i])
    let excess = difference.isNaN ? Double.infinity : difference - (absolute + relative * abs(b[i]))
    if excess > worst.excess { worst = (i, excess) }
  }
  if worst.index >= 0 {
    let position = place(worst.index, x.shape)
    Issue.record("at \(position): \(a[worst.index]) instead of \(b[worst.index]) \(comment)", sourceLocation: sourceLocation)
  }
}

private func place(_ index: Int, _ shape: Shape) -> [Int] {
  var (rest, result) = (index, [Int]())
  for size in shape.reversed() {
    result.insert(rest % size, at: 0)
    rest /= size
  }
  return result
}

/// The error that `body` makes inside `catching`; nil where it makes none.
public func mistake(_ body: () -> Void) -> TensorError? {
  do {
    try catching(body)
    return nil
  } catch {
    return error as? TensorError
  }
}

/// Expects a mistake with exactly this text.
public func expectMistake(
  _ text: String, sourceLocation: SourceLocation = #_sourceLocation, _ body: () -> Void
) {
  let error = mistake(body)
  #expect(error?.description == text, sourceLocation: sourceLocation)
}
