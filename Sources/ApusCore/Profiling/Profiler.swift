/// Finds out where the time goes.
///
/// ```swift
/// let profile = Profiler.record {
///   for batch in loader.prefix(20) { trainingStep(batch) }
/// }
/// print(profile)  // a table: op, calls, time, FLOP/s, GB/s
/// ```
///
/// It sees the ops that run inside the scope, forward and backward, and those of tasks that are started there; not those of threads that were
/// running before (a loader's). An element-wise op on a large tensor runs when somebody needs its numbers, together with its neighbours in one
/// pass: then the pass is what is timed, under the names of all its ops.
public enum Profiler {
  /// Runs `body` and measures each op in it.
  ///
  /// Scopes nest; an inner one hides its ops from the outer.
  ///
  /// - Parameter traceLimit: how many single calls to keep for `Profile.chromeTrace`; the table counts all of them.
  /// - Complexity: about a microsecond for each op; nothing outside of a scope.
  public static func record(traceLimit: Int = 200_000, _ body: () throws -> Void) rethrows -> Profile {
    let recorder = Recorder(traceLimit: traceLimit)
    var mode = Context.mode
    mode.profile = recorder
    try Context.withScope(mode, body)
    return recorder.profile()
  }

  /// Runs `body` as a part of the program that has a name: `forward`, `data`. It appears around its ops in the trace, and in the
  /// table of spans. Outside of `record` it only runs `body`.
  public static func span<R>(_ name: @autoclosure () -> String, _ body: () throws -> R) rethrows -> R {
    guard let recorder = current else { return try body() }
    let start = recorder.begin()
    defer { recorder.end(start, name(), .span, Work()) }
    return try body()
  }

  /// Who listens to the ops that run now; the price of asking is one load while nobody does.
  @inline(__always)
  package static var current: Recorder? { _slowPath(Context.hasOpenScopes) ? Context.mode.profile : nil }
}

/// What an op had to do at the least: numbers read and written once, multiplications and additions.
package struct Work: Sendable {
  var bytes = 0
  /// Floating-point operations, for ops that are bound by them.
  var flops = 0.0
  /// Shapes of the operands.
  var shapes: [Dims] = []

  /// - Parameter tensors: operands and results; broadcast elements count once.
  init(reads operands: [TensorData] = [], writes results: [TensorData] = [], flops: Double = 0) {
    bytes = (operands + results).reduce(0) { $0 + $1.touchedBytes }
    shapes = operands.map(\.shape)
    self.flops = flops
  }
}

extension TensorData {
  /// Bytes that are there to be read: an axis along which an element is repeated has one.
  fileprivate var touchedBytes: Int {
    guard isValid else { return 0 }
    return shape.indices.reduce(dtype.itemSize) { strides[$1] == 0 && shape[$1] > 1 ? $0 : $0 * shape[$1] }
  }
}
