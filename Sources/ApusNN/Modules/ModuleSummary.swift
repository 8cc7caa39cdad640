import ApusCore

/// What each module of a model gives and costs, for inputs of one shape: made by `summary`, printed as a table.
///
/// ```
/// layer             output     parameters  multiply-adds
/// ------------------------------------------------------
/// Sequential        [1, 10]
///   (0): Flatten    [1, 784]
///   (1): Linear     [1, 128]      100,480        100,352
///   …
/// ```
public struct ModuleSummary: Sendable {
  /// One module.
  public struct Row: Sendable {
    /// Where the module is, as in `namedModules`.
    public let path: String
    /// How its parent calls it.
    public let name: String
    /// Number of modules around it.
    public let depth: Int
    /// Its type.
    public let kind: String
    /// The shapes that it gave the last time that it was called; nil where it wasn't, or doesn't go through `hooked`.
    public let outputs: [Shape]?
    /// Its own parameters, without those of modules in it.
    public let parameterCount: Int
    /// What its calls cost, without those of modules in it.
    public let multiplyAdds: Int
    /// Whether the same module is in a row above, where its parameters are counted.
    public let isRepeated: Bool
  }

  /// One for each place of a module, parents before their children.
  public let rows: [Row]
  /// All parameters; shared ones once.
  public let parameterCount: Int
  /// Those that `backward` leaves a gradient for.
  public let trainedParameterCount: Int
  /// The sum over all calls of all modules.
  public let multiplyAdds: Int
  /// Bytes of the parameters and buffers.
  public let parameterBytes: Int
  /// Bytes of the outputs of all modules that have no children: about what a training step keeps for its gradients.
  public let activationBytes: Int
}

extension ModuleSummary: CustomStringConvertible {
  /// The table.
  public var description: String {
    let cells = [["layer", "output", "parameters", "multiply-adds"]] + rows.map(\.cells)
    let widths = (0..<4).map { column in cells.map { $0[column].count }.max() ?? 0 }
    let lines = cells.map { row in
      let text = padded(row[0], to: widths[0] + 2) + padded(row[1], to: widths[1])
      let numbers = (2..<4).map { String(repeating: " ", count: widths[$0] - row[$0].count + 2) + row[$0] }
      return String((text + numbers.joined()).reversed().drop { $0 == " " }.reversed())
    }
    let rule = String(repeating: "-", count: widths.reduce(6, +))
    return ([lines[0], rule] + lines.dropFirst() + [rule] + totals).joined(separator: "\n")
  }

  private var totals: [String] {
    let frozen = parameterCount - trainedParameterCount
    return [
      "parameters     \(grouped(parameterCount))"
        + (frozen > 0 ? " (\(grouped(trainedParameterCount)) trained, \(grouped(frozen)) frozen)" : ""),
      "multiply-adds  \(grouped(multiplyAdds))",
      "memory         \(megabytes(parameterBytes)) parameters and buffers, \(megabytes(activationBytes)) activations",
    ]
  }

  private func megabytes(_ bytes: Int) -> String {
    let tenths = (bytes * 10 + 500_000) / 1_000_000
    return bytes < 100_000 ? "\(grouped(bytes)) bytes" : "\(grouped(tenths / 10)).\(tenths % 10) MB"
  }
}

extension ModuleSummary.Row {
  fileprivate var cells: [String] {
    let label = name.isEmpty ? "" : String(repeating: "  ", count: depth) + "(\(name)): "
    return [
      label + kind, outputs.map { $0.map(\.description).joined(separator: ", ") } ?? "",
      isRepeated ? "(as above)" : parameterCount > 0 ? grouped(parameterCount) : "",
      multiplyAdds > 0 && !isRepeated ? grouped(multiplyAdds) : "",
    ]
  }
}

// MARK: - Making one

extension Layer {
  /// Runs the model on zeros of a shape and tells of every module what it gave and cost.
  ///
  /// The run is one of evaluation without gradients; modes, buffers and the default generator are as before when it ends. (Layers whose
  /// input size was left open take it from this input.)
  ///
  /// - Parameters:
  ///   - input: the input's shape, with the batch axis.
  ///   - dtype: the input's; `.int64` for models that begin with an embedding.
  /// - Complexity: a forward pass.
  public func summary(input: Shape, dtype: DType = .float32) -> ModuleSummary { summary(Tensor.zeros(input, dtype: dtype)) }

  /// Runs the model on `x` and tells of every module what it gave and cost: see `summary(input:dtype:)`.
  public func summary(_ x: Tensor) -> ModuleSummary { summary { _ = self(x) } }
}

extension Module {
  /// Tells of every module what it gives and costs when `run` runs, for models that take something else than one tensor.
  ///
  /// ```swift
  /// print(model.summary { _ = model(source, target) })
  /// ```
  public func summary(_ run: () -> Void) -> ModuleSummary {
    let calls = CallLog(of: self)
    undisturbed { noGrad(run) }
    calls.stop()
    return ModuleSummary(of: self, calls)
  }

  /// Runs `body` in evaluation mode and puts modes, buffers and the default generator back.
  private func undisturbed(_ body: () -> Void) {
    let modes = modules().map { ($0, $0.isTraining) }
    let buffers = namedSlots().map(\.slot).filter { !$0.isParameter }.map { ($0, $0.tensor) }
    let state = Generator.default.state
    eval()
    body()
    for (module, isTraining) in modes { module.isTraining = isTraining }
    for (slot, tensor) in buffers where tensor != nil { slot.tensor = tensor }
    Generator.default.state = state
  }
}

/// Hears of every call of the modules of a model.
private final class CallLog {
  struct Calls {
    var outputs: [Shape] = []
    var multiplyAdds = 0
    var bytes = 0
  }
  private(set) var calls: [ObjectIdentifier: Calls] = [:]
  private var hooks: [ModuleHook] = []

  init(of model: Module) {
    for module in model.modules() {
      hooks.append(
        module.registerForwardHook { [unowned self] module, inputs, outputs in
          record(module, inputs, outputs)
          return nil
        })
    }
  }

  private func record(_ module: Module, _ inputs: [Tensor], _ outputs: [Tensor]) {
    let shapes = outputs.map(\.shape)
    var entry = calls[ObjectIdentifier(module)] ?? Calls()
    entry.outputs = shapes
    entry.multiplyAdds += module.multiplyAdds(inputs: inputs.map(\.shape), outputs: shapes)
    if module.children.isEmpty { entry.bytes += outputs.reduce(0) { $0 + $1.data.byteCount } }
    calls[ObjectIdentifier(module)] = entry
  }

  func stop() { for hook in hooks { hook.remove() } }
}

extension ModuleSummary {
  fileprivate init(of model: Module, _ log: CallLog) {
    var rows: [Row] = []
    var seen = Set<ObjectIdentifier>()
    var ancestors: [String] = []
    model.walk { path, module, inventory in
      while let parent = ancestors.last, !parent.isEmpty, !path.hasPrefix(parent + ".") { ancestors.removeLast() }
      let name = ancestors.last.map { $0.isEmpty ? path : String(path.dropFirst($0.count + 1)) } ?? ""
      let id = ObjectIdentifier(module)
      let own = inventory.slots.reduce(0) { sum, named in
        if case .parameter(let cell) = named.slot.role { sum + cell.count } else { sum }
      }
      rows.append(
        Row(
          path: path, name: name, depth: ancestors.count, kind: module.kind, outputs: log.calls[id]?.outputs, parameterCount: own,
          multiplyAdds: log.calls[id]?.multiplyAdds ?? 0, isRepeated: !seen.insert(id).inserted))
      ancestors.append(path)
    }
    let cells = model.namedParametersSoFar().map(\.cell)
    let buffers = model.namedSlots().filter { !$0.slot.isParameter }.compactMap(\.slot.tensor)
    self.rows = rows
    parameterCount = cells.reduce(0) { $0 + $1.count }
    trainedParameterCount = cells.reduce(0) { $0 + ($1.requiresGrad ? $1.count : 0) }
    multiplyAdds = log.calls.values.reduce(0) { $0 + $1.multiplyAdds }
    parameterBytes = (cells.compactMap(\.content) + buffers).reduce(0) { $0 + $1.data.byteCount }
    activationBytes = log.calls.values.reduce(0) { $0 + $1.bytes }
  }
}
