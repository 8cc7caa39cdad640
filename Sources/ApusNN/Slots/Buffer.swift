import ApusCore

/// Marks a tensor of a module that belongs to its state but is not trained, such as running statistics: `@Buffer var runningMean: Tensor`.
///
/// It changes dtype with the module and stands in the state dictionary, unless it is declared `@Buffer(isPersistent: false)`.
@propertyWrapper
public final class Buffer<Value: SlotValue> {
  private var content: Tensor?
  private let isPersistent: Bool

  public init(wrappedValue: Value, isPersistent: Bool = true) {
    content = wrappedValue.slotTensor?.withoutWeakness
    self.isPersistent = isPersistent
  }

  /// A buffer that gets its value later.
  public init(isPersistent: Bool) { self.isPersistent = isPersistent }

  public var wrappedValue: Value {
    get { Value(slot: content) }
    set { content = newValue.slotTensor?.withoutWeakness }
    _modify {
      // As in `Parameter`: alone with its memory, so that the change happens in place.
      var value = Value(slot: content)
      content = nil
      defer { content = value.slotTensor?.withoutWeakness }
      yield &value
    }
  }
}

extension Buffer: Slot {
  public var role: SlotRole { .buffer(isPersistent: isPersistent) }

  public var tensor: Tensor? {
    get { content }
    set { content = newValue }
  }

  public func load(_ tensor: Tensor) {
    noGrad { content?.assign(tensor.detach()) }
  }
}
