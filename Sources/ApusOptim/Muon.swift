import ApusCore
import ApusNN

extension Hyperparameter {
  /// The polynomial a x + b x³ + c x⁵ that Muon applies to singular values.
  public static let nsCoefficientA = Hyperparameter("ns_coefficients.0", .any)
  public static let nsCoefficientB = Hyperparameter("ns_coefficients.1", .any)
  public static let nsCoefficientC = Hyperparameter("ns_coefficients.2", .any)
  public static let nsSteps = Hyperparameter("ns_steps", .nonNegative)
  /// The number of one of `Muon.LearningRateAdjustment`'s cases.
  public static let adjustLR = Hyperparameter("adjust_lr_fn", .nonNegative)
}

/// Momentum whose singular values are all moved towards 1, for the matrices of hidden layers (Jordan 2024). With the gradient G of the
/// parameter P, `[out, in]`:
///
///     B = momentum · B + (1 − momentum) G
///     U = B                             (Nesterov: (1 − momentum) G + momentum · B)
///     X = U / ‖U‖;  nsSteps times:  X = a X + (b A + c A²) X  with A = X Xᵀ
///     P = P − lr · weightDecay · P − lr' · X
///
/// lr' is lr times √max(1, out/in), or what `adjustLR` says. With a singular value decomposition U = W Σ Vᵀ the iteration (Newton and
/// Schulz's) comes to nearly W Vᵀ, with singular values between 0.5 and 1.5.
///
/// Embeddings, biases, norms and the last layer are for another optimizer, such as AdamW: a parameter that is no matrix is an error.
public final class Muon: Optimizer {
  /// How the step size depends on a matrix's shape.
  public enum LearningRateAdjustment: Int, CaseIterable, Sendable {
    /// lr · √max(1, out/in)
    case original
    /// 0.2 lr · √max(out, in): steps as large as AdamW's, so that its step sizes can be used (Liu et al. 2025).
    case matchRMSAdamW
  }

  /// What the iteration computes in.
  public let orthogonalizationType: DType

  public init(
    _ parameters: some ParameterSource, lr: Double = 1e-3, weightDecay: Double = 0.1, momentum: Double = 0.95,
    nesterov: Bool = true, nsCoefficients: (Double, Double, Double) = (3.4445, -4.775, 2.0315), eps: Double = 1e-7,
    nsSteps: Int = 5, adjustLR: LearningRateAdjustment = .original, orthogonalizationType: DType = .bfloat16
  ) {
    self.orthogonalizationType = orthogonalizationType
    super.init(
      parameters,
      defaults: [
        .lr: lr, .weightDecay: weightDecay, .momentum: momentum, .nesterov: nesterov ? 1 : 0, .nsCoefficientA: nsCoefficients.0,
        .nsCoefficientB: nsCoefficients.1, .nsCoefficientC: nsCoefficients.2, .eps: eps, .nsSteps: Double(nsSteps),
        .adjustLR: Double(adjustLR.rawValue),
      ])
  }

  public override func validate(_ group: ParameterGroup) {
    for cell in group.parameters {
      guard check(cell.shape.rank == 2, .shape, "Muon", "is for matrices; a parameter has shape \(cell.shape)") else { return }
    }
    let steps = group[.nsSteps]
    _ =
      check(steps == steps.rounded() && steps < 100, .value, "Muon", "nsSteps = \(steps) is not an integer below 100")
      && check(
        LearningRateAdjustment(exactly: group[.adjustLR]) != nil, .value, "Muon",
        "adjust_lr_fn = \(group[.adjustLR]) is none of \(LearningRateAdjustment.allCases.map(\.rawValue))")
      && check(
        orthogonalizationType.isFloatingPoint, .dtype, "Muon",
        "orthogonalizationType: \(orthogonalizationType) is not floating-point")
  }

  public override var stateNames: [String] { ["momentum_buffer"] }

  public override func update(_ group: ParameterGroup) {
    let (momentum, lr): (Double, Double) = (group[.momentum], group.lr)
    let fresh: Double = 1 - momentum
    noGrad {
      group.updateEach { p, gradient, state in
        state.step += 1
        state.prepare(1, for: p)
        let g = gradient.detach()
        let b = state.tensors[0] + fresh * (g - state.tensors[0])
        state.tensors[0] = b
        let u = group.isSet(.nesterov) ? g + momentum * (b - g) : b
        let x = orthogonalized(u, group).to(p.dtype)
        group.decay(&p)
        let rate: Double = lr * adjustment(p.shape, group)
        p -= rate * x
      }
    }
  }

  private func adjustment(_ shape: Shape, _ group: ParameterGroup) -> Double {
    let (rows, columns) = (Double(shape[0]), Double(shape[1]))
    return switch LearningRateAdjustment(exactly: group[.adjustLR]) {
    case .matchRMSAdamW: 0.2 * max(rows, columns).squareRoot()
    case .original, nil: max(1, rows / columns).squareRoot()
    }
  }

  /// Newton and Schulz's iteration on a matrix that is not higher than it is wide, which makes A small.
  private func orthogonalized(_ u: Tensor, _ group: ParameterGroup) -> Tensor {
    let (a, b, c) = (group[.nsCoefficientA], group[.nsCoefficientB], group[.nsCoefficientC])
    let isHigh = u.shape[0] > u.shape[1]
    var x = u.to(orthogonalizationType)
    if isHigh { x = x.T }
    x = x / x.norm().clamp(min: group[.eps])
    for _ in 0..<Int(group[.nsSteps]) {
      let gram = x.matmul(x.T)
      x = x.addmm(gram.addmm(gram, gram, beta: b, alpha: c), x, beta: a)
    }
    return isHigh ? x.T : x
  }
}

extension Muon.LearningRateAdjustment {
  init?(exactly number: Double) {
    guard let raw = Int(exactly: number), let match = Self(rawValue: raw) else { return nil }
    self = match
  }
}
