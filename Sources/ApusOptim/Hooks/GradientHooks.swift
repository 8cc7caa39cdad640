import ApusCore
import ApusNN

/// A hook that adds `rate` times each parameter to its gradient: what the option `weightDecay` of most optimizers does, for those that
/// lack it, or for some parameters only.
public struct WeightDecay: OptimizerHook {
  public let rate: Double
  private let cells: [ParameterCell]?

  /// - Parameters:
  ///   - rate: 0 or more.
  ///   - cells: which parameters decay; nil for all of the optimizer's.
  public init(_ rate: Double, _ cells: [ParameterCell]? = nil) {
    self.rate = check(rate >= 0, .value, "WeightDecay", "rate = \(rate) is not 0 or more") ? rate : 0
    self.cells = cells
  }

  public func beforeStep(_ optimizer: Optimizer) {
    for cell in cells ?? optimizer.parameters {
      if let gradient = cell.grad { cell.grad = gradient.detach() + rate * cell.value.detach() }
    }
  }
}

/// A hook that keeps gradients small: `clipGradNorm` or `clipGradValue` for all parameters of the optimizer.
public struct GradientClipping: OptimizerHook {
  private let clip: ([ParameterCell]) -> Void

  /// Scales the gradients so that their norm, as one vector, is at most `maxNorm`; `normType` is as in `clipGradNorm`.
  public init(maxNorm: Double, normType: Double = 2) {
    clip = { clipGradNorm($0, maxNorm: maxNorm, normType: normType) }
  }

  /// Moves every element of the gradients into −clipValue … clipValue.
  public init(clipValue: Double) {
    clip = { clipGradValue($0, clipValue: clipValue) }
  }

  public func beforeStep(_ optimizer: Optimizer) { clip(optimizer.parameters) }
}

/// A hook that takes the gradients of some parameters away, so that these stay as they are.
///
/// Where they need never move, `requiresGrad = false` saves the computation of their gradients as well.
public struct Freeze: OptimizerHook {
  private let cells: [ParameterCell]

  public init(_ cells: [ParameterCell]) { self.cells = cells }

  /// Freezes all parameters of a module.
  public init(_ module: Module) { cells = module.parameters() }

  public func beforeStep(_ optimizer: Optimizer) {
    for cell in cells { cell.grad = nil }
  }
}
