import ApusCore

/// A part of a model: it holds parameters and buffers (`@Parameter`, `@Buffer`) and other modules, in ordinary stored properties.
///
/// Children may also lie in optionals, arrays and dictionaries of modules. The properties' names make up PyTorch's keys, in its spelling:
/// `layers.0.weight` is the weight of the first module in the array `layers`, and `runningMean` is saved as `running_mean`. Where a key
/// is no property's name (`weight_ih_l0`, `ln_1`), the class overrides `parts`. Nothing is registered: each call that needs the tree
/// reads the properties anew (`Inventory`), so a layer that is replaced or appended is seen by the next call. That takes microseconds
/// per module: ask once and keep the cells, as optimizers do, rather than in every training step.
open class Module: CustomStringConvertible {
  /// Whether layers such as dropout behave as in training. Set for a whole model by `train()` and `eval()`.
  open var isTraining = true

  /// Hooks and the like; nil where a call is just `forward`.
  final var interception: Interception?

  public init() {}

  /// What the walk looks through, with the keys: the stored properties, `outProj` as `out_proj`, those of the superclass first.
  ///
  /// To be overridden where children or slots have other keys than their properties (`Sequential` counts; a recurrent network has a
  /// list of slots, `weight_ih_l0` and so on). Slots are what `@Parameter` makes: `Parameter(wrappedValue: tensor)`.
  open var parts: [(name: String, value: Any)] { storedProperties }

  /// Multiplications with an addition that a call costs, by the shapes of its inputs and outputs: what `summary` shows. Those of children
  /// are theirs; element-wise work doesn't count.
  open func multiplyAdds(inputs: [Shape], outputs: [Shape]) -> Int { 0 }

  /// What the constructor took, as it is to print between the parentheses: `in: 784, out: 128, bias: true`.
  open var arguments: String { "" }
}

// MARK: - What there is

extension Module {
  /// The modules that this one holds itself, with their names.
  public var children: [(name: String, module: Module)] { Inventory(of: self).children }

  /// This module and all below it, each once, parents before their children.
  public func modules() -> [Module] { namedModules().map(\.module) }

  /// This module, under the name "", and all below it by their paths; each once, parents before their children.
  public func namedModules() -> [(name: String, module: Module)] {
    var seen = Set<ObjectIdentifier>()
    var result: [(name: String, module: Module)] = []
    walk { path, module, _ in
      if seen.insert(ObjectIdentifier(module)).inserted { result.append((path, module)) }
    }
    return result
  }

  /// The cells of all parameters in the order of the state dictionary; each once.
  public func parameters() -> [ParameterCell] { namedParameters().map(\.cell) }

  /// The cells of all parameters with their keys; one that several modules share stands under the first.
  public func namedParameters() -> [(name: String, cell: ParameterCell)] {
    isComplete(for: "parameters") ? namedParametersSoFar() : []
  }

  /// The same without those of layers that have not seen an input.
  func namedParametersSoFar() -> [(name: String, cell: ParameterCell)] {
    var seen = Set<ObjectIdentifier>()
    var result: [(name: String, cell: ParameterCell)] = []
    for (name, slot) in namedSlots() {
      if case .parameter(let cell) = slot.role, cell.content != nil, seen.insert(ObjectIdentifier(cell)).inserted {
        result.append((name, cell))
      }
    }
    return result
  }

  /// All buffers, whether saved or not.
  public func buffers() -> [Tensor] { namedBuffers().map(\.tensor) }

  /// All buffers, whether saved or not, with their keys.
  public func namedBuffers() -> [(name: String, tensor: Tensor)] {
    guard isComplete(for: "buffers") else { return [] }
    var seen = Set<ObjectIdentifier>()
    var result: [(name: String, tensor: Tensor)] = []
    for (name, slot) in namedSlots() {
      if case .buffer = slot.role, let tensor = slot.tensor, seen.insert(ObjectIdentifier(slot)).inserted {
        result.append((name, tensor))
      }
    }
    return result
  }

  /// Number of numbers in all parameters; shared ones count once.
  public var parameterCount: Int { parameters().reduce(0) { $0 + $1.count } }
}

// MARK: - What can be done to all of it

extension Module {
  /// Puts this module and all below it into training mode, or out of it.
  @discardableResult
  public func train(_ isOn: Bool = true) -> Self {
    for module in modules() { module.isTraining = isOn }
    return self
  }

  /// Puts this module and all below it into evaluation mode: no dropout, fixed statistics. Gradients are another matter: see `noGrad`.
  @discardableResult
  public func eval() -> Self { train(false) }

  /// Calls `body` with every module below this one and then with this one.
  public func apply(_ body: (Module) -> Void) {
    for module in modules().reversed() { body(module) }
  }

  /// Forgets the gradients of all parameters, or sets those that there are to zeros.
  public func zeroGrad(setToNone: Bool = true) {
    for cell in parameters() { cell.zeroGrad(setToNone: setToNone) }
  }

  /// Freezes all parameters (false) or lets them be trained again.
  @discardableResult
  public func requiresGrad(_ isOn: Bool) -> Self {
    for module in modules() { module.interception?.pending?.requiresGrad = isOn }
    for (_, cell) in namedParametersSoFar() where cell.dtype.isFloatingPoint { cell.requiresGrad = isOn }
    return self
  }

  /// Converts all floating-point parameters, their gradients and floating-point buffers.
  ///
  /// Make the optimizer afterwards: its state has the dtype of the parameters.
  @discardableResult
  public func to(_ dtype: DType) -> Self {
    guard check(dtype.isFloatingPoint, .dtype, "to", "a module's dtype is a floating-point one, not \(dtype)") else {
      return self
    }
    for module in modules() { module.interception?.pending?.dtype = dtype }
    for (_, slot) in namedSlots() {
      guard let tensor = slot.tensor, tensor.dtype.isFloatingPoint else { continue }
      switch slot.role {
      case .parameter(let cell): cell.convert(to: dtype)
      case .buffer: slot.tensor = tensor.to(dtype)
      }
    }
    return self
  }
}

extension ParameterCell {
  /// Forgets the gradient, or sets it to zeros where there is one.
  public func zeroGrad(setToNone: Bool = true) {
    if setToNone { grad = nil } else if let old = grad { grad = Tensor.zerosLike(old) }
  }
}
