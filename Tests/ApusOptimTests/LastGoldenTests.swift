import ApusCore
import ApusNN
import ApusOptim
import TestSupport
import Testing

/// Muon and L-BFGS against PyTorch; `Tests/Golden/make_last_optimizers_golden.py` made the numbers.
@Suite("golden values of Muon and L-BFGS")
struct LastGoldenTests {
  typealias Case = GoldenTests.Case

  static func muon(_ cells: [ParameterCell], _ c: Case, _ dtype: DType) -> Muon {
    Muon(
      cells, lr: c.option("lr", 1e-3), weightDecay: c.option("weight_decay", 0.1), momentum: c.option("momentum", 0.95),
      nesterov: c.option("nesterov", 1) != 0,
      nsCoefficients: (
        c.option("ns_coefficients.0", 3.4445), c.option("ns_coefficients.1", -4.775), c.option("ns_coefficients.2", 2.0315)
      ), eps: c.option("eps", 1e-7), nsSteps: Int(c.option("ns_steps", 5)),
      adjustLR: c.isSet("adjust_lr_fn") ? .matchRMSAdamW : .original, orthogonalizationType: dtype)
  }

  @Test("Muon, 20 steps")
  func muon() throws {
    for golden in try Golden<Case>.load("Muon") {
      let (x, y) = (golden.inputs["x"]!.tensor, golden.inputs["y"]!.tensor)
      let cells = [ParameterCell(golden.inputs["w"]!.tensor), ParameterCell(golden.inputs["b"]!.tensor)]
      let isOriginal = golden.name.hasPrefix("bfloat16")
      var optimizer = Self.muon(cells, golden, isOriginal ? .bfloat16 : x.dtype)
      for step in 1...20 {
        let scale: Double = 1 + Tensor(Double(step), dtype: .float64).sin().item()
        let loss = mseLoss(x.matmul(cells[0].value).matmul(cells[1].value), y) * scale
        optimizer.zeroGrad()
        loss.backward()
        optimizer.step()
        if let expected = golden.steps["\(step)"] {
          for (cell, name) in zip(cells, ["w", "b"]) {
            // The iteration multiplies differences: five times by a slope of up to 3.4.
            let absolute = isOriginal ? 0.15 : x.dtype == .float32 ? 1e-3 : 1e-10
            let comment = "\(name), \(golden.name), step \(step)"
            expectClose(cell.value.detach(), expected[name]!.tensor, relative: 0, absolute: absolute, comment)
          }
        }
        if step == 11 {
          let saved = optimizer.stateDict()
          optimizer = Self.muon(cells, golden, isOriginal ? .bfloat16 : x.dtype)
          try optimizer.loadStateDict(saved)
        }
      }
    }
  }

  static func lbfgs(_ cells: [ParameterCell], _ c: Case) -> LBFGS {
    LBFGS(
      cells, lr: c.option("lr", 1), maxIter: Int(c.option("max_iter", 20)), maxEval: c.options["max_eval"].map { Int($0) },
      toleranceGrad: c.option("tolerance_grad", 1e-7), toleranceChange: c.option("tolerance_change", 1e-9),
      historySize: Int(c.option("history_size", 100)), lineSearch: c.isSet("line_search_fn") ? .strongWolfe : nil)
  }

  @Test("L-BFGS, 6 steps, with and without line search, saved and loaded on the way")
  func lbfgs() throws {
    for golden in try Golden<Case>.load("LBFGS") {
      let (x, y) = (golden.inputs["x"]!.tensor, golden.inputs["y"]!.tensor)
      let (w, b) = (ParameterCell(golden.inputs["w"]!.tensor), ParameterCell(golden.inputs["b"]!.tensor))
      var optimizer = Self.lbfgs([w, b], golden)
      for step in 1...6 {
        let loss = optimizer.step {
          optimizer.zeroGrad()
          let (residual, p) = (x.matmul(w.value) + b.value - y, w.value)
          let loss = residual.square().sum() + (p[1] - p[0].square()).square().sum() + p.square().square().sum() / 8
          loss.backward()
          return loss
        }
        if let expected = golden.steps["\(step)"] {
          let absolute = x.dtype == .float64 ? 1e-8 : 2e-3
          let comment = "\(golden.name), step \(step)"
          expectClose(w.value.detach(), expected["w"]!.tensor, relative: absolute, absolute: absolute, "w, \(comment)")
          expectClose(b.value.detach(), expected["b"]!.tensor, relative: absolute, absolute: absolute, "b, \(comment)")
          expectClose(loss, expected["loss"]!.tensor, relative: absolute, absolute: absolute, "loss, \(comment)")
          if x.dtype == .float64 {
            let counts = ["n_iter", "func_evals"].map { optimizer.stateDict().numbers[$0] ?? 0 }
            #expect(counts == expected["counts"]!.tensor.scalars(as: Double.self), "\(comment)")
          }
        }
        if step == 2 || step == 4 {
          let saved = optimizer.stateDict()
          optimizer = Self.lbfgs([w, b], golden)
          try optimizer.loadStateDict(saved)
        }
      }
    }
  }

  @Test("L-BFGS finds the minimum of Rosenbrock's valley")
  func rosenbrock() {
    let cell = ParameterCell(Tensor([-1.2, 1], dtype: .float64))
    let optimizer = LBFGS([cell], lineSearch: .strongWolfe)
    for _ in 0..<8 {
      optimizer.step {
        optimizer.zeroGrad()
        let (x, y) = (cell.value[0], cell.value[1])
        let loss = (1 - x).square() + 100 * (y - x.square()).square()
        loss.backward()
        return loss
      }
    }
    expectClose(cell.value.detach(), Tensor([1.0, 1], dtype: .float64), absolute: 1e-4)
  }

  @Test("mistakes are named")
  func mistakes() throws {
    let (matrix, vector) = (ParameterCell(Tensor.ones([2, 2])), ParameterCell(Tensor.ones([3])))
    expectMistake("Muon: is for matrices; a parameter has shape [3]") { _ = Muon([matrix, vector]) }
    expectMistake("Muon: nsSteps = 100.0 is not an integer below 100") { _ = Muon([matrix], nsSteps: 100) }
    expectMistake("LBFGS: takes one group of parameters, with the same options for all") {
      _ = LBFGS([ParameterGroup([matrix]), ParameterGroup([vector])])
    }
    expectMistake("LBFGS: max_iter = -1.0 is not 0 or more") { _ = LBFGS([matrix], maxIter: -1) }
    expectMistake("LBFGS: computes the loss several times in a step: call step { … } with a closure that does") {
      LBFGS([matrix]).step()
    }
    let optimizer = LBFGS([vector], maxIter: 4)
    let closure = {
      vector.grad = nil
      let loss = (vector.value * Tensor([1.0, 2, 3])).pow(4).sum()
      loss.backward()
      return loss
    }
    optimizer.step(closure)
    var state = optimizer.stateDict()
    state.tensors["old_dirs.0"] = Tensor.ones([2])
    state.tensors["d"] = nil
    state.numbers["func_evals"] = 1.5
    let error = #expect(throws: OptimizerStateError.self) { try optimizer.loadStateDict(state) }
    #expect(
      error?.problems == [
        .value(name: "func_evals", found: 1.5, rule: "is not a count"), .missing(name: "d"),
        .shape(name: "old_dirs.0", expected: [3], found: [2]),
      ])
    #expect(optimizer.stateDict().numbers["n_iter"] == 4)
    expectMistake("matmul: [2] × [3]: inner sizes 2 and 3 differ") {
      optimizer.step { Tensor.ones([2]).matmul(vector.value) }
    }
  }
}
