/// What a recurrent network computes at each step, from what inputs and state give (sums of products, gate after gate) and the state.
///
/// The order of the cases is C's.
package enum RecurrentCell: CaseIterable, Sendable {
  /// h = tanh(x + s)
  case tanh
  /// h = max(x + s, 0)
  case relu
  /// Gates i, f, g, o: c = σ(f) c + σ(i) tanh(g), h = σ(o) tanh(c).
  case lstm
  /// Gates r, z, n: n = tanh(xₙ + σ(r) (sₙ + bias)), h = (1 − σ(z)) n + σ(z) h.
  case gru

  package var gateCount: Int {
    switch self {
    case .tanh, .relu: 1
    case .lstm: 4
    case .gru: 3
    }
  }

  /// One step in ordinary ops: the definition.
  ///
  /// - Parameters:
  ///   - x: `[n, gates · hidden]`, biases included.
  ///   - s: `[n, gates · hidden]`.
  ///   - bias: `[hidden]`, of `sₙ` in `.gru`.
  ///   - h: `[n, hidden]`; used by `.gru` only.
  ///   - c: `[n, hidden]`; `.lstm` only.
  package func step(_ x: Tensor, _ s: Tensor, _ bias: Tensor?, _ h: Tensor, _ c: Tensor?) -> (h: Tensor, c: Tensor?) {
    switch self {
    case .tanh: return ((x + s).tanh(), nil)
    case .relu: return ((x + s).relu(), nil)
    case .lstm:
      let gates = (x + s).chunk(4, dim: 1)
      guard let c, gates.count == 4 else { return (.invalid, nil) }
      let cell = gates[1].sigmoid() * c + gates[0].sigmoid() * gates[2].tanh()
      return (gates[3].sigmoid() * cell.tanh(), cell)
    case .gru:
      let (xs, ss) = (x.chunk(3, dim: 1), s.chunk(3, dim: 1))
      guard xs.count == 3, ss.count == 3 else { return (.invalid, nil) }
      let (r, z) = ((xs[0] + ss[0]).sigmoid(), (xs[1] + ss[1]).sigmoid())
      let n = (xs[2] + r * (bias.map { ss[2] + $0 } ?? ss[2])).tanh()
      return ((1 - z) * n + z * h, nil)
    }
  }
}

/// Which rows of a table of steps belong to which step: the first `sizes[0]` to step 0, one for each sequence, and so on.
///
/// Sequences are ordered by length, longest first, so sizes never grow and the rows of a step are the first sequences.
package struct RecurrentSteps: Sendable {
  package let sizes: [Int]
  /// Whether the state goes from the last step to the first.
  package let isReversed: Bool

  package init(sizes: [Int], isReversed: Bool) {
    self.sizes = sizes
    self.isReversed = isReversed
  }

  /// Number of sequences.
  package var batch: Int { sizes.first ?? 0 }

  /// Number of rows.
  package var rows: Int { sizes.reduce(0, +) }

  /// The steps in the order in which the state goes through them: how many rows, from which.
  package var order: [(count: Int, first: Int)] {
    var first = 0
    let steps = sizes.map { count in
      defer { first += count }
      return (count: count, first: first)
    }
    return isReversed ? steps.reversed() : steps
  }

  /// For each sequence the row of its last step (the first, where reversed).
  package var lastRows: [Int] {
    if isReversed { return Array(0..<batch) }
    var rows = [Int](repeating: 0, count: batch)
    var first = 0
    for count in sizes {
      for i in 0..<count { rows[i] = first + i }
      first += count
    }
    return rows
  }
}
