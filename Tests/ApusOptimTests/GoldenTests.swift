import ApusCore
import ApusNN
import ApusOptim
import TestSupport
import Testing

/// 20 steps of every optimizer with every option, against PyTorch.
@Suite("golden values")
struct GoldenTests {
  struct Case: Decodable {
    let name: String
    let options: [String: Double]
    let inputs: [String: GoldenTensor]
    let steps: [String: [String: GoldenTensor]]

    func option(_ name: String, _ standard: Double) -> Double { options[name] ?? standard }
    func isSet(_ name: String) -> Bool { option(name, 0) != 0 }
    var betas: (Double, Double) { (option("beta1", 0.9), option("beta2", 0.999)) }
  }

  static func optimizer(_ kind: String, _ cells: [ParameterCell], _ c: Case) -> Optimizer {
    switch kind {
    case "SGD":
      SGD(
        cells, lr: c.option("lr", 1e-3), momentum: c.option("momentum", 0), dampening: c.option("dampening", 0),
        weightDecay: c.option("weight_decay", 0), nesterov: c.isSet("nesterov"), maximize: c.isSet("maximize"))
    case "Adam":
      Adam(
        cells, lr: c.option("lr", 1e-3), betas: c.betas, eps: c.option("eps", 1e-8), weightDecay: c.option("weight_decay", 0),
        amsgrad: c.isSet("amsgrad"), maximize: c.isSet("maximize"))
    default:
      AdamW(
        cells, lr: c.option("lr", 1e-3), betas: c.betas, eps: c.option("eps", 1e-8), weightDecay: c.option("weight_decay", 1e-2),
        amsgrad: c.isSet("amsgrad"), maximize: c.isSet("maximize"))
    }
  }

  @Test("20 steps", arguments: ["SGD", "Adam", "AdamW"])
  func steps(kind: String) throws {
    for golden in try Golden<Case>.load(kind) {
      let (x, y) = (golden.inputs["x"]!.tensor, golden.inputs["y"]!.tensor)
      let (w, b) = (ParameterCell(golden.inputs["w"]!.tensor), ParameterCell(golden.inputs["b"]!.tensor))
      let optimizer = Self.optimizer(kind, [w, b], golden)
      for step in 1...20 {
        let scale = 1 + sine(Double(step))
        let loss = mseLoss(x.matmul(w.value) + b.value, y) * scale
        optimizer.zeroGrad()
        loss.backward()
        optimizer.step()
        guard let expected = golden.steps["\(step)"] else { continue }
        expectGolden(w.value.detach(), expected["w"]!, "w, \(kind) \(golden.name), step \(step)")
        expectGolden(b.value.detach(), expected["b"]!, "b, \(kind) \(golden.name), step \(step)")
      }
    }
  }

  private func sine(_ x: Double) -> Double { Tensor(x, dtype: .float64).sin().item() }
}
