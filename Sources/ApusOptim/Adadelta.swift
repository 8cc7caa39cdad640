import ApusCore
import ApusNN

extension Hyperparameter {
  public static let rho = Hyperparameter("rho", .share)
}

/// Steps in the parameter's own unit, from running averages of squared gradients and squared steps (Zeiler 2012). With the gradient g
/// of the parameter p:
///
///     g = g + weightDecay · p
///     v = rho · v + (1 − rho) · g²
///     d = √(u + eps) / √(v + eps) · g
///     u = rho · u + (1 − rho) · d²
///     p = p − lr · d
public final class Adadelta: Optimizer {
  public init(
    _ parameters: some ParameterSource, lr: Double = 1, rho: Double = 0.9, eps: Double = 1e-6, weightDecay: Double = 0,
    maximize: Bool = false
  ) {
    super.init(
      parameters, defaults: [.lr: lr, .rho: rho, .eps: eps, .weightDecay: weightDecay, .maximize: maximize ? 1 : 0])
  }

  public override var stateNames: [String] { ["square_avg", "acc_delta"] }

  public override func update(_ group: ParameterGroup) {
    let (lr, rho, eps) = (group.lr, group[.rho], group[.eps])
    let fresh: Double = 1 - rho
    noGrad {
      group.updateEach { p, gradient, state in
        state.step += 1
        state.prepare(2, for: p)
        let g = group.ascentAndDecay(gradient, p)
        let v = rho * state.tensors[0] + fresh * g.square()
        let d = (state.tensors[1] + eps).sqrt() / (v + eps).sqrt() * g
        state.tensors = [v, rho * state.tensors[1] + fresh * d.square()]
        p -= lr * d
      }
    }
  }
}
