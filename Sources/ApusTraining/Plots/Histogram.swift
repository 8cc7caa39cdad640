import ApusCore

/// How the elements of a tensor are spread: how many lie in each of some intervals of equal width.
public struct Histogram: Hashable, Sendable {
  /// The smallest and the largest of the finite elements; 0 where there are none.
  public let min: Double
  public let max: Double
  /// Finite elements.
  public let count: Int
  /// Elements that are NaN or infinite: they are in no interval.
  public let notFinite: Int
  /// Of the finite elements.
  public let sum: Double
  public let sumOfSquares: Double
  /// How many are in each interval: in it or at its lower end; in the last, at its upper end too.
  public let counts: [Int]

  /// - Parameters:
  ///   - tensor: of any shape and dtype.
  ///   - bins: intervals, 1 or more.
  public init(of tensor: Tensor, bins: Int = 30) {
    let all = tensor.isValid ? tensor.detach().scalars(as: Double.self) : []
    let values = all.filter(\.isFinite)
    let (low, high) = (values.min() ?? 0, values.max() ?? 0)
    var counts = [Int](repeating: 0, count: Swift.max(bins, 1))
    // Halves, so that the difference of huge ends cannot overflow.
    let width = high / 2 - low / 2
    for value in values {
      let share = width > 0 ? (value / 2 - low / 2) / width : 0
      counts[Swift.min(Int(share * Double(counts.count)), counts.count - 1)] += 1
    }
    (min, max, count, notFinite) = (low, high, values.count, all.count - values.count)
    sum = values.reduce(0, +)
    sumOfSquares = values.reduce(0) { $0 + $1 * $1 }
    self.counts = counts
  }

  /// The ends of the intervals, from `min` to `max`: one more than there are intervals.
  public var edges: [Double] {
    (0...counts.count).map { i in
      let share = Double(i) / Double(counts.count)
      return i == counts.count ? max : min * (1 - share) + max * share
    }
  }

  /// 0 where there are no elements.
  public var mean: Double { count == 0 ? 0 : sum / Double(count) }

  /// The standard deviation, with the number of elements as the divisor.
  public var deviation: Double {
    count == 0 ? 0 : Swift.max(sumOfSquares / Double(count) - mean * mean, 0).squareRoot()
  }
}
