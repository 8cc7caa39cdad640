import ApusCore

extension Module {
  /// The module at a path such as `layers.0.conv1`, as `namedModules` has it; "" is this one. nil where there is none.
  public func getSubmodule(_ path: String) -> Module? { places().first { $0.name == path }?.module }

  /// The cell of the parameter with this key; nil where there is none.
  public func getParameter(_ key: String) -> ParameterCell? {
    namedSlots().lazy.filter { $0.name == key }.compactMap { _, slot in
      if case .parameter(let cell) = slot.role, cell.content != nil { cell } else { nil }
    }.first
  }

  /// The buffer with this key; nil where there is none.
  public func getBuffer(_ key: String) -> Tensor? {
    namedSlots().first { $0.name == key && !$0.slot.isParameter }?.slot.tensor
  }

  /// All paths, of which a shared module has several.
  private func places() -> [(name: String, module: Module)] {
    var result: [(name: String, module: Module)] = []
    walk { path, module, _ in result.append((path, module)) }
    return result
  }
}
