import ApusCore
import ApusNN
import ApusOptim
import Foundation
import TestSupport
import Testing

/// 20 steps of every option against PyTorch; `Tests/Golden/make_more_optimizers_golden.py` made the numbers.
@Suite("golden values of more optimizers")
struct MoreGoldenTests {
  typealias Case = GoldenTests.Case

  static func optimizer(_ kind: String, _ cells: [ParameterCell], _ c: Case) -> Optimizer {
    let (decay, maximize) = (c.option("weight_decay", 0), c.isSet("maximize"))
    switch kind {
    case "RMSprop":
      return RMSprop(
        cells, lr: c.option("lr", 1e-2), alpha: c.option("alpha", 0.99), eps: c.option("eps", 1e-8), weightDecay: decay,
        momentum: c.option("momentum", 0), centered: c.isSet("centered"), maximize: maximize)
    case "Adagrad":
      return Adagrad(
        cells, lr: c.option("lr", 1e-2), lrDecay: c.option("lr_decay", 0), weightDecay: decay,
        initialAccumulatorValue: c.option("initial_accumulator_value", 0), eps: c.option("eps", 1e-10), maximize: maximize)
    case "Adadelta":
      return Adadelta(
        cells, lr: c.option("lr", 1), rho: c.option("rho", 0.9), eps: c.option("eps", 1e-6), weightDecay: decay,
        maximize: maximize)
    case "Adamax":
      return Adamax(
        cells, lr: c.option("lr", 2e-3), betas: c.betas, eps: c.option("eps", 1e-8), weightDecay: decay, maximize: maximize)
    case "NAdam":
      return NAdam(
        cells, lr: c.option("lr", 2e-3), betas: c.betas, eps: c.option("eps", 1e-8), weightDecay: decay,
        momentumDecay: c.option("momentum_decay", 4e-3), decoupledWeightDecay: c.isSet("decoupled_weight_decay"),
        maximize: maximize)
    default:
      return RAdam(
        cells, lr: c.option("lr", 1e-3), betas: c.betas, eps: c.option("eps", 1e-8), weightDecay: decay,
        decoupledWeightDecay: c.isSet("decoupled_weight_decay"), maximize: maximize)
    }
  }

  /// `Golden.load` looks beside the folder's files.
  static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().path

  @Test("20 steps", arguments: ["RMSprop", "Adagrad", "Adadelta", "Adamax", "NAdam", "RAdam"])
  func steps(kind: String) throws {
    for golden in try Golden<Case>.load(kind, file: Self.folder) {
      let (x, y) = (golden.inputs["x"]!.tensor, golden.inputs["y"]!.tensor)
      let cells = [ParameterCell(golden.inputs["w"]!.tensor), ParameterCell(golden.inputs["b"]!.tensor)]
      var optimizer = Self.optimizer(kind, cells, golden)
      for step in 1...20 {
        let scale: Double = 1 + Tensor(Double(step), dtype: .float64).sin().item()
        let loss = mseLoss(x.matmul(cells[0].value) + cells[1].value, y) * scale
        optimizer.zeroGrad()
        loss.backward()
        optimizer.step()
        if let expected = golden.steps["\(step)"] {
          for (cell, name) in zip(cells, ["w", "b"]) {
            expectGolden(cell.value.detach(), expected[name]!, "\(name), \(kind) \(golden.name), step \(step)")
          }
        }
        // What is saved is all there is to know.
        if step == 11 {
          let saved = optimizer.stateDict()
          optimizer = Self.optimizer(kind, cells, golden)
          try optimizer.loadStateDict(saved)
        }
      }
    }
  }
}
