/// What a number of a pass should become: what early stopping and the choice of the best checkpoint look at.
public struct Goal: Hashable, Sendable {
  /// `loss`, or the name of a metric.
  public let name: String
  /// Whether larger is better.
  public let isMaximum: Bool

  /// The smaller `name` is, the better.
  public static func lowest(_ name: String) -> Goal { Goal(name: name, isMaximum: false) }
  /// The larger `name` is, the better.
  public static func highest(_ name: String) -> Goal { Goal(name: name, isMaximum: true) }

  /// Whether `a` is better than `b` by more than `margin`. A NaN is never better.
  func isBetter(_ a: Double, than b: Double, by margin: Double = 0) -> Bool { isMaximum ? a > b + margin : a < b - margin }
}

/// Ends a run whose goal has not come nearer for some epochs.
public struct EarlyStopping: Hashable, Codable, Sendable {
  /// So many epochs in a row without an improvement are put up with; the next ends the run.
  public let patience: Int
  /// An improvement is one by more than this.
  public let minDelta: Double
  /// The best value so far.
  public private(set) var best: Double?
  /// Since the last improvement.
  public private(set) var epochsWithoutImprovement = 0

  /// - Parameters:
  ///   - patience: how many epochs in a row may bring no improvement.
  ///   - minDelta: what an improvement must be more than.
  public init(patience: Int, minDelta: Double = 0) { (self.patience, self.minDelta) = (max(patience, 0), max(minDelta, 0)) }

  /// Whether the run has come to its end.
  public var isOver: Bool { epochsWithoutImprovement > patience }

  /// The same patience with what `saved` has seen.
  func resumed(_ saved: EarlyStopping) -> EarlyStopping {
    var copy = self
    (copy.best, copy.epochsWithoutImprovement) = (saved.best, saved.epochsWithoutImprovement)
    return copy
  }

  /// Takes in the result of an epoch.
  mutating func see(_ value: Double, _ goal: Goal) {
    if best.map({ goal.isBetter(value, than: $0, by: minDelta) }) ?? !value.isNaN {
      (best, epochsWithoutImprovement) = (value, 0)
    } else {
      epochsWithoutImprovement += 1
    }
  }
}
