// One direction of one layer of a recurrent network over all its steps, as one op: its gradient passes through the steps in a loop over
// memory, not through a graph of some ten ops per step, and that of the weight is one product for all steps.

/// A recurrent layer's outputs at every step, and its last cell state.
///
/// - Parameters:
///   - cell: what happens at a step.
///   - steps: which rows belong to which step.
///   - x: `[rows, gates · hidden]`: what the inputs give, biases included.
///   - weight: `[gates · hidden, hidden]`: what the state is multiplied by.
///   - bias: `[hidden]`, of the third gate of `.gru`.
///   - h: `[batch, hidden]`: the state to start from.
///   - c: `[batch, hidden]`: the cell state to start from, for `.lstm`.
/// - Returns: `[rows, hidden]`, and for `.lstm` `[batch, hidden]`. Shapes and dtypes (one for all) are the caller's to check. Half types
///   are computed in float32.
/// - Complexity: O(rows · gates · hidden²). Keeps six numbers for each output of `.lstm`, five of `.gru`, one of the others.
package func recurrent(
  _ cell: RecurrentCell, _ steps: RecurrentSteps, x: Tensor, weight: Tensor, bias: Tensor? = nil, h: Tensor, c: Tensor? = nil
) -> (y: Tensor, c: Tensor?) {
  let inputs = [x, weight, h] + [c, bias].compactMap { $0 }
  guard inputs.allSatisfy(\.isValid) else { return (.invalid, c.map { _ in .invalid }) }
  if x.dtype == .float16 || x.dtype == .bfloat16 {
    let (y, cell) = recurrent(
      cell, steps, x: x.to(.float32), weight: weight.to(.float32), bias: bias?.to(.float32), h: h.to(.float32), c: c?.to(.float32)
    )
    return (y.to(x.dtype), cell?.to(x.dtype))
  }
  if x.count == 0 { return recurrentTwin(cell, steps, x: x, weight: weight, bias: bias, h: h, c: c) }
  let savesTrace = isGradEnabled && inputs.contains(where: \.requiresGrad)
  let operands = RecurrentOperands(
    x: x.data.contiguous(), weight: weight.data.contiguous(), bias: bias?.data.contiguous(), h: h.data.contiguous(),
    c: c?.data.contiguous())
  let (states, trace) = x.device.backend.recurrent(cell, steps, operands, savesTrace: savesTrace)
  let y = recorded(
    states, .named("recurrent"),
    .fromBoth { dy, y, inputs in
      isGradEnabled
        ? differentiableGradient(cell, steps, hasBias: bias != nil, dy, inputs)
        : gradient(cell, steps, trace, hasBias: bias != nil, dy, y, inputs)
    }, inputs)
  guard c != nil else { return (y, nil) }
  return (y.narrow(dim: 0, start: 0, count: steps.rows), y.narrow(dim: 0, start: steps.rows, count: steps.batch))
}

/// The readable twin of `recurrent`, of ordinary ops.
///
/// - Parameter projection: `[out, hidden]`, which makes the state (of size out then) of an LSTM's h.
package func recurrentTwin(
  _ cell: RecurrentCell, _ steps: RecurrentSteps, x: Tensor, weight: Tensor, bias: Tensor? = nil, projection: Tensor? = nil,
  h: Tensor, c: Tensor? = nil
) -> (y: Tensor, c: Tensor?) {
  var (h, c, outputs) = (h, c, [Tensor]())
  let transposed = weight.T
  for (count, first) in steps.order {
    let now = { (state: Tensor) in state.narrow(dim: 0, start: 0, count: count) }
    let rest = { (state: Tensor) in state.narrow(dim: 0, start: count, count: steps.batch - count) }
    let old = now(h)
    var (new, cell) = cell.step(
      x.narrow(dim: 0, start: first, count: count), old.matmul(transposed), bias, old, c.map(now))
    if let projection { new = new.matmul(projection.T) }
    outputs.append(new)
    h = count == steps.batch ? new : cat([new, rest(h)], dim: 0)
    if let cell { c = count == steps.batch ? cell : cat([cell, rest(c!)], dim: 0) }
  }
  if steps.isReversed { outputs.reverse() }
  let width = projection?.shape[0] ?? weight.shape[1]
  return (outputs.isEmpty ? Tensor.zeros([0, width], dtype: x.dtype) : cat(outputs, dim: 0), c)
}

/// What the backward pass needs beside inputs and output.
package struct RecurrentTrace: Sendable {
  /// Each row's state before its step, `[rows, hidden]`.
  package let h: TensorData
  /// The same of the cell state.
  package let c: TensorData?
  /// `[rows, 4, hidden]`: the gates as they were.
  package let gates: TensorData?
}

/// The operands of `recurrent` without history, row-major.
package struct RecurrentOperands {
  package let x, weight: TensorData
  package let bias: TensorData?
  package let h: TensorData
  package let c: TensorData?
}

private func gradient(
  _ cell: RecurrentCell, _ steps: RecurrentSteps, _ trace: RecurrentTrace?, hasBias: Bool, _ dy: Tensor, _ y: Tensor,
  _ inputs: Inputs
) -> [Tensor?] {
  guard let trace else { return [Tensor?](repeating: nil, count: inputs.count) }
  let (dx, ds, dh, dc) = dy.device.backend.recurrentGradient(
    cell, steps, trace, dy: dy.data.contiguous(), y: y.data, weight: inputs[1].data.contiguous())
  let sums = Tensor(ds)
  let dWeight = inputs.needs(1) ? sums.T.matmul(Tensor(trace.h)) : nil
  let width = inputs[1].data.shape[1]
  let dBias = hasBias ? sums.narrow(dim: 1, start: 2 * width, count: width) : nil
  return [Tensor(dx), dWeight, Tensor(dh)] + (dc.map { [Tensor($0)] } ?? []) + (dBias.map { [$0] } ?? [])
}

/// The gradient by way of the twin, which can be differentiated again.
private func differentiableGradient(
  _ cell: RecurrentCell, _ steps: RecurrentSteps, hasBias: Bool, _ dy: Tensor, _ inputs: Inputs
) -> [Tensor?] {
  // Nodes of our own, so that the walk to them ends there and nobody's hooks hear of it.
  let xs = (0..<inputs.count).map { i in recorded(inputs[i].data, .named("recurrent"), .linear { [$0] }, inputs[i]) }
  let hasCell = cell == .lstm
  let (y, c) = recurrentTwin(
    cell, steps, x: xs[0], weight: xs[1], bias: hasBias ? xs.last : nil, h: xs[2], c: hasCell ? xs[3] : nil)
  let wanted = xs.indices.filter { inputs.needs($0) }
  let gradients = grad(
    of: c.map { cat([y, $0], dim: 0) } ?? y, withRespectTo: wanted.map { xs[$0] }, gradient: dy, createGraph: true)
  var result = [Tensor?](repeating: nil, count: xs.count)
  for (i, gradient) in zip(wanted, gradients) { result[i] = gradient }
  return result
}
