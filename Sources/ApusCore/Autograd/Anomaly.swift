/// Looks at what every op inside `body` makes, forward and backward; the first NaN or infinity that comes about is a mistake that says
/// which op made it, where the op was called, and in which module.
///
/// ```swift
/// try catching {
///   detectAnomaly {
///     crossEntropy(model(x), y).backward()
///   }
/// }
/// // backward of sqrt: the gradient of its input, float32 [32, 10], has an infinity (first at [0, 3]) and the gradient of its result
/// // has none; called in Normalize.forward(_:) at Model.swift:41, in module encoder.norm
/// ```
///
/// A NaN that an op was given (from a data set, say) is reported as well, as one that it was given; an infinity is reported only where
/// none went in, since masks of −∞ are good practice. An op whose gradient is at fault is found where it was called, if that was
/// inside `body` too. Ops that a backward pass consists of are looked at as a whole.
///
/// As other mistakes it ends the program, or is thrown by `catching`. Scopes nest; tasks started inside inherit theirs.
///
/// - Complexity: another pass over every result, and some 0.2 ms for each op that is recorded. Without a scope, one load for each op.
public func detectAnomaly<R>(_ body: () throws -> R) rethrows -> R {
  var mode = Context.mode
  mode.anomaly = mode.anomaly ?? AnomalyScope()
  return try Context.withScope(mode, body)
}

/// What `detectAnomaly` keeps in the mode.
package struct AnomalyScope: Sendable {
  /// The module whose `forward` is running.
  var module: String?

  /// Where an op is called now.
  var callSite: CallSite { CallSite(module: module) }
}

/// The path of the module that is running, for the errors of `detectAnomaly`.
package enum ModulePath {
  /// Whether somebody wants to know; the price of asking is one load while nobody does.
  @inline(__always)
  package static var isWanted: Bool { Context.hasOpenScopes && Context.mode.anomaly != nil }

  /// The path that was named last.
  package static var current: String? { Context.mode.anomaly?.module }

  /// Runs `body` as the work of the module at `path`, which is to be named in errors. For use where `isWanted`.
  package static func with<R>(_ path: String, _ body: () throws -> R) rethrows -> R {
    var mode = Context.mode
    guard mode.anomaly != nil else { return try body() }
    mode.anomaly?.module = path
    return try Context.$mode.withValue(mode, operation: body)
  }
}

// MARK: - Forward

/// Whether `y` has a NaN or an infinity to report; reports it.
@inline(never)
func hasAnomaly(_ y: TensorData, _ operation: OperationName, _ inputs: [Tensor]) -> Bool {
  guard let scope = Context.mode.anomaly, let found = NotFinite(in: y) else { return false }
  let given = inputs.map { NotFinite(in: $0.data) }
  guard let origin = found.origin(given, names: inputs.count == 1 ? ["its input"] : inputs.indices.map { "input \($0)" }) else {
    return false
  }
  fail(TensorError(.notFinite, operation.text, "its result, \(found.description), \(origin)\(scope.callSite.text)"))
  return true
}

// MARK: - Backward

extension AnomalyScope {
  /// Whether one of the gradients that a rule made has a NaN or an infinity to report; reports it.
  func hasAnomaly(_ gradients: [Tensor?], of node: Node, from dy: Tensor) -> Bool {
    let given = NotFinite(in: dy.data)
    for (i, gradient) in gradients.enumerated() where gradient?.isValid == true {
      guard let found = NotFinite(in: gradient!.data), let origin = found.origin([given], names: ["the gradient of its result"])
      else { continue }
      let input = gradients.count == 1 ? "its input" : "input \(i)"
      let place = node.attachments?.callSite?.text ?? "; called outside detectAnomaly, or by a backward pass"
      fail(
        TensorError(
          .notFinite, "backward of \(node.operation.text)", "the gradient of \(input), \(found.description), \(origin)\(place)"))
      return true
    }
    return false
  }
}

// MARK: - Looking

/// The first NaN of a tensor or, where it has none, its first infinity.
struct NotFinite {
  let isNaN: Bool
  let description: String

  init?(in x: TensorData) {
    guard x.isValid, x.dtype.isFloatingPoint, x.count > 0 else { return nil }
    let backend = x.device.backend
    func has(_ op: Unary) -> TensorData? {
      let marks = backend.unary(op, x)
      return backend.reduce(.any, marks, axes: x.shape.axes).firstAsDouble != 0 ? marks : nil
    }
    if backend.reduce(.all, backend.unary(.isFinite, x), axes: x.shape.axes).firstAsDouble != 0 { return nil }
    let nan = has(.isNaN)
    guard let marks = nan ?? has(.isInfinite) else { return nil }
    isNaN = nan != nil
    let first = Tensor(marks).flatten().to(.uint8).argmax().item(as: Int.self)
    let place = x.rank == 0 ? "" : " (first at \(Self.position(first, x.shape)))"
    description = "\(x.dtype) \(Shape(dims: x.shape)), has \(isNaN ? "NaN" : "an infinity")\(place)"
  }

  /// What is to be said of where it comes from; nil where it was given and may be what was meant.
  func origin(_ given: [NotFinite?], names: [String]) -> String? {
    let none = names.count == 1 ? "and \(names[0]) has none" : "and its inputs have none"
    if !isNaN { return given.contains { $0 != nil } ? nil : none }
    guard let i = given.firstIndex(where: { $0?.isNaN == true }) else { return none }
    return "as \(names[i]) had before"
  }

  private static func position(_ index: Int, _ shape: Dims) -> [Int] {
    var (rest, result) = (index, [Int]())
    for size in shape.reversed() {
      result.append(rest % size)
      rest /= size
    }
    return result.reversed()
  }
}
