import ApusCore
import ApusNN

extension Hyperparameter {
  public static let dampening = Hyperparameter("dampening", .any)
  public static let nesterov = Hyperparameter("nesterov", .flag)
}

/// Stochastic gradient descent, with momentum (Sutskever et al. 2013) if asked for. With the gradient g of the parameter p:
///
///     g = g + weightDecay · p
///     b = momentum · b + (1 − dampening) · g      (b = g in the first step)
///     p = p − lr · b                              (Nesterov: p − lr · (g + momentum · b))
public final class SGD: Optimizer {
  public init(
    _ parameters: some ParameterSource, lr: Double = 1e-3, momentum: Double = 0, dampening: Double = 0, weightDecay: Double = 0,
    nesterov: Bool = false, maximize: Bool = false
  ) {
    super.init(
      parameters,
      defaults: [
        .lr: lr, .momentum: momentum, .dampening: dampening, .weightDecay: weightDecay, .nesterov: nesterov ? 1 : 0,
        .maximize: maximize ? 1 : 0,
      ])
  }

  public override func validate(_ group: ParameterGroup) {
    _ = check(
      !group.isSet(.nesterov) || (group[.momentum] > 0 && group[.dampening] == 0), .value, "SGD",
      "nesterov needs a momentum (\(group[.momentum])) and no dampening (\(group[.dampening]))")
  }

  public override var stateNames: [String] { ["momentum_buffer"] }

  public override func update(_ group: ParameterGroup) {
    let rule = SGDRule(
      lr: group.lr, momentum: group[.momentum], dampening: group[.dampening], weightDecay: group[.weightDecay],
      isNesterov: group.isSet(.nesterov), maximize: group.isSet(.maximize))
    group.updateTogether { p, gradient, state, steps in
      state.step += 1
      if p.canUpdateFused(gradient) {
        rule.note(&p, gradient, &state, in: &steps)
      } else {
        noGrad { rule.apply(&p, gradient.detach(), &state) }
      }
    }
  }
}

/// The options of one step.
package struct SGDRule {
  package var lr, momentum, dampening, weightDecay: Double
  package var isNesterov, maximize: Bool

  package init(lr: Double, momentum: Double, dampening: Double, weightDecay: Double, isNesterov: Bool, maximize: Bool) {
    (self.lr, self.momentum, self.dampening, self.weightDecay) = (lr, momentum, dampening, weightDecay)
    (self.isNesterov, self.maximize) = (isNesterov, maximize)
  }

  /// One pass over memory.
  @inline(__always)
  package func note(_ p: inout Tensor, _ gradient: Tensor, _ state: inout ParameterState, in steps: inout ParameterSteps) {
    let isFirst = momentum != 0 && state.tensors.isEmpty
    if isFirst { state.tensors = [Tensor.zeros(p.shape, dtype: p.dtype)] }
    steps.add(
      .sgd(
        lr: lr, momentum: momentum, dampening: dampening, weightDecay: weightDecay, isNesterov: isNesterov, maximize: maximize,
        isFirst: isFirst), &p, gradient: gradient, state: &state.tensors)
  }

  /// The same in tensor ops.
  package func apply(_ p: inout Tensor, _ gradient: Tensor, _ state: inout ParameterState) {
    var g = maximize ? -gradient : gradient
    if weightDecay != 0 { g = g + weightDecay * p }
    if momentum != 0 {
      let fresh: Double = 1 - dampening
      let b = state.tensors.isEmpty ? g : momentum * state.tensors[0] + fresh * g
      state.tensors = [b]
      g = isNesterov ? g + momentum * b : b
    }
    p -= lr * g
  }
}
