import Synchronization

/// Tests a rule of an op. `precondition` would print nothing in release builds.
///
/// - Returns: true where the rule holds. Otherwise the program ends with the text, or, inside `catching`, the error is recorded and
///   the result is false: the caller then returns `Tensor.invalid` (or any value, when it doesn't return tensors).
@inline(__always)
public func check(
  _ condition: Bool, _ kind: TensorError.Kind, _ operation: @autoclosure () -> String, _ message: @autoclosure () -> String
) -> Bool {
  if _fastPath(condition) { return true }
  fail(TensorError(kind, operation(), message()))
  return false
}

/// Reports a mistake: ends the program with the error's text, or records it inside `catching`.
@inline(never)
public func fail(_ error: TensorError) {
  guard let sink = Context.mode.errors else { fatalError(error.description) }
  sink.record(error)
}

/// Runs `body` so that a mistake (shapes that don't fit, an index out of range, memory that cannot be had) throws instead of
/// ending the program: the form for servers, notebooks and language bindings.
///
/// The first mistake is remembered and the op at fault returns `Tensor.invalid`, which later ops pass on, so `body` runs to its end
/// (or to its own `throw`); then the mistake is thrown. Scopes nest; each throws its own.
///
/// ```swift
/// do {
///   let c = try catching { a.matmul(b) }
/// } catch let error as TensorError {
///   print(error)  // matmul: [2, 3] × [4, 5]: inner sizes 3 and 4 differ
/// }
/// ```
public func catching<R>(_ body: () throws -> R) throws -> R {
  let sink = ErrorSink()
  var mode = Context.mode
  mode.errors = sink
  do {
    let result = try Context.$mode.withValue(mode, operation: body)
    if let error = sink.first { throw error }
    return result
  } catch {
    // A mistake that came first is the cause of what `body` threw later.
    throw sink.first ?? error
  }
}

/// Runs a call of a language binding: `catching` in the mode that the other language has set.
///
/// - Parameters:
///   - isGradEnabled: whether ops record their graph.
///   - autocast: the dtype that `autocast` computes in; nil without.
///   - findsAnomalies: as inside `detectAnomaly`.
///   - body: the call.
/// - Returns: what `body` returns, or the mistake (or what `body` threw).
@inline(__always)
package func bindingCall<R>(
  isGradEnabled: Bool, autocast: DType? = nil, findsAnomalies: Bool = false, _ body: () throws -> R
) -> Result<R, any Error> {
  let sink = ErrorSink()
  var mode = Mode()
  mode.isGradEnabled = isGradEnabled
  mode.errors = sink
  do {
    let result: R
    if _slowPath(autocast != nil || findsAnomalies) {
      mode.autocast = autocast.map(AutocastScope.init(dtype:))
      mode.anomaly = findsAnomalies ? AnomalyScope() : nil
      result = try Context.withScope(mode, body)
    } else {
      result = try Context.$mode.withValue(mode, operation: body)
    }
    if let error = sink.first { return .failure(error) }
    return .success(result)
  } catch {
    return .failure(sink.first ?? error)
  }
}

/// Keeps the first error of a `catching` scope.
final class ErrorSink: Sendable {
  private let state = Locked<TensorError?>(nil)

  func record(_ error: TensorError) { state.withLock { $0 = $0 ?? error } }

  var first: TensorError? { state.withLock { $0 } }
}

/// What a scope sets for the ops inside it. One task-local for all: a read costs about 10 ns.
package struct Mode: Sendable {
  package var isGradEnabled = true
  var errors: ErrorSink?
  /// Inside `detectAnomaly`.
  var anomaly: AnomalyScope?
  /// Inside `autocast`.
  var autocast: AutocastScope?
  /// Inside `Profiler.record`.
  var profile: Recorder?
}

package enum Context {
  @TaskLocal package static var mode = Mode()

  /// How many `detectAnomaly`, `autocast` and `Profiler.record` scopes are open in the process: while there is none, ops need not look at
  /// the mode for them.
  private static let openScopes = Atomic<Int>(0)

  @inline(__always)
  package static var hasOpenScopes: Bool { openScopes.load(ordering: .relaxed) > 0 }

  /// Runs `body` in a mode that concerns every op.
  static func withScope<R>(_ mode: Mode, _ body: () throws -> R) rethrows -> R {
    openScopes.add(1, ordering: .relaxed)
    defer { openScopes.subtract(1, ordering: .relaxed) }
    return try $mode.withValue(mode, operation: body)
  }
}
