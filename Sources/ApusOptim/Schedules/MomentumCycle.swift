import ApusCore

/// Which of an optimizer's options is its momentum: `beta1`, else `momentum`.
struct MomentumCycle {
  private let option: Hyperparameter
  let base, max: Double

  /// Nil where the optimizer has none, which is an error, or where none is to be cycled.
  init?(_ optimizer: Optimizer, isWanted: Bool, base: Double, max: Double, _ options: OptionCheck) {
    guard isWanted else { return nil }
    let known = optimizer.groups.first?.options.map(\.key) ?? []
    let option = [Hyperparameter.beta1, .momentum].first { known.contains($0) }
    guard
      check(
        option != nil, .value, options.schedule,
        "\(type(of: optimizer)) has neither momentum nor beta1: set cycleMomentum to false"),
      let option
    else { return nil }
    self.option = option
    self.base = options.share(base, "baseMomentum")
    self.max = options.share(max, "maxMomentum")
  }

  func set(_ momentum: Double, _ optimizer: Optimizer) {
    for group in optimizer.groups { group[option] = momentum }
  }
}
