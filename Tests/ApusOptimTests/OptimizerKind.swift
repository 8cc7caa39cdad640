import ApusCore
import ApusNN
import ApusOptim
import TestSupport
import Testing

/// An optimizer with options at work, for the tests that hold for all of them. A new optimizer is a line in `all`.
struct OptimizerKind: CustomTestStringConvertible, Sendable {
  let testDescription: String
  let make: @Sendable ([ParameterCell]) -> Optimizer
  /// What it remembers of a parameter.
  let state: [String]
  /// Whether it takes nothing but matrices.
  var isForMatrices = false
  /// Those in common use are held to narrower bounds.
  var isCommon = false

  init(
    _ name: String, _ state: [String], isForMatrices: Bool = false, isCommon: Bool = false,
    _ make: @escaping @Sendable ([ParameterCell]) -> Optimizer
  ) {
    (testDescription, self.state, self.make) = (name, state, make)
    (self.isForMatrices, self.isCommon) = (isForMatrices, isCommon)
  }

  static let all = [
    OptimizerKind("SGD", [], isCommon: true) { SGD($0, lr: 0.1) },
    OptimizerKind("SGD with momentum", ["momentum_buffer"], isCommon: true) {
      SGD($0, lr: 0.1, momentum: 0.9, weightDecay: 0.1, nesterov: true)
    },
    OptimizerKind("Adam", adam, isCommon: true) { Adam($0, lr: 0.1, weightDecay: 0.1) },
    OptimizerKind("Adam with amsgrad", adam + ["max_exp_avg_sq"], isCommon: true) { Adam($0, lr: 0.1, amsgrad: true) },
    OptimizerKind("AdamW", adam, isCommon: true) { AdamW($0, lr: 0.1, weightDecay: 0.1) },
    OptimizerKind("RMSprop", ["square_avg"]) { RMSprop($0, lr: 0.02) },
    OptimizerKind("RMSprop with momentum", ["square_avg", "momentum_buffer"]) { RMSprop($0, lr: 0.02, momentum: 0.5) },
    OptimizerKind("RMSprop, centered", ["square_avg", "momentum_buffer", "grad_avg"]) {
      RMSprop($0, lr: 0.02, weightDecay: 0.1, centered: true)
    },
    OptimizerKind("Adagrad", ["sum"]) { Adagrad($0, lr: 0.5, initialAccumulatorValue: 0.1) },
    OptimizerKind("Adadelta", ["square_avg", "acc_delta"]) { Adadelta($0, eps: 1e-2, weightDecay: 0.1) },
    OptimizerKind("Adamax", ["exp_avg", "exp_inf"]) { Adamax($0, lr: 0.1) },
    OptimizerKind("NAdam", adam) { NAdam($0, lr: 0.1, weightDecay: 0.1, decoupledWeightDecay: true) },
    OptimizerKind("RAdam", adam) { RAdam($0, lr: 0.1, weightDecay: 0.1, decoupledWeightDecay: true) },
    OptimizerKind("Lion", ["exp_avg"]) { Lion($0, lr: 0.05, weightDecay: 0.1) },
    OptimizerKind("LAMB", adam) { LAMB($0, lr: 0.05) },
    OptimizerKind("Muon", ["momentum_buffer"], isForMatrices: true) {
      Muon($0, lr: 0.02, momentum: 0.5, orthogonalizationType: .float64)
    },
  ]

  private static let adam = ["exp_avg", "exp_avg_sq"]

  /// Two parameters.
  func cells(_ seed: UInt64, dtype: DType = .float64) -> [ParameterCell] {
    if !isForMatrices { return OptimizerTests.cells(seed, dtype: dtype) }
    return [[3, 2], [2, 4]].map { ParameterCell(samples($0, seed: seed).to(dtype)) }
  }
}
