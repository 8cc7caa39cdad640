import ApusCore

// From what callers pass to the rows of all steps, and back.

extension RecurrentLayer {
  /// Runs the layers on a tensor of sequences of one length.
  ///
  /// - Returns: outputs and last states, in the caller's layout.
  func run(_ x: Tensor, _ states: [Tensor]) -> [Tensor] {
    hooked([x] + states) { inputs in
      let (x, states) = (inputs[0], Array(inputs.dropFirst()))
      guard inputs.allSatisfy(\.isValid), accepts(x), accepts(states, batch: batch(of: x), isBatched: x.rank == 3, x.dtype) else {
        return [Tensor](repeating: .invalid, count: cell == .lstm ? 3 : 2)
      }
      let isBatched = x.rank == 3
      let steps = !isBatched ? x.unsqueeze(dim: 1) : batchFirst ? x.transpose(0, 1) : x
      let (length, batch) = (steps.shape[0], steps.shape[1])
      let results = run(
        steps.reshape(length * batch, inputSize), [Int](repeating: batch, count: length),
        isBatched ? states : states.map { $0.unsqueeze(dim: 1) })
      let y = results[0].reshape(length, batch, directions * outputSize)
      let last = results.dropFirst()
      if !isBatched { return [y.squeeze(dim: 1)] + last.map { $0.squeeze(dim: 1) } }
      return [batchFirst ? y.transpose(0, 1) : y] + last
    }
  }

  /// Runs the layers on sequences of several lengths. First and last states are in the order of the unpacked sequences.
  func run(_ x: PackedSequence, _ states: [Tensor]) -> (PackedSequence, [Tensor]) {
    let batch = x.batchSizes.first ?? 0
    let results = hooked([x.data] + states) { inputs in
      let (data, states) = (inputs[0], Array(inputs.dropFirst()))
      guard inputs.allSatisfy(\.isValid), acceptsRows(data, of: x), accepts(states, batch: batch, isBatched: true, data.dtype)
      else {
        return [Tensor](repeating: .invalid, count: cell == .lstm ? 3 : 2)
      }
      let results = run(data, x.batchSizes, states.map { $0.sequences(x.sortedIndices) })
      return [results[0]] + results.dropFirst().map { $0.sequences(x.unsortedIndices) }
    }
    return (x.with(results[0]), Array(results.dropFirst()))
  }

  private func batch(of x: Tensor) -> Int { x.rank == 2 ? 1 : x.shape[batchFirst ? 0 : 1] }

  private func accepts(_ x: Tensor) -> Bool {
    let layout = batchFirst ? "[batch, steps, in]" : "[steps, batch, in]"
    return check(x.rank == 2 || x.rank == 3, .shape, kind, "input \(x.shape) is neither \(layout) nor [steps, in]")
      && check(
        x.shape[-1] == inputSize, .shape, kind, "input \(x.shape): the last axis must have \(inputSize) features")
      && check(x.shape[x.rank == 3 && batchFirst ? 1 : 0] > 0, .shape, kind, "input \(x.shape) has no steps")
  }

  private func acceptsRows(_ data: Tensor, of x: PackedSequence) -> Bool {
    check(
      data.rank == 2 && data.shape[1] == inputSize && data.shape[0] == x.batchSizes.reduce(0, +), .shape, kind,
      "packed data \(data.shape) where \([x.batchSizes.reduce(0, +), inputSize]) is needed")
  }

  private func accepts(_ states: [Tensor], batch: Int, isBatched: Bool, _ dtype: DType) -> Bool {
    let sizes = [outputSize, hiddenSize]
    for (i, state) in states.enumerated() {
      let name = cell == .lstm ? ["h", "c"][i] : "h"
      let shape: Shape = isBatched ? [numLayers * directions, batch, sizes[i]] : [numLayers * directions, sizes[i]]
      guard check(state.shape == shape, .shape, kind, "state \(name) of shape \(state.shape) where \(shape) is needed"),
        check(state.dtype == dtype, .dtype, kind, "state \(name) is \(state.dtype), the input \(dtype)")
      else { return false }
    }
    return true
  }
}

extension Tensor {
  /// The sequences of a state `[layers, batch, size]` in another order.
  fileprivate func sequences(_ order: [Int]?) -> Tensor { order.map { indexSelect(dim: 1, index: Tensor($0)) } ?? self }
}
