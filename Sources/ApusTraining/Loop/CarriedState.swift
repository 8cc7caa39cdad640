import ApusCore
import ApusOptim

/// The state of a recurrent network between the steps of truncated back-propagation through time: each batch goes on where the one before
/// ended, and gradients stop in between.
///
/// ```swift
/// let state = CarriedState()
/// let objective = Objective(optimizer) { batch in
///   let (y, h) = rnn(batch.input, state.tensors(isTraining: rnn.isTraining).first)
///   state.carry([h], isTraining: rnn.isTraining)
///   …
/// }
/// trainer.callbacks.append(state)
/// ```
///
/// Each pass begins without a state. As a callback it belongs to the checkpoint, so a run that is resumed in the middle of a text goes on there.
public final class CarriedState: ResumableCallback {
  private var training: [Tensor] = []
  private var evaluation: [Tensor] = []
  public let checkpointKey = "state"

  public init() {}

  /// What the last batch left; empty at the beginning of a pass.
  public func tensors(isTraining: Bool) -> [Tensor] { isTraining ? training : evaluation }

  /// Keeps what a batch leaves, without its history.
  public func carry(_ tensors: [Tensor], isTraining: Bool) {
    let values = tensors.map { $0.detach() }
    if isTraining { training = values } else { evaluation = values }
  }

  // Not at the beginning of a training pass: that may go on from a checkpoint.
  public func passBegan(_ pass: Pass) { if pass.split == .test { evaluation = [] } }

  public func passEnded(_ result: PassResult) { if result.pass.split == .train, result.isComplete { training = [] } }

  public func stateDict() -> OptimizerState {
    var state = OptimizerState()
    for (i, tensor) in training.enumerated() { state.tensors["\(i)"] = tensor }
    return state
  }

  public func loadStateDict(_ state: OptimizerState) throws {
    training = (0..<state.tensors.count).compactMap { state.tensors["\($0)"] }
  }
}
