import ApusCore
import ApusNN
import Foundation
import TestSupport
import Testing

/// Recurrent layers and cells against PyTorch's: outputs, last states, and the gradients of inputs, states and parameters.
@Suite("golden values of recurrent networks")
struct RecurrentGoldenTests {
  struct Case: Decodable {
    let name: String
    let options: Options
    let dtype: String
    let names: [String]
    let x: [Int]
    let states: [[Int]]
    let outputs: [GoldenTensor]
    let gradients: [GoldenTensor]

    struct Options: Decodable {
      var numLayers: Int?
      var bias: Bool?
      var batchFirst: Bool?
      var bidirectional: Bool?
      var projSize: Int?
      var nonlinearity: String?
      var lengths: [Int]?
    }

    var kind: DType { DType(name: dtype)! }
  }

  /// The k-th set of numbers: sin(k + 0.7 j) for j = 0, 1, ….
  static func numbers(_ shape: [Int], _ dtype: DType, _ k: Int) -> Tensor {
    let values = (0..<shape.reduce(1, *)).map { sin(Double(k) + 0.7 * Double($0)) }
    var x = Tensor(scalars: values, shape: Shape(shape), dtype: .float64).to(dtype)
    x.requiresGrad = true
    return x
  }

  private func layer(_ kind: String, _ o: Case.Options, _ dtype: DType) -> RecurrentLayer {
    let (layers, bias, first, both) = (o.numLayers ?? 1, o.bias ?? true, o.batchFirst ?? false, o.bidirectional ?? false)
    switch kind {
    case "lstm":
      return LSTM(
        3, 2, numLayers: layers, bias: bias, batchFirst: first, bidirectional: both, projSize: o.projSize ?? 0, dtype: dtype)
    case "gru": return GRU(3, 2, numLayers: layers, bias: bias, batchFirst: first, bidirectional: both, dtype: dtype)
    default:
      return RNN(
        3, 2, numLayers: layers, nonlinearity: o.nonlinearity == "relu" ? .relu : .tanh, bias: bias, batchFirst: first,
        bidirectional: both, dtype: dtype)
    }
  }

  private func run(_ layer: RecurrentLayer, _ x: Tensor, _ states: [Tensor], _ lengths: [Int]?) -> [Tensor] {
    let pair = states.count == 2 ? (h: states[0], c: states[1]) : nil
    guard let lengths else {
      if let lstm = layer as? LSTM {
        let (y, (h, c)) = lstm(x, pair)
        return [y, h, c]
      }
      let (y, h) = (layer as? GRU)?(x, states.first) ?? (layer as! RNN)(x, states.first)
      return [y, h]
    }
    let first = layer.batchFirst
    let packed = packPaddedSequence(x, lengths: lengths, batchFirst: first, enforceSorted: false)
    let unpack = { (y: PackedSequence) in
      let (padded, back) = padPackedSequence(y, batchFirst: first, paddingValue: -1, totalLength: x.shape[first ? 1 : 0])
      #expect(back == lengths && y.lengths == lengths)
      return padded
    }
    if let lstm = layer as? LSTM {
      let (y, (h, c)) = lstm(packed, pair)
      return [unpack(y), h, c]
    }
    let (y, h) = (layer as? GRU)?(packed, states.first) ?? (layer as! RNN)(packed, states.first)
    return [unpack(y), h]
  }

  private func compare(_ module: Module, _ c: Case, _ run: (Tensor, [Tensor]) -> [Tensor]) {
    #expect(module.stateDict().names == c.names, "\(c.name)")
    for (k, cell) in module.parameters().enumerated() {
      cell.tensor = Self.numbers(Array(cell.shape), c.kind, k + 3).detach()
    }
    let x = Self.numbers(c.x, c.kind, 0)
    let states = c.states.enumerated().map { k, shape in Self.numbers(shape, c.kind, k + 1) }
    let outputs = run(x, states)
    #expect(outputs.count == c.outputs.count)
    for (i, (y, expected)) in zip(outputs, c.outputs).enumerated() { expectGolden(y, expected, "\(c.name), output \(i)") }
    let loss = outputs.map { y -> Tensor in
      let weights = Tensor.arange(1, y.count + 1).to(y.dtype).reshape(y.shape) / 10
      return (y * weights).sum()
    }.reduce(Tensor.zeros([], dtype: c.kind)) { $0 + $1 }
    let gradients = grad(of: loss, withRespectTo: [x] + states + module.parameters().map(\.value))
    for (i, (gradient, expected)) in zip(gradients, c.gradients).enumerated() {
      expectGolden(gradient, expected, "\(c.name), gradient \(i)")
    }
  }

  @Test("layers", arguments: ["rnn", "lstm", "lstmMore", "gru"])
  func layers(_ file: String) throws {
    for c in try Golden<Case>.load(file) {
      let layer = layer(String(c.name.prefix { $0 != " " }), c.options, c.kind)
      compare(layer, c) { run(layer, $0, $1, c.options.lengths) }
    }
  }

  @Test("cells")
  func cells() throws {
    for c in try Golden<Case>.load("recurrentCells") {
      let (bias, dtype) = (c.options.bias ?? true, c.kind)
      switch c.name.prefix(3) {
      case "lst":
        let cell = LSTMCell(2, 3, bias: bias, dtype: dtype)
        compare(cell, c) { x, states in
          let (h, c) = cell(x, states.count == 2 ? (h: states[0], c: states[1]) : nil)
          return [h, c]
        }
      case "gru":
        let cell = GRUCell(2, 3, bias: bias, dtype: dtype)
        compare(cell, c) { x, states in [cell(x, states.first)] }
      default:
        let cell = RNNCell(2, 3, bias: bias, nonlinearity: c.options.nonlinearity == "relu" ? .relu : .tanh, dtype: dtype)
        compare(cell, c) { x, states in [cell(x, states.first)] }
      }
    }
  }
}
