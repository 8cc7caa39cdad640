import ApusCore
import ApusNN
import ApusOptim
import CApusPython

/// One of the library's optimizers with the variables of Python's parameters. The options of its groups stay on Python's side, which hands their
/// values over with every step.
final class BoundOptimizer {
  let optimizer: Optimizer
  /// In the order of the values.
  let keys: [Hyperparameter]
  private var values: [Double] = []

  init?(_ kind: String, _ groups: [ParameterGroup]) {
    guard let make = Self.kinds[kind] else { return nil }
    optimizer = make(groups)
    keys = optimizer.groups.first?.options.map(\.key) ?? []
  }

  private static let kinds: [String: @Sendable ([ParameterGroup]) -> Optimizer] = [
    "SGD": { SGD($0) }, "Adam": { Adam($0) }, "Adam decoupled": { Adam($0, decoupledWeightDecay: true) }, "AdamW": { AdamW($0) },
    "RMSprop": { RMSprop($0) }, "Adagrad": { Adagrad($0) }, "Adadelta": { Adadelta($0) }, "Adamax": { Adamax($0) },
    "NAdam": { NAdam($0) }, "RAdam": { RAdam($0) }, "Lion": { Lion($0) }, "LAMB": { LAMB($0) }, "Muon": { Muon($0) },
    "LBFGS": { LBFGS($0) },
  ]

  /// Puts the groups' options in force: all values of the first group, then those of the second, and so on.
  func take(_ new: UnsafeBufferPointer<Double>) {
    if values.elementsEqual(new) { return }
    for (i, value) in new.enumerated() {
      let (group, key) = (i / keys.count, keys[i % keys.count])
      if values.isEmpty || values[i] != value { optimizer.groups[group][key] = value }
    }
    values = Array(new)
  }
}

private func bound(_ handle: UnsafeMutableRawPointer) -> BoundOptimizer {
  Unmanaged<BoundOptimizer>.fromOpaque(handle).takeUnretainedValue()
}

/// An optimizer for groups of variables, one group after the other, `sizes` saying how many belong to each. May fail.
@c(apus_optimizer_make)
public func apusOptimizerMake(
  _ kind: UnsafePointer<CChar>, _ cells: UnsafePointer<UnsafeMutableRawPointer>, _ sizes: UnsafePointer<Int32>,
  _ groupCount: Int32,
  _ error: UnsafeMutablePointer<apus_error>
) -> UnsafeMutableRawPointer? {
  let kind = String(cString: kind)
  let made = attempt(0, error) { () -> BoundOptimizer in
    var first = 0
    let groups = (0..<Int(groupCount)).map { g in
      defer { first += Int(sizes[g]) }
      return ParameterGroup((0..<Int(sizes[g])).map { cell(cells[first + $0]) })
    }
    guard let made = BoundOptimizer(kind, groups) else { throw ArgumentError(.value, "there is no optimizer '\(kind)'") }
    return made
  }
  return made.map { Unmanaged.passRetained($0).toOpaque() }
}

@c(apus_optimizer_release)
public func apusOptimizerRelease(_ handle: UnsafeMutableRawPointer) { Unmanaged<BoundOptimizer>.fromOpaque(handle).release() }

/// The names of the options, between commas, in the order of their values; for `apus_free`.
@c(apus_optimizer_options)
public func apusOptimizerOptions(_ handle: UnsafeMutableRawPointer) -> UnsafeMutablePointer<CChar>? {
  strdup(bound(handle).keys.map(\.name).joined(separator: ","))
}

/// Takes a step with every variable that has a gradient. May fail.
@c(apus_optimizer_step)
public func apusOptimizerStep(
  _ handle: UnsafeMutableRawPointer, _ values: UnsafePointer<Double>, _ count: Int32, _ error: UnsafeMutablePointer<apus_error>
) -> Bool {
  attempt(0, error) { () -> Void in
    let bound = bound(handle)
    bound.take(UnsafeBufferPointer(start: values, count: Int(count)))
    bound.optimizer.step()
  } != nil
}

/// The same for optimizers that ask for the loss more than once: `object` (taken over) is called without tensors and returns it. May fail.
@c(apus_optimizer_step_with)
public func apusOptimizerStepWith(
  _ handle: UnsafeMutableRawPointer, _ values: UnsafePointer<Double>, _ count: Int32, _ object: UnsafeMutableRawPointer,
  _ error: UnsafeMutablePointer<apus_error>
) -> UnsafeMutableRawPointer? {
  let closure = PythonCallable(object)
  return attemptTensor(Int32(APUS_MODE_GRAD.rawValue), error) {
    let bound = bound(handle)
    bound.take(UnsafeBufferPointer(start: values, count: Int(count)))
    return bound.optimizer.step {
      guard let result = closure([], capacity: 1), let loss = result.first, let loss else {
        failInPython("closure")
        return .invalid
      }
      return loss
    }
  }
}

/// What is remembered: tensors, and, a line for each, their names and then the numbers as `name=value`. The text is for `apus_free`. May fail.
@c(apus_optimizer_state)
public func apusOptimizerState(
  _ handle: UnsafeMutableRawPointer, _ tensors: UnsafeMutablePointer<apus_value>, _ error: UnsafeMutablePointer<apus_error>
) -> UnsafeMutablePointer<CChar>? {
  guard let state = attempt(0, error, { bound(handle).optimizer.stateDict() }) else { return nil }
  let entries = state.tensors.map { $0 }
  Returned.tensors(entries.map(\.tensor)).store(tensors, error)
  let numbers = state.numbers.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
  return strdup((entries.map(\.name) + numbers).joined(separator: "\n"))
}

/// Takes what `apus_optimizer_state` gave; all of it or, after a failure, nothing.
@c(apus_optimizer_set_state)
public func apusOptimizerSetState(
  _ handle: UnsafeMutableRawPointer, _ tensors: UnsafePointer<UnsafeMutableRawPointer>, _ count: Int32,
  _ text: UnsafePointer<CChar>, _ values: UnsafePointer<Double>, _ valueCount: Int32, _ error: UnsafeMutablePointer<apus_error>
) -> Bool {
  attempt(0, error) { () -> Void in
    let bound = bound(handle)
    bound.take(UnsafeBufferPointer(start: values, count: Int(valueCount)))
    var state = OptimizerState()
    for (i, line) in String(cString: text).split(separator: "\n").enumerated() {
      if i < Int(count) {
        state.tensors[String(line)] = tensor(tensors[i])
        continue
      }
      let parts = line.split(separator: "=", maxSplits: 1)
      guard parts.count == 2, let number = Double(parts[1]) else {
        throw ArgumentError(.value, "optimizer: '\(line)' is no number with a name")
      }
      state.numbers[String(parts[0])] = number
    }
    try bound.optimizer.loadStateDict(state)
  } != nil
}
