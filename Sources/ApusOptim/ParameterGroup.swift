import ApusCore
import ApusNN

/// Parameters that an optimizer treats alike, with the options that differ from the optimizer's.
///
/// ```swift
/// let optimizer = SGD(
///   [ParameterGroup(backbone.parameters(), [.lr: 1e-3]), ParameterGroup(head.parameters(), [.weightDecay: 0])],
///   lr: 0.1, momentum: 0.9)
/// optimizer.groups[0].lr = 1e-4
/// ```
public final class ParameterGroup {
  /// The options with their values: given ones first; inside an optimizer all that it takes. Few, so they are searched one by one.
  package private(set) var options: [(key: Hyperparameter, value: Double)]
  /// The parameters with what the optimizer remembers of each.
  var entries: [Entry]
  /// See `Optimizer.keepsMasterWeights`.
  var keepsMasterWeights = false

  struct Entry {
    let cell: ParameterCell
    var state = ParameterState()
  }

  public init(_ parameters: [ParameterCell], _ options: [Hyperparameter: Double] = [:]) {
    entries = parameters.map { Entry(cell: $0) }
    self.options = options.map { ($0.key, $0.value) }.sorted { $0.key.name < $1.key.name }
  }

  public var parameters: [ParameterCell] { entries.map(\.cell) }

  /// The step size: what schedules change.
  public var lr: Double {
    get { self[.lr] }
    set { self[.lr] = newValue }
  }

  /// The value of an option. One that the optimizer doesn't take, or a value that makes no sense for it, is an error.
  public subscript(key: Hyperparameter) -> Double {
    get {
      for option in options where option.key === key { return option.value }
      fail(unknown(key))
      return 0
    }
    set {
      if let objection = key.objection(to: newValue) {
        fail(TensorError(.value, "ParameterGroup", "\(key.name) = \(newValue) \(objection)"))
        return
      }
      guard let i = options.firstIndex(where: { $0.key === key }) else {
        fail(unknown(key))
        return
      }
      options[i].value = newValue
    }
  }

  /// Whether a flag is set.
  public func isSet(_ key: Hyperparameter) -> Bool { self[key] != 0 }

  private func unknown(_ key: Hyperparameter) -> TensorError {
    let names = options.map(\.key.name).joined(separator: ", ")
    return TensorError(.value, "ParameterGroup", "there is no option '\(key.name)'; there are: \(names)")
  }

  /// A group of its own for an optimizer: every option that it takes, with the given value or the default.
  func completed(by defaults: [(key: Hyperparameter, value: Double)], _ optimizer: String) -> ParameterGroup {
    let group = ParameterGroup(parameters)
    group.options = defaults.map { option in (option.key, options.first { $0.key === option.key }?.value ?? option.value) }
    for (key, value) in options where !defaults.contains(where: { $0.key === key }) {
      let names = defaults.map(\.key.name).joined(separator: ", ")
      fail(TensorError(.value, optimizer, "takes no option '\(key.name)' (given \(value)); it takes: \(names)"))
    }
    for (key, value) in group.options {
      if let objection = key.objection(to: value) {
        fail(TensorError(.value, optimizer, "\(key.name) = \(value) \(objection)"))
      }
    }
    return group
  }
}

/// What an optimizer remembers of one parameter.
public struct ParameterState {
  /// Steps taken so far.
  public var step = 0
  /// Tensors such as the momentum buffer, in the order of the optimizer's `stateNames`; none before they are needed.
  public var tensors: [Tensor] = []
  /// The float32 copy of a parameter in a half type, where the optimizer keeps one.
  var master: MasterWeight?

  public init() {}
}

extension ParameterGroup {
  /// Calls `body` with every parameter that has a gradient, to be changed in place, and what the optimizer remembers of it.
  ///
  /// Inside `noGrad` where `body` uses tensor ops.
  @inline(__always)
  public func updateEach(_ body: (_ p: inout Tensor, _ gradient: Tensor, _ state: inout ParameterState) -> Void) {
    for i in entries.indices {
      guard let gradient = entries[i].cell.grad, gradient.isValid else { continue }
      if keepsMasterWeights, hasMaster(entries[i].cell) {
        updateMaster(i, gradient, body)
        continue
      }
      entries[i].cell.change { p in body(&p, gradient, &entries[i].state) }
    }
  }

  /// The same for `body` that notes steps down, which are then taken together.
  @inline(__always)
  func updateTogether(
    _ body: (_ p: inout Tensor, _ gradient: Tensor, _ state: inout ParameterState, _ steps: inout ParameterSteps) -> Void
  ) {
    var steps = ParameterSteps(entries.count)
    updateEach { p, gradient, state in
      body(&p, gradient, &state, &steps)
      // A copy in float32 is rounded at once.
      if keepsMasterWeights { steps.take() }
    }
    steps.take()
  }
}

// MARK: - What the formulas share

extension ParameterState {
  /// Zeros for the tensors that are not there yet; drops those that an option changed meanwhile makes needless.
  @inline(__always)
  mutating func prepare(_ count: Int, for p: Tensor) {
    while tensors.count < count { tensors.append(Tensor.zeros(p.shape, dtype: p.dtype)) }
    if tensors.count > count { tensors.removeLast(tensors.count - count) }
  }

  /// Adam's running means of the gradient and its square, m and v: the first two tensors.
  mutating func moments(_ g: Tensor, _ beta1: Double, _ beta2: Double) -> (m: Tensor, v: Tensor) {
    // Doubles: a difference of literals next to tensors would be made a tensor for each.
    let (fresh1, fresh2): (Double, Double) = (1 - beta1, 1 - beta2)
    tensors[0] = tensors[0] + fresh1 * (g - tensors[0])
    tensors[1] = beta2 * tensors[1] + fresh2 * g.square()
    return (tensors[0], tensors[1])
  }
}

extension ParameterGroup {
  /// The gradient to follow: turned around with `maximize`.
  func ascent(_ gradient: Tensor) -> Tensor { isSet(.maximize) ? -gradient.detach() : gradient.detach() }

  /// The gradient to follow, with the decay of p in it.
  func ascentAndDecay(_ gradient: Tensor, _ p: Tensor) -> Tensor {
    let (g, decay) = (ascent(gradient), self[.weightDecay])
    return decay == 0 ? g : g + decay * p.detach()
  }

  /// The decay of p by itself: p = p − lr · weightDecay · p.
  func decay(_ p: inout Tensor) {
    let keep: Double = 1 - lr * self[.weightDecay]
    if keep != 1 { p *= keep }
  }

  /// The gradient to follow, with the decay of p in it or, with `decoupledWeightDecay`, after p has decayed.
  func decoupledDecay(_ gradient: Tensor, _ p: inout Tensor) -> Tensor {
    guard isSet(.decoupledWeightDecay) else { return ascentAndDecay(gradient, p) }
    decay(&p)
    return ascent(gradient)
  }
}

/// What an optimizer's parameters can be given as: `[ParameterCell]`, such as `model.parameters()`, or `[ParameterGroup]`.
public protocol ParameterSource {
  var parameterGroups: [ParameterGroup] { get }
}

/// What an array that is a `ParameterSource` consists of.
public protocol ParameterSourceElement {
  static func groups(of elements: [Self]) -> [ParameterGroup]
}

extension ParameterCell: ParameterSourceElement {
  public static func groups(of elements: [ParameterCell]) -> [ParameterGroup] { [ParameterGroup(elements)] }
}

extension ParameterGroup: ParameterSourceElement {
  public static func groups(of elements: [ParameterGroup]) -> [ParameterGroup] { elements }
}

extension Array: ParameterSource where Element: ParameterSourceElement {
  public var parameterGroups: [ParameterGroup] { Element.groups(of: self) }
}
