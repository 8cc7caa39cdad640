extension Tensor {
  /// Whether gradients flow to this tensor: it was asked for, or an input of the op that made it was.
  ///
  /// Setting it to true makes a leaf of a tensor without history; setting it to false cuts it off. Copies made before are not changed.
  public var requiresGrad: Bool {
    get { node != nil }
    set {
      guard newValue != requiresGrad, isValid else { return }
      if newValue {
        guard check(dtype.isFloatingPoint, .dtype, "requiresGrad", "only floating-point tensors have gradients, not \(dtype)")
        else {
          return
        }
        node = Node(leaf: data)
      } else {
        node = nil
      }
    }
  }

  /// Whether no op made this tensor (or its history was cut).
  public var isLeaf: Bool { node?.isLeaf ?? true }

  /// The gradient that `backward()` left here, for leaves and after `retainGrad()`; nil before.
  ///
  /// It belongs to the variable, not to the value: all copies of a leaf share it. Passes add to it; set it to nil to start afresh.
  public var grad: Tensor? {
    get { node?.attachments?.grad }
    nonmutating set { node?.attach { $0.grad = newValue } }
  }

  /// A name for the graph's picture; kept only by tensors that require a gradient.
  public var name: String? {
    get { node?.attachments?.name }
    nonmutating set { node?.attach { $0.name = newValue } }
  }

  /// The same values without history: gradients don't flow back through it.
  public func detach() -> Tensor { Tensor(data) }

  /// Makes `backward()` leave a gradient in `grad` here although this is not a leaf.
  public func retainGrad() {
    guard check(node != nil || !isValid, .autograd, "retainGrad", "the tensor does not require a gradient") else { return }
    node?.attach { $0.retainsGrad = true }
  }

  /// Calls `body` with this tensor's gradient in every backward pass, before the gradient goes further; what it returns, if not nil,
  /// takes the gradient's place.
  ///
  /// - Returns: a handle whose `remove()` takes the hook away.
  @discardableResult
  public func registerHook(_ body: @escaping (Tensor) -> Tensor?) -> GradientHook {
    guard check(node != nil || !isValid, .autograd, "registerHook", "the tensor does not require a gradient"), let node else {
      return GradientHook(node: nil, id: 0)
    }
    let id = node.attach { attachments in
      attachments.nextHook += 1
      attachments.hooks.append((attachments.nextHook, body))
      return attachments.nextHook
    }
    return GradientHook(node: node, id: id)
  }

  /// Cuts the history of this tensor: no gradient flows back beyond the tensors that it was made from since the last cut.
  ///
  /// For truncated back-propagation: after `loss.backward()`, `loss.unchain()` keeps a recurrent state as a value and forgets how it
  /// came about. Leaves stay leaves and keep their gradients.
  ///
  /// - Complexity: linear in the number of ops behind the tensor.
  public func unchain() {
    guard let node else { return }
    var stack = [node]
    while let next = stack.popLast() {
      guard !next.isLeaf, !next.isUnchained else { continue }
      next.isUnchained = true
      stack.append(contentsOf: next.inputs.compactMap(\.node))
      next.inputs = []
      next.output = nil
    }
  }
}

/// A hook on a tensor's gradient, as `registerHook` gave it.
public struct GradientHook: Sendable {
  let node: Node?
  let id: Int

  /// Takes the hook away; a second call does nothing.
  public func remove() {
    node?.attach { $0.hooks.removeAll { $0.id == id } }
  }
}

/// Runs `body` without recording a graph: results don't require gradients, and writing to a leaf keeps it the same leaf (as an
/// optimizer's update needs).
public func noGrad<R>(_ body: () throws -> R) rethrows -> R { try withGrad(false, body) }

/// Records graphs inside `body` again, in a `noGrad` scope.
public func enableGrad<R>(_ body: () throws -> R) rethrows -> R { try withGrad(true, body) }

/// Whether ops record their graph here.
public var isGradEnabled: Bool { Context.mode.isGradEnabled }

package func withGrad<R>(_ isEnabled: Bool, _ body: () throws -> R) rethrows -> R {
  var mode = Context.mode
  if mode.isGradEnabled == isEnabled { return try body() }
  mode.isGradEnabled = isEnabled
  return try Context.$mode.withValue(mode, operation: body)
}
