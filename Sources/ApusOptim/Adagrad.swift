import ApusCore
import ApusNN

extension Hyperparameter {
  public static let lrDecay = Hyperparameter("lr_decay", .nonNegative)
  public static let initialAccumulatorValue = Hyperparameter("initial_accumulator_value", .nonNegative)
}

/// Smaller steps where gradients have been large (Duchi, Hazan and Singer 2011). With the gradient g of the parameter p in step t:
///
///     g = g + weightDecay · p
///     s = s + g²                      (s = initialAccumulatorValue at first)
///     p = p − lr / (1 + (t − 1) · lrDecay) · g / (√s + eps)
public final class Adagrad: Optimizer {
  public init(
    _ parameters: some ParameterSource, lr: Double = 1e-2, lrDecay: Double = 0, weightDecay: Double = 0,
    initialAccumulatorValue: Double = 0, eps: Double = 1e-10, maximize: Bool = false
  ) {
    super.init(
      parameters,
      defaults: [
        .lr: lr, .lrDecay: lrDecay, .eps: eps, .weightDecay: weightDecay, .initialAccumulatorValue: initialAccumulatorValue,
        .maximize: maximize ? 1 : 0,
      ])
  }

  public override var stateNames: [String] { ["sum"] }

  public override func update(_ group: ParameterGroup) {
    let (lr, lrDecay, eps, initial) = (group.lr, group[.lrDecay], group[.eps], group[.initialAccumulatorValue])
    noGrad {
      group.updateEach { p, gradient, state in
        state.step += 1
        if state.tensors.isEmpty { state.tensors = [Tensor.full(p.shape, initial, dtype: p.dtype)] }
        let g = group.ascentAndDecay(gradient, p)
        let s = state.tensors[0] + g.square()
        state.tensors[0] = s
        let rate: Double = lr / (1 + Double(state.step - 1) * lrDecay)
        p -= rate * (g / (s.sqrt() + eps))
      }
    }
  }
}
