import ApusCore
import ApusNN

/// Adam whose second moment counts only once there are enough gradients to trust it (Liu et al. 2020). With the gradient g of the
/// parameter p in step t:
///
///     g = g + weightDecay · p         (decoupled: p = p − lr · weightDecay · p)
///     m = β₁ m + (1 − β₁) g
///     v = β₂ v + (1 − β₂) g²
///     ρ∞ = 2/(1 − β₂) − 1,  ρ = ρ∞ − 2t β₂ᵗ/(1 − β₂ᵗ)
///     r = √((ρ − 4)(ρ − 2) ρ∞ / ((ρ∞ − 4)(ρ∞ − 2) ρ))
///     p = p − lr · m/(1 − β₁ᵗ) · r √(1 − β₂ᵗ) / (√v + eps)         if ρ > 5
///     p = p − lr · m/(1 − β₁ᵗ)                                     otherwise
public final class RAdam: Optimizer {
  public init(
    _ parameters: some ParameterSource, lr: Double = 1e-3, betas: (Double, Double) = (0.9, 0.999), eps: Double = 1e-8,
    weightDecay: Double = 0, decoupledWeightDecay: Bool = false, maximize: Bool = false
  ) {
    super.init(
      parameters,
      defaults: [
        .lr: lr, .beta1: betas.0, .beta2: betas.1, .eps: eps, .weightDecay: weightDecay,
        .decoupledWeightDecay: decoupledWeightDecay ? 1 : 0, .maximize: maximize ? 1 : 0,
      ])
  }

  public override var stateNames: [String] { ["exp_avg", "exp_avg_sq"] }

  public override func update(_ group: ParameterGroup) {
    let (lr, beta1, beta2, eps) = (group.lr, group[.beta1], group[.beta2], group[.eps])
    noGrad {
      group.updateEach { p, gradient, state in
        state.step += 1
        state.prepare(2, for: p)
        let g = group.decoupledDecay(gradient, &p)
        let (m, v) = state.moments(g, beta1, beta2)
        let rate: Double = lr / (1 - power(beta1, state.step))
        if let scale = Self.rectification(beta2, state.step) {
          p -= (rate * scale) * (m / (v.sqrt() + eps))
        } else {
          p -= rate * m
        }
      }
    }
  }

  /// r √(1 − β₂ᵗ); nil where the variance of v cannot be told yet.
  private static func rectification(_ beta2: Double, _ step: Int) -> Double? {
    let power = power(beta2, step)
    let limit: Double = 2 / (1 - beta2) - 1
    let length: Double = limit - 2 * Double(step) * power / (1 - power)
    guard length > 5 else { return nil }
    let ratio: Double = (length - 4) * (length - 2) * limit / ((limit - 4) * (limit - 2) * length)
    return (ratio * (1 - power)).squareRoot()
  }
}
