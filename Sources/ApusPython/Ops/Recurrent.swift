import ApusCore
import ApusNN

extension OpTable {
  static let recurrent: [Op] = [
    Op(
      "_recurrent",
      "cell: str, sizes: ints, is_reversed: bool, input: Tensor, weight_ih: Tensor, weight_hh: Tensor, bias_ih: Tensor?, bias_hh: Tensor?, weight_hr: Tensor?, h: Tensor, c: Tensor?",
      .hidden, fields: "tuple",
      "One direction of one recurrent layer over packed rows: the states of all rows, the last state and, of an LSTM, cell state."
    ) { a in
      let cell = a.choice(0, ["tanh": RecurrentCell.tanh, "relu": .relu, "lstm": .lstm, "gru": .gru])
      let weights = RecurrentWeights(
        input: a.tensor(4), state: a.tensor(5), inputBias: a.optionalTensor(6), stateBias: a.optionalTensor(7),
        projection: a.optionalTensor(8))
      let steps = RecurrentSteps(sizes: a.ints(1), isReversed: a.bool(2))
      guard hasRoom(steps, a.tensor(3), h: a.tensor(9), c: a.optionalTensor(10), a.name) else { return [Tensor.invalid] }
      let (y, h, c) = weights.runToEnd(cell, steps, a.tensor(3), h: a.tensor(9), c: a.optionalTensor(10))
      return [y, h] + (c.map { [$0] } ?? [])
    }
  ]

  /// Whether the rows and the states are as many as the steps say.
  private static func hasRoom(_ steps: RecurrentSteps, _ x: Tensor, h: Tensor, c: Tensor?, _ name: String) -> Bool {
    let sizes = steps.sizes
    return check(
      x.rank == 2 && sizes.allSatisfy { $0 > 0 } && zip(sizes, sizes.dropFirst()).allSatisfy { $0 >= $1 }
        && x.shape[0] == steps.rows, .shape, name, "\(x.shape) does not hold the rows of steps of \(sizes)")
      && check(
        ([h] + (c.map { [$0] } ?? [])).allSatisfy { $0.rank == 2 && $0.shape[0] == steps.batch }, .shape, name,
        "a state is not a matrix of \(steps.batch) rows")
  }
}
