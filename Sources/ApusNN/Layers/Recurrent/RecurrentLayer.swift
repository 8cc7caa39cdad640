import ApusCore

/// What `RNN`, `LSTM` and `GRU` share: layers of recurrent cells over sequences, in one direction or both.
///
/// Inputs are `[steps, batch, in]`, with `batchFirst` `[batch, steps, in]`; without a batch `[steps, in]`; or a `PackedSequence` of
/// sequences of several lengths. Parameters have PyTorch's keys (`weight_ih_l0`, `weight_hh_l0`, `bias_ih_l0`, `bias_hh_l0`, and for the
/// way back `weight_ih_l0_reverse` …) and start evenly distributed over ±1/√hidden; `getParameter("weight_ih_l0")` is the cell of one.
public class RecurrentLayer: Module {
  public let inputSize: Int
  public let hiddenSize: Int
  public let numLayers: Int
  public let hasBias: Bool
  public let batchFirst: Bool
  /// Probability of dropout between the layers, in training.
  public let dropout: Double
  public let bidirectional: Bool
  /// Size of the output where an LSTM projects it; otherwise 0.
  public let projSize: Int
  let cell: RecurrentCell
  private let generator: Generator
  private var slots: [(name: String, slot: Parameter<Tensor>)] = []

  init(_ cell: RecurrentCell, _ inputSize: Int, _ hiddenSize: Int, _ options: RecurrentOptions) {
    self.cell = cell
    self.inputSize = inputSize
    self.hiddenSize = hiddenSize
    numLayers = options.numLayers
    hasBias = options.bias
    batchFirst = options.batchFirst
    dropout = options.dropout
    bidirectional = options.bidirectional
    projSize = options.projSize
    generator = options.generator
    super.init()
    guard areFine(options) else { return }
    for layer in 0..<numLayers {
      for direction in 0..<directions { addParameters(layer, isReversed: direction == 1, options) }
    }
  }

  public override var parts: [(name: String, value: Any)] { slots.map { ($0.name, $0.slot) } }

  public override var arguments: String {
    var parts = ["in: \(inputSize)", "hidden: \(hiddenSize)"]
    if numLayers != 1 { parts.append("numLayers: \(numLayers)") }
    if !hasBias { parts.append("bias: false") }
    if batchFirst { parts.append("batchFirst: true") }
    if dropout != 0 { parts.append("dropout: \(dropout)") }
    if bidirectional { parts.append("bidirectional: true") }
    if projSize != 0 { parts.append("projSize: \(projSize)") }
    return parts.joined(separator: ", ")
  }

  public override func multiplyAdds(inputs: [Shape], outputs: [Shape]) -> Int {
    let rows = inputSize > 0 ? inputs[0].elementCount / inputSize : 0
    return rows * slots.reduce(0) { $0 + ($1.slot.wrappedValue.rank == 2 ? $1.slot.wrappedValue.count : 0) }
  }
}

/// What the constructors of the three kinds take.
struct RecurrentOptions {
  var numLayers: Int
  var bias: Bool
  var batchFirst: Bool
  var dropout: Double
  var bidirectional: Bool
  var projSize = 0
  var dtype: DType
  var generator: Generator
}

// MARK: - Parameters

extension RecurrentLayer {
  var directions: Int { bidirectional ? 2 : 1 }

  /// Size of the state that goes from step to step, and of the output of one direction.
  var outputSize: Int { projSize > 0 ? projSize : hiddenSize }

  private func areFine(_ options: RecurrentOptions) -> Bool {
    check(
      inputSize > 0 && hiddenSize > 0 && numLayers > 0, .value, kind,
      "\(inputSize) inputs, \(hiddenSize) units and \(numLayers) layers must all be positive")
      && check((0...1).contains(dropout), .value, kind, "dropout = \(dropout) is not in 0...1")
      && check(
        projSize >= 0 && projSize < hiddenSize, .value, kind,
        "projSize = \(projSize) is not in 0..<\(hiddenSize), the number of units")
  }

  private func addParameters(_ layer: Int, isReversed: Bool, _ options: RecurrentOptions) {
    let bound: Double = 1 / Double(hiddenSize).squareRoot()
    let suffix = "_l\(layer)" + (isReversed ? "_reverse" : "")
    let rows = cell.gateCount * hiddenSize
    func add(_ name: String, _ shape: Shape) {
      let start = Init.uniform(shape, low: -bound, high: bound, dtype: options.dtype, generator: generator)
      slots.append((name + suffix, Parameter(wrappedValue: start)))
    }
    add("weight_ih", [rows, layer == 0 ? inputSize : outputSize * directions])
    add("weight_hh", [rows, outputSize])
    if hasBias {
      add("bias_ih", [rows])
      add("bias_hh", [rows])
    }
    if projSize > 0 { add("weight_hr", [projSize, hiddenSize]) }
  }

  /// The parameters of one direction of one layer.
  private func weights(_ layer: Int, _ direction: Int) -> RecurrentWeights {
    let count = 2 + (hasBias ? 2 : 0) + (projSize > 0 ? 1 : 0)
    let own = slots[((layer * directions + direction) * count)...].prefix(count).map { $0.slot.wrappedValue }
    return RecurrentWeights(
      input: own[0], state: own[1], inputBias: hasBias ? own[2] : nil, stateBias: hasBias ? own[3] : nil,
      projection: projSize > 0 ? own.last : nil)
  }
}

// MARK: - Running

extension RecurrentLayer {
  /// All layers over the rows of all steps.
  ///
  /// - Parameters:
  ///   - data: `[rows, in]`, step after step; see `RecurrentSteps`.
  ///   - sizes: how many of the rows belong to each step.
  ///   - states: none, or one of `[layers · directions, batch, out]` (for an LSTM two, the second with `hidden`).
  /// - Returns: `[rows, directions · out]`, and the last states in the form of the first.
  func run(_ data: Tensor, _ sizes: [Int], _ states: [Tensor]) -> [Tensor] {
    var data = data
    var (lastH, lastC) = ([Tensor](), [Tensor]())
    let start = states.isEmpty ? zeroStates(sizes.first ?? 0, data.dtype) : states
    for layer in 0..<numLayers {
      var outputs: [Tensor] = []
      for direction in 0..<directions {
        let i = layer * directions + direction
        let steps = RecurrentSteps(sizes: sizes, isReversed: direction == 1)
        let (y, h, c) = weights(layer, direction).runToEnd(
          cell, steps, data, h: start[0].select(dim: 0, index: i), c: start.count > 1 ? start[1].select(dim: 0, index: i) : nil)
        outputs.append(y)
        lastH.append(h)
        if let c { lastC.append(c) }
      }
      data = outputs.count == 1 ? outputs[0] : cat(outputs, dim: 1)
      if layer < numLayers - 1, dropout > 0, isTraining {
        data = ApusNN.dropout(data, p: dropout, isTraining: true, generator: generator)
      }
    }
    return [data, stack(lastH)] + (lastC.isEmpty ? [] : [stack(lastC)])
  }

  private func zeroStates(_ batch: Int, _ dtype: DType) -> [Tensor] {
    let h = Tensor.zeros([numLayers * directions, batch, outputSize], dtype: dtype)
    return cell == .lstm ? [h, Tensor.zeros([numLayers * directions, batch, hiddenSize], dtype: dtype)] : [h]
  }
}

extension Tensor {
  /// Some rows; a view where they are neighbours.
  fileprivate func rows(_ indices: [Int]) -> Tensor {
    let first = indices.first ?? 0
    if indices == Array(first..<first + indices.count) { return narrow(dim: 0, start: first, count: indices.count) }
    return indexSelect(dim: 0, index: Tensor(indices))
  }
}

/// The parameters of one direction of one layer of a recurrent network, or of a cell.
package struct RecurrentWeights {
  let input: Tensor  // [gates · hidden, in]
  let state: Tensor  // [gates · hidden, out]
  let inputBias: Tensor?  // [gates · hidden]
  let stateBias: Tensor?  // [gates · hidden]
  var projection: Tensor?  // [out, hidden]

  package init(input: Tensor, state: Tensor, inputBias: Tensor?, stateBias: Tensor?, projection: Tensor? = nil) {
    (self.input, self.state, self.projection) = (input, state, projection)
    (self.inputBias, self.stateBias) = (inputBias, stateBias)
  }

  /// `run`, and the state of each sequence after its last step.
  package func runToEnd(_ cell: RecurrentCell, _ steps: RecurrentSteps, _ x: Tensor, h: Tensor, c: Tensor?) -> (
    y: Tensor, h: Tensor, c: Tensor?
  ) {
    let (y, c) = run(cell, steps, x, h: h, c: c)
    return (y, y.isValid ? y.rows(steps.lastRows) : y, c)
  }

  /// All steps of the sequences whose rows are in `x`: what the inputs give for all of them at once, then step by step.
  func run(_ cell: RecurrentCell, _ steps: RecurrentSteps, _ x: Tensor, h: Tensor, c: Tensor?) -> (y: Tensor, c: Tensor?) {
    guard x.isValid, h.isValid, c?.isValid ?? true else { return (.invalid, c) }
    let (sums, bias) = (linear(x, input, joinedBias(cell)), newGateBias(cell))
    let (weight, h, c) = (autocasted(state), autocasted(h), c.map { autocasted($0) })
    if let projection {
      return recurrentTwin(cell, steps, x: sums, weight: weight, bias: bias, projection: autocasted(projection), h: h, c: c)
    }
    return recurrent(cell, steps, x: sums, weight: weight, bias: bias, h: h, c: c)
  }

  /// Both biases in one, but for the part that a GRU's reset gate is multiplied by.
  private func joinedBias(_ cell: RecurrentCell) -> Tensor? {
    guard let inputBias, let stateBias else { return nil }
    if cell != .gru { return inputBias + stateBias }
    let size = stateBias.count / 3
    let parts = [stateBias.narrow(dim: 0, start: 0, count: 2 * size), Tensor.zeros([size], dtype: stateBias.dtype)]
    return inputBias + cat(parts, dim: 0)
  }

  private func newGateBias(_ cell: RecurrentCell) -> Tensor? {
    guard cell == .gru, let stateBias else { return nil }
    let size = stateBias.count / 3
    return autocasted(stateBias.narrow(dim: 0, start: 2 * size, count: size))
  }
}
