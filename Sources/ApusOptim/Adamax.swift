import ApusCore
import ApusNN

/// Adam with the maximum norm in place of the second moment (Kingma and Ba 2015, section 7.1). With the gradient g of the parameter p
/// in step t:
///
///     g = g + weightDecay · p
///     m = β₁ m + (1 − β₁) g
///     u = max(β₂ u, |g| + eps)
///     p = p − lr / (1 − β₁ᵗ) · m / u
public final class Adamax: Optimizer {
  public init(
    _ parameters: some ParameterSource, lr: Double = 2e-3, betas: (Double, Double) = (0.9, 0.999), eps: Double = 1e-8,
    weightDecay: Double = 0, maximize: Bool = false
  ) {
    super.init(
      parameters,
      defaults: [
        .lr: lr, .beta1: betas.0, .beta2: betas.1, .eps: eps, .weightDecay: weightDecay, .maximize: maximize ? 1 : 0,
      ])
  }

  public override var stateNames: [String] { ["exp_avg", "exp_inf"] }

  public override func update(_ group: ParameterGroup) {
    let (lr, beta1, beta2, eps) = (group.lr, group[.beta1], group[.beta2], group[.eps])
    let fresh: Double = 1 - beta1
    noGrad {
      group.updateEach { p, gradient, state in
        state.step += 1
        state.prepare(2, for: p)
        let g = group.ascentAndDecay(gradient, p)
        let m = state.tensors[0] + fresh * (g - state.tensors[0])
        let u = (beta2 * state.tensors[1]).maximum(g.abs() + eps)
        state.tensors = [m, u]
        let rate: Double = lr / (1 - power(beta1, state.step))
        p -= rate * (m / u)
      }
    }
  }
}
