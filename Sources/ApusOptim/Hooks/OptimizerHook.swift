import ApusCore

/// Something that happens in every step of an optimizer, beside the step itself.
///
/// ```swift
/// optimizer.addHook(WeightDecay(1e-4))
/// let clipping = optimizer.addHook(GradientClipping(maxNorm: 1))
/// clipping.remove()
/// ```
public protocol OptimizerHook {
  /// Called before the parameters change; their gradients may be changed, or taken away.
  func beforeStep(_ optimizer: Optimizer)

  /// Called after the parameters have changed.
  func afterStep(_ optimizer: Optimizer)
}

extension OptimizerHook {
  public func beforeStep(_ optimizer: Optimizer) {}
  public func afterStep(_ optimizer: Optimizer) {}
}

/// A hook's place in an optimizer, as `addHook` gave it.
public struct OptimizerHookHandle {
  weak var optimizer: Optimizer?
  let id: Int

  /// Takes the hook away; a second call does nothing.
  public func remove() { optimizer?.hooks.removeAll { $0.id == id } }
}

extension Optimizer {
  /// Calls `hook` in every step from now on, after the hooks that are there.
  ///
  /// - Returns: a handle whose `remove()` takes it away.
  @discardableResult
  public final func addHook(_ hook: some OptimizerHook) -> OptimizerHookHandle {
    let id = (hooks.last?.id ?? 0) + 1
    hooks.append((id, hook))
    return OptimizerHookHandle(optimizer: self, id: id)
  }

  /// Calls `body` in every step before the parameters change. See `addHook`.
  @discardableResult
  public final func registerStepPreHook(_ body: @escaping (Optimizer) -> Void) -> OptimizerHookHandle {
    addHook(ClosureHook(before: body))
  }

  /// Calls `body` in every step after the parameters have changed. See `addHook`.
  @discardableResult
  public final func registerStepPostHook(_ body: @escaping (Optimizer) -> Void) -> OptimizerHookHandle {
    addHook(ClosureHook(after: body))
  }

  /// Runs `body` between what the hooks do before and after a step.
  func withHooks<R>(_ body: () -> R) -> R {
    if hooks.isEmpty { return body() }
    noGrad { for (_, hook) in hooks { hook.beforeStep(self) } }
    let result = body()
    noGrad { for (_, hook) in hooks { hook.afterStep(self) } }
    return result
  }
}

private struct ClosureHook: OptimizerHook {
  var before: ((Optimizer) -> Void)?
  var after: ((Optimizer) -> Void)?

  func beforeStep(_ optimizer: Optimizer) { before?(optimizer) }
  func afterStep(_ optimizer: Optimizer) { after?(optimizer) }
}
