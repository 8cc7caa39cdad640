import ApusCore
import ApusOptim

/// Remembers how the learning rate went.
public final class LearningRateRecorder: ResumableCallback {
  /// Where it changed: the last value of a stretch and the first of the next.
  private var epochs: [Double] = []
  private var rates: [Double] = []
  public let checkpointKey = "learningRates"

  public init() {}

  public func batchEnded(_ result: BatchResult) {
    guard result.pass.split == .train else { return }
    // Of a stretch that is level only the two ends are kept.
    if rates.count > 1, rates.last == result.learningRate, rates[rates.count - 2] == result.learningRate {
      epochs[epochs.count - 1] = result.position
    } else {
      epochs.append(result.position)
      rates.append(result.learningRate)
    }
  }

  /// Whether it was ever changed.
  public var isConstant: Bool { Set(rates).count < 2 }

  public func curve(title: String) -> LineChart {
    LineChart(title: title, series: [.init(name: "learning rate", x: epochs, y: rates)], yName: "learning rate")
  }
}

extension LearningRateRecorder {
  public func stateDict() -> OptimizerState {
    OptimizerState(tensors: ["rates": Tensor(scalars: epochs + rates, shape: [2, rates.count], dtype: .float64)])
  }

  public func loadStateDict(_ state: OptimizerState) throws {
    guard let table = state.tensors["rates"], table.rank == 2, table.shape[0] == 2 else {
      throw TrainingError.otherRun("the course of the learning rate is missing")
    }
    let numbers = table.scalars(as: Double.self)
    (epochs, rates) = (Array(numbers.prefix(table.shape[1])), Array(numbers.dropFirst(table.shape[1])))
  }
}
