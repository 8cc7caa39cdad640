import ApusCore
import ApusNN
import ApusOptim
import TestSupport
import Testing

/// Lion and LAMB, which PyTorch has not, against arrays.
@Suite("Lion and LAMB")
struct LionLAMBTests {
  /// Six steps with the gradients of `setGradients`, by `rule` on each parameter's numbers.
  func expectRule(
    _ optimizer: Optimizer, _ cells: [ParameterCell],
    _ rule: (_ p: inout [Double], _ g: [Double], _ m: inout [Double], _ v: inout [Double], _ t: Int) -> Void
  ) {
    var p = cells.map { $0.value.scalars(as: Double.self) }
    var m = p.map { $0.map { _ in 0.0 } }
    var v = m
    for step in 1...6 {
      OptimizerTests.setGradients(cells, step)
      optimizer.step()
      for (i, cell) in cells.enumerated() {
        rule(&p[i], cell.grad!.scalars(as: Double.self), &m[i], &v[i], step)
        expectClose(
          cell.value.detach(), Tensor(scalars: p[i], shape: cell.shape, dtype: .float64), relative: 1e-12, absolute: 1e-13,
          "step \(step)")
      }
    }
  }

  @Test("Lion follows its rule", arguments: [false, true])
  func lion(maximize: Bool) {
    let cells = OptimizerTests.cells(7)
    expectRule(Lion(cells, lr: 0.1, betas: (0.8, 0.95), weightDecay: 0.3, maximize: maximize), cells) { p, g, m, _, _ in
      for i in p.indices {
        let gradient = maximize ? -g[i] : g[i]
        let direction = 0.8 * m[i] + 0.2 * gradient
        p[i] -= 0.1 * ((direction > 0 ? 1 : direction < 0 ? -1 : 0) + 0.3 * p[i])
        m[i] = 0.95 * m[i] + 0.05 * gradient
      }
    }
  }

  @Test("LAMB follows its rule", arguments: [false, true])
  func lamb(maximize: Bool) {
    let cells = OptimizerTests.cells(7) + [ParameterCell(Tensor.zeros([2], dtype: .float64))]
    let optimizer = LAMB(cells, lr: 0.1, betas: (0.8, 0.95), eps: 1e-3, weightDecay: 0.3, maximize: maximize)
    expectRule(optimizer, cells) { p, g, m, v, t in
      let bias = { (beta: Double) in 1 - (0..<t).reduce(1.0) { product, _ in product * beta } }
      var r = p
      for i in p.indices {
        let gradient = maximize ? -g[i] : g[i]
        m[i] = 0.8 * m[i] + 0.2 * gradient
        v[i] = 0.95 * v[i] + 0.05 * gradient * gradient
        r[i] = m[i] / bias(0.8) / ((v[i] / bias(0.95)).squareRoot() + 1e-3) + 0.3 * p[i]
      }
      let norm = { (x: [Double]) in x.reduce(0) { $0 + $1 * $1 }.squareRoot() }
      let ratio = norm(p) > 0 && norm(r) > 0 ? norm(p) / norm(r) : 1
      for i in p.indices { p[i] -= 0.1 * ratio * r[i] }
    }
  }
}
