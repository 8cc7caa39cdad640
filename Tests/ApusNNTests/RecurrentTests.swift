import ApusCore
import ApusNN
import TestSupport
import Testing

@Suite("recurrent networks")
struct RecurrentTests {
  /// Operands of `recurrent` for sequences of these lengths (falling).
  private func operands(_ cell: RecurrentCell, _ lengths: [Int], hidden: Int, _ dtype: DType) -> (sizes: [Int], xs: [Tensor]) {
    let sizes = (0..<(lengths.first ?? 0)).map { step in lengths.count { $0 > step } }
    let rows = sizes.reduce(0, +)
    let scale: Double = 1 / Double(hidden).squareRoot()
    var xs = [
      samples([rows, cell.gateCount * hidden], seed: 1), samples([cell.gateCount * hidden, hidden], seed: 2) * scale,
      samples([lengths.count, hidden], seed: 3),
    ]
    if cell == .lstm { xs.append(samples([lengths.count, hidden], seed: 4)) }
    if cell == .gru { xs.append(samples([hidden], seed: 5)) }
    xs = xs.map { $0.to(dtype) }
    for i in xs.indices { xs[i].requiresGrad = true }
    return (sizes, xs)
  }

  /// Outputs in one tensor.
  private func run(_ cell: RecurrentCell, _ steps: RecurrentSteps, _ xs: [Tensor], isTwin: Bool = false) -> Tensor {
    let (bias, c) = (cell == .gru ? xs[3] : nil, cell == .lstm ? xs[3] : nil)
    let result =
      isTwin
      ? recurrentTwin(cell, steps, x: xs[0], weight: xs[1], bias: bias, h: xs[2], c: c)
      : recurrent(cell, steps, x: xs[0], weight: xs[1], bias: bias, h: xs[2], c: c)
    return result.c.map { cat([result.y, $0], dim: 0) } ?? result.y
  }

  @Test("the fused op agrees with its twin in value and gradients", arguments: RecurrentCell.allCases)
  func twin(_ cell: RecurrentCell) {
    // One block and several, of units and of rows; sequences that end early.
    let shapes: [(lengths: [Int], hidden: Int)] = [
      ([1], 1), ([3, 3], 5), ([4, 2, 2, 1], 40), ([2] + [Int](repeating: 1, count: 99), 33), ([Int](repeating: 2, count: 13), 65),
    ]
    for (lengths, hidden) in shapes {
      for dtype in [DType.float32, .float64, .float16, .bfloat16] {
        for isReversed in [false, true] {
          let (sizes, xs) = operands(cell, lengths, hidden: hidden, dtype)
          let steps = RecurrentSteps(sizes: sizes, isReversed: isReversed)
          let ys = [run(cell, steps, xs), run(cell, steps, xs, isTwin: true)]
          let tolerance = dtype == .float64 ? 1e-12 : dtype == .float32 ? 1e-5 : dtype == .float16 ? 8e-3 : 8e-2
          expectClose(ys[0], ys[1], relative: tolerance, absolute: tolerance, "\(cell) \(lengths.count) \(hidden) \(dtype)")
          guard dtype == .float32 || dtype == .float64 else { continue }
          let weights = samples(ys[0].shape, seed: 9).to(dtype)
          let gradients = ys.map { grad(of: ($0 * weights).sum(), withRespectTo: xs) }
          for (i, (fused, plain)) in zip(gradients[0], gradients[1]).enumerated() {
            let comment = "\(cell) \(lengths.count) \(hidden) \(dtype), \(i)"
            expectClose(fused, plain, relative: 10 * tolerance, absolute: 40 * tolerance, comment)
          }
        }
      }
    }
  }

  @Test("gradients, first and second order", arguments: RecurrentCell.allCases)
  func gradients(_ cell: RecurrentCell) throws {
    for isReversed in [false, true] {
      let (sizes, xs) = operands(cell, [3, 1], hidden: 2, .float64)
      let steps = RecurrentSteps(sizes: sizes, isReversed: isReversed)
      try gradientCheck(xs, order: 2) { run(cell, steps, $0) }
    }
  }

  @Test("gradients through layers, projection and packing, first and second order")
  func layerGradients() throws {
    let lstm = LSTM(2, 3, numLayers: 2, bidirectional: true, projSize: 1, dtype: .float64, generator: Generator(seed: 1))
    try gradientCheck([samples([2, 2, 2], seed: 1)], order: 2) { lstm($0[0]).output }
    let gru = GRU(2, 2, bidirectional: true, dtype: .float64, generator: Generator(seed: 2))
    try gradientCheck([samples([3, 2, 2], seed: 1)], order: 2) { x in
      let (y, h) = gru(packPaddedSequence(x[0], lengths: [2, 3], enforceSorted: false))
      return cat([padPackedSequence(y).0.flatten(), h.flatten()])
    }
  }

  @Test("every parameter and the inputs get a finite, non-zero gradient")
  func everyParameter() {
    let options = (generator: Generator(seed: 3), x: samples([4, 2, 3], seed: 1))
    let lstm = LSTM(3, 4, numLayers: 2, bidirectional: true, dtype: .float64, generator: options.generator)
    let projected = LSTM(3, 4, projSize: 2, dtype: .float64, generator: options.generator)
    let gru = GRU(3, 4, numLayers: 2, bidirectional: true, dtype: .float64, generator: options.generator)
    let rnn = RNN(3, 4, nonlinearity: .relu, dtype: .float64, generator: options.generator)
    let runs: [(Module, (Tensor) -> Tensor)] = [
      (lstm, { lstm($0).output }), (projected, { projected($0).output }), (gru, { gru($0).output }), (rnn, { rnn($0).output }),
    ]
    for (module, run) in runs {
      var x = options.x
      x.requiresGrad = true
      let y = run(x)
      (y * samples(y.shape, seed: 2)).sum().backward()
      for gradient in [x.grad] + module.parameters().map(\.grad) {
        #expect(gradient.map { $0.isFinite().all().item() == 1 && $0.abs().sum().item() > 0 } == true, "\(module)")
      }
    }
  }

  @Test("without gradients the numbers are the same")
  func inference() {
    let lstm = LSTM(5, 7, numLayers: 2, generator: Generator(seed: 1))
    let x = samples([3, 4, 5], seed: 1).to(.float32)
    let recorded = lstm(x)
    let plain = noGrad { lstm(x) }
    expectClose(recorded.output.detach(), plain.output, relative: 0)
    expectClose(recorded.state.h.detach(), plain.state.h, relative: 0)
    expectClose(recorded.state.c.detach(), plain.state.c, relative: 0)
    #expect(recorded.output.requiresGrad && !plain.output.requiresGrad)
  }

  @Test("a layer does what its cell does step by step")
  func cells() throws {
    let gru = GRU(3, 4, dtype: .float64, generator: Generator(seed: 1))
    let cell = GRUCell(3, 4, dtype: .float64)
    try cell.loadStateDict(StateDict(gru.stateDict().map { (String($0.name.dropLast(3)), $0.tensor) }))
    let x = samples([5, 2, 3], seed: 1)
    var h: Tensor?
    let outputs = x.unbind().map { row -> Tensor in
      h = cell(row, h)
      return h!
    }
    expectClose(gru(x).output, stack(outputs), relative: 1e-13, absolute: 1e-14)
  }

  @Test("start: evenly over ±1/√hidden, in PyTorch's order")
  func start() {
    let lstm = LSTM(50, 100, generator: Generator(seed: 7))
    #expect(lstm.stateDict().names == ["weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"])
    for cell in lstm.parameters() {
      #expect(cell.value.abs().max().item() <= 0.1 && cell.value.abs().max().item() > 0.099)
    }
    #expect(lstm.getParameter("weight_hh_l0")?.shape == [400, 100])
  }

  @Test("dropout acts between layers, in training only")
  func dropoutBetweenLayers() {
    let x = samples([3, 2, 4], seed: 1).to(.float32)
    let single = GRU(4, 4, dropout: 0.9, generator: Generator(seed: 1))
    expectClose(single(x).output, single.eval()(x).output, relative: 0)
    let double = GRU(4, 4, numLayers: 2, dropout: 0.9, generator: Generator(seed: 1))
    let (a, b) = (double(x).output, double(x).output)
    #expect((a .!= b).any().item() == 1)
    double.eval()
    expectClose(double(x).output, double(x).output, relative: 0)
  }

  @Test("printing and summary")
  func printing() {
    let lstm = LSTM(10, 20, numLayers: 2, batchFirst: true, bidirectional: true, projSize: 5)
    #expect(
      lstm.description == "LSTM(in: 10, hidden: 20, numLayers: 2, batchFirst: true, bidirectional: true, projSize: 5)")
    #expect(GRU(1, 2, bias: false, dropout: 0.5).description == "GRU(in: 1, hidden: 2, bias: false, dropout: 0.5)")
    #expect(RNN(1, 2, nonlinearity: .relu).description == "RNN(in: 1, hidden: 2, nonlinearity: relu)")
    #expect(RNNCell(1, 2, nonlinearity: .relu).description == "RNNCell(in: 1, hidden: 2, nonlinearity: relu)")
    #expect(LSTMCell(1, 2, bias: false).description == "LSTMCell(in: 1, hidden: 2, bias: false)")
    let gru = GRU(10, 20)
    #expect(gru.summary { _ = gru(Tensor.zeros([7, 3, 10])) }.multiplyAdds == 21 * 60 * (10 + 20))
    let cell = GRUCell(10, 20)
    #expect(cell.summary { _ = cell(Tensor.zeros([3, 10])) }.multiplyAdds == 3 * 60 * (10 + 20))
  }

  @Test("hooks see input and states, and can replace the output")
  func hooks() {
    let lstm = LSTM(2, 3)
    var counts: [Int] = []
    lstm.registerForwardHook { _, inputs, outputs in
      counts += [inputs.count, outputs.count]
      return [outputs[0] * 0] + outputs.dropFirst()
    }
    let zeros = Tensor.zeros([1, 1, 3])
    #expect(lstm(Tensor.ones([2, 1, 2]), (h: zeros, c: zeros)).output.abs().sum().item() == 0)
    _ = lstm(packSequence([Tensor.ones([2, 2])]))
    #expect(counts == [3, 3, 1, 3])
  }

  @Test("half types, and autocast")
  func halfTypes() {
    let x = samples([3, 2, 4], seed: 1)
    let lstm = LSTM(4, 5, generator: Generator(seed: 1))
    let expected = lstm(x.to(.float32)).output.detach()
    let low = autocast(to: .bfloat16) { lstm(x.to(.float32)).output }
    #expect(low.dtype == .bfloat16)
    expectClose(low.to(.float32), expected, relative: 5e-2, absolute: 2e-2)
    low.sum().backward()
    #expect(lstm.parameters().allSatisfy { $0.grad?.dtype == .float32 })
    lstm.to(.float16)
    expectClose(lstm(x.to(.float16)).output.to(.float32), expected, relative: 1e-2, absolute: 5e-3)
  }

  @Test("mistakes are named")
  func mistakes() {
    let lstm = LSTM(4, 3, numLayers: 2, batchFirst: true)
    expectMistake("LSTM: input [5] is neither [batch, steps, in] nor [steps, in]") { _ = lstm(Tensor.zeros([5])) }
    expectMistake("GRU: input [5, 4, 1, 1] is neither [steps, batch, in] nor [steps, in]") {
      _ = GRU(1, 1)(Tensor.zeros([5, 4, 1, 1]))
    }
    expectMistake("LSTM: input [2, 5, 3]: the last axis must have 4 features") { _ = lstm(Tensor.zeros([2, 5, 3])) }
    expectMistake("LSTM: input [2, 0, 4] has no steps") { _ = lstm(Tensor.zeros([2, 0, 4])) }
    let (h, c) = (Tensor.zeros([2, 2, 3]), Tensor.zeros([2, 1, 3]))
    expectMistake("LSTM: state c of shape [2, 1, 3] where [2, 2, 3] is needed") { _ = lstm(Tensor.zeros([2, 5, 4]), (h, c)) }
    expectMistake("LSTM: state h of shape [2, 2, 3] where [2, 3] is needed") { _ = lstm(Tensor.zeros([5, 4]), (h, c)) }
    expectMistake("GRU: state h is float64, the input float32") {
      _ = GRU(4, 3)(Tensor.zeros([1, 1, 4]), Tensor.zeros([1, 1, 3], dtype: .float64))
    }
    expectMistake("LSTM: packed data [3, 1] where [3, 4] is needed") {
      _ = lstm(packPaddedSequence(Tensor.zeros([3, 1, 1]), lengths: [3]))
    }
    expectMistake("RNN: 0 inputs, 3 units and 1 layers must all be positive") { _ = RNN(0, 3) }
    expectMistake("LSTM: projSize = 3 is not in 0..<3, the number of units") { _ = LSTM(1, 3, projSize: 3) }
    expectMistake("GRU: dropout = 1.5 is not in 0...1") { _ = GRU(1, 3, dropout: 1.5) }
    expectMistake("GRUCell: input [2, 5] is neither [batch, 4] nor [4]") { _ = GRUCell(4, 3)(Tensor.zeros([2, 5])) }
    expectMistake("LSTMCell: state c of shape [2, 3] where [3] is needed") {
      _ = LSTMCell(4, 3)(Tensor.zeros([4]), (h: Tensor.zeros([3]), c: Tensor.zeros([2, 3])))
    }
    expectMistake("RNNCell: 4 inputs and 0 units must be positive") { _ = RNNCell(4, 0) }
  }
}
