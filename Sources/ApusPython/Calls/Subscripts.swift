import ApusCore
import ApusNN
import CApusPython

/// `x[items]`. May fail.
@c(apus_get_items)
public func apusGetItems(
  _ x: UnsafeMutableRawPointer, _ items: UnsafePointer<apus_value>, _ count: Int32, _ mode: Int32,
  _ error: UnsafeMutablePointer<apus_error>
) -> UnsafeMutableRawPointer? {
  attemptTensor(mode, error) { tensor(x).part(try subscriptItems(items, count)) }
}

/// `x[items] = value`: changes the variable, and in its own memory where nobody else sees it. May fail.
@c(apus_set_items)
public func apusSetItems(
  _ x: UnsafeMutableRawPointer, _ items: UnsafePointer<apus_value>, _ count: Int32, _ value: UnsafePointer<apus_value>,
  _ mode: Int32,
  _ error: UnsafeMutablePointer<apus_error>
) -> Bool {
  attempt(mode, error) {
    let cell = cell(x)
    let isRecording = mode & Int32(APUS_MODE_GRAD.rawValue) != 0
    guard let old = cell.content,
      check(
        !(isRecording && old.requiresGrad && old.isLeaf), .autograd, "setitem",
        "a leaf that requires a gradient cannot be changed in place while gradients are recorded; use no_grad()")
    else { return }
    let items = try subscriptItems(items, count)
    var source = Arguments(values: value, name: "setitem").tensorOrNumber(0)
    // As in NumPy: leading axes of size 1 of a value with too many are of no account.
    let target = old.detach().part(items)
    guard target.isValid else { return }
    while source.rank > target.rank, source.shape[0] == 1 { source = source.select(dim: 0, index: 0) }
    if let converted = try? catching({ source.to(old.dtype) }) { source = converted }
    guard source.isValid else { return }
    try write(source, cell, items)
  } != nil
}

/// Writes without another reference to the tensor on the stack; a mistake leaves the variable as it was.
private func write(_ source: Tensor, _ cell: ParameterCell, _ items: [SubscriptItem]) throws {
  let shape = cell.content?.detach().part(items).shape ?? []
  guard
    check(
      Shape.broadcast(source.shape, shape) == shape, .shape, "setitem",
      "a value of shape \(source.shape) does not fit the part of shape \(shape)")
  else { return }
  cell.content?.setPart(items, source)
}

private func subscriptItems(_ items: UnsafePointer<apus_value>, _ count: Int32) throws -> [SubscriptItem] {
  try (0..<Int(count)).map { i in
    let item = items[i]
    switch apus_tag(rawValue: numericCast(item.tag)) {
    case APUS_INT: return .at(Int(item.integer))
    case APUS_BOOL: return .tensor(Tensor(item.integer != 0))
    case APUS_NONE: return .newAxis
    case APUS_ELLIPSIS: return .ellipsis
    case APUS_TENSOR:
      let index = tensor(item.pointer)
      if index.rank == 0, index.dtype.isInteger { return .at(index.item(as: Int.self)) }
      return .tensor(index.detach())
    case APUS_SLICE:
      let bounds = item.pointer.assumingMemoryBound(to: Int64.self)
      func bound(_ k: Int) -> Int? { bounds[k] == .min ? nil : Int(Swift.min(Swift.max(bounds[k], -(1 << 60)), 1 << 60)) }
      let step = Swift.min(bound(2) ?? 1, 1 << 30)  // further than any axis is long
      guard step > 0 else { throw ArgumentError(.value, "subscript: the step of a slice must be positive, not \(step)") }
      return .slice(from: bound(0), to: bound(1), step: step)
    default:
      throw ArgumentError(.type, "subscript: an index is an integer, a slice, None, ..., a bool, a tensor or a sequence of these")
    }
  }
}
