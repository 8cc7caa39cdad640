import ApusCore

/// Modules by name, in the order in which they were added: `encoder.weight`, `decoder.weight`.
///
/// ```swift
/// let activations: ModuleDict<any Layer> = ["relu": ReLU(), "tanh": Tanh()]
/// y = activations[choice]!(x)
/// ```
public final class ModuleDict<Value>: Module, Sequence, ExpressibleByDictionaryLiteral {
  private var entries: [(key: String, value: Value)] = []

  /// Modules by name; of a type (`any Layer`, a class) whose values are modules. Of two with the same name the later counts.
  public init(_ pairs: [(String, Value)]) {
    super.init()
    for (key, module) in pairs { self[key] = module }
  }

  public convenience init(dictionaryLiteral pairs: (String, Value)...) { self.init(pairs) }

  public override var parts: [(name: String, value: Any)] { entries.map { ($0.key, $0.value) } }

  public func makeIterator() -> IndexingIterator<[(key: String, value: Value)]> { entries.makeIterator() }

  public var keys: [String] { entries.map(\.key) }

  public var values: [Value] { entries.map(\.value) }

  public var count: Int { entries.count }

  public var isEmpty: Bool { entries.isEmpty }

  /// The module with this name. A new name, which must not be empty and have no point, goes to the end; nil takes the module out.
  ///
  /// - Complexity: linear in the number of modules.
  public subscript(key: String) -> Value? {
    get { entries.first { $0.key == key }?.value }
    set {
      let position = entries.firstIndex { $0.key == key }
      switch (position, newValue) {
      case (let i?, let module?): entries[i].value = module
      case (let i?, nil): entries.remove(at: i)
      case (nil, nil): break
      case (nil, let module?):
        guard check(isChildName(key), .value, "ModuleDict", "'\(key)' cannot be a module's name: it is empty or has a point")
        else { return }
        entries.append((key, module))
      }
    }
  }

  /// Takes the module with this name out and gives it back.
  @discardableResult
  public func removeValue(forKey key: String) -> Value? {
    defer { self[key] = nil }
    return self[key]
  }
}

/// Whether a name can stand in a path.
func isChildName(_ name: String) -> Bool { !name.isEmpty && !name.contains(".") }
