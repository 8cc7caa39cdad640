import ApusCore

/// What L-BFGS remembers from iteration to iteration: vectors over all parameters.
struct LBFGSMemory {
  var evaluations = 0
  var iterations = 0
  /// d, and how far it was followed.
  var direction: Tensor?
  var length = 0.0
  /// Gradient and loss of the iteration before.
  var gradient: Tensor?
  var loss = 0.0
  /// Changes of the gradient, the steps that made them, and 1 / (y · s), oldest first.
  private var pairs: [(y: Tensor, s: Tensor, rho: Double)] = []
  /// H before the pairs, times the identity.
  private var scale = 1.0

  /// Starts an iteration: takes the last step in, and finds the next direction.
  mutating func turn(_ g: Tensor, historySize: Int) {
    iterations += 1
    guard iterations > 1, let gradient, let direction else {
      (self.direction, pairs, scale) = (-g, [], 1)
      return
    }
    let (y, s) = (g - gradient, direction * length)
    let curvature: Double = y.dot(s).item()
    // Otherwise H would not be positive definite, and d not lead down.
    if curvature > 1e-10, historySize > 0 {
      if pairs.count == historySize { pairs.removeFirst() }
      pairs.append((y, s, 1 / curvature))
      scale = curvature / y.dot(y).item()
    }
    self.direction = newtonStep(g)
  }

  /// −H g by the two loops over the pairs (Nocedal 1980).
  private func newtonStep(_ g: Tensor) -> Tensor {
    var q = -g
    var shares: [Double] = []
    for (y, s, rho) in pairs.reversed() {
      let share: Double = s.dot(q).item() * rho
      q = q - share * y
      shares.append(share)
    }
    var d = q * scale
    for ((y, s, rho), share) in zip(pairs, shares.reversed()) {
      let back: Double = y.dot(d).item() * rho
      let rest: Double = share - back
      d = d + rest * s
    }
    return d
  }

  // MARK: State

  func save(into state: inout OptimizerState) {
    guard iterations > 0, let direction, let gradient else { return }
    state.numbers["func_evals"] = Double(evaluations)
    state.numbers["n_iter"] = Double(iterations)
    (state.numbers["t"], state.numbers["prev_loss"], state.numbers["H_diag"]) = (length, loss, scale)
    (state.tensors["d"], state.tensors["prev_flat_grad"]) = (direction, gradient)
    for (i, pair) in pairs.enumerated() {
      (state.tensors["old_dirs.\(i)"], state.tensors["old_stps.\(i)"]) = (pair.y, pair.s)
      state.numbers["ro.\(i)"] = pair.rho
    }
  }

  /// - Parameter count: the number of elements of all parameters.
  mutating func read(_ reader: inout StateReader, count: Int, dtype: DType) {
    // Saved before the first step.
    guard reader.state.numbers["n_iter"] != nil else { return }
    iterations = reader.count("n_iter")
    evaluations = reader.count("func_evals")
    (length, loss, scale) = (reader.number("t") ?? 0, reader.number("prev_loss") ?? 0, reader.number("H_diag") ?? 1)
    let vector = { (name: String, reader: inout StateReader) in
      reader.tensor(name, shape: [count], dtype: dtype) ?? reader.missing(name)
    }
    (direction, gradient) = (vector("d", &reader), vector("prev_flat_grad", &reader))
    for i in 0... {
      guard reader.state.tensors["old_dirs.\(i)"] != nil else { break }
      pairs.append((vector("old_dirs.\(i)", &reader), vector("old_stps.\(i)", &reader), reader.number("ro.\(i)") ?? 0))
    }
  }
}
