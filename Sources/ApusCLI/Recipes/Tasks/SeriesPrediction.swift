import Apus
import Foundation

/// The next value of a wave from those before it, by a recurrent network and truncated back-propagation: 30 steps at a time, with the state
/// handed on.
///
/// It learns a sine with a little noise and is judged by a cosine without.
struct SeriesPrediction: RecipeTask {
  static let stretch = 30
  private static let count = 1000

  let facts = ModelFacts(cell: "rnn")

  func load(_ request: DataRequest) throws -> Splits {
    guard request.option == nil || request.option == RecipeData.syntheticName else {
      throw UsageError("train: this recipe draws its own wave: --data takes synthetic only")
    }
    let noise = Tensor.rand([Self.count], generator: Generator(seed: 1)).scalars(as: Double.self)
    let angles = (0..<Self.count).map { 2 * Double.pi * Double($0) / Double(Self.count - 1) }
    let sine = zip(angles, noise).map { Float(sin($0) + 0.1 * $1 - 0.05) }
    // So many values, and one more for the last target.
    let kept = request.limit.map { Array(sine.prefix(max($0, Self.stretch) + 1)) } ?? sine
    let streams = min(request.batchSize, max((kept.count - 1) / Self.stretch, 1))
    return Splits(
      train: SeriesStreams(kept, streams: streams, length: Self.stretch),
      test: SeriesStreams(angles.map { Float(cos($0)) }, streams: 1, length: Self.stretch), available: Self.count - 1,
      origin: "a sine with noise (built in), judged by a cosine", order: .inOrder, trainBatchSize: streams, testBatchSize: 1)
  }

  func makeModel(_ facts: ModelFacts) throws -> Module {
    SeriesNetwork(try facts.recurrentCell() ?? .rnn, hidden: 100)
  }

  func makeTrainer(_ model: Module, _ makeOptimizer: MakeOptimizer) -> Trainer {
    let state = CarriedState()
    let objective = Objective(makeOptimizer(model.parameters())) { batch in
      guard let network = model as? SeriesNetwork else { return Outcome(loss: .invalid) }
      let (output, after) = network(batch.input, RecurrentState(state.tensors(isTraining: network.isTraining)))
      state.carry(after.tensors, isTraining: network.isTraining)
      return Outcome(loss: mseLoss(output, batch.target), output: output)
    }
    let trainer = Trainer(model, [objective])
    trainer.callbacks.append(state)
    return trainer
  }
}

/// A recurrent layer over one number a step, and the next number from its output.
final class SeriesNetwork: Module {
  let rnn: RecurrentLayer
  let fc: Linear
  private let run: (Tensor, RecurrentState?) -> (Tensor, RecurrentState)

  init(_ cell: RecurrentLanguageModel.Cell, hidden: Int) {
    (rnn, run) = cell.layer(1, hidden)
    fc = Linear(hidden, 1)
  }

  /// - Parameters:
  ///   - x: `[batch, steps, 1]`
  ///   - state: what the steps before left; nil for none.
  /// - Returns: the next value after each, and the state.
  func callAsFunction(_ x: Tensor, _ state: RecurrentState?) -> (y: Tensor, state: RecurrentState) {
    let (y, after) = run(x, state)
    return (fc(y), after)
  }
}

extension ModelFacts {
  /// The recurrent layer that was asked for.
  func recurrentCell() throws(UsageError) -> RecurrentLanguageModel.Cell? {
    guard let name = cell else { return nil }
    guard let cell = RecurrentLanguageModel.Cell(rawValue: name) else {
      throw UsageError("there is no recurrent layer '\(printable(name, limit: 80))'; there are rnn, lstm, gru")
    }
    return cell
  }
}
