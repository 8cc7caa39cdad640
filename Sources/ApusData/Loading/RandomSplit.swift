import ApusCore

extension Dataset {
  /// Random parts that share no sample and together have all, of the given lengths.
  ///
  /// - Parameter lengths: their sum must be `count`.
  /// - Parameter seed: the parts depend on it, on `count` and on the lengths alone.
  public func randomSplit(lengths: [Int], seed: UInt64) -> [Subset<Self>] {
    guard
      check(
        lengths.allSatisfy { $0 >= 0 } && lengths.reduce(0, +) == count, .value, "randomSplit",
        "lengths \(lengths) for \(count) samples: their sum must be that")
    else { return lengths.map { _ in Subset(self, indices: []) } }
    var rest = RandomSampler(seed: seed).indices(count: count, epoch: 0)[...]
    return lengths.map { length in
      defer { rest = rest.dropFirst(length) }
      return Subset(self, indices: Array(rest.prefix(length)))
    }
  }

  /// Random parts that share no sample and together have all, in the given proportions.
  ///
  /// - Parameter fractions: their sum must be 1. Each part gets ⌊fraction · count⌋ samples; those left over go to the first parts, one each.
  public func randomSplit(fractions: [Double], seed: UInt64) -> [Subset<Self>] {
    let total = fractions.reduce(0, +)
    guard
      check(
        fractions.allSatisfy { $0 >= 0 && $0 <= 1 } && abs(total - 1) < 1e-6, .value, "randomSplit",
        "fractions \(fractions) add up to \(total), not to 1")
    else { return fractions.map { _ in Subset(self, indices: []) } }
    var lengths = fractions.map { Int((Double(count) * $0).rounded(.down)) }
    for i in 0..<max(count - lengths.reduce(0, +), 0) { lengths[i % lengths.count] += 1 }
    return randomSplit(lengths: lengths, seed: seed)
  }
}
