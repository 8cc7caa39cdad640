import ApusCore
import ApusNN

extension Hyperparameter {
  /// How much of an average of squares stays in each step.
  public static let alpha = Hyperparameter("alpha", .share)
  public static let centered = Hyperparameter("centered", .flag)
}

/// The gradient over the root of its mean square (Tieleman and Hinton 2012). With the gradient g of the parameter p:
///
///     g = g + weightDecay · p
///     v = alpha · v + (1 − alpha) · g²
///     d = g / (√v + eps)
///     b = momentum · b + d
///     p = p − lr · b                  (without momentum: p − lr · d)
///
/// `centered` takes the variance v − a² for v, with the mean a = alpha · a + (1 − alpha) · g (Graves 2013).
public final class RMSprop: Optimizer {
  public init(
    _ parameters: some ParameterSource, lr: Double = 1e-2, alpha: Double = 0.99, eps: Double = 1e-8, weightDecay: Double = 0,
    momentum: Double = 0, centered: Bool = false, maximize: Bool = false
  ) {
    super.init(
      parameters,
      defaults: [
        .lr: lr, .alpha: alpha, .eps: eps, .weightDecay: weightDecay, .momentum: momentum, .centered: centered ? 1 : 0,
        .maximize: maximize ? 1 : 0,
      ])
  }

  /// The last two are there as far as they are needed; with `centered` both are, since state is known by its position.
  public override var stateNames: [String] { ["square_avg", "momentum_buffer", "grad_avg"] }

  public override func update(_ group: ParameterGroup) {
    let (lr, alpha, eps, momentum) = (group.lr, group[.alpha], group[.eps], group[.momentum])
    let (isCentered, fresh): (Bool, Double) = (group.isSet(.centered), 1 - alpha)
    noGrad {
      group.updateEach { p, gradient, state in
        state.step += 1
        state.prepare(isCentered ? 3 : momentum != 0 ? 2 : 1, for: p)
        let g = group.ascentAndDecay(gradient, p)
        let v = alpha * state.tensors[0] + fresh * g.square()
        state.tensors[0] = v
        var variance = v
        if isCentered {
          let a = state.tensors[2] + fresh * (g - state.tensors[2])
          state.tensors[2] = a
          variance = v - a.square()
        }
        var d = g / (variance.sqrt() + eps)
        if momentum != 0 {
          d = momentum * state.tensors[1] + d
          state.tensors[1] = d
        }
        p -= lr * d
      }
    }
  }
}
