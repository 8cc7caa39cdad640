/// A number that an optimizer takes, by name: what the options of parameter groups are looked up by.
///
/// An optimizer of your own declares its own as static constants: `extension Hyperparameter { static let rho = Hyperparameter("rho", .share) }`.
public final class Hyperparameter: Sendable {
  /// Which values make sense.
  public enum Domain: Sendable {
    /// Any number.
    case any
    /// 0 or more.
    case nonNegative
    /// From 0 up to, but not including, 1.
    case share
    /// 0 for no, 1 for yes.
    case flag
  }

  /// As PyTorch calls it; the key in state dictionaries.
  public let name: String
  public let domain: Domain

  public init(_ name: String, _ domain: Domain) {
    self.name = name
    self.domain = domain
  }

  /// The rule that `value` breaks; nil for a value that makes sense.
  func objection(to value: Double) -> String? {
    switch domain {
    case .any: value.isNaN ? "is not a number" : nil
    case .nonNegative: value >= 0 ? nil : "is not 0 or more"
    case .share: value >= 0 && value < 1 ? nil : "is not in 0..<1"
    case .flag: value == 0 || value == 1 ? nil : "is neither 0 nor 1"
    }
  }
}

extension Hyperparameter: Hashable {
  public static func == (a: Hyperparameter, b: Hyperparameter) -> Bool { a === b }
  public func hash(into hasher: inout Hasher) { hasher.combine(ObjectIdentifier(self)) }
}

/// Those that more than one optimizer takes.
extension Hyperparameter {
  public static let lr = Hyperparameter("lr", .nonNegative)
  public static let weightDecay = Hyperparameter("weight_decay", .nonNegative)
  public static let momentum = Hyperparameter("momentum", .nonNegative)
  public static let beta1 = Hyperparameter("beta1", .share)
  public static let beta2 = Hyperparameter("beta2", .share)
  public static let eps = Hyperparameter("eps", .nonNegative)
  /// Follow the gradient up instead of down.
  public static let maximize = Hyperparameter("maximize", .flag)
}
