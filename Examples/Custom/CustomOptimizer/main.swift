// An optimizer of your own: Rprop (Riedmiller and Braun 1993), in fifteen lines.
//
// Only the sign of a gradient counts. Each number has a step size of its own: it grows while the sign stays the same and shrinks when the
// sign changes, because then the last step went too far. Made for whole data sets, not for batches.

import Apus

extension Hyperparameter {
  static let grow = Hyperparameter("grow", .nonNegative)
  static let shrink = Hyperparameter("shrink", .nonNegative)
}

final class Rprop: Optimizer {
  init(_ parameters: some ParameterSource, lr: Double = 0.01, grow: Double = 1.2, shrink: Double = 0.5) {
    super.init(parameters, defaults: [.lr: lr, .grow: grow, .shrink: shrink])
  }

  /// What is remembered of each parameter, for checkpoints.
  override var stateNames: [String] { ["last_sign", "step_size"] }

  override func update(_ group: ParameterGroup) {
    noGrad {
      group.updateEach { p, gradient, state in
        if state.step == 0 { state.tensors = [Tensor.zerosLike(p), Tensor.fullLike(p, group.lr)] }
        state.step += 1
        let sign = gradient.sign()
        let agreement = sign * state.tensors[0]  // 1: as before; −1: the sign has changed
        let factor = Tensor.onesLike(p).maskedFill(agreement .> 0, group[.grow]).maskedFill(agreement .< 0, group[.shrink])
        let size = (state.tensors[1] * factor).clamp(min: 1e-6, max: 50)
        let move = sign.maskedFill(agreement .< 0, 0)  // after a change of sign, wait for the next gradient
        p -= move * size
        state.tensors = [move, size]
      }
    }
  }
}

// A valley a thousand times steeper across than along, with its lowest point at (1, 1). Gradient descent has to take steps small enough
// for the steep direction; in the other it then hardly moves.
func valley(_ p: Tensor) -> Tensor { (1 - p[0]).square() + 1000 * (1 - p[1]).square() }

/// How many steps it takes to come within a thousandth of (1, 1); nil for more than 20,000.
func steps(_ makeOptimizer: ([ParameterCell]) -> Optimizer) -> Int? {
  let point = ParameterCell(Tensor([-1.2, 1.0], dtype: .float64))
  let optimizer = makeOptimizer([point])
  for step in 1...20_000 {
    optimizer.zeroGrad()
    valley(point.value).backward()
    optimizer.step()
    if (point.value.detach() - 1).abs().amax().item() < 1e-3 { return step }
  }
  return nil
}
func text(_ steps: Int?) -> String { steps.map { "\($0) steps" } ?? "more than 20000 steps" }
print("SGD:   \(text(steps { SGD($0, lr: 5e-4) }))")
print("Rprop: \(text(steps { Rprop($0) }))")

// The base class saves and loads the state.
let cell = ParameterCell(Tensor([1.0, 2.0]))
let rprop = Rprop([cell])
cell.value.square().sum().backward()
rprop.step()
print("its state: \(rprop.stateDict().tensors.names.joined(separator: ", "))")

// Prints:
// SGD:   7693 steps
// Rprop: 41 steps
// its state: state.0.last_sign, state.0.step_size
