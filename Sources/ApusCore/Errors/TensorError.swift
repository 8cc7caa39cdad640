/// A mistake in the use of an op: which one, with which values, against which rule.
///
/// Outside `catching` such a mistake ends the program with `description`; inside, it is thrown.
public struct TensorError: Error, Hashable, Sendable, CustomStringConvertible {
  public enum Kind: Sendable {
    /// Shapes that don't fit together, or a rank that an op doesn't take.
    case shape
    /// An index or axis out of range.
    case index
    /// A dtype that an op doesn't take.
    case dtype
    /// An argument outside its domain.
    case value
    /// A misuse of automatic differentiation.
    case autograd
    /// Tensors on different devices, or a device that isn't there.
    case device
    /// A size that overflows, or memory that cannot be had.
    case outOfMemory
    /// A NaN or an infinity that `detectAnomaly` found.
    case notFinite
    /// Something that Apus does not do.
    case unsupported
  }

  public let kind: Kind
  /// The op that failed, by its name in the API.
  public let operation: String
  /// Values and rule.
  public let message: String

  public init(_ kind: Kind, _ operation: String, _ message: String) {
    self.kind = kind
    self.operation = operation
    self.message = message
  }

  public var description: String { "\(operation): \(message)" }
}
