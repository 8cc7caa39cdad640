import ApusCore
import ApusNN

/// Steps of the same size for every element, in the direction of the momentum's sign (Chen et al. 2023). With the gradient g of the
/// parameter p:
///
///     p = p − lr · (sign(β₁ m + (1 − β₁) g) + weightDecay · p)
///     m = β₂ m + (1 − β₂) g
///
/// The authors take a step size 3 to 10 times smaller than Adam's, and a weight decay that much larger. Not in PyTorch.
public final class Lion: Optimizer {
  public init(
    _ parameters: some ParameterSource, lr: Double = 1e-4, betas: (Double, Double) = (0.9, 0.99), weightDecay: Double = 0,
    maximize: Bool = false
  ) {
    super.init(
      parameters,
      defaults: [.lr: lr, .beta1: betas.0, .beta2: betas.1, .weightDecay: weightDecay, .maximize: maximize ? 1 : 0])
  }

  public override var stateNames: [String] { ["exp_avg"] }

  public override func update(_ group: ParameterGroup) {
    let (lr, beta1, beta2) = (group.lr, group[.beta1], group[.beta2])
    let (fresh1, fresh2): (Double, Double) = (1 - beta1, 1 - beta2)
    noGrad {
      group.updateEach { p, gradient, state in
        state.step += 1
        state.prepare(1, for: p)
        let g = group.ascent(gradient)
        let m = state.tensors[0]
        group.decay(&p)
        p -= lr * (beta1 * m + fresh1 * g).sign()
        state.tensors[0] = beta2 * m + fresh2 * g
      }
    }
  }
}
