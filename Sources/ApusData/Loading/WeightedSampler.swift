import ApusCore

#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// Draws samples with chances in proportion to their weights: to see rare classes as often as common ones.
public struct WeightedSampler: Sampler {
  /// Of each sample: finite and not negative.
  public let weights: [Double]
  /// Samples in an epoch.
  public let draws: Int
  /// Whether a sample may come more than once in an epoch.
  public let replacement: Bool
  public let seed: UInt64

  /// - Parameter draws: as many as there are weights where nothing is said. Without replacement no more than there are weights above 0.
  public init(weights: [Double], draws: Int? = nil, replacement: Bool = true, seed: UInt64) {
    let draws = draws ?? weights.count
    let positive = weights.count { $0 > 0 }
    let isFine =
      check(
        weights.allSatisfy { $0 >= 0 && $0.isFinite } && positive > 0, .value, "WeightedSampler",
        "weights are finite, none is negative, and one is above 0")
      && check(
        draws >= 0 && (replacement || draws <= positive), .value, "WeightedSampler",
        "\(draws) draws \(replacement ? "with" : "without") replacement from \(positive) samples")
    self.weights = isFine ? weights : [1]
    self.draws = isFine ? draws : 0
    self.replacement = replacement
    self.seed = seed
  }

  /// Weights that make every class equally likely: one over the number of samples with the same label.
  public static func balanced(labels: [Int]) -> [Double] {
    let counts = labels.reduce(into: [Int: Int]()) { $0[$1, default: 0] += 1 }
    return labels.map { 1 / Double(counts[$0] ?? 1) }
  }

  public func indices(count: Int, epoch: Int) -> [Int] {
    guard check(count == weights.count, .value, "WeightedSampler", "\(weights.count) weights for \(count) samples") else {
      return []
    }
    let generator = orderGenerator(seed: seed, epoch: epoch)
    return replacement ? withReplacement(generator) : withoutReplacement(generator)
  }

  public func indexCount(of count: Int) -> Int { draws }

  /// The sample in whose stretch of the line of all weights a random point falls.
  private func withReplacement(_ generator: Generator) -> [Int] {
    var (ends, total) = ([Double](), 0.0)
    for weight in weights {
      total += weight
      ends.append(total)
    }
    let lastPositive = weights.lastIndex { $0 > 0 } ?? 0
    return (0..<draws).map { _ in
      let point = generator.uniform() * total
      var (low, high) = (0, ends.count)
      while low < high {
        let middle = (low + high) / 2
        if ends[middle] <= point { low = middle + 1 } else { high = middle }
      }
      return min(low, lastPositive)
    }
  }

  /// Each sample gets an exponentially distributed time, faster with more weight; who comes first is drawn first (Efraimidis, Spirakis:
  /// Weighted random sampling with a reservoir, 2006).
  private func withoutReplacement(_ generator: Generator) -> [Int] {
    let times = weights.map { weight in
      let time = -log(1 - generator.uniform())
      return weight > 0 ? time / weight : .infinity
    }
    return Array(times.indices.sorted { (times[$0], $0) < (times[$1], $1) }.prefix(draws))
  }
}
