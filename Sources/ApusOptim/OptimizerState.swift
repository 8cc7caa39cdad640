import ApusCore
import ApusNN

/// What an optimizer saves and loads: tensors and numbers by name, for a checkpoint to store in whatever form it has.
///
/// - tensors: `state.3.exp_avg`, by the parameter's position among all groups;
/// - numbers: `state.3.step`, the groups' options (`groups.0.lr`) and sizes (`groups.0.parameters`).
public struct OptimizerState: Sendable {
  public var tensors: StateDict
  public var numbers: [String: Double]

  public init(tensors: StateDict = [:], numbers: [String: Double] = [:]) {
    self.tensors = tensors
    self.numbers = numbers
  }
}

/// Everything about a saved state that does not fit an optimizer.
public struct OptimizerStateError: Error, Sendable, CustomStringConvertible {
  public enum Problem: Hashable, Sendable {
    case missing(name: String)
    case unexpected(name: String)
    /// The groups differ in size.
    case groupSize(group: Int, expected: Int, found: Double)
    case shape(name: String, expected: Shape, found: Shape)
    case dtype(name: String, found: DType)
    /// A number that makes no sense.
    case value(name: String, found: Double, rule: String)
  }

  /// The optimizer's type.
  public let optimizer: String
  public let problems: [Problem]

  public var description: String {
    (["the saved state does not fit \(optimizer):"] + problems.map { "  " + Self.text($0) }).joined(separator: "\n")
  }

  private static func text(_ problem: Problem) -> String {
    switch problem {
    case .missing(let name): "missing: \(name)"
    case .unexpected(let name): "unexpected: \(name)"
    case .groupSize(let group, let expected, let found): "group \(group) has \(expected) parameters, the state \(found)"
    case .shape(let name, let expected, let found): "shape: \(name) is \(found), the parameter has \(expected)"
    case .dtype(let name, let found): "dtype: \(name) is \(found), not floating-point"
    case .value(let name, let found, let rule): "value: \(name) = \(found) \(rule)"
    }
  }
}

extension Optimizer {
  /// Options and what is remembered of each parameter, as they are now: training on does not change it.
  public final func stateDict() -> OptimizerState {
    var state = OptimizerState()
    var index = 0
    for (g, group) in groups.enumerated() {
      state.numbers["groups.\(g).parameters"] = Double(group.entries.count)
      for (key, value) in group.options { state.numbers["groups.\(g).\(key.name)"] = value }
      for entry in group.entries {
        if entry.state.step > 0 { state.numbers["state.\(index).step"] = Double(entry.state.step) }
        for (name, tensor) in zip(stateNames, entry.state.tensors) { state.tensors["state.\(index).\(name)"] = tensor }
        if let master = entry.state.master { state.tensors["state.\(index).master"] = master.value }
        index += 1
      }
    }
    saveShared(into: &state)
    return state
  }

  /// Goes on where the optimizer that saved `state` stopped: all of it is taken or, where it throws, nothing.
  ///
  /// The parameters are matched by position, so the optimizer must have been made from the same model in the same way. Tensors are
  /// converted to the parameters' dtypes; those of parameters with a float32 copy to float32.
  ///
  /// - Throws: one error that names everything that does not fit.
  public final func loadStateDict(_ state: OptimizerState) throws(OptimizerStateError) {
    var reader = StateReader(state)
    var options: [[Double]] = []
    var states: [[ParameterState]] = []
    for (g, group) in groups.enumerated() {
      let size = reader.number("groups.\(g).parameters")
      if let size, size != Double(group.entries.count) {
        reader.problems.append(.groupSize(group: g, expected: group.entries.count, found: size))
      }
      options.append(group.options.map { reader.option("groups.\(g).\($0.key.name)", $0.key) })
      let first = groups[..<g].reduce(0) { $0 + $1.entries.count }
      states.append(
        group.entries.enumerated().map {
          reader.parameterState(first + $0, $1.cell.shape, group.stateType(of: $1.cell), stateNames)
        })
      for (i, entry) in group.entries.enumerated() where group.hasMaster(entry.cell) {
        let master = reader.tensor("state.\(first + i).master", shape: entry.cell.shape, dtype: .float32)
        states[g][i].master = master.map { MasterWeight(value: $0) }
      }
    }
    let putInForce = readShared(&reader)
    try reader.finish("\(type(of: self))")
    for (g, group) in groups.enumerated() {
      for (option, value) in zip(group.options, options[g]) { group[option.key] = value }
      for i in group.entries.indices { group.entries[i].state = states[g][i] }
    }
    putInForce()
  }
}

/// Takes a saved state apart and remembers what was wrong with it and what was used.
struct StateReader {
  let state: OptimizerState
  var problems: [OptimizerStateError.Problem] = []
  private var used = Set<String>()

  init(_ state: OptimizerState) { self.state = state }

  /// A number that need not be there.
  mutating func take(_ name: String) -> Double? {
    used.insert(name)
    return state.numbers[name]
  }

  mutating func number(_ name: String) -> Double? {
    if let value = take(name) { return value }
    problems.append(.missing(name: name))
    return nil
  }

  /// A whole number, 0 or more.
  mutating func count(_ name: String) -> Int {
    guard let value = number(name) else { return 0 }
    if let count = Int(exactly: value), count >= 0 { return count }
    problems.append(.value(name: name, found: value, rule: "is not a count"))
    return 0
  }

  /// Remembers that a tensor is not there.
  mutating func missing(_ name: String) -> Tensor {
    problems.append(.missing(name: name))
    return .invalid
  }

  mutating func option(_ name: String, _ key: Hyperparameter) -> Double {
    guard let value = number(name) else { return 0 }
    if let rule = key.objection(to: value) { problems.append(.value(name: name, found: value, rule: rule)) }
    return value
  }

  /// A parameter that was never updated has none.
  mutating func parameterState(_ index: Int, _ shape: Shape, _ dtype: DType, _ stateNames: [String]) -> ParameterState {
    var result = ParameterState()
    let stepName = "state.\(index).step"
    if let step = take(stepName) {
      result.step = Int(exactly: step) ?? -1
      if result.step < 0 { problems.append(.value(name: stepName, found: step, rule: "is not a number of steps")) }
    }
    var missing: String?
    for name in stateNames.map({ "state.\(index).\($0)" }) {
      // The tensors are known by their positions: a gap is an error, an end is not (`max_exp_avg_sq` is only there with amsgrad).
      if let missing, state.tensors[name] != nil { problems.append(.missing(name: missing)) }
      if let tensor = tensor(name, shape: shape, dtype: dtype) {
        result.tensors.append(tensor)
      } else {
        missing = missing ?? name
      }
    }
    return result
  }

  /// A tensor of the parameter's shape, in its dtype; nil where there is none of that name.
  mutating func tensor(_ name: String, for cell: ParameterCell) -> Tensor? {
    tensor(name, shape: cell.shape, dtype: cell.dtype)
  }

  /// A tensor of a shape, converted to `dtype`; nil where there is none of that name.
  mutating func tensor(_ name: String, shape: Shape, dtype: DType) -> Tensor? {
    guard let tensor = state.tensors[name] else { return nil }
    used.insert(name)
    if tensor.shape != shape {
      problems.append(.shape(name: name, expected: shape, found: tensor.shape))
    } else if !tensor.dtype.isFloatingPoint {
      problems.append(.dtype(name: name, found: tensor.dtype))
    }
    return tensor.detach().to(dtype).contiguous()
  }

  /// Throws one error with everything that was wrong, or was in the state and not asked for.
  func finish(_ owner: String) throws(OptimizerStateError) {
    let rest = (state.tensors.names + state.numbers.keys.sorted()).filter { !used.contains($0) }
    let all = problems + rest.map { .unexpected(name: $0) }
    if !all.isEmpty { throw OptimizerStateError(optimizer: owner, problems: all) }
  }
}
