import ApusCore

/// The variable behind a parameter: what optimizers hold on to while the tensor in it changes.
///
/// Two modules that hold the same cell share the parameter: it is counted and updated once.
public final class ParameterCell {
  /// nil while an optional parameter is empty. Language bindings, whose tensors are variables too, set it to tensors that aren't leaves.
  @exclusivity(unchecked) package var content: Tensor?

  /// A cell with a leaf of the graph; floating-point tensors require a gradient.
  public init(_ tensor: Tensor?) { content = tensor.map(Self.leaf) }

  /// The tensor in the cell; assigning one makes it a leaf that requires a gradient (if it is floating-point).
  ///
  /// Changes in place (`cell.value -= step` inside `noGrad`) write to the parameter's own memory and leave it the same leaf. A tensor
  /// with a history is an error: a parameter is what gradients flow to, so what is computed from others belongs in `forward`.
  public var value: Tensor {
    get { Tensor(slot: content) }
    set { content = Self.leaf(newValue) }
    _modify {
      if content == nil { content = Tensor(slot: nil) }
      defer { keepLeaf() }
      yield &content!
    }
  }

  /// Changes the tensor in the cell in place; what `_modify` of `value` does, without a frame on the heap for each parameter of a step.
  @inline(__always)
  package func change(_ body: (inout Tensor) -> Void) {
    if content == nil { content = Tensor(slot: nil) }
    body(&content!)
    keepLeaf()
  }

  /// The tensor in the cell; nil where it is empty.
  public var tensor: Tensor? {
    get { content }
    set { content = newValue.map(Self.leaf) }
  }

  /// The gradient that `backward()` left.
  public var grad: Tensor? {
    get { content?.grad }
    set { content?.grad = newValue }
  }

  /// Whether `backward()` leaves a gradient here; false for a frozen parameter.
  public var requiresGrad: Bool {
    get { content?.requiresGrad ?? false }
    set { content?.requiresGrad = newValue }
  }

  public var shape: Shape { content?.shape ?? [0] }

  /// Number of elements; 0 where the cell is empty.
  public var count: Int { content?.count ?? 0 }

  public var dtype: DType { content?.dtype ?? .float32 }

  /// Runs `body`, which is not to change the parameters, while no gradient flows to those in `cells`; what they had stays.
  package static func withoutGradients<R>(_ cells: [ParameterCell], _ body: () throws -> R) rethrows -> R {
    // A parameter without a shape yet, or frozen anyway, is left alone.
    let kept = cells.filter(\.requiresGrad).map { ($0, $0.content) }
    for (cell, tensor) in kept { cell.content = tensor?.detach() }
    defer { for (cell, tensor) in kept { cell.content = tensor } }
    return try body()
  }

  /// Takes the place of the tensor in the cell, which stays frozen or not, with its gradient.
  func convert(to dtype: DType) {
    guard let old = content, old.dtype != dtype else { return }
    var new = old.detach().to(dtype)
    if old.requiresGrad { new.requiresGrad = true }
    new.grad = old.grad?.detach().to(dtype)
    content = new
  }

  func load(_ tensor: Tensor) {
    noGrad { content?.assign(tensor.detach()) }
  }

  /// After a change in place. In an optimizer's hot path: two loads where all is well.
  @inline(__always)
  func keepLeaf() {
    guard let tensor = content, !tensor.isLeaf else { return }
    content = Self.leaf(tensor)
  }

  /// A cell with a tensor as it is, for language bindings.
  package init(asIs tensor: Tensor) { content = tensor }

  private static func leaf(_ tensor: Tensor) -> Tensor {
    guard tensor.isValid else { return tensor }
    var leaf = tensor.withoutWeakness
    if !check(
      leaf.isLeaf, .autograd, "Parameter",
      "a tensor of shape \(tensor.shape) that was computed from others with a gradient cannot be a parameter; "
        + "compute it in forward, or detach() it, or change the parameter inside noGrad { }")
    {
      leaf = leaf.detach()
    }
    if leaf.dtype.isFloatingPoint { leaf.requiresGrad = true }
    return leaf
  }
}
