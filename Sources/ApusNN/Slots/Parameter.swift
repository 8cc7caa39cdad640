import ApusCore

/// Marks a tensor of a module as trained: `@Parameter var weight: Tensor`, or `Tensor?` for one that may be missing.
///
/// Assigning a tensor makes it a leaf that requires a gradient (if it is floating-point). The property's name is its key in the state
/// dictionary. `$weight` is the cell behind the property; assigning another module's ties the two:
///
/// ```swift
/// head.$weight = embedding.$weight  // one parameter with two names
/// ```
@propertyWrapper
public final class Parameter<Value: SlotValue> {
  private var cell: ParameterCell

  public init(wrappedValue: Value) { cell = ParameterCell(wrappedValue.slotTensor) }

  /// A parameter that gets its value later: `_weight = Parameter(isEmpty: true)`.
  public init(isEmpty: Bool) { cell = ParameterCell(nil) }

  public var wrappedValue: Value {
    get { Value(slot: cell.content) }
    set { cell.tensor = newValue.slotTensor }
    _modify {
      // Taken out of the cell for the time of the change, so that nobody else holds its memory and the change happens in place.
      var value = Value(slot: cell.content)
      cell.content = nil
      defer {
        cell.content = value.slotTensor?.withoutWeakness
        cell.keepLeaf()
      }
      yield &value
    }
  }

  /// The cell behind the property. Assigning another one shares its parameter.
  public var projectedValue: ParameterCell {
    get { cell }
    set { cell = newValue }
  }
}

extension Parameter: Slot {
  public var role: SlotRole { .parameter(cell) }

  public var tensor: Tensor? {
    get { cell.tensor }
    set { cell.tensor = newValue }
  }

  public func load(_ tensor: Tensor) { cell.load(tensor) }
}
