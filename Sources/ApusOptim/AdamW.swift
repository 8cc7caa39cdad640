import ApusCore
import ApusNN

/// Adam whose weight decay acts on the parameter itself instead of on the gradient (Loshchilov and Hutter 2019):
///
///     p = p − lr · weightDecay · p
///
/// before the step of `Adam`, which has none of its own.
public final class AdamW: Optimizer {
  public init(
    _ parameters: some ParameterSource, lr: Double = 1e-3, betas: (Double, Double) = (0.9, 0.999), eps: Double = 1e-8,
    weightDecay: Double = 1e-2, amsgrad: Bool = false, maximize: Bool = false
  ) {
    super.init(parameters, defaults: AdamRule.options(lr, betas, eps, weightDecay, amsgrad, maximize))
  }

  public override var stateNames: [String] { AdamRule.stateNames }

  public override func update(_ group: ParameterGroup) { AdamRule(group, isDecoupled: true).update(group) }
}
