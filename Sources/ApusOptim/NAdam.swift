import ApusCore
import ApusNN

extension Hyperparameter {
  public static let momentumDecay = Hyperparameter("momentum_decay", .nonNegative)
  /// Weight decay acts on the parameter itself instead of on the gradient, as in AdamW.
  public static let decoupledWeightDecay = Hyperparameter("decoupled_weight_decay", .flag)
}

/// Adam with Nesterov's momentum (Dozat 2016). With the gradient g of the parameter p in step t:
///
///     g = g + weightDecay · p         (decoupled: p = p − lr · weightDecay · p)
///     μₜ = β₁ (1 − ½ · 0.96^(t · momentumDecay)),  Πₜ = μ₁ μ₂ ⋯ μₜ
///     m = β₁ m + (1 − β₁) g
///     v = β₂ v + (1 − β₂) g²
///     p = p − lr · (μₜ₊₁ m / (1 − Πₜ₊₁) + (1 − μₜ) g / (1 − Πₜ)) / (√(v/(1 − β₂ᵗ)) + eps)
///
/// PyTorch saves Πₜ as `mu_product`; here it follows from the step and the options, so changing β₁ on the way changes it as a whole.
public final class NAdam: Optimizer {
  public init(
    _ parameters: some ParameterSource, lr: Double = 2e-3, betas: (Double, Double) = (0.9, 0.999), eps: Double = 1e-8,
    weightDecay: Double = 0, momentumDecay: Double = 4e-3, decoupledWeightDecay: Bool = false, maximize: Bool = false
  ) {
    super.init(
      parameters,
      defaults: [
        .lr: lr, .beta1: betas.0, .beta2: betas.1, .eps: eps, .weightDecay: weightDecay, .momentumDecay: momentumDecay,
        .decoupledWeightDecay: decoupledWeightDecay ? 1 : 0, .maximize: maximize ? 1 : 0,
      ])
  }

  public override var stateNames: [String] { ["exp_avg", "exp_avg_sq"] }

  /// The last product of momenta: the next one is a factor away.
  private var momenta = Momenta(beta1: 0, decay: 0)

  public override func update(_ group: ParameterGroup) {
    let (lr, beta1, beta2, eps) = (group.lr, group[.beta1], group[.beta2], group[.eps])
    noGrad {
      group.updateEach { p, gradient, state in
        state.step += 1
        state.prepare(2, for: p)
        let (mu, next, product) = momenta(state.step, beta1, group[.momentumDecay])
        let g = group.decoupledDecay(gradient, &p)
        let (m, v) = state.moments(g, beta1, beta2)
        let bias2: Double = 1 - power(beta2, state.step)
        let (ofGradient, ofMean): (Double, Double) = (lr * (1 - mu) / (1 - product), lr * next / (1 - product * next))
        p -= (ofGradient * g + ofMean * m) / ((v / bias2).sqrt() + eps)
      }
    }
  }

  private func momenta(_ step: Int, _ beta1: Double, _ decay: Double) -> (mu: Double, next: Double, product: Double) {
    if momenta.beta1 != beta1 || momenta.decay != decay || momenta.step > step { momenta = Momenta(beta1: beta1, decay: decay) }
    momenta.advance(to: step)
    return (momenta[step], momenta[step + 1], momenta.product)
  }
}

/// μₜ and their product.
private struct Momenta {
  let beta1, decay: Double
  /// 0.96^decay
  private let base: Double
  private(set) var step = 0
  private(set) var product = 1.0

  init(beta1: Double, decay: Double) {
    (self.beta1, self.decay) = (beta1, decay)
    base = power(0.96, decay)
  }

  subscript(step: Int) -> Double { beta1 * (1 - 0.5 * power(base, step)) }

  mutating func advance(to last: Int) {
    // Once 1 − product is 1 there is nothing left to know.
    while step < last && product > 1e-20 {
      step += 1
      product *= self[step]
    }
    step = last
  }
}
