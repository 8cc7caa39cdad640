import ApusCore
import ApusNN

/// An average of the parameters along the way, often better than the last of them: the superclass of both kinds.
///
/// ```swift
/// let average = ExponentialMovingAverage(model.parameters(), decay: 0.999)
/// for batch in loader {
///   …
///   optimizer.step()
///   average.update()
/// }
/// let accuracy = average.withAveraged { evaluate(model) }
/// ```
///
/// Buffers, such as the statistics of batch norm, are not averaged. What tied layers share is averaged once.
public class WeightAverage {
  public let parameters: [ParameterCell]
  /// In the order of `parameters`; their values from the start before the first update.
  public private(set) var averages: [Tensor]
  /// How many times the parameters were taken in.
  public private(set) var updates = 0
  /// Whether the averages stand in the parameters now.
  public private(set) var isSwappedIn = false

  fileprivate init(_ parameters: [ParameterCell]) {
    var seen = Set<ObjectIdentifier>()
    let unique = parameters.filter { $0.tensor != nil && seen.insert(ObjectIdentifier($0)).inserted }
    self.parameters = unique
    averages = noGrad { unique.map { $0.value.detach().clone() } }
  }

  /// The share of the difference to the present parameters that the average moves by, after `updates` earlier ones.
  fileprivate func share(after updates: Int) -> Double { 1 }

  /// Takes in the parameters as they are: after the optimizer's `step()`. The first time the average becomes a copy of them.
  public final func update() {
    guard check(!isSwappedIn, .value, "\(type(of: self))", "update() while the averages stand in the parameters; swap() first")
    else { return }
    let share = updates == 0 ? 1 : share(after: updates)
    noGrad {
      for (i, cell) in parameters.enumerated() {
        let p = cell.value.detach()
        averages[i] = updates == 0 ? p.clone() : averages[i] + share * (p - averages[i])
      }
    }
    updates += 1
  }

  /// Exchanges the parameters' values and the averages, without a copy; a second time, back.
  public final func swap() {
    noGrad {
      for (i, cell) in parameters.enumerated() {
        let p = cell.value.detach()
        cell.value.assign(averages[i])
        averages[i] = p
      }
    }
    isSwappedIn.toggle()
  }

  /// Runs `body` with the averages in the parameters, and puts these back.
  public final func withAveraged<R>(_ body: () throws -> R) rethrows -> R {
    if isSwappedIn { return try body() }
    swap()
    defer { swap() }
    return try body()
  }
}

extension WeightAverage {
  /// The averages (`average.3`, by position) and the number of updates, for a checkpoint.
  public final func stateDict() -> OptimizerState {
    var state = OptimizerState(numbers: ["updates": Double(updates)])
    for (i, average) in averages.enumerated() { state.tensors["average.\(i)"] = average }
    return state
  }

  /// Goes on where the average that saved `state` stopped: all of it is taken or, where it throws, nothing.
  public final func loadStateDict(_ state: OptimizerState) throws(OptimizerStateError) {
    var reader = StateReader(state)
    let count = reader.take("updates") ?? -1
    if !(count >= 0 && count == count.rounded() && count < 1e15) {
      reader.problems.append(.value(name: "updates", found: count, rule: "is not a number of updates"))
    }
    var loaded: [Tensor] = []
    for (i, cell) in parameters.enumerated() {
      let name = "average.\(i)"
      if let tensor = reader.tensor(name, for: cell) {
        loaded.append(tensor)
      } else {
        reader.problems.append(.missing(name: name))
      }
    }
    try reader.finish("\(type(of: self))")
    (averages, updates) = (loaded, Int(count))
  }
}

/// The average in which older parameters count less (Polyak and Juditsky 1992):
///
///     a = decay · a + (1 − decay) · p
public final class ExponentialMovingAverage: WeightAverage {
  public let decay: Double

  public init(_ parameters: [ParameterCell], decay: Double = 0.999) {
    let isShare = check(decay >= 0 && decay <= 1, .value, "ExponentialMovingAverage", "decay = \(decay) is not in 0...1")
    self.decay = isShare ? decay : 0
    super.init(parameters)
  }

  fileprivate override func share(after updates: Int) -> Double { 1 - decay }
}

/// The mean of all parameters taken in, for stochastic weight averaging (Izmailov et al. 2018):
///
///     a = a + (p − a) / (n + 1)       after n earlier updates
public final class StochasticWeightAverage: WeightAverage {
  public override init(_ parameters: [ParameterCell]) { super.init(parameters) }

  fileprivate override func share(after updates: Int) -> Double { 1 / Double(updates + 1) }
}
