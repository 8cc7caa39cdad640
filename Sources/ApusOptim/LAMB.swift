import ApusCore
import ApusNN

/// Adam for large batches: every parameter moves by the same share of its own norm (You et al. 2020). With the gradient g of the
/// parameter p in step t:
///
///     m = β₁ m + (1 − β₁) g
///     v = β₂ v + (1 − β₂) g²
///     r = m/(1 − β₁ᵗ) / (√(v/(1 − β₂ᵗ)) + eps) + weightDecay · p
///     p = p − lr · ‖p‖/‖r‖ · r        (a ratio of 1 where a norm is 0)
///
/// The paper's φ is the identity. Not in PyTorch.
public final class LAMB: Optimizer {
  public init(
    _ parameters: some ParameterSource, lr: Double = 1e-3, betas: (Double, Double) = (0.9, 0.999), eps: Double = 1e-6,
    weightDecay: Double = 1e-2, maximize: Bool = false
  ) {
    super.init(
      parameters,
      defaults: [
        .lr: lr, .beta1: betas.0, .beta2: betas.1, .eps: eps, .weightDecay: weightDecay, .maximize: maximize ? 1 : 0,
      ])
  }

  public override var stateNames: [String] { ["exp_avg", "exp_avg_sq"] }

  public override func update(_ group: ParameterGroup) {
    let (lr, beta1, beta2, eps, decay) = (group.lr, group[.beta1], group[.beta2], group[.eps], group[.weightDecay])
    let (fresh1, fresh2): (Double, Double) = (1 - beta1, 1 - beta2)
    noGrad {
      group.updateEach { p, gradient, state in
        state.step += 1
        state.prepare(2, for: p)
        let g = group.ascent(gradient)
        let m = beta1 * state.tensors[0] + fresh1 * g
        let v = beta2 * state.tensors[1] + fresh2 * g.square()
        state.tensors = [m, v]
        let (bias1, bias2): (Double, Double) = (1 - power(beta1, state.step), 1 - power(beta2, state.step))
        let adam = (m / bias1) / ((v / bias2).sqrt() + eps)
        let r = decay == 0 ? adam : adam + decay * p.detach()
        let (size, length) = (p.detach().wideNorm(), r.wideNorm())
        let ratio: Double = size > 0 && length > 0 ? size / length : 1
        p -= (lr * ratio) * r
      }
    }
  }
}
