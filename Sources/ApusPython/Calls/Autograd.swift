import ApusCore
import ApusNN
import CApusPython

@c(apus_set_requires_grad)
public func apusSetRequiresGrad(_ x: UnsafeMutableRawPointer, _ value: Bool, _ error: UnsafeMutablePointer<apus_error>) -> Bool {
  attempt(1, error) {
    let cell = cell(x)
    guard let tensor = cell.content, tensor.requiresGrad != value else { return }
    guard
      check(
        value || tensor.isLeaf, .autograd, "requires_grad_",
        "only leaves can be told not to require a gradient; detach() gives the numbers without history")
    else { return }
    cell.content?.requiresGrad = value
  } != nil
}

/// The gradient of a leaf (or of what retains one); NULL without.
@c(apus_get_grad)
public func apusGetGrad(_ x: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer? { tensor(x).grad.map { owned($0) } }

/// Whether `gradient` is what stands in the variable's `grad` now.
@c(apus_is_grad)
public func apusIsGrad(_ x: UnsafeMutableRawPointer, _ gradient: UnsafeMutableRawPointer) -> Bool {
  tensor(x).grad?.data === tensor(gradient).data
}

/// Sets the gradient; NULL takes it away. May fail.
@c(apus_set_grad)
public func apusSetGrad(
  _ x: UnsafeMutableRawPointer, _ gradient: UnsafeMutableRawPointer?, _ error: UnsafeMutablePointer<apus_error>
) -> Bool {
  attempt(0, error) {
    let x = tensor(x)
    guard let gradient else {
      x.grad = nil
      return
    }
    let g = tensor(gradient)
    guard check(x.requiresGrad, .autograd, "grad", "the tensor does not require a gradient"),
      check(g.shape == x.shape, .shape, "grad", "a gradient of shape \(g.shape) for a tensor of shape \(x.shape)"),
      check(g.dtype == x.dtype, .dtype, "grad", "a gradient of \(g.dtype) for a tensor of \(x.dtype)")
    else { return }
    x.grad = g
  } != nil
}

/// `y.backward(gradient)`. May fail.
@c(apus_backward)
public func apusBackward(
  _ y: UnsafeMutableRawPointer, _ gradient: UnsafeMutableRawPointer?, _ retainGraph: Int32, _ createGraph: Bool, _ mode: Int32,
  _ error: UnsafeMutablePointer<apus_error>
) -> Bool {
  attempt(mode, error) {
    tensor(y).backward(
      gradient.map { tensor($0) }, retainGraph: retainGraph < 0 ? nil : retainGraph != 0, createGraph: createGraph)
  } != nil
}

/// Gradients of `ys` by `xs`; `result` gets APUS_TENSORS, with NULL for what the ys don't depend on. May fail.
@c(apus_grad)
public func apusGrad(
  _ ys: UnsafePointer<UnsafeMutableRawPointer>, _ gradients: UnsafePointer<UnsafeMutableRawPointer?>, _ yCount: Int32,
  _ xs: UnsafePointer<UnsafeMutableRawPointer>, _ xCount: Int32, _ retainGraph: Int32, _ createGraph: Bool, _ mode: Int32,
  _ result: UnsafeMutablePointer<apus_value>, _ error: UnsafeMutablePointer<apus_error>
) {
  let found = attempt(mode, error) {
    let outputs = (0..<Int(yCount)).map { (y: tensor(ys[$0]), gradient: gradients[$0].map { tensor($0) }) }
    return gradientsIfAny(
      of: outputs, by: (0..<Int(xCount)).map { tensor(xs[$0]) }, createGraph: createGraph,
      retainGraph: retainGraph < 0 ? createGraph : retainGraph != 0)
  }
  guard let found else { return }
  result.pointee = apus_value()
  result.pointee.tag = Int32(APUS_TENSORS.rawValue)
  result.pointee.count = Int32(found.count)
  guard let array = malloc(max(found.count, 1) * MemoryLayout<Handle?>.size) else { return }
  let handles = array.assumingMemoryBound(to: Handle?.self)
  for (i, gradient) in found.enumerated() { handles[i] = gradient.map { owned($0) } }
  result.pointee.pointer = UnsafeRawPointer(array)
}

// MARK: - Callbacks

/// How to call Python; set when the extension is loaded.
nonisolated(unsafe) var callbacks = apus_callbacks()

@c(apus_set_callbacks)
public func apusSetCallbacks(_ functions: UnsafePointer<apus_callbacks>) { callbacks = functions.pointee }

/// A Python object that is called from the graph.
final class PythonCallable: @unchecked Sendable {
  private let object: UnsafeMutableRawPointer

  /// Takes over a reference.
  init(_ object: UnsafeMutableRawPointer) { self.object = object }

  deinit { callbacks.release(object) }

  /// Calls the object; nil where it has raised an exception. Results of None are nil inside.
  func callAsFunction(_ inputs: [Tensor?], capacity: Int) -> [Tensor?]? {
    let handles = inputs.map { $0.map { owned($0) } }
    defer { for handle in handles { handle.map { apusRelease($0) } } }
    var outputs = [Handle?](repeating: nil, count: max(capacity, 1))
    let count = handles.withUnsafeBufferPointer { given in
      callbacks.call(object, given.baseAddress, Int32(inputs.count), &outputs, Int32(capacity), isGradEnabled ? 1 : 0)
    }
    guard count >= 0 else { return nil }
    defer { for handle in outputs { handle.map { apusRelease($0) } } }
    return outputs[..<Int(count)].map { $0.map { tensor($0) } }
  }
}

func failInPython(_ operation: String) {
  fail(TensorError(.autograd, operation, "an exception was raised in Python"))
}

/// Calls `object`, which it takes over, with the gradient in every backward pass. The hook's number, or −1. May fail.
@c(apus_add_hook)
public func apusAddHook(
  _ x: UnsafeMutableRawPointer, _ object: UnsafeMutableRawPointer, _ error: UnsafeMutablePointer<apus_error>
) -> UnsafeMutableRawPointer? {
  let callable = PythonCallable(object)
  let hook = attempt(1, error) {
    tensor(x).registerHook { gradient in
      guard let results = callable([gradient], capacity: 1) else {
        failInPython("hook")
        return .invalid
      }
      return results.first ?? nil
    }
  }
  return hook.map { Unmanaged.passRetained(HookBox($0)).toOpaque() }
}

private final class HookBox {
  let hook: GradientHook
  init(_ hook: GradientHook) { self.hook = hook }
}

/// Takes the hook away.
@c(apus_remove_hook)
public func apusRemoveHook(_ hook: UnsafeMutableRawPointer) {
  let box = Unmanaged<HookBox>.fromOpaque(hook).takeRetainedValue()
  box.hook.remove()
}

/// Keeps the gradient of a tensor that is not a leaf. May fail.
@c(apus_retain_grad)
public func apusRetainGrad(_ x: UnsafeMutableRawPointer, _ error: UnsafeMutablePointer<apus_error>) -> Bool {
  attempt(1, error) { tensor(x).retainGrad() } != nil
}

/// Gives `outputs` a place in the graph behind `inputs`: in a backward pass `object` (taken over) is called with the gradients of the
/// outputs, NULL for those that have none, and returns those of the inputs. The outputs' variables are changed. May fail.
@c(apus_attach)
public func apusAttach(
  _ outputs: UnsafePointer<UnsafeMutableRawPointer>, _ outputCount: Int32, _ inputs: UnsafePointer<UnsafeMutableRawPointer>,
  _ inputCount: Int32, _ object: UnsafeMutableRawPointer, _ name: UnsafePointer<CChar>, _ mode: Int32,
  _ error: UnsafeMutablePointer<apus_error>
) -> Bool {
  let callable = PythonCallable(object)
  let name = String(cString: name)
  return attempt(mode, error) { () -> Void in
    let xs = (0..<Int(inputCount)).map { tensor(inputs[$0]) }
    let cells = (0..<Int(outputCount)).map { cell(outputs[$0]) }
    let ys = cells.map { ($0.content ?? .invalid).detach() }
    let attached = joined(ys, behind: xs, name: name) { dys in
      guard let gradients = callable(dys, capacity: xs.count) else {
        failInPython(name)
        return xs.map { _ in .invalid }
      }
      return gradients
    }
    for (cell, y) in zip(cells, attached) { cell.content = y }
  } != nil
}

/// Cuts the variable's history.
@c(apus_cut)
public func apusCut(_ x: UnsafeMutableRawPointer) { cell(x).content = tensor(x).detach() }

/// `x.data = data`: other numbers, maybe of another shape, in the same leaf. May fail.
@c(apus_set_data)
public func apusSetData(
  _ x: UnsafeMutableRawPointer, _ data: UnsafeMutableRawPointer, _ error: UnsafeMutablePointer<apus_error>
) -> Bool {
  attempt(0, error) { () -> Void in
    let cell = cell(x)
    let (old, new) = (cell.content ?? .invalid, tensor(data))
    guard
      check(
        !old.requiresGrad || new.dtype.isFloatingPoint, .dtype, "data", "a leaf that requires a gradient cannot hold \(new.dtype)"
      )
    else { return }
    if old.shape == new.shape, old.dtype == new.dtype {
      cell.content?.data = new.data
      return
    }
    var fresh = new.detach()
    if old.requiresGrad { fresh.requiresGrad = true }
    cell.content = fresh
  } != nil
}
