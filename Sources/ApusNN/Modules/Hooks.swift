import ApusCore

// What can happen around a module's forward: hooks, and the making of parameters whose size the first input decides.

/// A hook on a module, as `registerForwardHook` and its sisters gave it.
public struct ModuleHook {
  fileprivate weak var module: Module?
  fileprivate let id: Int

  /// Takes the hook away; a second call does nothing.
  public func remove() {
    module?.interception?.remove(id)
    module?.forgetEmptyInterception()
  }
}

extension Module {
  /// Calls `body` with the inputs of every call of this module, before it computes; what it returns, if not nil, takes their place.
  ///
  /// Hooks run in the order in which they were registered. A layer has one input and one output, other modules as many as they pass to
  /// `hooked`.
  ///
  /// - Returns: a handle whose `remove()` takes the hook away.
  @discardableResult
  public func registerForwardPreHook(_ body: @escaping (_ module: Module, _ inputs: [Tensor]) -> [Tensor]?) -> ModuleHook {
    register(\.before, body)
  }

  /// Calls `body` with the inputs and outputs of every call of this module; what it returns, if not nil, takes the outputs' place.
  ///
  /// ```swift
  /// var features: [Tensor] = []
  /// let hook = model[2].registerForwardHook { _, _, outputs in
  ///   features += outputs
  ///   return nil
  /// }
  /// ```
  ///
  /// - Returns: a handle whose `remove()` takes the hook away.
  @discardableResult
  public func registerForwardHook(
    _ body: @escaping (_ module: Module, _ inputs: [Tensor], _ outputs: [Tensor]) -> [Tensor]?
  ) -> ModuleHook {
    register(\.after, body)
  }

  /// Runs what a module computes, with the module's hooks: for modules that are no layers, in their `callAsFunction`.
  ///
  /// ```swift
  /// public func callAsFunction(_ query: Tensor, _ key: Tensor, _ value: Tensor) -> Tensor {
  ///   hooked([query, key, value]) { x in [attention(x[0], x[1], x[2])] }[0]
  /// }
  /// ```
  ///
  /// - Parameters:
  ///   - inputs: what the hooks see and may replace.
  ///   - body: called with the inputs, replaced or not.
  /// - Returns: what `body` gives, replaced or not; always as many tensors.
  public func hooked(_ inputs: [Tensor], _ body: ([Tensor]) -> [Tensor]) -> [Tensor] {
    isIntercepted ? intercepted(inputs, body) : body(inputs)
  }
}

extension Layer {
  /// Calls `body` in every backward pass through a call of this layer, with the gradients of its input and of its output; what it
  /// returns, if not nil, takes the place of the input's gradient.
  ///
  /// The input's gradient is nil where the input does not require one.
  ///
  /// - Returns: a handle whose `remove()` takes the hook away.
  @discardableResult
  public func registerBackwardHook(
    _ body: @escaping (_ layer: Module, _ inputGradient: Tensor?, _ outputGradient: Tensor) -> Tensor?
  ) -> ModuleHook {
    register(\.backward, body)
  }
}

/// What surrounds the forward of a module. Most modules have none: a call then costs one test.
final class Interception {
  typealias Hook<Body> = (id: Int, body: Body)
  var before: [Hook<(Module, [Tensor]) -> [Tensor]?>] = []
  var after: [Hook<(Module, [Tensor], [Tensor]) -> [Tensor]?>] = []
  var backward: [Hook<(Module, Tensor?, Tensor) -> Tensor?>] = []
  var pending: PendingInput?
  private var count = 0

  var isEmpty: Bool { before.isEmpty && after.isEmpty && backward.isEmpty && pending == nil }

  fileprivate func register<Body>(_ list: ReferenceWritableKeyPath<Interception, [Hook<Body>]>, _ body: Body) -> Int {
    count += 1
    self[keyPath: list].append((count, body))
    return count
  }

  fileprivate func remove(_ id: Int) {
    before.removeAll { $0.id == id }
    after.removeAll { $0.id == id }
    backward.removeAll { $0.id == id }
  }
}

extension Module {
  fileprivate func register<Body>(
    _ list: ReferenceWritableKeyPath<Interception, [Interception.Hook<Body>]>, _ body: Body
  ) -> ModuleHook {
    let interception = self.interception ?? Interception()
    self.interception = interception
    return ModuleHook(module: self, id: interception.register(list, body))
  }

  /// So that calls are quick again when the last hook is gone.
  func forgetEmptyInterception() {
    if interception?.isEmpty == true { interception = nil }
  }

  /// Whether a call is more than `forward`.
  @inline(__always)
  package var isIntercepted: Bool { interception != nil || ModulePath.isWanted }

  func intercepted(_ inputs: [Tensor], _ body: ([Tensor]) -> [Tensor]) -> [Tensor] {
    ModulePath.isWanted ? named { surrounded(inputs, body) } : surrounded(inputs, body)
  }

  private func surrounded(_ inputs: [Tensor], _ body: ([Tensor]) -> [Tensor]) -> [Tensor] {
    guard let interception else { return body(inputs) }
    var xs = inputs
    for hook in interception.before {
      if let new = hook.body(self, xs), accepts(new, for: xs, "pre-hook") { xs = new }
    }
    if let x = xs.first, x.isValid, !materialize(for: x.shape) { xs = xs.map { _ in .invalid } }
    let pass = interception.backward.isEmpty ? nil : ObservedPass(self, interception)
    if let pass { xs = xs.map(pass.observeInput) }
    var ys = body(xs)
    for hook in interception.after {
      if let new = hook.body(self, xs, ys), accepts(new, for: ys, "hook") { ys = new }
    }
    return pass.map { ys.map($0.observeOutput) } ?? ys
  }

  private func accepts(_ new: [Tensor], for old: [Tensor], _ kind: String) -> Bool {
    check(
      new.count == old.count, .value, "\(type(of: self))",
      "a forward \(kind) returned \(new.count) tensors in place of \(old.count)")
  }
}

/// One call of a layer with backward hooks: an identity before and one after it, which see the gradients pass.
private final class ObservedPass {
  private unowned let module: Module
  private let interception: Interception
  private var inputRequiresGrad = false
  private var outputGradient: Tensor?

  init(_ module: Module, _ interception: Interception) {
    self.module = module
    self.interception = interception
  }

  func observeInput(_ x: Tensor) -> Tensor {
    inputRequiresGrad = x.requiresGrad
    return recorded(x.data, .named("backwardHook"), .linear { [self] dx in [report(dx)] }, x)
  }

  func observeOutput(_ y: Tensor) -> Tensor {
    recorded(
      y.data, .named("backwardHook"),
      .linear { [self] dy in
        outputGradient = dy
        if !inputRequiresGrad { _ = report(nil) }
        return [dy]
      }, y)
  }

  private func report(_ dx: Tensor?) -> Tensor? {
    guard let dy = outputGradient else { return dx }
    outputGradient = nil
    return interception.backward.reduce(dx) { gradient, hook in
      guard let new = hook.body(module, gradient, dy), let gradient else { return gradient }
      let fits = check(
        new.shape == gradient.shape || !new.isValid, .shape, "\(type(of: module))",
        "a backward hook returned shape \(new.shape) for a gradient of shape \(gradient.shape)")
      return fits ? new : gradient
    }
  }
}
