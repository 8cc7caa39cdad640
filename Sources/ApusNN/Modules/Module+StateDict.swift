import ApusCore

extension Module {
  /// Parameters and persistent buffers under PyTorch's keys.
  ///
  /// The numbers as they are now: tensors are values, so training on does not change what is in the dictionary. (The first step after
  /// this copies each parameter once while the dictionary lives.) A shared parameter stands under each of its names.
  public func stateDict() -> StateDict {
    var state = StateDict()
    guard isComplete(for: "stateDict") else { return state }
    for (name, slot) in savedSlots() {
      guard let tensor = slot.tensor else { continue }
      guard check(state[name] == nil, .value, "stateDict", "two tensors are named '\(name)'") else { return state }
      state[name] = tensor.detach()
    }
    return state
  }

  /// Gives parameters and buffers the numbers of `state`, converted to the dtype that each has: all of them or, where it throws, none.
  ///
  /// Parameters stay the same variables, so optimizers that hold them go on. Layers that have not seen an input take their size from
  /// the saved parameters.
  ///
  /// - Parameter strict: throw as well where a key is missing or there are keys that nobody asked for.
  /// - Returns: the keys that were missing or left over.
  /// - Throws: one error that names every key that does not fit.
  @discardableResult
  public func loadStateDict(_ state: StateDict, strict: Bool = true) throws(StateDictError) -> LoadReport {
    var error = StateDictError(module: "\(type(of: self))")
    let undo = materialize(state, &error)
    let slots = savedSlots().filter { $0.slot.tensor != nil }
    for (name, slot) in slots {
      guard let old = slot.tensor else { continue }
      guard let new = state[name] else {
        error.missing.append(name)
        continue
      }
      if new.shape != old.shape {
        error.misshapen.append((name, expected: old.shape, found: new.shape))
      } else if new.dtype.isFloatingPoint != old.dtype.isFloatingPoint {
        error.mistyped.append((name, expected: old.dtype, found: new.dtype))
      }
    }
    let known = Set(slots.map(\.name))
    error.unexpected = state.names.filter { !known.contains($0) }
    let report = LoadReport(missing: error.missing, unexpected: error.unexpected)
    if !strict { (error.missing, error.unexpected) = ([], []) }
    if !error.isEmpty {
      for step in undo { step() }
      throw error
    }
    for (name, slot) in slots {
      if let tensor = state[name] { slot.load(tensor) }
    }
    return report
  }

  /// Makes the parameters of layers that have not seen an input, for those of `state`.
  ///
  /// - Returns: what takes them away again.
  private func materialize(_ state: StateDict, _ error: inout StateDictError) -> [() -> Void] {
    var undo: [() -> Void] = []
    for (path, module) in namedModules() where module.awaitsInput {
      let prefix = path.isEmpty ? "" : path + "."
      if let step = module.materialize(saved: { state[prefix + $0]?.shape }) {
        undo.append(step)
      } else {
        let empty = Inventory(of: module).slots.filter { $0.slot.tensor == nil && !($0.slot.isOptional) }
        error.missing += empty.map { prefix + $0.name }
      }
    }
    return undo
  }

  private func savedSlots() -> [(name: String, slot: any Slot)] {
    namedSlots().filter { named in
      if case .buffer(isPersistent: false) = named.slot.role { false } else { true }
    }
  }
}

/// What `loadStateDict` did not use, or did not find.
public struct LoadReport: Hashable, Sendable {
  /// Keys of the model that the dictionary lacks.
  public var missing: [String]
  /// Keys of the dictionary that the model lacks.
  public var unexpected: [String]
}

/// Everything about a state dictionary that does not fit a model.
public struct StateDictError: Error, Sendable, CustomStringConvertible {
  /// The model's type.
  public let module: String
  /// Keys of the model that the dictionary lacks.
  public internal(set) var missing: [String] = []
  /// Keys of the dictionary that the model lacks.
  public internal(set) var unexpected: [String] = []
  /// Tensors whose shape differs from the model's.
  public internal(set) var misshapen: [(name: String, expected: Shape, found: Shape)] = []
  /// Floating-point numbers where the model has integers, or the other way round.
  public internal(set) var mistyped: [(name: String, expected: DType, found: DType)] = []

  init(module: String) { self.module = module }

  var isEmpty: Bool { missing.isEmpty && unexpected.isEmpty && misshapen.isEmpty && mistyped.isEmpty }

  public var description: String {
    var lines = ["the state dictionary does not fit \(module):"]
    lines += missing.map { "  missing: \($0)" }
    lines += unexpected.map { "  unexpected: \($0)" }
    lines += misshapen.map { "  shape: \($0.name) is \($0.found), the model has \($0.expected)" }
    lines += mistyped.map { "  dtype: \($0.name) is \($0.found), the model has \($0.expected)" }
    return lines.joined(separator: "\n")
  }
}
