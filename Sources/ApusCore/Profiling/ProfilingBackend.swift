/// A backend that asks another and takes the time: what `Device.backend` is inside `Profiler.record`.
///
/// One method for each of the protocol's, so a new primitive cannot be forgotten here.
package struct ProfilingBackend: Backend {
  let base: any Backend
  let recorder: Recorder

  /// Times `body`. Results that were only noted down (`DeferredOp`) are left to the pass that computes them.
  private func timed(
    _ name: @autoclosure () -> String, _ reads: [TensorData?], flops: Double = 0, _ body: () -> TensorData
  ) -> TensorData {
    timed(name(), reads, flops: flops, results: { [$0] }, body)
  }

  private func timed<R>(
    _ name: @autoclosure () -> String, _ reads: [TensorData?], flops: Double = 0, results: (R) -> [TensorData?], _ body: () -> R
  ) -> R {
    let start = recorder.begin()
    let result = body()
    let written = results(result).compactMap { $0 }
    let isNoted = !written.isEmpty && written.allSatisfy { !$0.storage.isComputed }
    let work = Work(reads: reads.compactMap { $0 }, writes: written, flops: flops)
    recorder.end(start, isNoted ? nil : name(), .op, work)
    return result
  }
}

// MARK: - Element by element

extension ProfilingBackend {
  package func copy(_ x: TensorData, to dtype: DType) -> TensorData { timed("copy", [x]) { base.copy(x, to: dtype) } }

  package func cast(_ x: TensorData, to dtype: DType) -> TensorData { timed("to", [x]) { base.cast(x, to: dtype) } }

  package func copy(_ x: TensorData, into target: TensorData) {
    timed("copy", [x], results: { [target] }) { base.copy(x, into: target) }
  }

  package func unary(_ op: Unary, _ x: TensorData) -> TensorData { timed(op.name, [x]) { base.unary(op, x) } }

  package func binary(_ op: Binary, _ a: TensorData, _ b: TensorData, shape: Dims, into target: TensorData?) -> TensorData {
    timed(op.name, [a, b]) { base.binary(op, a, b, shape: shape, into: target) }
  }

  package func select(_ condition: TensorData, _ a: TensorData, _ b: TensorData, shape: Dims) -> TensorData {
    timed("where", [condition, a, b]) { base.select(condition, a, b, shape: shape) }
  }

  package func random(_ distribution: Distribution, key: UInt64, counter: UInt64, shape: Dims, strides: Dims, dtype: DType)
    -> TensorData
  {
    timed("random", []) { base.random(distribution, key: key, counter: counter, shape: shape, strides: strides, dtype: dtype) }
  }

  package func take(_ steps: [ParameterStep]) {
    let written = steps.flatMap { [$0.parameter] + $0.state }
    timed("optimizer step", written + steps.map(\.gradient), results: { written }) { base.take(steps) }
  }
}

// MARK: - Reductions, scans, indices

extension ProfilingBackend {
  package func reduce(_ op: Reduce, _ x: TensorData, axes: Dims) -> TensorData {
    timed("\(op.name)", [x]) { base.reduce(op, x, axes: axes) }
  }

  package func argReduce(_ op: ArgReduce, _ x: TensorData, axis: Int) -> TensorData {
    timed("\(op)", [x]) { base.argReduce(op, x, axis: axis) }
  }

  package func cumulative(_ op: Cumulative, _ x: TensorData, axis: Int) -> TensorData {
    timed("\(op)", [x]) { base.cumulative(op, x, axis: axis) }
  }

  package func concatenate(_ xs: [TensorData], axis: Int) -> TensorData { timed("cat", xs) { base.concatenate(xs, axis: axis) } }

  package func gather(_ x: TensorData, axis: Int, index: TensorData) -> TensorData {
    timed("gather", [index]) { base.gather(x, axis: axis, index: index) }
  }

  package func scatter(_ x: TensorData, axis: Int, index: TensorData, source: TensorData, combine: Scatter) -> TensorData {
    timed("scatter", [x, index, source]) { base.scatter(x, axis: axis, index: index, source: source, combine: combine) }
  }

  package func indexSelect(_ x: TensorData, axis: Int, index: TensorData) -> TensorData {
    timed("index_select", [index]) { base.indexSelect(x, axis: axis, index: index) }
  }

  package func indexWrite(_ x: TensorData, axis: Int, index: TensorData, source: TensorData, combine: Scatter) -> TensorData {
    timed("index_write", [x, index, source]) { base.indexWrite(x, axis: axis, index: index, source: source, combine: combine) }
  }

  package func argSort(_ x: TensorData, axis: Int, isDescending: Bool) -> TensorData {
    timed("argsort", [x]) { base.argSort(x, axis: axis, isDescending: isDescending) }
  }

  package func sumRows(_ x: TensorData, places: TensorData, count: Int) -> TensorData {
    timed("embedding gradient", [x, places]) { base.sumRows(x, places: places, count: count) }
  }
}

// MARK: - Products

extension ProfilingBackend {
  package func matmul(_ a: TensorData, _ b: TensorData, ending: ProductEnding) -> TensorData {
    let products = Double(a.count) * Double(b.shape.last ?? 1)
    return timed("matmul", [a, b, ending.bias, ending.residual], flops: 2 * products) { base.matmul(a, b, ending: ending) }
  }

  package func factorize(_ x: TensorData, _ kind: Factorization) -> Factorized {
    timed("\(kind.name)", [x], results: { [$0.result] }) { base.factorize(x, kind) }
  }

  package func solveTriangular(_ a: TensorData, _ b: TensorData, isLower: Bool, isUnit: Bool) -> TensorData {
    let products = Double(b.count) * Double(a.shape.last ?? 0) / 2
    return timed("solveTriangular", [a, b], flops: 2 * products) {
      base.solveTriangular(a, b, isLower: isLower, isUnit: isUnit)
    }
  }

  package func convolution(
    _ part: ConvolutionPart, _ a: TensorData, _ b: TensorData, ending: ConvolutionEnding, _ shape: ConvolutionShape
  ) -> TensorData {
    // Each output element meets a kernel, whichever of the three is computed.
    let products = Double(shape.dims(of: .output).product) * Double(shape.dims(of: .weight).dropFirst().reduce(1, *))
    return timed("\(part.gradientName)", [a, b, ending.scale, ending.bias, ending.residual], flops: 2 * products) {
      base.convolution(part, a, b, ending: ending, shape)
    }
  }

  package func sparseProduct(_ map: SparseMap, _ x: TensorData, axis: Int) -> TensorData {
    timed("resample", [x]) { base.sparseProduct(map, x, axis: axis) }
  }

  package func recurrent(_ cell: RecurrentCell, _ steps: RecurrentSteps, _ operands: RecurrentOperands, savesTrace: Bool) -> (
    states: TensorData, trace: RecurrentTrace?
  ) {
    let products = Double(steps.rows) * Double(operands.weight.count)
    return timed(
      cell.layerName, [operands.x, operands.weight, operands.bias, operands.h, operands.c], flops: 2 * products,
      results: { [$0.states, $0.trace?.h, $0.trace?.c, $0.trace?.gates] }
    ) { base.recurrent(cell, steps, operands, savesTrace: savesTrace) }
  }

  package func recurrentGradient(
    _ cell: RecurrentCell, _ steps: RecurrentSteps, _ trace: RecurrentTrace, dy: TensorData, y: TensorData, weight: TensorData
  ) -> (dx: TensorData, ds: TensorData, dh: TensorData, dc: TensorData?) {
    let products = Double(steps.rows) * Double(weight.count)
    return timed(
      "\(cell.layerName) gradient", [dy, y, weight, trace.h, trace.c, trace.gates], flops: 2 * products,
      results: { [$0.dx, $0.ds, $0.dh, $0.dc] }
    ) { base.recurrentGradient(cell, steps, trace, dy: dy, y: y, weight: weight) }
  }
}

extension RecurrentCell {
  fileprivate var layerName: String {
    switch self {
    case .tanh, .relu: "rnn"
    case .lstm, .gru: "\(self)"
    }
  }
}

// MARK: - Softmax, attention

extension ProfilingBackend {
  package func softmax(_ x: TensorData, axis: Int, isLogarithm: Bool) -> TensorData {
    timed(isLogarithm ? "log_softmax" : "softmax", [x]) { base.softmax(x, axis: axis, isLogarithm: isLogarithm) }
  }

  package func crossEntropy(_ x: TensorData, axis: Int, labels: TensorData, smoothing: Double) -> (
    losses: TensorData, statistics: TensorData
  ) {
    timed("cross_entropy", [x, labels], results: { [$0.losses, $0.statistics] }) {
      base.crossEntropy(x, axis: axis, labels: labels, smoothing: smoothing)
    }
  }

  package func crossEntropyGradient(
    _ x: TensorData, axis: Int, labels: TensorData, smoothing: Double, statistics: TensorData, dy: TensorData
  ) -> TensorData {
    timed("cross_entropy gradient", [x, labels, statistics, dy]) {
      base.crossEntropyGradient(x, axis: axis, labels: labels, smoothing: smoothing, statistics: statistics, dy: dy)
    }
  }

  package func attention(_ x: AttentionOperands, keepsLogSum: Bool) -> (output: TensorData, logSum: TensorData) {
    let flops = x.scores * Double(x.features + x.valueFeatures)
    return timed("attention", x.tensors, flops: 2 * flops, results: { [$0.output, $0.logSum] }) {
      base.attention(x, keepsLogSum: keepsLogSum)
    }
  }

  package func attentionGradients(
    _ x: AttentionOperands, output: TensorData, logSum: TensorData, gradient: TensorData, into gradients: [TensorData]
  ) {
    let flops = x.scores * Double(3 * x.features + 2 * x.valueFeatures)
    timed("attention gradient", x.tensors + [output, logSum, gradient], flops: 2 * flops, results: { gradients }) {
      base.attentionGradients(x, output: output, logSum: logSum, gradient: gradient, into: gradients)
    }
  }
}

extension AttentionOperands {
  fileprivate var tensors: [TensorData?] { [query, key, value, mask] }
  /// How many pairs of a query and a key meet.
  fileprivate var scores: Double { Double(batch.product) * Double(queries) * Double(keys) * (isCausal ? 0.5 : 1) }
}

// MARK: - Pooling

extension ProfilingBackend {
  package func maxPool(_ x: TensorData, _ window: PoolWindow, wantsIndices: Bool) -> (output: TensorData, indices: TensorData?) {
    timed("max_pool", [x], results: { [$0.output, $0.indices] }) { base.maxPool(x, window, wantsIndices: wantsIndices) }
  }

  package func maxPoolBackward(_ dy: TensorData, _ indices: TensorData, _ window: PoolWindow) -> TensorData {
    timed("max_pool gradient", [dy, indices]) { base.maxPoolBackward(dy, indices, window) }
  }

  package func avgPool(_ x: TensorData, _ window: PoolWindow) -> TensorData { timed("avg_pool", [x]) { base.avgPool(x, window) } }

  package func avgPoolBackward(_ dy: TensorData, _ window: PoolWindow) -> TensorData {
    timed("avg_pool gradient", [dy]) { base.avgPoolBackward(dy, window) }
  }
}

// MARK: - Normalization

extension ProfilingBackend {
  package func normalizeRows(_ x: TensorData, weight: TensorData, bias: TensorData, eps: Double, isCentered: Bool)
    -> NormalizedData
  {
    timed(isCentered ? "layer_norm" : "rms_norm", [x, weight, bias], results: { [$0.output] }) {
      base.normalizeRows(x, weight: weight, bias: bias, eps: eps, isCentered: isCentered)
    }
  }

  package func normalizeRowsGradient(
    _ dy: TensorData, _ x: TensorData, _ saved: NormalizedData, weight: TensorData, eps: Double, isCentered: Bool
  ) -> NormalizationGradient {
    timed("\(isCentered ? "layer_norm" : "rms_norm") gradient", [dy, x, weight], results: { [$0.input, $0.weight, $0.bias] }) {
      base.normalizeRowsGradient(dy, x, saved, weight: weight, eps: eps, isCentered: isCentered)
    }
  }

  package func normalizeChannels(
    _ x: TensorData, groups: StatisticsGroups, weight: TensorData, bias: TensorData, eps: Double
  ) -> NormalizedData {
    timed("channel_norm", [x, weight, bias], results: { [$0.output] }) {
      base.normalizeChannels(x, groups: groups, weight: weight, bias: bias, eps: eps)
    }
  }

  package func normalizeChannelsGradient(
    _ dy: TensorData, _ x: TensorData, _ saved: NormalizedData, groups: StatisticsGroups, weight: TensorData, eps: Double
  ) -> NormalizationGradient {
    timed("channel_norm gradient", [dy, x, weight], results: { [$0.input, $0.weight, $0.bias] }) {
      base.normalizeChannelsGradient(dy, x, saved, groups: groups, weight: weight, eps: eps)
    }
  }

  package func scaleChannels(_ x: TensorData, mean: TensorData, scale: TensorData, shift: TensorData) -> TensorData {
    timed("scale_channels", [x, mean, scale, shift]) { base.scaleChannels(x, mean: mean, scale: scale, shift: shift) }
  }
}

// MARK: - Deferred passes

extension Profiler {
  /// Times a pass over deferred ops under the names of its ops: `mul+add+tanh`.
  @inline(__always)
  static func pass(_ ops: [DeferredOp], writes outputs: [Storage?], _ run: () -> Void) {
    guard let recorder = current else { return run() }
    let start = recorder.begin()
    let work = passWork(ops, outputs)
    run()
    recorder.end(start, passName(ops), .op, work)
  }

  private static func passWork(_ ops: [DeferredOp], _ outputs: [Storage?]) -> Work {
    var operands: [TensorData] = []
    for op in ops {
      for case .ready(let x) in op.operands where !operands.contains(where: { $0 === x }) { operands.append(x) }
    }
    var work = Work(reads: operands)
    work.bytes += outputs.reduce(0) { $0 + ($1?.byteCount ?? 0) }
    return work
  }

  private static func passName(_ ops: [DeferredOp]) -> String {
    var names: [String] = []
    for op in ops where names.last != op.kind.name { names.append(op.kind.name) }
    let shown = names.prefix(4).joined(separator: "+")
    return names.count > 4 ? "\(shown)+… (\(ops.count) ops)" : shown
  }
}
