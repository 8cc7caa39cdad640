/// Mixed precision: inside `body` the ops that profit compute in `dtype`, those that need range or digits in float32.
///
/// ```swift
/// let loss = autocast(to: .bfloat16) { crossEntropy(model(x), y) }
/// loss.backward()
/// ```
///
/// Which is which, as in PyTorch: matrix products, `linear`, convolutions, attention and recurrent cells take their float32 inputs as
/// `dtype`; `exp`, `log`, `pow`, sums and products over axes, softmax, norms and losses take half types as float32; everything else runs
/// in the dtypes it gets. float64 is left alone. Parameters stay float32: gradients pass through the conversion, and each parameter
/// is converted once in a scope, however often it is used.
///
/// Backward passes run in the dtypes of their forward ops, whether inside or outside of the scope.
///
/// - Parameters:
///   - dtype: `.bfloat16`, which has float32's range, or `.float16`, whose small gradients need a `GradScaler`.
///   - isEnabled: false for a part that is to run as if there were no scope around it.
///   - body: the forward pass.
/// - Returns: what `body` returns.
public func autocast<R>(to dtype: DType = .bfloat16, isEnabled: Bool = true, _ body: () throws -> R) rethrows -> R {
  let isHalf = check(dtype == .bfloat16 || dtype == .float16, .dtype, "autocast", "\(dtype) is neither bfloat16 nor float16")
  var mode = Context.mode
  mode.autocast = isEnabled && isHalf ? AutocastScope(dtype: dtype) : nil
  return try Context.withScope(mode, body)
}

/// The dtype that `autocast` computes in here; nil outside of its scopes.
public var autocastType: DType? { Context.hasOpenScopes ? Context.mode.autocast?.dtype : nil }

/// What `autocast` keeps in the mode.
struct AutocastScope: Sendable {
  let dtype: DType
  private let cache = ConversionCache()

  init(dtype: DType) { self.dtype = dtype }

  func lowered(_ x: Tensor, isGradEnabled: Bool) -> Tensor {
    guard x.isValid, x.dtype != dtype, x.dtype.isFloatingPoint, x.dtype != .float64, !x.data.isWeak else { return x }
    guard let node = x.node, node.isLeaf, x.dtype == .float32 else { return x.to(dtype) }
    return cache.converted(x, node, to: dtype, isGradEnabled: isGradEnabled)
  }
}

/// The parameters that a scope has converted.
private final class ConversionCache: Sendable {
  private struct Key: Hashable {
    let leaf: ObjectIdentifier
    /// Without a graph the conversion leads nowhere, so it must not serve where there is one.
    let isGradEnabled: Bool
  }
  /// Holding on to the original keeps its identity: after a change in place the leaf has other data.
  private let entries = Locked<[Key: (original: Tensor, converted: Tensor)]>([:])

  func converted(_ x: Tensor, _ leaf: Node, to dtype: DType, isGradEnabled: Bool) -> Tensor {
    let key = Key(leaf: ObjectIdentifier(leaf), isGradEnabled: isGradEnabled)
    if let entry = entries.withLock({ $0[key] }), entry.original.data === x.data { return entry.converted }
    let converted = x.to(dtype)
    entries.withLock { $0[key] = (x, converted) }
    return converted
  }
}

// MARK: - For ops

/// The input of an op that profits from `autocast`: converted inside a scope, itself elsewhere.
///
/// The op calls this first, on all its floating-point inputs, so that their gradients are converted back.
@inline(__always)
package func autocasted(_ x: Tensor) -> Tensor {
  if !_slowPath(Context.hasOpenScopes) { return x }
  let mode = Context.mode
  return mode.autocast?.lowered(x, isGradEnabled: mode.isGradEnabled) ?? x
}

/// The inputs of an op that profits from `autocast`.
package func autocasted(_ xs: [Tensor]) -> [Tensor] { Context.hasOpenScopes ? xs.map { autocasted($0) } : xs }

/// The input of an op that needs range or digits: half types as float32 inside an `autocast` scope, itself elsewhere.
@inline(__always)
package func widened(_ x: Tensor) -> Tensor {
  if !_slowPath(Context.hasOpenScopes) { return x }
  guard x.dtype == .bfloat16 || x.dtype == .float16, Context.mode.autocast != nil else { return x }
  return x.to(.float32)
}
