import ApusCore

extension OpTable {
  /// Ops of Python's methods that have no name of their own in Swift.
  static let internals: [Op] = [
    Op("detach", "input: Tensor", .both, "The same numbers without history; gradients don't flow back through it.") {
      $0.input.detach()
    },
    Op("expand_to", "input: Tensor, size: ints", .hidden, "expand.") { a in expanded(a.input, a.ints(1)) },
  ]
}
