import ApusCore

// Cells: one step of one layer, for loops of one's own.

/// What the three cells share: parameters `weight_ih`, `weight_hh`, `bias_ih`, `bias_hh`, evenly distributed over ±1/√hidden at the start.
public class RecurrentCellModule: Module {
  @Parameter public var weightIH: Tensor  // [gates · hidden, in]
  @Parameter public var weightHH: Tensor  // [gates · hidden, hidden]
  @Parameter public var biasIH: Tensor?  // [gates · hidden]
  @Parameter public var biasHH: Tensor?  // [gates · hidden]
  public let inputSize: Int
  public let hiddenSize: Int
  let cell: RecurrentCell

  init(_ cell: RecurrentCell, _ inputSize: Int, _ hiddenSize: Int, _ bias: Bool, _ dtype: DType, _ generator: Generator) {
    self.cell = cell
    self.inputSize = inputSize
    self.hiddenSize = hiddenSize
    let name = cell == .lstm ? "LSTMCell" : cell == .gru ? "GRUCell" : "RNNCell"
    let fits = check(
      inputSize > 0 && hiddenSize > 0, .value, name, "\(inputSize) inputs and \(hiddenSize) units must be positive")
    let bound: Double = fits ? 1 / Double(hiddenSize).squareRoot() : 0
    let rows = cell.gateCount * hiddenSize
    let drawn = { (shape: Shape) in
      fits ? Init.uniform(shape, low: -bound, high: bound, dtype: dtype, generator: generator) : .invalid
    }
    weightIH = drawn([rows, inputSize])
    weightHH = drawn([rows, hiddenSize])
    biasIH = bias ? drawn([rows]) : nil
    biasHH = bias ? drawn([rows]) : nil
  }

  /// One step; x is `[batch, in]` or `[in]`, states are `[batch, hidden]` or `[hidden]`.
  func step(_ x: Tensor, _ states: [Tensor]) -> [Tensor] {
    hooked([x] + states) { inputs in
      let count = cell == .lstm ? 2 : 1
      guard inputs.allSatisfy(\.isValid), accepts(inputs[0], Array(inputs.dropFirst())) else {
        return [Tensor](repeating: .invalid, count: count)
      }
      let isBatched = inputs[0].rank == 2
      let rows = isBatched ? inputs : inputs.map { $0.unsqueeze(dim: 0) }
      let zeros = Tensor.zeros([rows[0].shape[0], hiddenSize], dtype: x.dtype)
      let start = rows.count > 1 ? Array(rows.dropFirst()) : [Tensor](repeating: zeros, count: count)
      let weights = RecurrentWeights(input: weightIH, state: weightHH, inputBias: biasIH, stateBias: biasHH)
      let step = RecurrentSteps(sizes: [rows[0].shape[0]], isReversed: false)
      let (h, c) = weights.run(cell, step, rows[0], h: start[0], c: start.count > 1 ? start[1] : nil)
      return ([h] + (c.map { [$0] } ?? [])).map { isBatched ? $0 : $0.squeeze(dim: 0) }
    }
  }

  private func accepts(_ x: Tensor, _ states: [Tensor]) -> Bool {
    guard
      check(
        (x.rank == 1 || x.rank == 2) && x.shape.last == inputSize, .shape, kind,
        "input \(x.shape) is neither [batch, \(inputSize)] nor [\(inputSize)]")
    else { return false }
    let shape = Shape(x.shape.dropLast() + [hiddenSize])
    for (state, name) in zip(states, ["h", "c"]) {
      guard check(state.shape == shape, .shape, kind, "state \(name) of shape \(state.shape) where \(shape) is needed"),
        check(state.dtype == x.dtype, .dtype, kind, "state \(name) is \(state.dtype), the input \(x.dtype)")
      else { return false }
    }
    return true
  }

  public override var arguments: String { "in: \(inputSize), hidden: \(hiddenSize)" + (biasIH == nil ? ", bias: false" : "") }

  public override func multiplyAdds(inputs: [Shape], outputs: [Shape]) -> Int {
    outputs[0].elementCount * cell.gateCount * (inputSize + hiddenSize)
  }
}

/// One step of `RNN`.
public final class RNNCell: RecurrentCellModule {
  public init(
    _ inputSize: Int, _ hiddenSize: Int, bias: Bool = true, nonlinearity: RNN.Nonlinearity = .tanh, dtype: DType = .float32,
    generator: Generator = .default
  ) { super.init(nonlinearity.cell, inputSize, hiddenSize, bias, dtype, generator) }

  /// The next state, of the shape of `h`: `[batch, hidden]`, or `[hidden]` for an input `[in]`. Starts from zeros where `h` is left out.
  public func callAsFunction(_ x: Tensor, _ h: Tensor? = nil) -> Tensor { step(x, h.map { [$0] } ?? [])[0] }

  public override var arguments: String { super.arguments + (cell == .relu ? ", nonlinearity: relu" : "") }
}

/// One step of `GRU`.
public final class GRUCell: RecurrentCellModule {
  public init(
    _ inputSize: Int, _ hiddenSize: Int, bias: Bool = true, dtype: DType = .float32, generator: Generator = .default
  ) { super.init(.gru, inputSize, hiddenSize, bias, dtype, generator) }

  /// The next state, of the shape of `h`: `[batch, hidden]`, or `[hidden]` for an input `[in]`. Starts from zeros where `h` is left out.
  public func callAsFunction(_ x: Tensor, _ h: Tensor? = nil) -> Tensor { step(x, h.map { [$0] } ?? [])[0] }
}

/// One step of `LSTM`.
public final class LSTMCell: RecurrentCellModule {
  public init(
    _ inputSize: Int, _ hiddenSize: Int, bias: Bool = true, dtype: DType = .float32, generator: Generator = .default
  ) { super.init(.lstm, inputSize, hiddenSize, bias, dtype, generator) }

  /// The next states, of the shape of the old ones: `[batch, hidden]`, or `[hidden]` for an input `[in]`. Starts from zeros where `state`
  /// is left out.
  public func callAsFunction(_ x: Tensor, _ state: (h: Tensor, c: Tensor)? = nil) -> (h: Tensor, c: Tensor) {
    let states = step(x, state.map { [$0.h, $0.c] } ?? [])
    return (states[0], states[1])
  }
}
