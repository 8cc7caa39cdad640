import ApusCore

/// Runs `body` with the tensors of `state` in the places of the model's parameters and buffers that have their names; afterwards the
/// model is what it was, buffers that changed on the way included.
///
/// Unlike a parameter such a tensor may have a history, so gradients flow on to whatever it was computed from: a step of training can
/// itself be differentiated.
///
/// ```swift
/// let (_, gradients) = valueAndGrad(model, createGraph: true) { mseLoss($0(x), y) }
/// let adapted = StateDict(model.namedParameters().map { ($0.name, $0.cell.value - 0.1 * gradients[$0.name]!) })
/// let loss = functionalCall(model, adapted) { mseLoss($0(x2), y2) }  // its gradient flows through the step
/// ```
///
/// - Parameters:
///   - model: not to be used by anybody else meanwhile.
///   - state: any part of the model's state, by the names of its state dictionary; a name that the model lacks, or another shape, is an
///     error. A parameter with several names is replaced for all of them.
///   - body: what is to be computed with them.
/// - Returns: what `body` returns.
public func functionalCall<M: Module, R>(_ model: M, _ state: StateDict, _ body: (M) throws -> R) rethrows -> R {
  let slots = model.namedSlots()
  // By identity, since tied layers share cells.
  var before: [(slot: any Slot, content: Tensor?)] = []
  defer { for (slot, content) in before.reversed() { slot.place(content) } }
  for (_, slot) in slots where !slot.isParameter { before.append((slot, slot.tensor)) }
  for (name, tensor) in state {
    guard let slot = slots.first(where: { $0.name == name })?.slot,
      check(
        slot.tensor?.shape == tensor.shape, .shape, "functionalCall",
        "\(name) is \(tensor.shape), the model has \(slot.tensor?.shape ?? [])")
    else {
      _ = check(slots.contains { $0.name == name }, .value, "functionalCall", "\(type(of: model)) has no '\(name)'")
      continue
    }
    before.append((slot, slot.tensor))
    slot.place(tensor)
  }
  return try body(model)
}

extension Slot {
  /// Puts a tensor into the slot as it is, leaf or not.
  fileprivate func place(_ tensor: Tensor?) {
    if case .parameter(let cell) = role { cell.content = tensor } else { self.tensor = tensor }
  }
}

/// The value of `loss`, a single number, and its gradient by every parameter that is trained; nobody's `grad` is touched.
///
/// ```swift
/// let (loss, gradients) = valueAndGrad(model) { crossEntropy($0(x), y) }
/// gradients["1.weight"]
/// ```
///
/// - Parameters:
///   - model: whose parameters the loss depends on.
///   - createGraph: record the gradients, so that they can be differentiated again.
///   - loss: model in, tensor of one element out.
/// - Returns: the value, and the gradients by the parameters' names, in their order: zeros where the loss doesn't depend on one. Frozen
///   parameters have none; one with several names stands under the first.
public func valueAndGrad<M: Module>(_ model: M, createGraph: Bool = false, _ loss: (M) -> Tensor) -> (
  value: Tensor, gradients: StateDict
) {
  let parameters = model.namedParameters().filter(\.cell.requiresGrad)
  let value = enableGrad { loss(model) }
  guard value.isValid else { return (.invalid, [:]) }
  let names = parameters.map(\.name)
  guard value.requiresGrad, !parameters.isEmpty else {
    return (value, StateDict(parameters.map { ($0.name, Tensor.zerosLike($0.cell.value.detach())) }))
  }
  let gradients = grad(of: value, withRespectTo: parameters.map(\.cell.value), createGraph: createGraph)
  return (createGraph ? value : value.detach(), StateDict(zip(names, gradients).map { ($0, $1) }))
}
