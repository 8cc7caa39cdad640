import ApusCore
import ApusNN

/// Changes parameters so that a loss falls: the superclass of all optimizers.
///
/// ```swift
/// let optimizer = Adam(model.parameters(), lr: 1e-3)
/// for batch in loader {
///   let loss = crossEntropy(model(batch.input), batch.target)
///   optimizer.zeroGrad()
///   loss.backward()
///   optimizer.step()
/// }
/// ```
///
/// A subclass names its options with their defaults in `init` and overrides `update(_:)`; `stateNames` says what it remembers.
/// The parameters' cells are asked for once, here: a layer that is replaced later is not known to the optimizer.
open class Optimizer {
  /// The groups, each with all options: copies of what was given.
  public private(set) var groups: [ParameterGroup] = []
  /// In the order in which they were added; see `addHook`.
  var hooks: [(id: Int, hook: any OptimizerHook)] = []

  /// Whether parameters in float16 and bfloat16 are updated by way of float32 copies, from which they are rounded after each step. In their
  /// own dtype most steps would be too small to count.
  ///
  /// What the optimizer remembers of such a parameter is float32 as well; the copies are saved with it. To be set before the first step.
  public final var keepsMasterWeights = false {
    didSet { for group in groups { group.keepsMasterWeights = keepsMasterWeights } }
  }

  private let defaults: [(key: Hyperparameter, value: Double)]

  /// - Parameters:
  ///   - parameters: cells or groups.
  ///   - defaults: every option that the optimizer takes, with the value for groups that don't say otherwise.
  public init(_ parameters: some ParameterSource, defaults: KeyValuePairs<Hyperparameter, Double>) {
    self.defaults = defaults.map { ($0.key, $0.value) }
    let given = parameters.parameterGroups
    let count = given.reduce(0) { $0 + $1.entries.count }
    if check(count > 0, .value, "\(type(of: self))", "there are no parameters to train") {
      for group in given { add(group) }
    }
  }

  /// Adds a group, with the optimizer's own values for the options that it leaves open.
  ///
  /// A parameter that the optimizer has already, or that is in the group twice, is an error.
  public final func add(_ group: ParameterGroup) {
    let new = group.completed(by: defaults, "\(type(of: self))")
    let cells = groups.flatMap(\.parameters) + new.parameters
    guard
      check(
        Set(cells.map { ObjectIdentifier($0) }).count == cells.count, .value, "\(type(of: self))",
        "a parameter was given more than once; it would be updated more than once in each step")
    else { return }
    validate(new)
    new.keepsMasterWeights = keepsMasterWeights
    groups.append(new)
  }

  /// Reports options that don't go together.
  open func validate(_ group: ParameterGroup) {}

  /// All parameters, group by group.
  public final var parameters: [ParameterCell] { groups.flatMap(\.parameters) }

  /// Takes one step with every parameter that has a gradient.
  public final func step() {
    Profiler.span("optimizer") { withHooks { for group in groups { update(group) } } }
  }

  /// Calls `closure`, which computes loss and gradients, and takes a step. Optimizers that need the loss more than once override it.
  ///
  /// - Returns: the loss.
  @discardableResult
  open func step(_ closure: () -> Tensor) -> Tensor {
    let loss = enableGrad(closure)
    step()
    return loss
  }

  /// One step for a group: to be overridden.
  open func update(_ group: ParameterGroup) {
    fail(TensorError(.unsupported, "\(type(of: self))", "does not override update(_:)"))
  }

  /// Adds to a state dictionary what belongs to no parameter.
  func saveShared(into state: inout OptimizerState) {}

  /// Reads what `saveShared` has saved.
  ///
  /// - Returns: what puts it in force, once all of the state has turned out to fit.
  func readShared(_ reader: inout StateReader) -> () -> Void { {} }

  /// Names of the tensors in a parameter's state, in their order; PyTorch's.
  open var stateNames: [String] { [] }

  /// Forgets the gradients, or sets those that there are to zeros.
  public final func zeroGrad(setToNone: Bool = true) {
    for group in groups {
      for i in group.entries.indices { group.entries[i].cell.zeroGrad(setToNone: setToNone) }
    }
  }

  /// The step size of the first group; setting it sets that of all groups.
  public final var lr: Double {
    get { groups.first?.lr ?? 0 }
    set { for group in groups { group.lr = newValue } }
  }
}

extension Tensor {
  /// Whether the kernels can update this parameter: they know float32 and float64, and row-major memory.
  @inline(__always)
  func canUpdateFused(_ gradient: Tensor) -> Bool {
    (dtype == .float32 || dtype == .float64) && gradient.dtype == dtype && isContiguous
  }
}
