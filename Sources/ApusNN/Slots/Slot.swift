import ApusCore

/// A stored property of a module that holds a tensor: what the walk looks for. The property wrappers `@Parameter` and `@Buffer` are slots.
public protocol Slot: AnyObject {
  var role: SlotRole { get }

  /// What is in it; nil in an optional property that is empty.
  var tensor: Tensor? { get set }

  /// Takes the numbers of `tensor` (same shape), converted to the dtype of what is in it, and stays the same variable.
  func load(_ tensor: Tensor)
}

/// What a slot is for.
public enum SlotRole {
  /// Trained. The cell is the parameter's identity.
  case parameter(ParameterCell)
  /// Not trained; saved with the parameters where it is persistent.
  case buffer(isPersistent: Bool)
}

/// What a slot can hold: `Tensor` or `Tensor?`.
public protocol SlotValue {
  init(slot tensor: Tensor?)
  var slotTensor: Tensor? { get }
}

extension Tensor: SlotValue {
  public init(slot tensor: Tensor?) {
    if let tensor {
      self = tensor
    } else {
      fail(TensorError(.value, "Slot", "a parameter or buffer was read before it was given a value"))
      self = .invalid
    }
  }
  public var slotTensor: Tensor? { self }
}

extension Tensor?: SlotValue {
  public init(slot tensor: Tensor?) { self = tensor }
  public var slotTensor: Tensor? { self }
}

extension Tensor {
  /// Not a literal any more: a parameter has a dtype of its own.
  var withoutWeakness: Tensor { data.isWeak ? clone() : self }
}
