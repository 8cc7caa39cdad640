import ApusCore
import ApusNN

extension Hyperparameter {
  public static let amsgrad = Hyperparameter("amsgrad", .flag)
}

/// Steps of even size for every element, whatever the size of its gradient (Kingma and Ba 2015). With the gradient g of the parameter p in
/// step t:
///
///     g = g + weightDecay · p
///     m = β₁ m + (1 − β₁) g
///     v = β₂ v + (1 − β₂) g²
///     p = p − lr · m/(1 − β₁ᵗ) / (√(v/(1 − β₂ᵗ)) + eps)
///
/// With `amsgrad` the greatest v so far takes the place of v in the last line (Reddi et al. 2018).
public final class Adam: Optimizer {
  public init(
    _ parameters: some ParameterSource, lr: Double = 1e-3, betas: (Double, Double) = (0.9, 0.999), eps: Double = 1e-8,
    weightDecay: Double = 0, amsgrad: Bool = false, maximize: Bool = false, decoupledWeightDecay: Bool = false
  ) {
    self.decoupledWeightDecay = decoupledWeightDecay
    super.init(parameters, defaults: AdamRule.options(lr, betas, eps, weightDecay, amsgrad, maximize))
  }

  /// Weight decay acts on the parameter itself instead of on the gradient: AdamW under its other name.
  public let decoupledWeightDecay: Bool

  public override var stateNames: [String] { AdamRule.stateNames }

  public override func update(_ group: ParameterGroup) { AdamRule(group, isDecoupled: decoupledWeightDecay).update(group) }
}

/// The options of one step, for Adam and AdamW.
package struct AdamRule {
  package var lr, beta1, beta2, eps, weightDecay: Double
  package var amsgrad, maximize: Bool
  /// AdamW: the parameter decays by itself, not through the gradient.
  package var isDecoupled: Bool

  static let stateNames = ["exp_avg", "exp_avg_sq", "max_exp_avg_sq"]

  static func options(
    _ lr: Double, _ betas: (Double, Double), _ eps: Double, _ weightDecay: Double, _ amsgrad: Bool, _ maximize: Bool
  ) -> KeyValuePairs<Hyperparameter, Double> {
    [
      .lr: lr, .beta1: betas.0, .beta2: betas.1, .eps: eps, .weightDecay: weightDecay, .amsgrad: amsgrad ? 1 : 0,
      .maximize: maximize ? 1 : 0,
    ]
  }

  package init(_ group: ParameterGroup, isDecoupled: Bool) {
    (lr, beta1, beta2, eps) = (group.lr, group[.beta1], group[.beta2], group[.eps])
    (weightDecay, amsgrad, maximize) = (group[.weightDecay], group.isSet(.amsgrad), group.isSet(.maximize))
    self.isDecoupled = isDecoupled
  }

  /// The bias corrections 1 − βᵗ of a step: nearly always the same for all parameters.
  private struct Correction {
    var step = 0
    var bias1 = 0.0
    var bias2 = 0.0
  }

  @inline(__always)
  func update(_ group: ParameterGroup) {
    var correction = Correction()
    group.updateTogether { p, gradient, state, steps in
      state.step += 1
      if correction.step != state.step {
        correction = Correction(step: state.step, bias1: 1 - power(beta1, state.step), bias2: 1 - power(beta2, state.step))
      }
      if p.canUpdateFused(gradient) {
        note(&p, gradient, &state, correction.bias1, correction.bias2, in: &steps)
      } else {
        noGrad { apply(&p, gradient.detach(), &state, correction.bias1, correction.bias2) }
      }
    }
  }

  /// m, v, and with amsgrad the greatest v.
  private var tensorCount: Int { amsgrad ? 3 : 2 }

  /// One pass over memory.
  @inline(__always)
  package func note(
    _ p: inout Tensor, _ gradient: Tensor, _ state: inout ParameterState, _ bias1: Double, _ bias2: Double,
    in steps: inout ParameterSteps
  ) {
    state.prepare(tensorCount, for: p)
    steps.add(
      .adam(
        lr: lr, beta1: beta1, beta2: beta2, eps: eps, weightDecay: weightDecay, bias1: bias1, bias2: bias2,
        isDecoupled: isDecoupled, maximize: maximize), &p, gradient: gradient, state: &state.tensors)
  }

  /// The same in tensor ops.
  package func apply(
    _ p: inout Tensor, _ gradient: Tensor, _ state: inout ParameterState, _ bias1: Double, _ bias2: Double
  ) {
    state.prepare(tensorCount, for: p)
    let keep: Double = 1 - lr * weightDecay
    var g = maximize ? -gradient : gradient
    if isDecoupled { p *= keep } else if weightDecay != 0 { g = g + weightDecay * p }
    let (m, v) = state.moments(g, beta1, beta2)
    var second = v
    if amsgrad {
      second = v.maximum(state.tensors[2])
      state.tensors[2] = second
    }
    p -= lr / bias1 * (m / (second.sqrt() / bias2.squareRoot() + eps))
  }
}
